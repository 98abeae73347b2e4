//! Names that the message generator does not bear, replaced before it sees them.

use buffa_codegen::generated::descriptor::FileDescriptorProto;
use std::borrow::Cow;

/// Which names of a schema were replaced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renames {}

impl Renames {
    /// The files with other names where that is needed. What a name becomes depends on its own file alone, so that all
    /// libraries agree.
    pub(crate) fn apply(files: &[&FileDescriptorProto]) -> (Vec<FileDescriptorProto>, Self) {
        (files.iter().map(|&file| file.clone()).collect(), Self::default())
    }

    /// The name of a type in the files, by its name in the schema.
    pub(crate) fn renamed<'n>(&self, type_name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(type_name)
    }

    /// The name of a type in the schema, by its name in the files.
    pub(crate) fn original<'n>(&self, type_name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(type_name)
    }
}
