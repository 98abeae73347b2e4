"""Rust for Connect, gRPC and gRPC-Web, from any `proto_library`.

Flags of the build decide what is generated, for all libraries alike, because messages of one may be fields of
another's: `--@ringwire//proto_rules:json=false`. A `connect_rust_options` makes exceptions.

| Flag | Default | |
|---|---|---|
| `descriptors` | true | Services carry their schema, for reflection and for options that interceptors read. |
| `json` | true | Messages have protobuf's JSON mapping. Services need it. |
| `strict_utf8_mapping` | false | Strings that the schema exempts from UTF-8 validation (all of proto2) are bytes. |
| `unknown_fields` | true | Fields that are not in the schema survive decoding and encoding. |
| `views` | true | Messages have borrowed views. Services need them. |
"""

load("//proto_rules/private:descriptor_set.bzl", _connect_descriptor_set = "connect_descriptor_set")
load("//proto_rules/private:library.bzl", _connect_rust_library = "connect_rust_library")
load("//proto_rules/private:one_runtime.bzl", _connect_rust_one_runtime_aspect = "connect_rust_one_runtime_aspect")
load("//proto_rules/private:options.bzl", _connect_rust_options = "connect_rust_options")

connect_descriptor_set = _connect_descriptor_set
connect_rust_library = _connect_rust_library
connect_rust_one_runtime_aspect = _connect_rust_one_runtime_aspect
connect_rust_options = _connect_rust_options
