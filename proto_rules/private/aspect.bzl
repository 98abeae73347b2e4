"""One crate of messages for every `proto_library`, shared by all who use it."""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")
load(":compat.bzl", "COMPILE_ATTRS", "COMPILE_FRAGMENTS", "COMPILE_TOOLCHAINS", "compile_rlib", "crates_of", "rust_analyzer_of", "write_rust_analyzer_info")
load(":crate_names.bzl", "message_crate_name")
load(":generate.bzl", "generate")
load(":import_paths.bzl", "import_paths", "is_well_known")
load(":labels.bzl", "typed")
load(":messages_info.bzl", "RustMessagesInfo")
load(":options.bzl", "ConnectRustOptionsInfo", "missing_below", "options_of_library")
load(":toolchain.bzl", "TOOLCHAIN", "connect_rust_toolchain_of")

def _aspect_impl(target, ctx):
    toolchain = connect_rust_toolchain_of(ctx)
    deps = [dep[RustMessagesInfo] for dep in getattr(ctx.rule.attr, "deps", []) if RustMessagesInfo in dep]
    below = [crate for dep in deps for crate in dep.crates]
    transitive_crates = depset(below, transitive = [dep.transitive_crates for dep in deps])
    externs = depset(transitive = [dep.externs for dep in deps])
    generated_srcs = depset(transitive = [dep.generated_srcs for dep in deps])

    proto_info = target[ProtoInfo]
    paths = [path for path in import_paths(proto_info) if not is_well_known(path)]
    if not paths:
        return [RustMessagesInfo(
            crates = below,
            externs = externs,
            generated_srcs = generated_srcs,
            paths = [path for dep in deps for path in dep.paths],
            transitive_crates = transitive_crates,
        )]

    options = options_of_library(ctx.attr._options[ConnectRustOptionsInfo].options, getattr(ctx.rule.attr, "aspect_hints", []))
    _check_options(ctx.label, options, below)

    name = message_crate_name(ctx.label)
    root = ctx.actions.declare_file(ctx.label.name + ".connect_rust/lib.rs")
    generate(
        ctx,
        toolchain,
        crate = name,
        descriptor_sets = proto_info.transitive_descriptor_sets,
        externs = externs,
        mode = "messages",
        options = {option: _truth(options[option]) for option in options if option not in _SERVICE_OPTIONS},
        out = root,
        paths = paths,
        target = ctx.label,
    )

    # A message may come by a public import from any depth, so each crate below is within reach.
    all_below = transitive_crates.to_list()
    compiled = compile_rlib(
        ctx,
        name = name,
        deps = crates_of(toolchain.message_runtime) + [crate.dep for crate in all_below],
        root = root,
    )
    generated_srcs = depset([root], transitive = [generated_srcs])
    return [
        RustMessagesInfo(
            crates = [struct(
                dep = compiled,
                label = ctx.label,
                name = name,
                options = options,
                rust_analyzer = write_rust_analyzer_info(
                    ctx,
                    crate_info = compiled.crate_info,
                    deps = rust_analyzer_of(toolchain.message_runtime) + [crate.rust_analyzer for crate in all_below],
                ),
            )],
            externs = depset([struct(crate = name, label = ctx.label, paths = tuple(paths))], transitive = [externs]),
            generated_srcs = generated_srcs,
            paths = paths,
            # Without this crate itself: its CrateInfo is still mutable here, and no depset takes it.
            transitive_crates = transitive_crates,
        ),
        OutputGroupInfo(rust_generated_srcs = generated_srcs),
    ]

def _check_options(label, options, below):
    for crate in below:
        missing = missing_below(options, crate.options)
        if missing:
            fail(("{label}: its messages have {option}, those of {below} do not, and they may be its fields. " +
                  "Remove `{option} = \"off\"` from the aspect_hints of {below}, or add such a hint to {label} too.").format(
                below = typed(crate.label),
                label = typed(label),
                option = missing,
            ))

def _truth(value):
    return "true" if value else "false"

# What only services know.
_SERVICE_OPTIONS = ["descriptors"]

connect_rust_messages_aspect = aspect(
    implementation = _aspect_impl,
    doc = "Generates and compiles the messages of each `proto_library`.",
    attr_aspects = ["deps"],
    attrs = COMPILE_ATTRS | {
        "_options": attr.label(
            doc = "What the build asks of generated code.",
            default = Label("//proto_rules:options"),
            providers = [ConnectRustOptionsInfo],
        ),
    },
    fragments = COMPILE_FRAGMENTS,
    required_providers = [ProtoInfo],
    toolchains = COMPILE_TOOLCHAINS + [TOOLCHAIN],
)
