"""How a crate of crates.json becomes a repository."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load(":extension.bzl", "build_arguments", "crate_url", "repository_name")

_CRATES = {
    "bytes-1.2.3": {
        "crate": "bytes",
        "edition": "2021",
        "name": "bytes",
        "root": "src/lib.rs",
        "version": "1.2.3",
    },
    "derive-2.0.0": {
        "crate": "derive",
        "edition": "2021",
        "name": "derive",
        "proc_macro": True,
        "root": "src/lib.rs",
        "version": "2.0.0",
    },
    "sys-0.1.0+9": {
        "build_script": "build.rs",
        "crate": "sys",
        "edition": "2018",
        "links": "sys",
        "name": "sys",
        "root": "lib.rs",
        "version": "0.1.0+9",
    },
    "user-crate-1.0.0": {
        "build_deps": {"": ["bytes-1.2.3"]},
        "build_script": "build/main.rs",
        "crate": "user_crate",
        "deps": {
            "": [
                "derive-2.0.0",
                "octets=bytes-1.2.3",
            ],
            "wasm32-unknown-unknown": ["sys-0.1.0+9"],
        },
        "edition": "2024",
        "features": {"": ["std"]},
        "name": "user-crate",
        "root": "src/lib.rs",
        "version": "1.0.0",
    },
}

def _a_crate_gets_each_dep_where_its_rule_takes_it_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(
        env,
        {
            "aliases": {"@ringwire_crates__bytes-1.2.3//:bytes": "octets"},
            "build_aliases": {},
            "build_deps": {"": ["@ringwire_crates__bytes-1.2.3//:bytes"]},
            "build_proc_macro_deps": {},
            "build_script": "build/main.rs",
            "crate_name": "user_crate",
            "deps": {
                "": ["@ringwire_crates__bytes-1.2.3//:bytes"],
                "wasm32-unknown-unknown": ["@ringwire_crates__sys-0.1.0-9//:sys"],
            },
            "edition": "2024",
            "features": {"": ["std"]},
            "link_deps": {"wasm32-unknown-unknown": ["@ringwire_crates__sys-0.1.0-9//:sys"]},
            "links": None,
            "package": "user-crate",
            "platforms": ["wasm32-unknown-unknown"],
            "proc_macro": False,
            "proc_macro_deps": {"": ["@ringwire_crates__derive-2.0.0//:derive"]},
            "root": "src/lib.rs",
            "version": "1.0.0",
        },
        build_arguments(_CRATES["user-crate-1.0.0"], _CRATES, ["wasm32-unknown-unknown"]),
    )
    derive = build_arguments(_CRATES["derive-2.0.0"], _CRATES, [])
    asserts.equals(env, (True, {}, {}), (derive["proc_macro"], derive["deps"], derive["features"]))
    asserts.equals(env, "sys", build_arguments(_CRATES["sys-0.1.0+9"], _CRATES, [])["links"])
    return unittest.end(env)

def _a_repository_is_called_as_bazel_allows_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, "ringwire_crates__sys-0.1.0-9", repository_name("sys-0.1.0+9"))
    return unittest.end(env)

def _crates_come_from_where_another_one_does_impl(ctx):
    env = unittest.begin(ctx)
    other = {
        "strip_prefix": "some-crate-0.9.0-rc.1",
        "url": "https://crates.example/all/some-crate/some-crate-0.9.0-rc.1.crate",
    }
    other_of_rules_rust = {
        "strip_prefix": "some-0.9.0",
        "url": "https://crates.example/all/some/some-0.9.0.crate",
    }
    asserts.equals(
        env,
        "https://crates.example/all/sys/sys-0.1.0+9.crate",
        crate_url(other_of_rules_rust, "sys", "0.1.0+9"),
    )
    asserts.equals(env, None, crate_url(other, "sys", "0.1.0+9"))
    return unittest.end(env)

_a_crate_gets_each_dep_where_its_rule_takes_it_test = unittest.make(_a_crate_gets_each_dep_where_its_rule_takes_it_impl)
_a_repository_is_called_as_bazel_allows_test = unittest.make(_a_repository_is_called_as_bazel_allows_impl)
_crates_come_from_where_another_one_does_test = unittest.make(_crates_come_from_where_another_one_does_impl)

def extension_test_suite(name):
    """Declares the tests.

    Args:
      name: the name of the suite.
    """
    unittest.suite(
        name,
        _a_crate_gets_each_dep_where_its_rule_takes_it_test,
        _a_repository_is_called_as_bazel_allows_test,
        _crates_come_from_where_another_one_does_test,
    )
