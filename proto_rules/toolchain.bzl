"""The toolchain of `connect_rust_library`."""

load("//proto_rules/private:toolchain.bzl", _connect_rust_toolchain = "connect_rust_toolchain")

connect_rust_toolchain = _connect_rust_toolchain
