//! Lines of .proto files, from the source info of their descriptors.

use crate::error::Place;
use buffa_codegen::generated::descriptor::FileDescriptorProto;
use buffa_codegen::generated::descriptor::source_code_info::Location;

// Field numbers of descriptor.proto, of which the paths in source info consist.
pub(crate) const MESSAGE: i32 = 4;
pub(crate) const ENUM: i32 = 5;
pub(crate) const SERVICE: i32 = 6;
pub(crate) const EXTENSION: i32 = 7;
pub(crate) const PACKAGE: i32 = 2;
pub(crate) const FIELD: i32 = 2;
pub(crate) const NESTED_MESSAGE: i32 = 3;
pub(crate) const NESTED_ENUM: i32 = 4;
pub(crate) const NESTED_EXTENSION: i32 = 6;
pub(crate) const METHOD: i32 = 2;

pub(crate) fn join(path: &[i32], field: i32, index: usize) -> Vec<i32> {
    let mut path = path.to_vec();
    path.push(field);
    path.push(i32::try_from(index).unwrap_or(i32::MAX));
    path
}

/// The place of what the path leads to, or of the nearest thing around it that has one.
pub(crate) fn find(file: Option<&FileDescriptorProto>, name: &str, mut path: &[i32]) -> Place {
    let mut line = None;
    while let (None, Some(file)) = (line, file) {
        line = location(file, path).and_then(|location| location.span.first()).map(|line| line + 1);
        match path {
            [] => break,
            [around @ .., _] => path = around,
        }
    }
    Place { file: name.to_owned(), line: line.and_then(|line| u32::try_from(line).ok()) }
}

pub(crate) fn location<'f>(file: &'f FileDescriptorProto, path: &[i32]) -> Option<&'f Location> {
    let info = file.source_code_info.as_option()?;
    info.location.iter().find(|location| location.path == path)
}
