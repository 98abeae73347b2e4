"""A proto toolchain over a protoc that is already built."""

load("@rules_proto//proto:proto_common.bzl", "ProtoLangToolchainInfo")

# rules_proto's own macro names this type in the caller's repository, so it is no use to anyone else.
_TOOLCHAIN_TYPE = Label("@rules_proto//proto:toolchain_type")

def _protoc_toolchain_impl(ctx):
    return [
        DefaultInfo(files = depset(), runfiles = ctx.runfiles()),
        platform_common.ToolchainInfo(
            proto = ProtoLangToolchainInfo(
                allowlist_different_package = None,
                mnemonic = "GenProtoDescriptorSet",
                out_replacement_format_flag = "--descriptor_set_out=%s",
                output_files = "single",
                plugin = None,
                progress_message = "Generating Descriptor Set proto_library %{label}",
                proto_compiler = ctx.attr.protoc.files_to_run,
                protoc_opts = ctx.attr.protoc_opts,
                runtime = None,
                toolchain_type = _TOOLCHAIN_TYPE,
            ),
        ),
    ]

protoc_toolchain = rule(
    implementation = _protoc_toolchain_impl,
    doc = "A proto toolchain whose compiler is a given program.",
    attrs = {
        "protoc": attr.label(
            doc = "The protoc that `proto_library` runs.",
            allow_files = True,
            cfg = "exec",
            executable = True,
            mandatory = True,
        ),
        "protoc_opts": attr.string_list(
            doc = "Arguments of every run, such as `--include_source_info`.",
        ),
    },
    provides = [platform_common.ToolchainInfo],
)
