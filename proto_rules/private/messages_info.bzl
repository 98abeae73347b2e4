"""What is known of a `proto_library` once it has a crate."""

RustMessagesInfo = provider(
    doc = "The message crates of a `proto_library` and of all below it.",
    fields = {
        "crates": "list[struct(label, name, options, dep, rust_analyzer)]: the library's crate; of a library without " +
                  "sources of its own, those of its deps.",
        "externs": "depset[struct(crate, label, paths)]: which crate holds which import paths, transitively.",
        "generated_srcs": "depset[File]: the generated Rust, transitively.",
        "paths": "list[str]: the import paths in `crates`.",
        "transitive_crates": "depset: like `crates`, those that they build on.",
    },
)
