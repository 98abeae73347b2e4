"""What rust-analyzer is told of targets."""

load("@rules_rust//rust:defs.bzl", "rust_analyzer_aspect")

def _crate_specs_impl(ctx):
    files = depset(transitive = [target[OutputGroupInfo].rust_analyzer_crate_spec for target in ctx.attr.targets])
    return [DefaultInfo(
        files = files,
        runfiles = ctx.runfiles(transitive_files = files),
    )]

crate_specs = rule(
    implementation = _crate_specs_impl,
    doc = "The specifications of crates that make up a project of rust-analyzer.",
    attrs = {
        "targets": attr.label_list(
            doc = "Rust targets.",
            aspects = [rust_analyzer_aspect],
        ),
    },
)
