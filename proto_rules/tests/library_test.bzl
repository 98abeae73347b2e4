"""What `connect_rust_library` makes of libraries: providers, arguments of actions, failures."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("@rules_proto//proto:defs.bzl", "proto_library")
load("@rules_rust//rust:defs.bzl", "rust_binary", "rust_common", "rust_library")
load("//proto_rules:defs.bzl", "connect_rust_library", "connect_rust_one_runtime_aspect")
load("//proto_rules:toolchain.bzl", "connect_rust_toolchain")
load("//proto_rules/private:aspect.bzl", "connect_rust_messages_aspect")
load("//proto_rules/private:messages_info.bzl", "RustMessagesInfo")

_PROTOS = "proto_rules/tests/protos/"
_LEAN = "//proto_rules/tests/protos/lean:lean_proto"
_COMMON = "proto_rules_tests_protos_common_models_proto_ussscu"
_MODELS = "proto_rules_tests_protos_greet_models_proto_ussscu"
_GREET = "proto_rules_tests_protos_greet_greet_proto_ussscu"

# What a facade links.

def _crates_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    asserts.equals(env, ctx.attr.crate, target[rust_common.crate_info].name)
    linked = [crate.name for crate in target[rust_common.dep_info].transitive_crates.to_list()]
    generated = [name for name in linked if name.startswith("proto_rules_")]
    asserts.equals(env, sorted(ctx.attr.message_crates), sorted(generated))
    runtimes = [name for name in linked if name in ["ringwire_client", "ringwire_service"]]
    asserts.equals(env, ctx.attr.runtimes, sorted(runtimes), str(linked))
    return analysistest.end(env)

_crates_test = analysistest.make(
    _crates_test_impl,
    attrs = {
        "crate": attr.string(doc = "The facade's name."),
        "message_crates": attr.string_list(doc = "The message crates that are linked."),
        "runtimes": attr.string_list(doc = "The runtimes of services that are linked."),
    },
)

# What the generator is told.

def _arguments_test_impl(ctx):
    env = analysistest.begin(ctx)
    runs = [action for action in analysistest.target_actions(env) if action.mnemonic == "ConnectRustGenerate"]
    asserts.equals(env, 1, len(runs))
    arguments = [argument for argument in runs[0].argv[1:] if not argument.startswith("--descriptor_set=")]
    asserts.equals(env, ctx.attr.expected, [_without_folders(argument) for argument in arguments])
    return analysistest.end(env)

def _without_folders(argument):
    """Replaces the folder that Bazel chose for outputs."""
    before, out, after = argument.partition("bazel-out/")
    return before + after.split("/bin/")[1] if out else argument

_ARGUMENTS = {"expected": attr.string_list(doc = "All arguments but the descriptor sets.")}

_arguments_test = analysistest.make(_arguments_test_impl, attrs = _ARGUMENTS)

# What a flag changes.

def _flags_test_impl(ctx):
    env = analysistest.begin(ctx)
    info = analysistest.target_under_test(env)[RustMessagesInfo]
    asserts.equals(
        env,
        {"descriptors": True, "json": False, "strict_utf8_mapping": True, "unknown_fields": False, "views": False},
        info.crates[0].options,
    )
    return analysistest.end(env)

_flags_test = analysistest.make(
    _flags_test_impl,
    config_settings = {
        str(Label("//proto_rules:json")): False,
        str(Label("//proto_rules:strict_utf8_mapping")): True,
        str(Label("//proto_rules:unknown_fields")): False,
        str(Label("//proto_rules:views")): False,
    },
    extra_target_under_test_aspects = [connect_rust_messages_aspect],
)

# What pipelined compilation changes.

def _pipelining_test_impl(ctx):
    env = analysistest.begin(ctx)
    compilations = [action for action in analysistest.target_actions(env) if action.mnemonic == "Rustc"]
    inputs = [file.basename for file in compilations[0].inputs.to_list()]
    for crate in [_COMMON, _GREET, _MODELS]:
        of_crate = [name for name in inputs if name.startswith("lib{}-".format(crate))]
        asserts.equals(env, ["rmeta"], [name.split(".")[-1] for name in of_crate])
    return analysistest.end(env)

_pipelining_test = analysistest.make(
    _pipelining_test_impl,
    config_settings = {str(Label("@rules_rust//rust/settings:pipelined_compilation")): True},
)

# What the aspect says of a library.

def _messages_test_impl(ctx):
    env = analysistest.begin(ctx)
    info = analysistest.target_under_test(env)[RustMessagesInfo]
    asserts.equals(env, ctx.attr.crates, [crate.name for crate in info.crates])
    asserts.equals(env, ctx.attr.paths, info.paths)
    externs = {extern.crate: ",".join(extern.paths) for extern in info.externs.to_list()}
    asserts.equals(env, ctx.attr.externs, externs)
    asserts.equals(env, len(externs), len(info.generated_srcs.to_list()))
    asserts.equals(env, ctx.attr.options_off, sorted([
        name
        for crate in info.crates
        for name, value in crate.options.items()
        if not value and name != "strict_utf8_mapping"
    ]))
    return analysistest.end(env)

_messages_test = analysistest.make(
    _messages_test_impl,
    attrs = {
        "crates": attr.string_list(doc = "The crates that stand for the library."),
        "externs": attr.string_dict(doc = "Every crate with its files."),
        "options_off": attr.string_list(doc = "The options that the crates lack."),
        "paths": attr.string_list(doc = "The files that stand for the library."),
    },
    extra_target_under_test_aspects = [connect_rust_messages_aspect],
)

# What is refused, and how.

def _refused_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, ctx.attr.message)
    return analysistest.end(env)

_refused_test = analysistest.make(
    _refused_test_impl,
    attrs = {"message": attr.string(doc = "The whole message.")},
    expect_failure = True,
)

_refused_program_test = analysistest.make(
    _refused_test_impl,
    attrs = {"message": attr.string(doc = "The whole message.")},
    expect_failure = True,
    extra_target_under_test_aspects = [connect_rust_one_runtime_aspect],
)

def _refused(name, message, **kwargs):
    connect_rust_library(
        name = "refused_" + name,
        tags = ["manual"],
        **kwargs
    )
    _refused_test(
        name = name + "_test",
        message = "//proto_rules/tests:refused_" + name + ": " + message,
        target_under_test = ":refused_" + name,
    )
    return name + "_test"

def library_test_suite(name):
    """Tests the rules by what they plan to build.

    Args:
      name: the suite's name.
    """
    tests = []

    _crates_test(
        name = "facade_crates_test",
        crate = "greet_rust",
        message_crates = [_COMMON, _GREET, _MODELS],
        runtimes = ["ringwire_client", "ringwire_service"],
        target_under_test = "//proto_rules/tests/protos/greet:greet-rust",
    )
    _crates_test(
        name = "facade_of_forwarding_libraries_crates_test",
        crate = "forwarded_rust",
        message_crates = [_COMMON, _GREET, _MODELS],
        runtimes = ["ringwire_client", "ringwire_service"],
        target_under_test = "//proto_rules/tests/protos/greet:forwarded_rust",
    )
    _crates_test(
        name = "facade_without_services_crates_test",
        crate = "greet_models",
        message_crates = [_COMMON, _MODELS],
        target_under_test = "//proto_rules/tests/protos/greet:models_rust",
    )
    _crates_test(
        name = "facade_of_servers_crates_test",
        crate = "greet_server",
        message_crates = [_COMMON, _GREET, _MODELS],
        runtimes = ["ringwire_service"],
        target_under_test = "//proto_rules/tests/protos/greet:greet_server",
    )
    tests += [
        "facade_crates_test",
        "facade_of_forwarding_libraries_crates_test",
        "facade_of_servers_crates_test",
        "facade_without_services_crates_test",
    ]

    _arguments_test(
        name = "facade_arguments_test",
        expected = [
            "--mode=services",
            "--crate=greet_rust",
            "--target=//proto_rules/tests/protos/greet:greet-rust",
            "--out=proto_rules/tests/protos/greet/greet-rust.generated/lib.rs",
            "--descriptors=true",
            "--services=client,server",
            "--generate=proto_rules/tests/protos/greet/greet.proto",
            "--extern={}={}common/models.proto".format(_COMMON, _PROTOS),
            "--extern={}={}greet/models.proto".format(_MODELS, _PROTOS),
            "--extern={}={}greet/greet.proto".format(_GREET, _PROTOS),
        ],
        target_under_test = "//proto_rules/tests/protos/greet:greet-rust.generated",
    )
    _flags_test(
        name = "flags_test",
        target_under_test = "//proto_rules/tests/protos/greet:greet_proto",
    )
    _pipelining_test(
        name = "facades_start_from_metadata_test",
        target_under_test = "//proto_rules/tests/protos/greet:greet-rust",
    )
    tests += ["facade_arguments_test", "flags_test", "facades_start_from_metadata_test"]

    externs = {
        _COMMON: _PROTOS + "common/models.proto",
        _GREET: _PROTOS + "greet/greet.proto",
        _MODELS: _PROTOS + "greet/models.proto",
    }
    for library in ["greet_proto", "forward_again_proto"]:
        _messages_test(
            name = library + "_messages_test",
            crates = [_GREET],
            externs = externs,
            paths = [_PROTOS + "greet/greet.proto"],
            target_under_test = "//proto_rules/tests/protos/greet:" + library,
        )
        tests.append(library + "_messages_test")
    _messages_test(
        name = "import_prefixes_messages_test",
        crates = ["proto_rules_tests_protos_prefix_made_proto_ussscu"],
        externs = {
            "proto_rules_tests_protos_prefix_made_proto_ussscu": _PROTOS + "prefix/made.proto",
            "proto_rules_tests_protos_prefix_prefixed_proto_ussscu": "some-where/v1.2/deep/prefixed.proto",
            "proto_rules_tests_protos_prefix_stripped_proto_ussscu": "stripped.proto",
        },
        paths = [_PROTOS + "prefix/made.proto"],
        target_under_test = "//proto_rules/tests/protos/prefix:made_proto",
    )
    tests.append("import_prefixes_messages_test")

    _messages_test(
        name = "aspect_hints_messages_test",
        crates = ["proto_rules_tests_protos_lean_lean_proto_ussscu"],
        externs = {"proto_rules_tests_protos_lean_lean_proto_ussscu": _PROTOS + "lean/lean.proto"},
        options_off = ["json", "unknown_fields", "views"],
        paths = [_PROTOS + "lean/lean.proto"],
        target_under_test = _LEAN,
    )
    _messages_test(
        name = "well_known_types_have_no_crate_test",
        target_under_test = "//proto_rules/tests/protos/well_known:empty_proto",
    )
    tests += ["aspect_hints_messages_test", "well_known_types_have_no_crate_test"]

    proto_library(
        name = "empty_proto",
        tags = ["manual"],
    )
    tests += [
        _refused(
            "empty_closure",
            "no .proto file is reachable from deps = [\"//proto_rules/tests:empty_proto\"] that the runtime does " +
            "not bring. List a proto_library with `srcs`, or one without that forwards such a library through `deps`.",
            deps = [":empty_proto"],
        ),
        _refused(
            "unknown_side",
            "services = [\"servers\"] has \"servers\" in it. The sides of a service are client and server; an empty " +
            "list leaves the messages.",
            services = ["servers"],
            deps = ["//proto_rules/tests/protos/greet:greet_proto"],
        ),
        _refused(
            "file_in_two_libraries",
            "both //proto_rules/tests/protos/lean:lean_proto and //proto_rules/tests/protos/lean:twin_proto bring " +
            "\"proto_rules/tests/protos/lean/lean.proto\", so its messages would be two types of one name. Keep the file in one " +
            "proto_library, and let the other depend on that.",
            services = [],
            deps = [
                _LEAN,
                "//proto_rules/tests/protos/lean:twin_proto",
            ],
        ),
        _refused(
            "services_without_json",
            "services need json of their messages, and those of //proto_rules/tests/protos/lean:lean_proto have none. Turn " +
            "`json` on for it, or set services = [] to get the messages alone.",
            deps = [_LEAN],
        ),
        _refused(
            "name_of_a_message_crate",
            "crate_name = \"{}\" is the crate of //proto_rules/tests/protos/common:models_proto. Choose another one.".format(_COMMON),
            crate_name = _COMMON,
            services = [],
            deps = ["//proto_rules/tests/protos/common:models_proto"],
        ),
    ]
    connect_rust_library(
        name = "refused_options",
        services = [],
        tags = ["manual"],
        deps = ["//proto_rules/tests/protos/lean:fat_proto"],
    )
    _refused_test(
        name = "options_that_do_not_fit_test",
        message = "//proto_rules/tests/protos/lean:fat_proto: its messages have json, those of //proto_rules/tests/protos/lean:lean_proto " +
                  "do not, and they may be its fields. Remove `json = \"off\"` from the aspect_hints of " +
                  "//proto_rules/tests/protos/lean:lean_proto, or add such a hint to //proto_rules/tests/protos/lean:fat_proto too.",
        target_under_test = ":refused_options",
    )
    tests.append("options_that_do_not_fit_test")

    # As if two hubs had a buffa each. Nothing is compiled of them.
    for hub in ["our", "their"]:
        rust_library(
            name = hub + "_buffa",
            srcs = ["types_test.rs"],
            crate_name = "buffa",
            edition = "2024",
            tags = ["manual"],
        )
    rust_library(
        name = "their_messages",
        srcs = ["types_test.rs"],
        edition = "2024",
        tags = ["manual"],
        deps = [":their_buffa"],
    )
    rust_binary(
        name = "refused_program",
        srcs = ["types_test.rs"],
        edition = "2024",
        tags = ["manual"],
        deps = [
            ":our_buffa",
            ":their_messages",
        ],
    )
    _refused_program_test(
        name = "program_with_two_runtimes_test",
        message = "//proto_rules/tests:refused_program: two copies of the crate buffa would be in this program, " +
                  "//proto_rules/tests:our_buffa, which //proto_rules/tests:our_buffa brings, and " +
                  "//proto_rules/tests:their_buffa, which //proto_rules/tests:their_messages brings. What is made for " +
                  "the one does not work with the other. Take all of Ringwire, and tokio with it, from one place: the " +
                  "one that your connect_rust_toolchain names. Ringwire's docs/crates.md has both ways.",
        target_under_test = ":refused_program",
    )
    connect_rust_toolchain(
        name = "refused_toolchain",
        generator = "//codegen/rules",
        message_runtime = [":our_buffa"],
        service_runtime = [":their_messages"],
        tags = ["manual"],
    )
    _refused_test(
        name = "toolchain_with_two_runtimes_test",
        message = "//proto_rules/tests:refused_toolchain: its runtimes bring two copies of the crate buffa, " +
                  "//proto_rules/tests:our_buffa and //proto_rules/tests:their_buffa, and generated code needs one. " +
                  "Take all of `message_runtime`, `client_runtime` and `service_runtime` from one place. " +
                  "Ringwire's docs/crates.md has both ways.",
        target_under_test = ":refused_toolchain",
    )
    tests += ["program_with_two_runtimes_test", "toolchain_with_two_runtimes_test"]

    native.test_suite(
        name = name,
        tests = tests,
    )
