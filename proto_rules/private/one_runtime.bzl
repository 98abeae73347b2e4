"""Two copies of one runtime in a program, refused before it is built."""

load("@rules_rust//rust:defs.bzl", "rust_common")
load(":compat.bzl", "crates_of")
load(":labels.bzl", "typed")
load(":toolchain.bzl", "TOOLCHAIN", "TOOLCHAIN_TYPE")
load(":twice.bzl", "twice")

def _one_runtime_impl(target, ctx):
    crate = _program(target)
    if not crate:
        return []
    found = twice(target[rust_common.dep_info].transitive_crates.to_list())
    if found:
        fail(("{target}: two copies of the crate {name} would be in this program, {first}, which {first_from} brings, and " +
              "{second}, which {second_from} brings. What is made for the one does not work with the other. Take all of " +
              "Ringwire, and tokio with it, from one place: the one that your connect_rust_toolchain names. " +
              "Ringwire's docs/crates.md has both ways.").format(
            first = typed(found.owners[0]),
            first_from = _bringer(ctx, found.name, found.owners[0]),
            name = found.name,
            second = typed(found.owners[1]),
            second_from = _bringer(ctx, found.name, found.owners[1]),
            target = typed(ctx.label),
        ))
    return []

def _program(target):
    """The crate of a target that is linked into a program."""
    if rust_common.test_crate_info in target:
        return target[rust_common.test_crate_info].crate
    if rust_common.crate_info in target and target[rust_common.crate_info].type not in ["lib", "proc-macro", "rlib"]:
        return target[rust_common.crate_info]
    return None

def _bringer(ctx, name, owner):
    """The first of the program's own deps by which a crate comes."""
    deps = getattr(ctx.rule.attr, "deps", []) + [dep for dep in [getattr(ctx.rule.attr, "crate", None)] if dep]
    for dep in deps:
        if rust_common.dep_info not in dep and rust_common.crate_group_info not in dep:
            continue
        for crate in crates_of([dep]):
            below = crate.dep_info.transitive_crates.to_list() + [crate.crate_info]
            if [other for other in below if other.name == name and other.owner == owner]:
                return typed(dep.label)
    return "one of its deps"

connect_rust_one_runtime_aspect = aspect(
    implementation = _one_runtime_impl,
    doc = """\
Refuses programs that hold two copies of Ringwire, of buffa or of tokio, before they are built. One line in `.bazelrc` has it
look at every `rust_binary` and `rust_test`:

```
build --aspects=@ringwire//proto_rules:defs.bzl%connect_rust_one_runtime_aspect
```""",
    attr_aspects = [
        "actual",
        "data",
        "tests",
    ],
)

def _own_runtime_impl(ctx):
    toolchain = ctx.toolchains[TOOLCHAIN_TYPE]
    if toolchain:
        ours = ctx.attr.message_runtime[rust_common.crate_info]
        for theirs in crates_of(toolchain.message_runtime):
            found = twice([ours, theirs.crate_info] + theirs.dep_info.transitive_crates.to_list())
            if found:
                fail(("{target} is built on Ringwire's own crates, and {toolchain}, the connect_rust_toolchain of this " +
                      "build, has generated code built on others, {theirs}. One program would have both. In its `deps`, put " +
                      "the crate `ringwire` of the hub that the toolchain names in place of {target}, or else register " +
                      "@ringwire//proto_rules:toolchain. Ringwire's docs/crates.md has both ways.").format(
                    target = typed(ctx.label.same_package_label(ctx.attr.runtime)),
                    theirs = typed([owner for owner in found.owners if owner != ours.owner][0]),
                    toolchain = typed(toolchain.label),
                ))
    return []

own_runtime = rule(
    implementation = _own_runtime_impl,
    doc = "Holds that generated code, if there is any, is built on the crates of this repository.",
    attrs = {
        "message_runtime": attr.label(
            doc = "The crate of messages of this repository.",
            mandatory = True,
            providers = [rust_common.crate_info],
        ),
        "runtime": attr.string(
            doc = "The target whose user is to be told.",
            mandatory = True,
        ),
    },
    toolchains = [TOOLCHAIN],
)
