//! The files whose types come with the runtime, and are never generated again.

/// Whether the types of this file come with the runtime.
#[must_use]
pub fn is_well_known(import_path: &str) -> bool {
    FILES.contains(&import_path)
}

/// Whether the file comes with protobuf, but its types do not come with the runtime: they have no JSON there. Who names
/// them generates them.
pub(crate) fn is_of_protobuf(import_path: &str) -> bool {
    OTHERS.contains(&import_path)
}

const OTHERS: [&str; 5] = [
    "google/protobuf/api.proto",
    "google/protobuf/compiler/plugin.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/source_context.proto",
    "google/protobuf/type.proto",
];

/// The files of the well-known types whose messages have both views and JSON in `buffa-types`.
const FILES: [&str; 7] = [
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
];
