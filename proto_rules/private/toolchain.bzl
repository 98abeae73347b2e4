"""What `connect_rust_library` runs and links."""

load("@rules_rust//rust:defs.bzl", "rust_analyzer_aspect", "rust_common")
load(":compat.bzl", "crates_of")
load(":labels.bzl", "typed")
load(":sides.bzl", "RUNTIMES")
load(":twice.bzl", "twice")

TOOLCHAIN_TYPE = Label("//proto_rules:toolchain_type")

# Optional, so that its absence can be explained.
TOOLCHAIN = config_common.toolchain_type(TOOLCHAIN_TYPE, mandatory = False)

def connect_rust_toolchain_of(ctx):
    """Returns the toolchain, or fails and says how to get one.

    Args:
      ctx: the context of a rule or an aspect that lists TOOLCHAIN.

    Returns:
      The ToolchainInfo that `connect_rust_toolchain` provides.
    """
    toolchain = ctx.toolchains[TOOLCHAIN_TYPE]
    if not toolchain:
        fail("{}: no connect_rust_toolchain is registered for this platform. ".format(typed(ctx.label)) +
             "Add register_toolchains(\"@ringwire//proto_rules:toolchain\") to your MODULE.bazel, " +
             "or declare one over your own crates with connect_rust_toolchain and register that.")
    return toolchain

def _connect_rust_toolchain_impl(ctx):
    _check_runtimes(ctx)
    return [
        platform_common.ToolchainInfo(
            generator = ctx.attr.generator[DefaultInfo].files_to_run,
            label = ctx.label,
            message_runtime = ctx.attr.message_runtime,
            # The sides of a service that can be asked for, each with what it links.
            sides = {side: getattr(ctx.attr, runtime) for side, runtime in RUNTIMES.items() if getattr(ctx.attr, runtime)},
        ),
    ]

def _check_runtimes(ctx):
    runtimes = [runtime for name in ["message_runtime"] + RUNTIMES.values() for runtime in getattr(ctx.attr, name)]
    crates = [
        crate
        for runtime in crates_of(runtimes)
        for crate in [runtime.crate_info] + runtime.dep_info.transitive_crates.to_list()
    ]
    found = twice(crates)
    if found:
        fail(("{}: its runtimes bring two copies of the crate {}, {} and {}, and generated code needs one. Take all of " +
              "`message_runtime`, {} from one place. Ringwire's docs/crates.md has both ways.").format(
            typed(ctx.label),
            found.name,
            typed(found.owners[0]),
            typed(found.owners[1]),
            " and ".join(["`{}`".format(name) for name in sorted(RUNTIMES.values())]),
        ))

_CRATES = {
    "aspects": [rust_analyzer_aspect],
    "providers": [
        [rust_common.crate_info],
        [rust_common.crate_group_info],
    ],
}

connect_rust_toolchain = rule(
    implementation = _connect_rust_toolchain_impl,
    doc = """\
The generator that `connect_rust_library` runs, and the crates that generated code is built on.

Two copies of one of these crates in a program do not fit together, so there is no silent default: each build registers
the toolchain whose crates its own code uses too. With Ringwire's own, built from source:

```starlark
register_toolchains("@ringwire//proto_rules:toolchain")
```

or, where there are messages and no services, `@ringwire//proto_rules:messages_toolchain`. With crates from a hub of yours,
`connect_rust_toolchain_from_hub` declares it.""",
    attrs = {
        "client_runtime": attr.label_list(
            doc = "The crates that generated clients and mocks name, beside those of `message_runtime`. Without any, no " +
                  "client is generated.",
            **_CRATES
        ),
        "generator": attr.label(
            doc = "The program that turns descriptor sets into Rust. It runs while building, so it is built for the " +
                  "machine that builds.",
            cfg = "exec",
            executable = True,
            mandatory = True,
        ),
        "message_runtime": attr.label_list(
            doc = "The crates that generated messages name.",
            allow_empty = False,
            mandatory = True,
            **_CRATES
        ),
        "service_runtime": attr.label_list(
            doc = "The crates that generated services name, beside those of `message_runtime`. Without any, no service " +
                  "is generated.",
            **_CRATES
        ),
    },
    provides = [platform_common.ToolchainInfo],
)
