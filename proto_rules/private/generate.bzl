"""The one action that turns descriptors into Rust."""

load(":labels.bzl", "typed")
load(":toolchain.bzl", "TOOLCHAIN_TYPE")

def generate(ctx, toolchain, *, target, mode, crate, out, paths, descriptor_sets, externs, options):
    """Registers the run of the generator that writes one crate root.

    Args:
      ctx: the context of the rule or aspect.
      toolchain: the connect_rust_toolchain.
      target: the Label to name in errors.
      mode: "messages" or "services".
      crate: the name of the crate.
      out: the file to write.
      paths: the import paths of the files to generate.
      descriptor_sets: depset[File], of those files and all that they import.
      externs: depset of the structs in RustMessagesInfo.externs.
      options: dict[str, str], options of the generator.
    """
    args = ctx.actions.args()
    args.use_param_file("@%s")
    args.set_param_file_format("multiline")
    args.add(mode, format = "--mode=%s")
    args.add(crate, format = "--crate=%s")
    args.add(typed(target), format = "--target=%s")
    args.add(out, format = "--out=%s")
    args.add_all(["--{}={}".format(*option) for option in sorted(options.items())])
    args.add_all(paths, format_each = "--generate=%s")
    args.add_all(externs, format_each = "--extern=%s", map_each = _extern)
    args.add_all(descriptor_sets, format_each = "--descriptor_set=%s")
    ctx.actions.run(
        arguments = [args],
        executable = toolchain.generator,
        execution_requirements = {"supports-path-mapping": "1"},
        inputs = descriptor_sets,
        mnemonic = "ConnectRustGenerate",
        outputs = [out],
        progress_message = "Generating Rust for %{label}",
        toolchain = TOOLCHAIN_TYPE,
    )

def _extern(extern):
    return "{}={}".format(extern.crate, ",".join(extern.paths))
