"""The crates of messages that `connect_rust_library` makes of libraries, without a facade over them."""

# buildifier: disable=bzl-visibility
load("@ringwire//proto_rules/private:aspect.bzl", "connect_rust_messages_aspect")

# buildifier: disable=bzl-visibility
load("@ringwire//proto_rules/private:messages_info.bzl", "RustMessagesInfo")

def _message_crates_impl(ctx):
    crates = {}
    for dep in ctx.attr.deps:
        for crate in dep[RustMessagesInfo].crates:
            crates[crate.name] = crate.dep.crate_info.output
    args = ctx.actions.args()
    args.add_all(crates.values())
    args.set_param_file_format("multiline")
    args.use_param_file("%s", use_always = True)
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    ctx.actions.run_shell(
        arguments = [out.path, args],
        command = 'cp "$2" "$1"',
        inputs = crates.values(),
        mnemonic = "ListCrates",
        outputs = [out],
    )
    return [DefaultInfo(
        files = depset([out]),
        runfiles = ctx.runfiles([out]),
    )]

message_crates = rule(
    implementation = _message_crates_impl,
    doc = "Compiles the messages of libraries, and lists the crates.",
    attrs = {
        "deps": attr.label_list(
            doc = "`proto_library` targets.",
            aspects = [connect_rust_messages_aspect],
            mandatory = True,
        ),
    },
)
