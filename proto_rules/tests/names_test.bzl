"""What crates are called, by which paths files are imported, what options a library has, what is there twice."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//proto_rules/private:crate_names.bzl", "facade_crate_name", "message_crate_name")
load("//proto_rules/private:import_paths.bzl", "import_path", "is_well_known")
load("//proto_rules/private:labels.bzl", "typed")
load("//proto_rules/private:options.bzl", "missing_below", "options_of_library")
load("//proto_rules/private:sides.bzl", "chosen_sides")
load("//proto_rules/private:twice.bzl", "twice")

def _message_crates_are_named_after_their_labels_impl(ctx):
    env = unittest.begin(ctx)

    def check(label, expected):
        asserts.equals(env, expected, message_crate_name(Label(label)))

    check("//proto/greet:greet_proto", "proto_greet_greet_proto_scu")
    check("//:greet", "_greet_c")
    check("//3rd/v1.2:type", "_3rd_v1_2_type_sdc")

    # Bazel chooses how a repository is called, so this one is made up.
    label = struct(name = "c+d", package = "a-b", repo_name = "rules~1.0")
    asserts.equals(env, "rules_1_0__a_b_c_d_tdsshcp", message_crate_name(label))
    return unittest.end(env)

def _message_crates_of_different_labels_differ_impl(ctx):
    env = unittest.begin(ctx)
    labels = [
        "//:a",
        "//:a-b",
        "//:a.b",
        "//:a/b",
        "//:a_b",
        "//:a_b_c",
        "//:_a_b",
        "//_:a",
        "//a:b",
        "//a:b_c",
        "//a_b:c",
        "//a/b:c",
        "//a:b/c",
        "//a_:b",
        "//a:_b",
        "//3:a",
        "//_3:a",
        "@rules_rust//a:b",
        "@rules_proto//a:b",
        "@rules_proto//:a_b",
    ]
    names = {message_crate_name(Label(label)): label for label in labels}
    asserts.equals(env, len(labels), len(names), str(names))
    return unittest.end(env)

def _facades_are_named_after_their_targets_impl(ctx):
    env = unittest.begin(ctx)

    def check(name, crate_name, expected):
        asserts.equals(env, struct(name = expected, error = None), facade_crate_name(name, crate_name))

    check("greet_rust", None, "greet_rust")
    check("greet-rust.v1/all", None, "greet_rust_v1_all")
    check("match", "matching", "matching")
    check("Greet", None, "Greet")
    return unittest.end(env)

def _names_that_rust_refuses_come_with_a_remedy_impl(ctx):
    env = unittest.begin(ctx)

    def check(name, crate_name, expected):
        facade = facade_crate_name(name, crate_name)
        asserts.equals(env, None, facade.name)
        asserts.equals(env, expected, facade.error)

    by_name = "the crate would be named after the target, but \"{}\" {}. Set `crate_name`, for instance to \"{}\"."
    check("type", None, by_name.format("type", "is a keyword of Rust", "type_rust"))
    check("core", None, by_name.format("core", "is a crate that comes with Rust", "core_rust"))
    check("3d", None, by_name.format("3d", "begins with a digit", "rust_3d"))
    check("--", None, by_name.format("__", "has no letter", "_rust"))
    check("a", "crate", "crate_name = \"crate\" is a keyword of Rust. Choose another one.")
    check("a", "a-b", "crate_name = \"a-b\" has \"-\" in it. Choose another one.")
    return unittest.end(env)

def _import_paths_start_at_the_source_root_impl(ctx):
    env = unittest.begin(ctx)

    def check(path, short_path, source_root, expected):
        asserts.equals(env, expected, import_path(path, short_path, source_root))

    check("a/b.proto", "a/b.proto", ".", "a/b.proto")
    check("external/r/a/b.proto", "../r/a/b.proto", "external/r", "a/b.proto")
    check("../r/a/b.proto", "../r/a/b.proto", "../r", "a/b.proto")
    check("out/bin/a/b.proto", "a/b.proto", "out/bin", "a/b.proto")
    check("out/bin/a/b.proto", "a/b.proto", ".", "a/b.proto")
    check("out/bin/external/r/a/b.proto", "../r/a/b.proto", ".", "a/b.proto")

    # A target's name may have a slash in it.
    virtual = "out/bin/p/_virtual_imports/n/m"
    check(virtual + "/v1.2/b.proto", "p/_virtual_imports/n/m/v1.2/b.proto", virtual, "v1.2/b.proto")
    return unittest.end(env)

def _well_known_files_are_known_by_their_whole_path_impl(ctx):
    env = unittest.begin(ctx)
    asserts.true(env, is_well_known("google/protobuf/timestamp.proto"))
    asserts.false(env, is_well_known("timestamp.proto"))
    asserts.false(env, is_well_known("my/google/protobuf/timestamp.proto"))
    asserts.false(env, is_well_known("google/protobuf/descriptor.proto"))
    return unittest.end(env)

def _json_and_views_need_json_and_views_below_impl(ctx):
    env = unittest.begin(ctx)
    options = {"json": True, "unknown_fields": True, "views": True}

    def check(above, below, expected):
        asserts.equals(env, expected, missing_below(options | above, options | below))

    check({}, {}, None)
    check({}, {"json": False}, "json")
    check({}, {"views": False}, "views")
    check({"json": False}, {"json": False}, None)
    check({"json": False}, {}, None)
    check({}, {"unknown_fields": False}, None)
    asserts.equals(env, options, options_of_library(options, []))
    return unittest.end(env)

def _sides_are_those_asked_for_or_all_impl(ctx):
    env = unittest.begin(ctx)

    def check(services, available, expected):
        asserts.equals(env, struct(error = None, sides = expected), chosen_sides(services, available, "//:t"))

    check(None, ["server", "client"], ["client", "server"])
    check(None, [], [])
    check([], ["server"], [])
    check(["server", "client"], ["server", "client"], ["client", "server"])
    check(["server", "server"], ["server"], ["server"])
    asserts.equals(
        env,
        "services = [\"client\"] asks for \"client\", and the toolchain //:t has no `client_runtime`. Add it there, or " +
        "remove \"client\" here.",
        chosen_sides(["client"], ["server"], "//:t").error,
    )
    return unittest.end(env)

def _labels_are_shown_as_they_are_typed_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, "//a:b", typed(Label("//a:b")))
    asserts.true(env, typed(Label("@bazel_skylib//a:b")).startswith("@@"))
    return unittest.end(env)

def _some_crates_cannot_be_there_twice_impl(ctx):
    env = unittest.begin(ctx)

    def check(names, expected):
        crates = [struct(name = name, owner = owner) for owner, name in names.items()]
        asserts.equals(env, expected, twice(crates))

    check({}, None)
    check({"//a": "tokio", "//b": "buffa"}, None)
    check({"//a": "bytes", "//b": "bytes"}, None)
    check({"//a": "tokio", "//b": "tokio"}, struct(name = "tokio", owners = ["//a", "//b"]))
    check({"//b": "tokio", "//a": "tokio"}, struct(name = "tokio", owners = ["//a", "//b"]))
    both = {"//a": "tokio", "//b": "tokio", "//c": "ringwire_message", "//d": "ringwire_message"}
    check(both, struct(name = "ringwire_message", owners = ["//c", "//d"]))
    same = struct(name = "tokio", owner = "//a")
    asserts.equals(env, None, twice([same, same]))
    return unittest.end(env)

_message_crates_are_named_after_their_labels_test = unittest.make(_message_crates_are_named_after_their_labels_impl)
_message_crates_of_different_labels_differ_test = unittest.make(_message_crates_of_different_labels_differ_impl)
_facades_are_named_after_their_targets_test = unittest.make(_facades_are_named_after_their_targets_impl)
_names_that_rust_refuses_come_with_a_remedy_test = unittest.make(_names_that_rust_refuses_come_with_a_remedy_impl)
_import_paths_start_at_the_source_root_test = unittest.make(_import_paths_start_at_the_source_root_impl)
_well_known_files_are_known_by_their_whole_path_test = unittest.make(_well_known_files_are_known_by_their_whole_path_impl)
_json_and_views_need_json_and_views_below_test = unittest.make(_json_and_views_need_json_and_views_below_impl)
_labels_are_shown_as_they_are_typed_test = unittest.make(_labels_are_shown_as_they_are_typed_impl)
_some_crates_cannot_be_there_twice_test = unittest.make(_some_crates_cannot_be_there_twice_impl)
_sides_are_those_asked_for_or_all_test = unittest.make(_sides_are_those_asked_for_or_all_impl)

def names_test_suite(name):
    """Tests the pure functions of the rules.

    Args:
      name: the suite's name.
    """
    unittest.suite(
        name,
        _message_crates_are_named_after_their_labels_test,
        _message_crates_of_different_labels_differ_test,
        _facades_are_named_after_their_targets_test,
        _names_that_rust_refuses_come_with_a_remedy_test,
        _import_paths_start_at_the_source_root_test,
        _well_known_files_are_known_by_their_whole_path_test,
        _json_and_views_need_json_and_views_below_test,
        _labels_are_shown_as_they_are_typed_test,
        _some_crates_cannot_be_there_twice_test,
        _sides_are_those_asked_for_or_all_test,
    )
