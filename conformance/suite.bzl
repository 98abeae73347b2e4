"""The runner of the official suite, and the .proto files of its service: a Go module, made by the Go of the machine."""

_MODULE = "connectrpc.com/conformance"
_VERSION = "v1.0.5"
_SUM = "h1:w5d+gBj0uUX/DAN+hInQMeUxYTmec5m1Vvi2s/6V56s="

_FILES = [
    "client_compat.proto",
    "config.proto",
    "server_compat.proto",
    "service.proto",
]

_BUILD = """\
load("@rules_proto//proto:defs.bzl", "proto_library")

package(default_visibility = ["//visibility:public"])

exports_files(["connectconformance"])

proto_library(
    name = "conformance_proto",
    srcs = glob(["proto/**/*.proto"]),
    strip_import_prefix = "proto",
)
"""

_NO_SUITE = """\
fail("The conformance suite is a Go module, and it cannot be had: {cause}. " +
     "Install Go 1.24 or newer and run `bazel fetch --configure`, or leave out //conformance.")
"""

# protobuf's own, as far as the service needs them: generated code has them from its runtime, so that only their names
# matter here, and a module for them would bring a protoc to be compiled.
_WELL_KNOWN = {
    "any": "message Any { string type_url = 1; bytes value = 2; }",
    "empty": "message Empty {}",
    "struct": """\
message Struct { map<string, Value> fields = 1; }
message Value {
  oneof kind {
    NullValue null_value = 1;
    double number_value = 2;
    string string_value = 3;
    bool bool_value = 4;
    Struct struct_value = 5;
    ListValue list_value = 6;
  }
}
enum NullValue { NULL_VALUE = 0; }
message ListValue { repeated Value values = 1; }""",
}

def _conformance_suite_repository_impl(repository_ctx):
    cause = _make(repository_ctx)
    repository_ctx.file("BUILD.bazel", _NO_SUITE.format(cause = _quoted(cause)) if cause else _BUILD)

def _make(repository_ctx):
    """Makes the repository's files; returns what stands in the way, or None."""
    go = repository_ctx.which("go")
    if not go:
        return "no go on PATH"
    pinned = "{}@{}".format(_MODULE, _VERSION)
    downloaded = repository_ctx.execute([go, "mod", "download", "-json", pinned])
    module = json.decode(downloaded.stdout, default = None)
    if downloaded.return_code or not module:
        return "go mod download {}: {}".format(pinned, downloaded.stderr or downloaded.stdout)
    if module["Sum"] != _SUM:
        return "{} has the hash {}, and not {}".format(pinned, module["Sum"], _SUM)
    for name in _FILES:
        path = "proto/connectrpc/conformance/v1/" + name
        repository_ctx.file(path, repository_ctx.read("{}/{}".format(module["Dir"], path)))
    for name, text in _WELL_KNOWN.items():
        text = "syntax = \"proto3\";\n\npackage google.protobuf;\n\n{}\n".format(text)
        repository_ctx.file("proto/google/protobuf/{}.proto".format(name), text)

    # A program without C runs wherever a test runs.
    environment = {"CGO_ENABLED": "0", "GOBIN": str(repository_ctx.path("."))}
    program = "{}/cmd/connectconformance@{}".format(_MODULE, _VERSION)
    installed = repository_ctx.execute([go, "install", "-trimpath", program], environment = environment)
    if installed.return_code:
        return "go install {}: {}".format(program, installed.stderr)
    return None

def _quoted(text):
    return text.strip().replace("\\", "/").replace("\"", "'").replace("\n", " ")

_conformance_suite_repository = repository_rule(
    implementation = _conformance_suite_repository_impl,
    doc = "`connectconformance`, and `conformance_proto`. Without Go, loading it says so.",
    configure = True,
    environ = ["GOPROXY", "PATH"],
)

def _conformance_suite_impl(_module_ctx):
    _conformance_suite_repository(name = "ringwire_conformance_suite")

conformance_suite = module_extension(
    implementation = _conformance_suite_impl,
    doc = "Makes `@ringwire_conformance_suite`, with the Go on PATH.",
)
