"""The C compiler for aarch64 that is installed on the machine."""

_BUILD = """\
load("@rules_cc//cc:defs.bzl", "cc_toolchain")
load("@rules_cc//cc/private/toolchain:unix_cc_toolchain_config.bzl", "cc_toolchain_config")

package(default_visibility = ["//visibility:public"])

filegroup(name = "nothing")

cc_toolchain_config(
    name = "config",
    abi_libc_version = "gnu",
    abi_version = "gnu",
    compile_flags = ["-fno-canonical-system-headers"],
    compiler = "gcc",
    cpu = "aarch64",
    cxx_builtin_include_directories = {include_folders},
    host_system_name = "local",
    target_libc = "gnu",
    target_system_name = "aarch64-linux-gnu",
    tool_paths = {tool_paths},
    toolchain_identifier = "aarch64-linux-gnu",
)

# The programs are the machine's own, so there is no file to declare.
cc_toolchain(
    name = "gcc",
    all_files = ":nothing",
    compiler_files = ":nothing",
    dwp_files = ":nothing",
    linker_files = ":nothing",
    objcopy_files = ":nothing",
    strip_files = ":nothing",
    toolchain_config = ":config",
)
"""

_NO_GCC = """\
fail("This toolchain is the C compiler for aarch64 of the private root, and there is none: {cause}. " +
     "Leave out --config=private_root, and register a toolchain of your own.")
"""

_TOOLS = ["ar", "cpp", "gcc", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]

def _cross_cc_repository_impl(repository_ctx):
    tools = {tool: repository_ctx.which("aarch64-linux-gnu-" + tool) for tool in _TOOLS}
    missing = [tool for tool, path in tools.items() if not path]
    if missing:
        cause = "no aarch64-linux-gnu-{} on PATH".format(missing[0])
        repository_ctx.file("BUILD.bazel", _NO_GCC.format(cause = cause))
        return
    search = repository_ctx.execute([tools["gcc"], "-E", "-xc", "-v", "/dev/null"]).stderr

    # ` /usr/lib/gcc-cross/aarch64-linux-gnu/16/include`, one each line.
    folders = search.partition("#include <...> search starts here:\n")[2].partition("End of search list.")[0]
    repository_ctx.file("BUILD.bazel", _BUILD.format(
        include_folders = repr([str(repository_ctx.path(folder.strip()).realpath) for folder in folders.splitlines()]),
        tool_paths = repr({tool: str(path) for tool, path in tools.items()} | {"llvm-cov": "/bin/false"}),
    ))

_cross_cc_repository = repository_rule(
    implementation = _cross_cc_repository_impl,
    doc = "A repository with a `cc_toolchain` over the C compiler for aarch64 on PATH.",
    local = True,
    environ = ["PATH"],
)

def _cross_cc_impl(_module_ctx):
    _cross_cc_repository(name = "ringwire_cross_cc")

cross_cc = module_extension(
    implementation = _cross_cc_impl,
    doc = "Makes `@ringwire_cross_cc`, over the C compiler for aarch64 on PATH.",
)
