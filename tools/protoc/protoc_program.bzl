"""The protoc that a crate carries."""

load("@rules_rust//rust:defs.bzl", "rust_common")

def _protoc_program_impl(ctx):
    deps = ctx.attr.crate[rust_common.crate_info].deps
    files = [
        file
        # rules_rust has made lists of its depsets.
        for dep in (deps.to_list() if type(deps) == type(depset()) else deps)
        if dep.crate_info
        for file in dep.crate_info.compile_data.to_list()
    ]
    programs = [file for file in files if file.path.endswith("/bin/protoc")]
    if not programs:
        fail("{}: none of the crates that {} depends on carries a protoc for this platform. Register a proto toolchain of your own.".format(
            ctx.label,
            ctx.attr.crate.label,
        ))
    program = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        is_executable = True,
        output = program,
        target_file = programs[0],
    )
    return [
        DefaultInfo(
            executable = program,
            files = depset([program]),
        ),
        OutputGroupInfo(protos = depset([file for file in files if file.extension == "proto"])),
    ]

protoc_program = rule(
    implementation = _protoc_program_impl,
    doc = "The protoc among the files of a crate that `ringwire-protoc` depends on. The output group `protos` has the .proto " +
          "files beside it.",
    attrs = {
        "crate": attr.label(
            doc = "The crate `ringwire-protoc`.",
            mandatory = True,
            providers = [rust_common.crate_info],
        ),
    },
    executable = True,
)
