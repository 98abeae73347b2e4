"""The toolchains of a build whose crates come from a hub."""

load("@rules_rust//rust:defs.bzl", "rust_binary")
load("//tools/protoc:protoc_program.bzl", "protoc_program")
load("//tools/protoc:protoc_toolchain.bzl", "protoc_toolchain")
load(":sides.bzl", "RUNTIMES")
load(":toolchain.bzl", "TOOLCHAIN_TYPE", "connect_rust_toolchain")

def connect_rust_toolchain_from_hub(name, hub, services = ["client", "server"]):
    """The toolchains of `connect_rust_library` and of `proto_library`, with everything from a hub of crates.

    The hub needs the crates `ringwire-codegen`, `ringwire-message` and `ringwire-protoc`, with `ringwire-client` and
    `ringwire-local` for clients and mocks, and `ringwire-service` for servers, all of the module's own version.
    `<name>_toolchain` and `<name>_protoc` are made, to be registered:

    ```starlark
    register_toolchains(
        "//:connect_rust_toolchain",
        "//:connect_rust_protoc",
    )
    ```

    Args:
      name: The name of the `connect_rust_toolchain`, and the start of the other names.
      hub: The repository with the crates, as `crate.from_cargo` names it: `"@crates"`.
      services: The sides of services that can be generated: `"server"`, `"client"`, both, or an empty list for messages alone.
    """
    for side in services:
        if side not in RUNTIMES:
            fail("{}: services: {} is no side of a service. It is one of {}.".format(name, repr(side), ", ".join(RUNTIMES)))

    rust_binary(
        name = name + ".generator",
        srcs = [Label("//codegen/rules:srcs")],
        crate_name = "ringwire_codegen_rules",
        edition = "2024",
        rustc_flags = ["--cap-lints=allow"],
        tags = _OURS,
        visibility = ["//visibility:private"],
        deps = [hub + "//:ringwire-codegen"],
    )
    connect_rust_toolchain(
        name = name,
        generator = name + ".generator",
        message_runtime = [hub + "//:ringwire-message"],
        tags = ["manual"],
        visibility = ["//visibility:public"],
        **{RUNTIMES[side]: [hub + crate for crate in _CRATES[side]] for side in services}
    )
    native.toolchain(
        name = name + "_toolchain",
        toolchain = name,
        toolchain_type = TOOLCHAIN_TYPE,
    )

    protoc_program(
        name = name + ".protoc",
        crate = hub + "//:ringwire-protoc",
        tags = ["manual"],
        visibility = ["//visibility:private"],
    )
    protoc_toolchain(
        name = name + ".protoc_toolchain",
        protoc = name + ".protoc",
        # Comments of a .proto file become the docs of what is made from it.
        protoc_opts = ["--include_source_info"],
        tags = ["manual"],
        visibility = ["//visibility:public"],
    )
    native.toolchain(
        name = name + "_protoc",
        toolchain = name + ".protoc_toolchain",
        toolchain_type = Label("@rules_proto//proto:toolchain_type"),
    )

_CRATES = {
    "client": [
        "//:ringwire-client",
        "//:ringwire-local",
    ],
    "server": ["//:ringwire-service"],
}

# Checked where it is written.
_OURS = [
    "manual",
    "no-clippy",
    "no-rustfmt",
]
