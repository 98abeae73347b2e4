//! Where the types of one generated library live, and those that it uses from others.

use crate::elsewhere::Elsewhere;
use crate::error::Error;
use crate::fixup::carry_over;
use crate::options::Options;
use crate::schema::text;
use crate::sources::Sources;
use crate::well_known::is_well_known;
use crate::{Request, place};
use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use buffa_codegen::{CodeGenConfig, MapRepr, idents};
use std::collections::BTreeSet;
use std::ops::Deref;

/// One library to generate: its sources, and the paths of all types that they name.
pub(crate) struct Library<'a> {
    sources: Sources<'a>,
    pub(crate) config: CodeGenConfig,
    pub(crate) elsewhere: Elsewhere,
}

impl<'a> Deref for Library<'a> {
    type Target = Sources<'a>;

    fn deref(&self) -> &Sources<'a> {
        &self.sources
    }
}

impl<'a> Library<'a> {
    pub(crate) fn new(request: &Request<'a>) -> Result<Self, Error> {
        let sources = Sources::new(request)?;
        let elsewhere = Elsewhere::find(&sources)?;
        let mut library = Self { config: config(request.options), sources, elsewhere };
        library.config.extern_paths = library.extern_paths()?;
        let Self { sources, config, .. } = &mut library;
        sources.generated_files().for_each(|file| carry_over(file, config));
        Ok(library)
    }

    /// What knows the names of types, as buffa gives them.
    pub(crate) fn context(&self) -> CodeGenContext<'_> {
        CodeGenContext::for_generate(&self.files, &self.generate, &self.config)
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

/// What buffa is told of every library.
fn config(options: &Options) -> CodeGenConfig {
    let mut config = CodeGenConfig::default();
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
    config
}

/// A path as tokens.
pub(crate) fn tokens(path: &str) -> proc_macro2::TokenStream {
    idents::rust_path_to_tokens(path)
}
