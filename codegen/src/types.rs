//! Where the types of one generated library live, and those that it uses from others.

use crate::error::Error;
use crate::fixup::{Renames, remove_unfit};
use crate::options::Mode;
use crate::schema::text;
use crate::well_known::{is_of_protobuf, is_well_known};
use crate::{Externs, Request, Schema, place};
use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use buffa_codegen::{CodeGenConfig, idents};
use std::collections::{BTreeMap, BTreeSet};

/// One library to generate.
pub(crate) struct Library<'a> {
    pub(crate) request: Request<'a>,
    /// The import paths to generate, but for those that come with the runtime.
    pub(crate) generate: Vec<String>,
    /// The files to generate and everything that they import, as buffa gets to see them.
    pub(crate) files: Vec<FileDescriptorProto>,
    pub(crate) renames: Renames,
    pub(crate) config: CodeGenConfig,
    /// `.package.Type` → `::crate::package::Type`, for the types of other crates.
    elsewhere: BTreeMap<String, String>,
}

impl<'a> Library<'a> {
    pub(crate) fn new(request: &Request<'a>) -> Result<Self, Error> {
        let Request { schema, externs, mode, options, .. } = *request;
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
        let mut library = Self {
            request: *request,
            generate,
            files,
            renames,
            config: CodeGenConfig::default(),
            elsewhere: BTreeMap::new(),
        };
        for import_path in &library.generate {
            library.check_package(import_path)?;
        }
        library.locate_elsewhere()?;
        let config = &mut library.config;
        config.generate_json = options.json;
        config.generate_views = options.views;
        config.preserve_unknown_fields = options.unknown_fields;
        config.strict_utf8_mapping = options.strict_utf8_mapping;
        config.file_per_package = true;
        config.emit_register_fn = false;
        config.generate_with_setters = false;
        config.allow_message_set = true;
        library.config.extern_paths = library.extern_paths()?;
        Ok(library)
    }

    /// The files to generate.
    pub(crate) fn generated_files(&self) -> impl Iterator<Item = &FileDescriptorProto> {
        self.generate.iter().filter_map(|import_path| self.file(import_path))
    }

    pub(crate) fn file(&self, import_path: &str) -> Option<&FileDescriptorProto> {
        self.files.iter().find(|file| text(&file.name) == import_path)
    }

