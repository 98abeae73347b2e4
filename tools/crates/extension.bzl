"""Ringwire's third-party crates for a build that has no hub of crates: fetched one by one, each when a target needs it."""

# rules_rust takes a crate of its own from where all crates are.
# buildifier: disable=bzl-visibility
load("@rules_rust//rust/private:repository_utils.bzl", _ANY_CRATE = "TINYJSON_KWARGS")

_BUILD = """\
load("@ringwire//tools/crates:crate.bzl", "crate")

crate(
{arguments}
)
"""

_ALIAS = """
alias(
    name = "{name}",
    actual = "{crate}",
    visibility = ["//visibility:public"],
)
"""

def _crate_repository_impl(repository_ctx):
    repository_ctx.download_and_extract(
        sha256 = repository_ctx.attr.sha256,
        stripPrefix = repository_ctx.attr.strip_prefix,
        type = "tar.gz",
        url = repository_ctx.attr.url,
    )
    repository_ctx.file("BUILD.bazel", repository_ctx.attr.build_file)
    return _reproducible(repository_ctx)

_crate_repository = repository_rule(
    implementation = _crate_repository_impl,
    doc = "The sources of one crate.",
    attrs = {
        "build_file": attr.string(
            doc = "The text of its BUILD file.",
            mandatory = True,
        ),
        "sha256": attr.string(
            doc = "The checksum that Cargo.lock has.",
            mandatory = True,
        ),
        "strip_prefix": attr.string(
            doc = "The folder in the archive.",
            mandatory = True,
        ),
        "url": attr.string(
            doc = "Where it is downloaded from.",
            mandatory = True,
        ),
    },
)

def _hub_repository_impl(repository_ctx):
    aliases = [
        _ALIAS.format(name = name, crate = crate)
        for name, crate in repository_ctx.attr.crates.items()
    ]
    repository_ctx.file("BUILD.bazel", "".join(aliases))
    return _reproducible(repository_ctx)

_hub_repository = repository_rule(
    implementation = _hub_repository_impl,
    doc = "Every crate that Ringwire names, by its name.",
    attrs = {
        "crates": attr.string_dict(
            doc = "The labels of the crates, by their names.",
            mandatory = True,
        ),
    },
)

def _reproducible(repository_ctx):
    # Bazel 7 has no such word.
    return repository_ctx.repo_metadata(reproducible = True) if hasattr(repository_ctx, "repo_metadata") else None

def _crates_impl(module_ctx):
    lock = json.decode(module_ctx.read(Label("//tools/crates:crates.json")))
    for id, crate in lock["crates"].items():
        arguments = build_arguments(crate, lock["crates"], lock["platforms"])
        _crate_repository(
            name = repository_name(id),
            build_file = _BUILD.format(arguments = "\n".join([
                "    {} = {},".format(name, repr(value))
                for name, value in arguments.items()
            ])),
            sha256 = crate["sha256"],
            strip_prefix = id,
            url = crate_url(_ANY_CRATE, crate["name"], crate["version"]) or fail(
                "rules_rust no longer says where crates come from: this version of Ringwire knows rules_rust 0.70 to 0.73",
            ),
        )
    _hub_repository(
        name = "ringwire_crates",
        crates = {name: _label(id, lock["crates"]) for name, id in lock["hub"].items()},
    )
    return module_ctx.extension_metadata(reproducible = True)

crates = module_extension(
    implementation = _crates_impl,
    doc = "Makes `@ringwire_crates`, of crates.json, and one repository for each crate.",
)

def repository_name(id):
    """Returns the name of a crate's repository.

    Args:
      id: the name and version of the crate.
    """
    return "ringwire_crates__" + id.replace("+", "-")

def crate_url(other, name, version):
    """Returns where a crate is downloaded from.

    Args:
      other: the arguments of the repository of another crate.
      name: the name of the crate.
      version: its version.

    Returns:
      The URL, or None where that of the other crate is of another form.
    """
    other_name = other["strip_prefix"].rpartition("-")[0]
    registry, found, _ = other["url"].rpartition("/{}/".format(other_name))
    return "{registry}/{name}/{name}-{version}.crate".format(name = name, registry = registry, version = version) if found else None

def build_arguments(entry, crates, platforms):
    """Returns the arguments of a `crate` (crate.bzl).

    Args:
      entry: what crates.json says of the crate.
      crates: what it says of all crates, by name and version.
      platforms: the platforms that it knows.

    Returns:
      dict
    """
    deps = entry.get("deps", {})
    build_deps = entry.get("build_deps", {})
    return {
        "aliases": _aliases(deps, crates),
        "build_aliases": _aliases(build_deps, crates),
        "build_deps": _labels(build_deps, crates, _is_library),
        "build_proc_macro_deps": _labels(build_deps, crates, _is_proc_macro),
        "build_script": entry.get("build_script"),
        "crate_name": entry["crate"],
        "deps": _labels(deps, crates, _is_library),
        "edition": entry["edition"],
        "features": entry.get("features", {}),
        "link_deps": _labels(deps, crates, _links),
        "links": entry.get("links"),
        "package": entry["name"],
        "platforms": platforms,
        "proc_macro": entry.get("proc_macro", False),
        "proc_macro_deps": _labels(deps, crates, _is_proc_macro),
        "root": entry["root"],
        "version": entry["version"],
    }

def _labels(deps, crates, wanted):
    """Those of the deps that are wanted, by platform."""
    by_platform = {
        platform: [_label(dep, crates) for dep in of_platform if wanted(crates[_id(dep)])]
        for platform, of_platform in deps.items()
    }
    return {platform: labels for platform, labels in by_platform.items() if labels}

def _aliases(deps, crates):
    """What a crate calls deps that it renames."""
    return {_label(dep, crates): dep.partition("=")[0] for of_platform in deps.values() for dep in of_platform if "=" in dep}

def _label(dep, crates):
    return "@{}//:{}".format(repository_name(_id(dep)), crates[_id(dep)]["name"])

def _id(dep):
    return dep.rpartition("=")[2]

def _is_library(crate):
    return not _is_proc_macro(crate)

def _is_proc_macro(crate):
    return crate.get("proc_macro", False)

def _links(crate):
    return "links" in crate
