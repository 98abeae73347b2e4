"""The toolchain of `connect_rust_library`."""

load("//proto_rules/private:hub.bzl", _connect_rust_toolchain_from_hub = "connect_rust_toolchain_from_hub")
load("//proto_rules/private:toolchain.bzl", _connect_rust_toolchain = "connect_rust_toolchain")

connect_rust_toolchain = _connect_rust_toolchain
connect_rust_toolchain_from_hub = _connect_rust_toolchain_from_hub
