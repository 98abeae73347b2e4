"""Programs written in Go that tests run against, built by the machine's own Go."""

_BUILD = """\
package(default_visibility = ["//visibility:public"])

exports_files(glob(["bin/*"]))
"""

_NO_GO = """\
fail("These programs are built by Go, and there is none on PATH. Install Go {version} or newer, or leave out the " +
     "tests that use them: they have the tag `go`.")
"""

def _go_programs_repository_impl(repository_ctx):
    go = repository_ctx.which("go")
    if not go:
        repository_ctx.file("BUILD.bazel", _NO_GO.format(version = repository_ctx.attr.go_version))
        return
    environment = {
        "CGO_ENABLED": "0",
        "GOBIN": str(repository_ctx.path("bin")),
        "GOFLAGS": "-trimpath -modcacherw",
        "GOTOOLCHAIN": "local",
    }
    if repository_ctx.attr.go_mod:
        folder = repository_ctx.path(repository_ctx.attr.go_mod).dirname
        for file in [repository_ctx.attr.go_mod] + repository_ctx.attr.srcs:
            path = str(repository_ctx.path(file))
            repository_ctx.symlink(path, "module" + path.removeprefix(str(folder)))
        working_directory = "module"
    else:
        working_directory = ""
    command = [go, "install"] + repository_ctx.attr.packages
    repository_ctx.report_progress("building {} with Go".format(", ".join(repository_ctx.attr.packages)))
    result = repository_ctx.execute(
        command,
        environment = environment,
        timeout = 1800,
        working_directory = working_directory,
    )
    if result.return_code:
        fail("{} failed: {}".format(" ".join([str(word) for word in command]), result.stderr))
    repository_ctx.file("BUILD.bazel", _BUILD)

_ATTRS = {
    "go_mod": attr.label(
        doc = "The module that `packages` are built in. Without it, each of them names its version.",
    ),
    "go_version": attr.string(
        doc = "The lowest Go that builds them, for the message where there is none.",
        mandatory = True,
    ),
    "packages": attr.string_list(
        doc = "What `go install` is given: `./folder`, or `host/path` of a tool of the module, or `host/path@version`.",
        mandatory = True,
    ),
    "srcs": attr.label_list(
        doc = "The other files of the module, go.sum among them.",
    ),
}

_go_programs_repository = repository_rule(
    implementation = _go_programs_repository_impl,
    doc = "A repository whose `bin` holds programs that Go built.",
    attrs = _ATTRS,
    environ = ["PATH"],
)

_programs = tag_class(
    doc = "Programs that one repository holds, as `@name//:bin/program`.",
    attrs = _ATTRS | {
        "name": attr.string(
            doc = "The name of the repository.",
            mandatory = True,
        ),
    },
)

def _go_impl(module_ctx):
    for module in module_ctx.modules:
        for programs in module.tags.programs:
            _go_programs_repository(
                name = programs.name,
                go_mod = programs.go_mod,
                go_version = programs.go_version,
                packages = programs.packages,
                srcs = programs.srcs,
            )

go = module_extension(
    implementation = _go_impl,
    doc = "Programs written in Go that tests run against.",
    tag_classes = {"programs": _programs},
)
