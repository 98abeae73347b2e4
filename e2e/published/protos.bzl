"""A `proto_library` for every .proto file of some Go modules and Cargo packages, and Rust for all of them."""

_LIBRARY = """\
proto_library(
    name = "{name}",
    srcs = ["{name}.proto"],
    deps = {deps},
)
"""

_HEAD = """\
load("@ringwire//proto_rules:defs.bzl", "connect_descriptor_set", "connect_rust_library")
load("@rules_proto//proto:defs.bzl", "proto_library")
load("{crates_bzl}", "message_crates")

package(default_visibility = ["//visibility:public"])

message_crates(
    name = "crates",
    deps = {files},
)
"""

_FAMILY = """\
connect_rust_library(
    name = "{name}_rust",
    deps = {deps},
)

filegroup(
    name = "{name}_source",
    srcs = ["{name}_rust.generated"],
)

connect_descriptor_set(
    name = "{name}_set",
    deps = {deps},
)
"""

def _protos_impl(repository_ctx):
    files = {}
    for text in repository_ctx.attr.modules:
        module = json.decode(text)
        download = _by_go if "sum" in module else _by_cargo
        folder = download(repository_ctx, module)
        for path, place in _files(repository_ctx, module, folder).items():
            # Of two copies, the module that is listed first has the one.
            if path not in files:
                files[path] = struct(module = module["name"], text = repository_ctx.read(place))
    build = _HEAD.format(
        crates_bzl = Label("//:crates.bzl"),
        files = json.encode([":" + _name(path) for path in files]),
    )
    families = {}
    for path, file in files.items():
        repository_ctx.file(path, file.text)
        build += _LIBRARY.format(
            name = _name(path),
            deps = json.encode([":" + _name(imported) for imported in _imports(path, file.text, files)]),
        )
        if [line for line in file.text.splitlines() if line.startswith("service ")]:
            families.setdefault(file.module, []).append(":" + _name(path))
    for family, with_services in families.items():
        build += _FAMILY.format(name = family, deps = json.encode(with_services))
    repository_ctx.file("BUILD.bazel", build)

def _by_go(repository_ctx, module):
    """Returns the folder of a Go module, whose hash is as it must be."""
    go = repository_ctx.which("go")
    if not go:
        fail("These files come with Go modules, and there is no go on PATH.")
    pinned = "{}@{}".format(module["path"], module["version"])
    result = repository_ctx.execute([go, "mod", "download", "-json", pinned])
    downloaded = json.decode(result.stdout, default = None)
    if result.return_code or not downloaded:
        fail("go mod download {}: {}".format(pinned, result.stderr or result.stdout))
    if downloaded["Sum"] != module["sum"]:
        fail("{} has the hash {}, and not {}".format(pinned, downloaded["Sum"], module["sum"]))
    return downloaded["Dir"]

def _by_cargo(repository_ctx, module):
    """Returns the folder of a package of crates.io, as a lock file has it."""
    cargo = repository_ctx.which("cargo")
    if not cargo:
        fail("{} comes by Cargo, and there is no cargo on PATH.".format(module["package"]))
    project = "cargo/" + module["name"]
    for file in ["Cargo.lock", "Cargo.toml"]:
        label = Label(module["manifest"]).same_package_label(file)
        repository_ctx.file("{}/{}".format(project, file), repository_ctx.read(label))
    repository_ctx.file(project + "/src/lib.rs")
    command = [cargo, "metadata", "--locked", "--format-version=1", "--manifest-path", project + "/Cargo.toml"]
    result = repository_ctx.execute(command, quiet = True)
    if result.return_code:
        fail("cargo metadata for {}: {}".format(module["package"], result.stderr))
    for package in json.decode(result.stdout)["packages"]:
        if package["name"] == module["package"]:
            return package["manifest_path"].removesuffix("/Cargo.toml")
    fail("{} does not depend on {}".format(module["manifest"], module["package"]))

def _files(repository_ctx, module, root):
    """Returns by import path where each .proto file of a module is."""
    files = {}
    claimed = {}

    # The deepest folder that holds a file says how it is imported.
    for folder in reversed(sorted(module["folders"])):
        base = (root + "/" + folder).rstrip("/")
        found = repository_ctx.execute(["find", base, "-name", "*.proto", "-printf", "%P\n"])
        if found.return_code:
            fail("find {}: {}".format(base, found.stderr))
        for path in sorted(found.stdout.splitlines()):
            place = base + "/" + path
            if place in claimed:
                continue
            claimed[place] = None
            import_path = module["folders"][folder] + path
            if not [left_out for left_out in module["without"] if import_path.startswith(left_out)]:
                files[import_path] = place
    return files

def _imports(path, text, files):
    imports = []
    for line in text.splitlines():
        if line.startswith("import "):
            imported = line.replace("'", "\"").split("\"")[1]
            if imported not in files:
                fail("{} imports {}, which no module brings".format(path, imported))
            imports.append(imported)
    return {imported: None for imported in imports}.keys()

def _name(path):
    return path.removesuffix(".proto")

_protos = repository_rule(
    implementation = _protos_impl,
    doc = "The repository of all the files.",
    attrs = {
        "modules": attr.string_list(
            doc = "The tags of the extension, as JSON.",
            mandatory = True,
        ),
    },
    environ = ["GOPROXY", "PATH"],
)

_ATTRS = {
    "folders": attr.string_dict(
        doc = "By folder, what stands before the paths in it when they are imported.",
        mandatory = True,
    ),
    "name": attr.string(
        doc = "What to call it here.",
        mandatory = True,
    ),
    "without": attr.string_list(
        doc = "Import paths, or how they begin, of files that are left out.",
    ),
}

_go_module = tag_class(
    doc = "A Go module that holds .proto files.",
    attrs = _ATTRS | {
        "path": attr.string(
            doc = "The module's path.",
            mandatory = True,
        ),
        "sum": attr.string(
            doc = "Its hash, as in a go.sum.",
            mandatory = True,
        ),
        "version": attr.string(
            doc = "Its version.",
            mandatory = True,
        ),
    },
)

_cargo_package = tag_class(
    doc = "A package of crates.io that holds .proto files.",
    attrs = _ATTRS | {
        "manifest": attr.label(
            doc = "A Cargo.toml that depends on it, with a Cargo.lock beside.",
            mandatory = True,
        ),
        "package": attr.string(
            doc = "The package's name.",
            mandatory = True,
        ),
    },
)

def _published_impl(module_ctx):
    modules = []
    for declared in module_ctx.modules:
        for module in declared.tags.go_module:
            modules.append({name: getattr(module, name) for name in ["folders", "name", "path", "sum", "version", "without"]})
        for package in declared.tags.cargo_package:
            modules.append({name: getattr(package, name) for name in ["folders", "name", "package", "without"]} |
                           {"manifest": str(package.manifest)})
    _protos(
        name = "protos",
        modules = [json.encode(module) for module in modules],
    )

published = module_extension(
    implementation = _published_impl,
    doc = "Makes `@protos`.",
    tag_classes = {
        "cargo_package": _cargo_package,
        "go_module": _go_module,
    },
)
