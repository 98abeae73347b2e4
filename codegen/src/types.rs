//! Where the types of one generated library live, and those that it uses from others.

use crate::elsewhere::Elsewhere;
use crate::error::Error;
use crate::fixup::{Renames, carry_over, remove_unfit};
use crate::options::Mode;
use crate::schema::text;
use crate::well_known::{is_of_protobuf, is_well_known};
use crate::{Externs, Request, Schema, place};
use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use buffa_codegen::{CodeGenConfig, MapRepr, idents};
use std::collections::BTreeSet;

/// One library to generate.
pub(crate) struct Library<'a> {
    pub(crate) request: Request<'a>,
    /// The import paths to generate, but for those that come with the runtime.
    pub(crate) generate: Vec<String>,
    /// The files to generate and everything that they import, as buffa gets to see them.
    pub(crate) files: Vec<FileDescriptorProto>,
    pub(crate) renames: Renames,
    pub(crate) config: CodeGenConfig,
    pub(crate) elsewhere: Elsewhere,
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
            elsewhere: Elsewhere::default(),
        };
        for import_path in &library.generate {
            library.check_package(import_path)?;
        }
        library.elsewhere = Elsewhere::find(&library)?;
        let config = &mut library.config;
        config.generate_json = options.json;
        config.generate_views = options.views;
        config.preserve_unknown_fields = options.unknown_fields;
        config.strict_utf8_mapping = options.strict_utf8_mapping;
        config.file_per_package = true;
        config.emit_register_fn = false;
        config.generate_with_setters = false;
        config.allow_message_set = true;
        // Sorted by key, so that equal messages are equal bytes: as GET requests they are the same entry of a cache.
        config.map_fields = vec![(".".to_owned(), MapRepr::BTreeMap)];
        library.config.extern_paths = library.extern_paths()?;
        let mut config = std::mem::take(&mut library.config);
        library.generated_files().for_each(|file| carry_over(file, &mut config));
        library.config = config;
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
    pub(crate) fn is_local(&self, import_path: &str) -> bool {
        self.request.mode.has_messages() && self.generate.iter().any(|file| file == import_path)
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
        let elsewhere = |name: String| self.elsewhere.types.get(&name).cloned().map(|path| (name, path));
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
        match self.elsewhere.types.get(&*type_name) {
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

    /// Whether a package below this one starts with that part.
    pub(crate) fn has_package(&self, package: &str, part: &str) -> bool {
        let below = if package.is_empty() { part.to_owned() } else { format!("{package}.{part}") };
        let mut packages = self.files.iter().map(|file| text(&file.package));
        packages.any(|other| {
            other.strip_prefix(&below).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
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
