"""Rust for Connect, gRPC and gRPC-Web, from any `proto_library`."""

load("//proto_rules/private:descriptor_set.bzl", _connect_descriptor_set = "connect_descriptor_set")
load("//proto_rules/private:library.bzl", _connect_rust_library = "connect_rust_library")
load("//proto_rules/private:options.bzl", _connect_rust_options = "connect_rust_options")

connect_descriptor_set = _connect_descriptor_set
connect_rust_library = _connect_rust_library
connect_rust_options = _connect_rust_options
