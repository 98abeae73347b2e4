"""The paths by which .proto files import one another."""

def import_paths(proto_info):
    """Returns the import paths of a library's own files.

    Args:
      proto_info: the ProtoInfo of the library.

    Returns:
      A list of strings.
    """
    root = proto_info.proto_source_root
    return [import_path(file.path, file.short_path, root) for file in proto_info.direct_sources]

def import_path(path, short_path, source_root):
    """Returns the import path of one .proto file.

    Args:
      path: the file's path from the execution root.
      short_path: the file's path from its repository's root, `../name/` before it in another repository.
      source_root: the folder from which the library's files are imported, from the execution root; "." is that root.

    Returns:
      The path, as it stands in `import "...";`.
    """
    if path.startswith(source_root + "/"):
        return path[len(source_root) + 1:]

    # A generated file that is imported from the root of its repository.
    if short_path.startswith("../"):
        return short_path.split("/", 2)[2]
    return short_path

def is_well_known(import_path):
    """Says whether the runtime brings the types of this file, so that they are never compiled again.

    Args:
      import_path: the path of the file.

    Returns:
      A bool. `well_known.rs` of //codegen has the same list.
    """
    return import_path in _WELL_KNOWN

# The others of google/protobuf have no JSON in the runtime, and are compiled like any file.
_WELL_KNOWN = [
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
]
