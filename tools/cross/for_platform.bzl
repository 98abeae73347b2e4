"""A program built for another machine than the one that builds."""

def _to_platform_impl(_settings, attr):
    return {"//command_line_option:platforms": [attr.platform]}

# To the platform that the attribute of this name says.
to_platform = transition(
    implementation = _to_platform_impl,
    inputs = [],
    outputs = ["//command_line_option:platforms"],
)

def _for_platform_impl(ctx):
    binary = ctx.attr.binary[0][DefaultInfo]
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        is_executable = True,
        output = out,
        target_file = binary.files_to_run.executable,
    )
    return [DefaultInfo(
        executable = out,
        files = depset([out]),
        runfiles = binary.default_runfiles,
    )]

for_platform = rule(
    implementation = _for_platform_impl,
    doc = "A program, built for a platform. What builds it runs on the machine that builds.",
    attrs = {
        "binary": attr.label(
            doc = "The program.",
            cfg = to_platform,
            executable = True,
            mandatory = True,
        ),
        "platform": attr.label(
            doc = "The `platform` that it is to run on.",
            mandatory = True,
        ),
    },
    executable = True,
)
