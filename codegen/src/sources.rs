//! The files of a library, and everything that they import.

use crate::error::Error;
use crate::fixup::{Renames, remove_unfit};
use crate::options::Mode;
use crate::schema::text;
use crate::well_known::{is_of_protobuf, is_well_known};
use crate::{Externs, Request, Schema, place};
use buffa_codegen::generated::descriptor::{DescriptorProto, FileDescriptorProto};
use std::collections::BTreeSet;

/// The files of one library to generate.
pub(crate) struct Sources<'a> {
    pub(crate) request: Request<'a>,
    /// The import paths to generate, but for those that come with the runtime.
    pub(crate) generate: Vec<String>,
    /// The files to generate and everything that they import, as buffa gets to see them.
    pub(crate) files: Vec<FileDescriptorProto>,
    pub(crate) renames: Renames,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(request: &Request<'a>) -> Result<Self, Error> {
        let Request { schema, externs, mode, .. } = *request;
        let mut generate: Vec<String> = Vec::new();
        for file in request.generate {
            if mode.has_messages() {
                check_not_elsewhere(externs, file)?;
            }
            if !is_well_known(file) && !generate.contains(file) {
                generate.push(file.clone());
            }
        }
        if mode == Mode::Both {
            with_named_of_protobuf(schema, externs, &mut generate)?;
        }
        let closure = schema.closure(&generate)?;
        let (mut files, renames) = Renames::apply(&closure);
        files.iter_mut().for_each(remove_unfit);
        let sources = Self { request: *request, generate, files, renames };
        for import_path in &sources.generate {
            sources.check_package(import_path)?;
        }
        Ok(sources)
    }

    /// The files to generate.
    pub(crate) fn generated_files(&self) -> impl Iterator<Item = &FileDescriptorProto> {
        self.generate.iter().filter_map(|import_path| self.file(import_path))
    }

    pub(crate) fn file(&self, import_path: &str) -> Option<&FileDescriptorProto> {
        self.files.iter().find(|file| text(&file.name) == import_path)
    }

    /// Whether the types of this file are generated here.
    pub(crate) fn is_local(&self, import_path: &str) -> bool {
        self.request.mode.has_messages() && self.generate.iter().any(|file| file == import_path)
    }

    fn check_package(&self, import_path: &str) -> Result<(), Error> {
        let Some(file) = self.file(import_path) else { return Ok(()) };
        let unfit =
            |segment: &&str| matches!(*segment, "self" | "super" | "crate" | "Self" | "_" | ROOT_MODULE);
        match text(&file.package).split('.').find(unfit) {
            None => Ok(()),
            Some(segment) => Err(Error::new(format!(
                "the package {} has a part named {segment}, which no Rust module can be named",
                text(&file.package)
            ))
            .at(self.request.schema.place(import_path, &[place::PACKAGE]))
            .remedy("rename the package")),
        }
    }
}

/// The module at the root that holds what all services share.
pub(crate) const ROOT_MODULE: &str = "__ringwire";

/// Adds the files of protobuf's own whose types are named and have no home. A crate of their own is left to those who
/// have several crates.
fn with_named_of_protobuf(
    schema: &Schema,
    externs: &Externs,
    generate: &mut Vec<String>,
) -> Result<(), Error> {
    let mut place = 0;
    // What is added is looked at in its turn.
    while let Some(import_path) = generate.get(place) {
        place += 1;
        let Some(file) = schema.file(import_path) else { continue };
        let declared =
            named(file).into_iter().filter_map(|name| schema.declared(name)).map(|found| &found.file);
        let found: BTreeSet<&String> = declared.filter(|file| is_of_protobuf(file)).collect();
        generate.extend(
            found.into_iter().filter(|file| externs.crate_of(file).is_none()).cloned().collect::<Vec<_>>(),
        );
        let mut seen = BTreeSet::new();
        generate.retain(|file| seen.insert(file.clone()));
    }
    Ok(())
}

/// The types that a file names.
fn named(file: &FileDescriptorProto) -> Vec<&str> {
    fn of_messages<'f>(messages: &'f [DescriptorProto], names: &mut Vec<&'f str>) {
        for message in messages {
            names.extend(message.field.iter().chain(&message.extension).map(|field| text(&field.type_name)));
            of_messages(&message.nested_type, names);
        }
    }
    let mut names: Vec<&str> = file.extension.iter().map(|field| text(&field.type_name)).collect();
    of_messages(&file.message_type, &mut names);
    for method in file.service.iter().flat_map(|service| &service.method) {
        names.extend([text(&method.input_type), text(&method.output_type)]);
    }
    names
}

fn check_not_elsewhere(externs: &Externs, file: &str) -> Result<(), Error> {
    match externs.crate_of(file) {
        None => Ok(()),
        Some(krate) => Err(Error::new(format!(
            "{file} is to be generated, but its types are said to be in the crate {krate}"
        ))
        .remedy("list it once: either to be generated, or as a file of that crate")),
    }
}
