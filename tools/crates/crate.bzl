"""A third-party crate, in a repository of its own."""

load("@rules_rust//cargo:defs.bzl", "cargo_build_script")
load("@rules_rust//rust:defs.bzl", "rust_library", "rust_proc_macro")

def crate(
        aliases,
        build_aliases,
        build_deps,
        build_proc_macro_deps,
        build_script,
        crate_name,
        deps,
        edition,
        features,
        link_deps,
        links,
        package,
        platforms,
        proc_macro,
        proc_macro_deps,
        root,
        version):
    """Declares the library of a crate, under the name of its package, which it sees as CARGO_PKG_NAME.

    Args:
      aliases: what the crate calls deps that it renames, by their labels.
      build_aliases: what its build script calls those that it renames.
      build_deps: the libraries that the build script names, by platform; under "", those of all platforms.
      build_proc_macro_deps: its procedural macros, likewise.
      build_script: the file of the build script, if there is one.
      crate_name: what Rust code calls the crate.
      deps: the libraries that the crate names, by platform.
      edition: the edition of Rust.
      features: the features of Cargo, by platform.
      link_deps: those of deps that tell build scripts of what they link.
      links: the native library that the crate links, if any.
      package: the name of the package.
      platforms: all platforms that are known.
      proc_macro: whether the crate is a procedural macro.
      proc_macro_deps: the procedural macros that the crate names, by platform.
      root: the file that the crate starts from.
      version: the version of the package.
    """
    common = {
        "crate_features": _by_platform(platforms, features),
        "edition": edition,
        "rustc_flags": ["--cap-lints=allow"],
        "tags": [
            "crate-name=" + package,
            "manual",
            "no-clippy",
            "no-rustfmt",
        ],
        "version": version,
    }
    sources = native.glob(["**/*.rs"])
    files = native.glob(["**"], exclude = _NO_FILES)
    scripts = []
    if build_script:
        scripts = ["build_script"]
        cargo_build_script(
            name = "build_script",
            srcs = sources,
            aliases = build_aliases,
            # What a script of Cargo sees: all files of its package.
            compile_data = native.glob(["**"], exclude = _NO_FILES + ["**/*.rs"]),
            crate_name = "build_script_build",
            crate_root = build_script,
            data = files,
            deps = _by_platform(platforms, build_deps),
            link_deps = _by_platform(platforms, link_deps),
            links = links,
            pkg_name = package,
            proc_macro_deps = _by_platform(platforms, build_proc_macro_deps),
            visibility = ["//visibility:private"],
            **common
        )
    library = rust_proc_macro if proc_macro else rust_library
    library(
        name = package,
        srcs = sources,
        aliases = aliases,
        compile_data = files,
        crate_name = crate_name,
        crate_root = root,
        deps = _by_platform(platforms, deps, scripts),
        proc_macro_deps = _by_platform(platforms, proc_macro_deps),
        visibility = ["//visibility:public"],
        **common
    )

def _by_platform(platforms, lists, others = []):
    """What is in a list on the platform that is built for."""
    common = lists.get("", []) + others
    if not [platform for platform in lists if platform]:
        return common
    return common + select(
        {_RUST_PLATFORM.format(platform): lists.get(platform, []) for platform in platforms},
        no_match_error = "Ringwire's own crates are for {}. For another platform, take Ringwire from a hub of crates of your own (docs/crates.md)".format(
            ", ".join(platforms),
        ),
    )

_RUST_PLATFORM = "@rules_rust//rust/platform:{}"

# What belongs to Bazel, and names that it does not take.
_NO_FILES = [
    "**/* *",
    "BUILD.bazel",
    "REPO.bazel",
]
