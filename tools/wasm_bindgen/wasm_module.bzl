"""A Rust program as a module of JavaScript, for browsers and for Node."""

load("//tools/cross:for_platform.bzl", "to_platform")

def _wasm_module_impl(ctx):
    program = ctx.attr.program[0][DefaultInfo].files_to_run.executable
    folder = ctx.actions.declare_directory(ctx.label.name)
    ctx.actions.run(
        arguments = [program.path, folder.path],
        executable = ctx.executable._wasm_bindgen,
        inputs = [program],
        mnemonic = "WasmBindgen",
        outputs = [folder],
        progress_message = "Making a module of JavaScript of %{input}",
    )
    return [DefaultInfo(
        files = depset([folder]),
        runfiles = ctx.runfiles(files = [folder]),
    )]

wasm_module = rule(
    implementation = _wasm_module_impl,
    doc = "A folder with program.js, an ES module, and program_bg.wasm, which its default export takes.",
    attrs = {
        "platform": attr.label(
            doc = "What the program is compiled for.",
            default = "//tools/cross:wasm32",
        ),
        "program": attr.label(
            doc = "The program, a `rust_binary` whose functions have the attribute `#[wasm_bindgen]`.",
            cfg = to_platform,
            executable = True,
            mandatory = True,
        ),
        "_wasm_bindgen": attr.label(
            doc = "What makes it.",
            cfg = "exec",
            default = "//tools/wasm_bindgen",
            executable = True,
        ),
    },
)
