"""All that we use of rules_rust beyond its public API, for 0.54.1 and every later version up to 0.73."""

load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("@rules_rust//:version.bzl", _RULES_RUST = "VERSION")
load("@rules_rust//rust:defs.bzl", "rust_common")

# buildifier: disable=bzl-visibility
load("@rules_rust//rust/private:providers.bzl", "RustAnalyzerInfo", _RustAnalyzerGroupInfo = "RustAnalyzerGroupInfo")

# buildifier: disable=bzl-visibility
load("@rules_rust//rust/private:rust.bzl", "RUSTC_ATTRS")

# buildifier: disable=bzl-visibility
load("@rules_rust//rust/private:rust_analyzer.bzl", "write_rust_analyzer_spec_file")

# buildifier: disable=bzl-visibility
load("@rules_rust//rust/private:rustc.bzl", "rustc_compile_action")

# buildifier: disable=bzl-visibility
load("@rules_rust//rust/private:utils.bzl", "can_build_metadata")

RustAnalyzerGroupInfo = _RustAnalyzerGroupInfo

# What a rule or aspect that calls `compile_rlib` must ask for.
COMPILE_ATTRS = RUSTC_ATTRS
COMPILE_FRAGMENTS = ["cpp"]
COMPILE_TOOLCHAINS = [
    "@rules_rust//rust:toolchain_type",
    config_common.toolchain_type("@bazel_tools//tools/cpp:toolchain_type", mandatory = False),
]

def compile_rlib(ctx, *, name, root, deps):
    """Compiles a crate of one generated file.

    Args:
      ctx: the context of an aspect.
      name: the name of the crate.
      root: the File.
      deps: list[DepVariantInfo], what the crate may name.

    Returns:
      The crate as a DepVariantInfo.
    """
    toolchain = ctx.toolchains["@rules_rust//rust:toolchain_type"]
    output_hash = repr(hash(root.path))
    stem = "lib{}-{}".format(name, output_hash)
    crate_info = {
        "aliases": {},
        "compile_data": depset(),
        "compile_data_targets": depset(),
        "deps": _many(deps, lists_since = "0.66"),
        "edition": _EDITION,
        "is_test": False,
        "metadata": None,
        "name": name,
        "output": ctx.actions.declare_file(stem + ".rlib"),
        "owner": ctx.label,
        "proc_macro_deps": _many([], lists_since = "0.66"),
        "root": root,
        "rustc_env": {},
        "srcs": _many([root], lists_since = "0.67"),
        "type": "rlib",
    }
    if can_build_metadata(toolchain, ctx, "rlib"):
        crate_info["metadata"] = ctx.actions.declare_file(stem + ".rmeta")
        if _at_least("0.64"):
            crate_info["metadata_supports_pipelining"] = bool(getattr(toolchain, "_pipelined_compilation", False))
    providers = rustc_compile_action(
        attr = ctx.rule.attr,
        crate_info_dict = crate_info,
        ctx = ctx,
        include_coverage = False,
        output_hash = output_hash,
        # Warnings are for whoever can mend them.
        rust_flags = ["--cap-lints=allow"],
        toolchain = toolchain,
    )
    return rust_common.dep_variant_info(
        build_info = None,
        cc_info = _with_field(providers, "linking_context"),
        crate_info = _with_field(providers, "name"),
        dep_info = _with_field(providers, "direct_crates"),
    )

def crates_of(targets):
    """Returns the crates that targets stand for.

    Args:
      targets: Rust libraries and groups of them.

    Returns:
      list[DepVariantInfo]
    """
    crates = []
    for target in targets:
        if rust_common.crate_group_info in target:
            crates.extend(target[rust_common.crate_group_info].dep_variant_infos.to_list())
        else:
            crates.append(rust_common.dep_variant_info(
                build_info = None,
                cc_info = target[CcInfo] if CcInfo in target else None,
                crate_info = target[rust_common.crate_info],
                dep_info = target[rust_common.dep_info],
            ))
    return crates

def rust_analyzer_of(targets):
    """Returns what rust-analyzer knows of targets.

    Args:
      targets: Rust libraries and groups of them, visited by `rust_analyzer_aspect`.

    Returns:
      list[RustAnalyzerInfo]
    """
    infos = []
    for target in targets:
        if RustAnalyzerInfo in target:
            infos.append(target[RustAnalyzerInfo])
        if RustAnalyzerGroupInfo in target:
            infos.extend(target[RustAnalyzerGroupInfo].deps)
    return infos

def write_rust_analyzer_info(ctx, *, crate_info, deps):
    """Tells rust-analyzer of a crate that an aspect compiles.

    Args:
      ctx: the context of the aspect: a rule cannot.
      crate_info: the CrateInfo of the crate.
      deps: list[RustAnalyzerInfo]

    Returns:
      A RustAnalyzerInfo.
    """
    fields = {
        "aliases": {},
        "build_info": None,
        "cfgs": [
            "debug_assertions",
            "test",
        ],
        "crate": crate_info,
        "crate_specs": depset(transitive = [dep.crate_specs for dep in deps]),
        "deps": deps,
        "env": crate_info.rustc_env,
    }
    if _at_least("0.60"):
        fields["build_info_out_dirs"] = depset(transitive = [dep.build_info_out_dirs for dep in deps])
        fields["proc_macro_dylib"] = None
        fields["proc_macro_dylibs"] = depset(transitive = [dep.proc_macro_dylibs for dep in deps])
    else:
        fields["proc_macro_dylib_path"] = None
    return write_rust_analyzer_spec_file(ctx, ctx.rule.attr, ctx.label, RustAnalyzerInfo(**fields))

def _many(items, *, lists_since):
    """A depset, or a list where rules_rust wants lists."""
    return items if _at_least(lists_since) else depset(items)

def _with_field(providers, field):
    for provider in providers:
        if hasattr(provider, field):
            return provider
    fail("rules_rust {}: rustc_compile_action returns nothing that has `{}`. ".format(_RULES_RUST, field) +
         "This version of Ringwire knows rules_rust 0.54.1 to 0.73: use one of those, or a newer Ringwire.")

def _at_least(version):
    return _numbers(_RULES_RUST) >= _numbers(version)

def _numbers(version):
    return [int(number) for number in version.split("-")[0].split(".")[:2]]

# Generated code means the same in every edition.
_EDITION = "2021"
