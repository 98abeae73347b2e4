//! What protoc made of .proto files.

use crate::error::{Error, Place};
use crate::place;
use buffa_codegen::generated::descriptor::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet,
};
use std::collections::{BTreeMap, BTreeSet};

/// What protoc made of .proto files: files, by their import paths.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    files: BTreeMap<String, FileDescriptorProto>,
    /// `.package.Outer.Inner` → where it is declared.
    types: BTreeMap<String, Declared>,
}

/// Where a message or an enum is declared.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) file: String,
    pub(crate) path: Vec<i32>,
}

impl Schema {
    /// Bytes that the elements of one descriptor set may take in memory, unless another limit is chosen: some six times
    /// what they take on disk. It stops what is no descriptor set, not what is large.
    pub const ELEMENT_MEMORY_MAX: usize = buffa_codegen::TOOLING_ELEMENT_MEMORY_LIMIT;

    /// Reads serialized `FileDescriptorSet`s. Of two files with one import path, the first counts.
    ///
    /// # Errors
    /// One of them is no descriptor set; the error holds its place among them.
    pub fn decode<'a>(
        sets: impl IntoIterator<Item = &'a [u8]>,
        element_memory_max: usize,
    ) -> Result<Self, (usize, Error)> {
        let options = buffa::DecodeOptions::new().with_element_memory_limit(element_memory_max);
        let mut files = Vec::new();
        for (place, set) in sets.into_iter().enumerate() {
            match options.decode_from_slice::<FileDescriptorSet>(set) {
                Ok(set) => files.extend(set.file),
                Err(error) => {
                    let error = Error::new(format!("not a FileDescriptorSet: {error}")).remedy(
                        "pass what `protoc --descriptor_set_out` writes, or raise element_memory_limit if it is larger \
                         than that",
                    );
                    return Err((place, error));
                }
            }
        }
        Ok(Self::new(files))
    }

    /// Takes files that are decoded already. Of two with one import path, the first counts.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = FileDescriptorProto>) -> Self {
        let mut schema = Self::default();
        for file in files {
            let name = file.name.clone().unwrap_or_default();
            if schema.files.contains_key(&name) {
                continue;
            }
            let prefix = match text(&file.package) {
                "" => ".".to_owned(),
                package => format!(".{package}."),
            };
            let mut types = Types { file: &name, types: &mut schema.types };
            types.declare(&prefix, &[], [place::MESSAGE, place::ENUM], &file.message_type, &file.enum_type);
            schema.files.insert(name, file);
        }
        schema
    }

    /// The import paths of all files, sorted.
    pub fn import_paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(crate) fn file(&self, import_path: &str) -> Option<&FileDescriptorProto> {
        self.files.get(import_path)
    }

    pub(crate) fn declared(&self, type_name: &str) -> Option<&Declared> {
        self.types.get(type_name)
    }

    /// The names, with their leading dot, of all types that a file declares.
    pub(crate) fn types_of(&self, file: &str) -> impl Iterator<Item = &str> {
        self.types.iter().filter(move |(_, declared)| declared.file == file).map(|(name, _)| name.as_str())
    }

    /// The files and everything that they import, sorted by import path.
    ///
    /// # Errors
    /// One of them is not here.
    pub(crate) fn closure<'s>(&'s self, of: &[String]) -> Result<Vec<&'s FileDescriptorProto>, Error> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut rest: Vec<(Option<&str>, &str)> = of.iter().map(|file| (None, file.as_str())).collect();
        let mut closure = BTreeMap::new();
        while let Some((importer, import_path)) = rest.pop() {
            if !seen.insert(import_path) {
                continue;
            }
            let Some((name, file)) = self.files.get_key_value(import_path) else {
                return Err(missing(importer, import_path));
            };
            closure.insert(name, file);
            rest.extend(file.dependency.iter().map(|dependency| (Some(name.as_str()), dependency.as_str())));
        }
        Ok(closure.into_values().collect())
    }

    /// The place of what the path leads to, or of what is around it.
    pub(crate) fn place(&self, file: &str, path: &[i32]) -> Place {
        place::find(self.files.get(file), file, path)
    }

    pub(crate) fn place_of_type(&self, type_name: &str) -> Option<Place> {
        let declared = self.types.get(type_name)?;
        Some(self.place(&declared.file, &declared.path))
    }
}

/// What an optional field of a descriptor holds; nothing is the empty text.
pub(crate) fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

fn missing(importer: Option<&str>, import_path: &str) -> Error {
    let error = match importer {
        Some(importer) => {
            Error::new(format!("{importer} imports {import_path}, which no descriptor set holds"))
        }
        None => Error::new(format!("{import_path} is to be generated, but no descriptor set holds it")),
    };
    error.remedy("pass the descriptor sets of all files and of everything that they import (protoc has --include_imports)")
}

struct Types<'s> {
    file: &'s str,
    types: &'s mut BTreeMap<String, Declared>,
}

impl Types<'_> {
    fn declare(
        &mut self,
        prefix: &str,
        path: &[i32],
        [message_field, enum_field]: [i32; 2],
        messages: &[DescriptorProto],
        enums: &[EnumDescriptorProto],
    ) {
        for (index, message) in messages.iter().enumerate() {
            let name = format!("{prefix}{}", text(&message.name));
            let path = place::join(path, message_field, index);
            let nested = [place::NESTED_MESSAGE, place::NESTED_ENUM];
            self.declare(&format!("{name}."), &path, nested, &message.nested_type, &message.enum_type);
            self.insert(name, path);
        }
        for (index, declared) in enums.iter().enumerate() {
            let name = format!("{prefix}{}", text(&declared.name));
            self.insert(name, place::join(path, enum_field, index));
        }
    }

    fn insert(&mut self, name: String, path: Vec<i32>) {
        self.types.insert(name, Declared { file: self.file.to_owned(), path });
    }
}