    /// What knows the names of types, as buffa gives them.
    pub(crate) fn context(&self) -> CodeGenContext<'_> {
        CodeGenContext::for_generate(&self.files, &self.generate, &self.config)
    }

    /// Whether the types of this file are generated here.
    fn is_local(&self, import_path: &str) -> bool {
        self.request.mode.has_messages() && self.generate.iter().any(|file| file == import_path)
    }

    /// Fills in where the types of all other files are.
    fn locate_elsewhere(&mut self) -> Result<(), Error> {
        let Request { schema, externs, options, mode, .. } = self.request;
        let mut crates: BTreeSet<&str> = BTreeSet::new();
        let mut elsewhere = BTreeMap::new();
        for file in &self.files {
            let import_path = text(&file.name);
            if is_well_known(import_path) {
                for name in schema.types_of(import_path) {
                    let within = name.trim_start_matches('.').replace('.', "::");
                    elsewhere.insert(
                        name.to_owned(),
                        format!("{}::buffa_types::{within}", options.runtime.message),
                    );
                }
            } else if !self.is_local(import_path) {
                crates.extend(externs.crate_of(import_path));
            }
        }
        for (krate, files) in externs.crates() {
            if crates.contains(krate) || mode == Mode::Services {
                for (name, path) in paths_within(schema, files)? {
                    let name = self.renames.renamed(&name).into_owned();
                    elsewhere.insert(name, format!("::{krate}::{path}"));
                }
            }
        }
        self.elsewhere = elsewhere;
        Ok(())
    }

    /// What buffa has to know of it: the types that are named, and what shares a package with what is generated.
    fn extern_paths(&self) -> Result<Vec<(String, String)>, Error> {
        let mut names = BTreeSet::new();
        let packages: BTreeSet<&str> = self.generated_files().map(|file| text(&file.package)).collect();
        for file in &self.files {
            if packages.contains(text(&file.package)) && !self.is_local(text(&file.name)) {
                names.extend(top_level(file));
            }
        }
        for file in self.generated_files() {
            References { library: self, file, names: &mut names }.of_file()?;
        }
        let elsewhere = |name: String| self.elsewhere.get(&name).cloned().map(|path| (name, path));
        let mut paths: Vec<_> = names.into_iter().filter_map(elsewhere).collect();
        // Packages below google.protobuf are not those of the well-known types, which buffa takes them for.
        for package in packages.into_iter().filter(|package| package.starts_with("google.protobuf.")) {
            paths.push((format!(".{package}"), package.replace('.', "::")));
        }
        Ok(paths)
    }

    /// The path of a type, for code in the module of a package.
    pub(crate) fn path(
        &self,
        context: &CodeGenContext<'_>,
        type_name: &str,
        package: &str,
    ) -> Option<String> {
        let type_name = self.renames.renamed(type_name);
        match self.elsewhere.get(&*type_name) {
            Some(path) => Some(path.clone()),
            None => {
                Some(self.renames.rust(&context.rust_type_relative(&type_name, package, 0)?).into_owned())
            }
        }
    }

    /// Whether the type is generated here, in this package.
    pub(crate) fn is_local_type(&self, type_name: &str, package: &str) -> bool {
        let declared = self.request.schema.declared(&self.renames.original(type_name));
        declared.is_some_and(|declared| {
            self.is_local(&declared.file)
                && self.file(&declared.file).is_some_and(|file| text(&file.package) == package)
        })
    }

    /// Whether the types of the file have a home: here, in another crate, or in the runtime.
    fn has_home(&self, import_path: &str) -> bool {
        is_well_known(import_path)
            || self.is_local(import_path)
            || self.request.externs.crate_of(import_path).is_some()
    }

    /// Holds that a type has a home, by its name in the schema.
    pub(crate) fn check_named(&self, type_name: &str, named_at: (&str, &[i32])) -> Result<(), Error> {
        let schema = self.request.schema;
        let (file, path) = named_at;
        let name = type_name.trim_start_matches('.');
        let Some(declared) = schema.declared(type_name) else {
            return Err(Error::new(format!("no descriptor set holds the type {name}"))
                .at(schema.place(file, path))
                .remedy("pass the descriptor sets of everything that the file imports"));
        };
        if self.has_home(&declared.file) {
            return Ok(());
        }
        Err(Error::new(format!("{name} is declared in {}, for which nothing is generated", declared.file))
            .at(schema.place(file, path))
            .remedy(format!(
                "generate {0} too, or say which crate has its types (extern=CRATE={0})",
                declared.file
            )))
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

/// The paths that the types of a library have within it, by their names in the schema. They depend on its files and on the packages of what these
/// import, on nothing else: whoever uses the library has to find the same.
fn paths_within(schema: &Schema, files: &[String]) -> Result<Vec<(String, String)>, Error> {
    let closure = schema.closure(files)?;
    let own: Vec<&FileDescriptorProto> =
        closure.iter().copied().filter(|file| files.iter().any(|own| own == text(&file.name))).collect();
    let (own, renames) = Renames::apply(&own);
    let mut seen: Vec<FileDescriptorProto> = own
        .into_iter()
        .map(|mut file| {
            file.source_code_info = Default::default();
            file
        })
        .collect();
    for file in closure {
        if !files.iter().any(|own| own == text(&file.name)) {
            let mut imported = FileDescriptorProto::default();
            imported.name.clone_from(&file.name);
            imported.package.clone_from(&file.package);
            seen.push(imported);
        }
    }
    let config = CodeGenConfig::default();
    let context = CodeGenContext::new(&seen, &config, &[]);
    let mut paths = Vec::new();
    for file in files {
        for name in schema.types_of(file) {
            if let Some(path) = context.rust_type(&renames.renamed(name)) {
                paths.push((name.to_owned(), renames.rust(path).into_owned()));
            }
        }
    }
    Ok(paths)
}

fn top_level(file: &FileDescriptorProto) -> impl Iterator<Item = String> {
    let prefix = match text(&file.package) {
        "" => ".".to_owned(),
        package => format!(".{package}."),
    };
    let messages = file.message_type.iter().map(|message| text(&message.name));
    let enums = file.enum_type.iter().map(|declared| text(&declared.name));
    messages.chain(enums).map(move |name| format!("{prefix}{name}"))
}

/// Collects the types that a file names.
struct References<'l, 'a> {
    library: &'l Library<'a>,
    file: &'l FileDescriptorProto,
    names: &'l mut BTreeSet<String>,
}

impl References<'_, '_> {
    fn of_file(&mut self) -> Result<(), Error> {
        if !self.library.request.mode.has_messages() {
            return Ok(());
        }
        for (index, message) in self.file.message_type.iter().enumerate() {
            self.of_message(message, &place::join(&[], place::MESSAGE, index))?;
        }
        self.of_fields(&self.file.extension, &[], place::EXTENSION)
    }

    fn of_message(&mut self, message: &DescriptorProto, path: &[i32]) -> Result<(), Error> {
        self.of_fields(&message.field, path, place::FIELD)?;
        self.of_fields(&message.extension, path, place::NESTED_EXTENSION)?;
        for (index, nested) in message.nested_type.iter().enumerate() {
            self.of_message(nested, &place::join(path, place::NESTED_MESSAGE, index))?;
        }
        Ok(())
    }

    fn of_fields(&mut self, fields: &[FieldDescriptorProto], path: &[i32], number: i32) -> Result<(), Error> {
        for (index, field) in fields.iter().enumerate() {
            let type_name = text(&field.type_name);
            if !type_name.is_empty() {
                let path = place::join(path, number, index);
                let original = self.library.renames.original(type_name);
                self.library.check_named(&original, (text(&self.file.name), &path))?;
                self.names.insert(type_name.to_owned());
            }
        }
        Ok(())
    }
}

/// A path as tokens.
pub(crate) fn tokens(path: &str) -> proc_macro2::TokenStream {
    idents::rust_path_to_tokens(path)
}
