//! The files whose types come with the runtime, and are never generated again.

/// The files of the well-known types, each with a message that has both views and JSON in `buffa-types`.
///
/// `api.proto`, `type.proto`, `source_context.proto` and `descriptor.proto` are not among them: there they have no
/// JSON, so that whoever uses their types generates them like any other file.
const FILES: [&str; 7] = [
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
];

/// Whether the types of this file come with the runtime.
#[must_use]
pub fn is_well_known(import_path: &str) -> bool {
    FILES.contains(&import_path)
}
