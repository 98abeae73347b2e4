"""The Rust toolchain that is installed on the machine, for where none can be downloaded."""

_BUILD = """\
load("@rules_rust//rust:toolchain.bzl", "rust_stdlib_filegroup", "rust_toolchain", "rustfmt_toolchain")

package(default_visibility = ["//visibility:public"])

exports_files(glob(["bin/*"]))

[
    rust_stdlib_filegroup(
        name = name + "_std",
        srcs = glob(["lib/rustlib/" + triple + "/lib/*"]),
    )
    for name, triple in {toolchains}.items()
]

filegroup(
    name = "rustc_lib",
    srcs = glob(
        [
            "lib/*.so*",
            "lib/rustlib/{triple}/bin/**",
            "lib/rustlib/{triple}/codegen-backends/*.so",
        ],
        allow_empty = True,
    ),
)

[
    rust_toolchain(
        name = name,
        binary_ext = ".wasm" if name == "rust_wasm32" else "",
        cargo = "bin/cargo",
        clippy_driver = "bin/clippy-driver",
        default_edition = "2021",
        dylib_ext = ".wasm" if name == "rust_wasm32" else ".so",
        exec_triple = "{triple}",
        extra_rustc_flags = ["-Clinker=wasm-ld"] if name == "rust_wasm32" else [],
        rust_doc = "bin/rustdoc",
        rust_std = name + "_std",
        rustc = "bin/rustc",
        rustc_lib = ":rustc_lib",
        staticlib_ext = ".a",
        stdlib_linkflags = [] if name == "rust_wasm32" else ["-lpthread", "-ldl"],
        target_triple = triple,
    )
    for name, triple in {toolchains}.items()
]

rustfmt_toolchain(
    name = "rustfmt",
    rustc = "bin/rustc",
    rustc_lib = ":rustc_lib",
    rustfmt = "bin/rustfmt",
)
"""

# Beside the machine itself.
_OTHERS = {
    "rust_aarch64": "aarch64-unknown-linux-gnu",
    "rust_wasm32": "wasm32-unknown-unknown",
}

_NO_RUST = """\
fail("This toolchain is the Rust installed on the machine, and there is none: {cause}. " +
     "Install rustc, or leave out --config=private_root: Bazel then downloads a Rust of its own.")
"""

def _system_rust_repository_impl(repository_ctx):
    rustc = repository_ctx.which("rustc")
    if not rustc:
        repository_ctx.file("BUILD.bazel", _NO_RUST.format(cause = "no rustc on PATH"))
        return
    version = repository_ctx.execute([rustc, "--version", "--verbose"])
    sysroot = repository_ctx.execute([rustc, "--print", "sysroot"])
    if version.return_code or sysroot.return_code:
        cause = (version.stderr + sysroot.stderr).replace('"', "'").replace("\n", " ")
        repository_ctx.file("BUILD.bazel", _NO_RUST.format(cause = cause))
        return
    root = sysroot.stdout.strip()

    # `host: x86_64-unknown-linux-gnu`
    triple = version.stdout.partition("host: ")[2].partition("\n")[0]
    for program in ["cargo", "clippy-driver", "rustc", "rustdoc", "rustfmt"]:
        repository_ctx.symlink(root + "/bin/" + program, "bin/" + program)
    repository_ctx.symlink(root + "/lib", "lib")

    # What it compiles for, by the toolchain's name: the machine itself, and what else there is a standard library for.
    toolchains = {"rust": triple}
    for name, other in _OTHERS.items():
        if triple != other and repository_ctx.path("lib/rustlib/" + other).exists:
            toolchains[name] = other

    # A compiler that changes in place must be seen to have changed.
    repository_ctx.file("version.txt", version.stdout)
    repository_ctx.file("BUILD.bazel", _BUILD.format(toolchains = repr(toolchains), triple = triple))

_system_rust_repository = repository_rule(
    implementation = _system_rust_repository_impl,
    doc = "A repository over the sysroot of the rustc on PATH.",
    local = True,
    environ = ["PATH"],
)

def _system_rust_impl(_module_ctx):
    _system_rust_repository(name = "ringwire_system_rust")

system_rust = module_extension(
    implementation = _system_rust_impl,
    doc = "Makes `@ringwire_system_rust`, over the rustc on PATH.",
)
