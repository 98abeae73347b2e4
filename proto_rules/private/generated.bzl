"""The source of a `connect_rust_library`, and the crates that it names."""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")
load("@rules_rust//rust:defs.bzl", "rust_common")
load(":aspect.bzl", "connect_rust_messages_aspect")
load(":compat.bzl", "RustAnalyzerGroupInfo", "crates_of", "rust_analyzer_of")
load(":generate.bzl", "generate")
load(":labels.bzl", "typed")
load(":messages_info.bzl", "RustMessagesInfo")
load(":options.bzl", "ConnectRustOptionsInfo")
load(":sides.bzl", "chosen_sides")
load(":toolchain.bzl", "TOOLCHAIN", "connect_rust_toolchain_of")

def _generated_impl(ctx):
    toolchain = connect_rust_toolchain_of(ctx)
    deps = [dep[RustMessagesInfo] for dep in ctx.attr.deps]
    crates = {crate.name: crate for dep in deps for crate in dep.crates}.values()
    externs = depset(transitive = [dep.externs for dep in deps])
    sides = _sides(ctx, toolchain)
    _check_deps(ctx, crates)
    _check_externs(ctx, externs)
    if sides:
        _check_options(ctx, crates)

    options = {"services": ",".join(sides) or "none"}
    if sides:
        options["descriptors"] = "true" if ctx.attr._options[ConnectRustOptionsInfo].options["descriptors"] else "false"
    root = ctx.actions.declare_file(ctx.label.name + "/lib.rs")
    generate(
        ctx,
        toolchain,
        crate = ctx.attr.crate_name,
        descriptor_sets = depset(transitive = [dep[ProtoInfo].transitive_descriptor_sets for dep in ctx.attr.deps]),
        externs = externs,
        mode = "services",
        options = options,
        out = root,
        paths = {path: None for dep in deps for path in dep.paths}.keys(),
        target = _facade(ctx),
    )
    runtime = toolchain.message_runtime + [target for side in sides for target in toolchain.sides[side]]
    linked = depset(crates, transitive = [dep.transitive_crates for dep in deps]).to_list()
    return [
        DefaultInfo(files = depset([root])),
        rust_common.crate_group_info(
            dep_variant_infos = depset(crates_of(runtime) + [crate.dep for crate in linked]),
        ),
        RustAnalyzerGroupInfo(deps = rust_analyzer_of(runtime) + [crate.rust_analyzer for crate in linked]),
        OutputGroupInfo(rust_generated_srcs = depset([root], transitive = [dep.generated_srcs for dep in deps])),
    ]

def _sides(ctx, toolchain):
    services = None if ctx.attr.every_side else ctx.attr.services
    chosen = chosen_sides(services, toolchain.sides.keys(), typed(toolchain.label))
    if chosen.error:
        fail(_of(ctx, chosen.error))
    return chosen.sides

def _check_deps(ctx, crates):
    if not crates:
        fail(_of(ctx, "no .proto file is reachable from deps = {} that the runtime does not bring. ".format(
            [typed(dep.label) for dep in ctx.attr.deps],
        ) + "List a proto_library with `srcs`, or one without that forwards such a library through `deps`."))
    for crate in crates:
        if crate.name == ctx.attr.crate_name:
            fail(_of(ctx, "crate_name = \"{}\" is the crate of {}. Choose another one.".format(crate.name, typed(crate.label))))

def _check_externs(ctx, externs):
    owners = {}
    for extern in externs.to_list():
        for path in extern.paths:
            other = owners.setdefault(path, extern.label)
            if other != extern.label:
                fail(_of(ctx, "both {} and {} bring \"{}\", so its messages would be two types of one name. ".format(
                    typed(other),
                    typed(extern.label),
                    path,
                ) + "Keep the file in one proto_library, and let the other depend on that."))

def _check_options(ctx, crates):
    for crate in crates:
        for name in ["json", "views"]:
            if not crate.options[name]:
                fail(_of(ctx, "services need {option} of their messages, and those of {library} have none. ".format(
                    library = typed(crate.label),
                    option = name,
                ) + "Turn `{}` on for it, or set services = [] to get the messages alone.".format(name)))

def _of(ctx, problem):
    """A problem under the label that the user knows."""
    return "{}: {}".format(typed(_facade(ctx)), problem)

def _facade(ctx):
    return ctx.label.same_package_label(ctx.attr.facade)

connect_rust_generated = rule(
    implementation = _generated_impl,
    doc = "Generates the source of a `connect_rust_library`; as one of its `deps`, it brings the crates that it names.",
    attrs = {
        "crate_name": attr.string(
            doc = "The name of the crate that the source is for.",
            mandatory = True,
        ),
        "deps": attr.label_list(
            doc = "The libraries whose services are generated.",
            aspects = [connect_rust_messages_aspect],
            mandatory = True,
            providers = [ProtoInfo],
        ),
        "every_side": attr.bool(
            doc = "All sides that the toolchain has a runtime for, in place of `services`.",
        ),
        "facade": attr.string(
            doc = "The name of the `connect_rust_library`.",
            mandatory = True,
        ),
        "services": attr.string_list(
            doc = "The sides of the services.",
        ),
        "_options": attr.label(
            doc = "What the build asks of generated code.",
            default = Label("//proto_rules:options"),
            providers = [ConnectRustOptionsInfo],
        ),
    },
    toolchains = [TOOLCHAIN],
)
