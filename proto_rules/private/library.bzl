"""`connect_rust_library`."""

load("@rules_rust//rust:defs.bzl", "rust_library")
load(":crate_names.bzl", "facade_crate_name")
load(":generated.bzl", "connect_rust_generated")

def connect_rust_library(name, deps, services = None, crate_name = None, tags = [], rustc_flags = [], **kwargs):
    """A Rust library of the messages and services of proto libraries.

    ```starlark
    proto_library(
        name = "greet_proto",
        srcs = ["greet.proto"],
    )

    connect_rust_library(
        name = "greet_rust",
        deps = [":greet_proto"],
    )
    ```

    Modules follow the protobuf packages: `greet_rust::greet::v1::GreetRequest`. Each `proto_library` is compiled once, as a
    crate of its own, whoever uses it: two libraries over one proto share its types. This target is a plain
    `rust_library` over those crates and its own services, so `rust_test(crate = ...)`, `rust_doc` and rust-analyzer
    see nothing unusual.

    `<name>.generated` is made beside it: the generated source. With `--output_groups=rust_generated_srcs` it brings the
    sources of all message crates too.

    Args:
      name: The target's name.
      deps: `proto_library` targets. Their services are generated; those of the libraries below are not. A library without
        `srcs` stands for its own `deps`.
      services: The sides of services to generate: `"server"`, `"client"`, both, or an empty list for messages alone. By
        default, all that the toolchain has a runtime for. Unless the list is empty, `deps` must declare a service.
      crate_name: What Rust code calls the library. By default the target's name, `_` for whatever cannot be in it.
      tags: Tags of the target.
      rustc_flags: As of `rust_library`.
      **kwargs: Attributes that every rule has, such as `visibility` and `testonly`.
    """
    label = "//{}:{}".format(native.package_name(), name)
    for attribute in kwargs:
        if attribute not in _FACADE_ATTRS:
            fail("{}: connect_rust_library has no attribute `{}`. It takes name, deps, services, crate_name, rustc_flags, tags, {}.".format(
                label,
                attribute,
                ", ".join(_FACADE_ATTRS),
            ))
    if deps == []:
        fail("{}: `deps` is empty. List the proto_library targets whose services and messages you want.".format(label))
    crate = facade_crate_name(name, crate_name)
    if crate.error:
        fail("{}: {}".format(label, crate.error))

    generated = name + ".generated"
    connect_rust_generated(
        name = generated,
        crate_name = crate.name,
        every_side = services == None,
        facade = name,
        services = services or [],
        tags = tags + ["manual"],
        deps = deps,
        **{attribute: kwargs[attribute] for attribute in kwargs if attribute in _COMMON_ATTRS}
    )
    rust_library(
        name = name,
        srcs = [generated],
        crate_name = crate.name,
        edition = "2021",
        # What the generator writes is linted where the generator is tested; warnings are for whoever can mend them.
        rustc_flags = ["--cap-lints=allow"] + rustc_flags,
        tags = tags + ["no-clippy"],
        deps = [generated],
        **kwargs
    )

# Attributes of every rule: both targets get them.
_COMMON_ATTRS = [
    "compatible_with",
    "exec_compatible_with",
    "exec_properties",
    "features",
    "restricted_to",
    "target_compatible_with",
    "testonly",
    "visibility",
]

_FACADE_ATTRS = _COMMON_ATTRS + [
    "deprecation",
]
