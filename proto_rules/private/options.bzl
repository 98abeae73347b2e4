"""What is asked of generated code: the build's own answer, and the exceptions to it."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")

ConnectRustOptionsInfo = provider(
    doc = "What the whole build asks of generated code.",
    fields = {"options": "dict[str, bool]: every option by its name."},
)

_ExceptionsInfo = provider(
    doc = "What single libraries ask instead.",
    fields = {"options": "dict[str, bool]: some options by their names."},
)

def options_of_library(build_wide, aspect_hints):
    """Returns the options of one `proto_library`.

    Args:
      build_wide: the options of the build.
      aspect_hints: the targets in the library's `aspect_hints`.

    Returns:
      dict[str, bool], every option by its name.
    """
    options = dict(build_wide)
    for hint in aspect_hints:
        if _ExceptionsInfo in hint:
            options.update(hint[_ExceptionsInfo].options)
    return options

def missing_below(options, below):
    """Finds what a crate needs of a crate that it builds on, and does not get.

    A message with JSON cannot have a field of a message without it, and likewise for views. The other options
    concern a crate alone.

    Args:
      options: the options of the crate.
      below: the options of a crate that it builds on.

    Returns:
      The name of an option, or None.
    """
    for name in ["json", "views"]:
        if options[name] and not below[name]:
            return name
    return None

def _build_options_impl(ctx):
    flags = {flag.label.name: flag[BuildSettingInfo].value for flag in ctx.attr.flags}
    return [ConnectRustOptionsInfo(options = flags)]

connect_rust_build_options = rule(
    implementation = _build_options_impl,
    doc = "Gathers the flags of the build.",
    attrs = {
        "flags": attr.label_list(
            doc = "One `bool_flag` per option, of its name.",
            mandatory = True,
            providers = [BuildSettingInfo],
        ),
    },
)

def _connect_rust_options_impl(ctx):
    asked = {name: getattr(ctx.attr, name) for name in _EXCEPTIONS}
    return [_ExceptionsInfo(options = {name: value == "on" for name, value in asked.items() if value})]

def _exception(what):
    return attr.string(
        doc = "`on` or `off`: whether {}. Without it, the build-wide flag of this name decides.".format(what),
        values = [
            "",
            "off",
            "on",
        ],
    )

_EXCEPTIONS = {
    "json": _exception("messages have protobuf's JSON mapping. A library that has it needs it of all its deps"),
    "strict_utf8_mapping": _exception("strings that the schema exempts from UTF-8 validation (all of proto2) are bytes"),
    "unknown_fields": _exception("fields that are not in the schema survive decoding and encoding"),
    "views": _exception("messages have borrowed views. A library that has them needs them of all its deps"),
}

connect_rust_options = rule(
    implementation = _connect_rust_options_impl,
    doc = """\
What the messages of single libraries ask instead of what the build's flags say: name it in the `aspect_hints` of a
`proto_library`.

```starlark
connect_rust_options(
    name = "without_json",
    json = "off",
)

proto_library(
    name = "storage_proto",
    srcs = ["storage.proto"],
    aspect_hints = [":without_json"],
)
```

A library has one crate, whoever uses it, so its options belong to the library and not to its users.""",
    attrs = _EXCEPTIONS,
)
