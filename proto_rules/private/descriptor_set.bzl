"""`connect_descriptor_set`."""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")

def _connect_descriptor_set_impl(ctx):
    out = ctx.outputs.out or ctx.actions.declare_file(ctx.label.name + ".binpb")
    sets = depset(transitive = [dep[ProtoInfo].transitive_descriptor_sets for dep in ctx.attr.deps], order = "postorder")
    args = ctx.actions.args()
    args.add(out)
    args.add_all(sets)

    # Sets in a row are a set: that is how protobuf merges messages.
    ctx.actions.run_shell(
        arguments = [args],
        command = 'out=$1; shift; cat "$@" >"$out"',
        inputs = sets,
        mnemonic = "ConnectDescriptorSet",
        outputs = [out],
        progress_message = "Joining descriptors for %{label}",
    )
    return [DefaultInfo(
        files = depset([out]),
        runfiles = ctx.runfiles([out]),
    )]

connect_descriptor_set = rule(
    implementation = _connect_descriptor_set_impl,
    doc = """\
One `google.protobuf.FileDescriptorSet` of proto libraries and all that they import, each file after its imports: what
server reflection serves, and what tools such as grpcurl and buf read.

```starlark
connect_descriptor_set(
    name = "greet_descriptors",
    deps = [":greet_proto"],
)
```""",
    attrs = {
        "deps": attr.label_list(
            doc = "`proto_library` targets.",
            allow_empty = False,
            mandatory = True,
            providers = [ProtoInfo],
        ),
        "out": attr.output(
            doc = "The file to write, by default `<name>.binpb`.",
        ),
    },
)
