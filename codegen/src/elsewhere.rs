//! Where the types of other crates are.

use crate::Schema;
use crate::error::Error;
use crate::fixup::{Renames, has_module};
use crate::options::Mode;
use crate::schema::text;
use crate::sources::Sources;
use crate::well_known::is_well_known;
use buffa_codegen::CodeGenConfig;
use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::FileDescriptorProto;
use std::collections::{BTreeMap, BTreeSet};

/// Where the types of other crates are.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// `.package.Type` → `::crate::package::Type`.
    pub(crate) types: BTreeMap<String, String>,
    /// The modules of messages, `package::message`, each with the crates that have it.
    pub(crate) modules: BTreeMap<String, BTreeSet<String>>,
}

impl Elsewhere {
    /// # Errors
    /// A file of one of the crates is missing.
    pub(crate) fn find(sources: &Sources<'_>) -> Result<Self, Error> {
        let request = sources.request;
        let mut found = Self::default();
        let mut crates: BTreeSet<&str> = BTreeSet::new();
        for file in &sources.files {
            let import_path = text(&file.name);
            if is_well_known(import_path) {
                for name in request.schema.types_of(import_path) {
                    let within = name.trim_start_matches('.').replace('.', "::");
                    let path = format!("{}::buffa_types::{within}", request.options.runtime.message);
                    found.types.insert(name.to_owned(), path);
                }
            } else if !sources.is_local(import_path) {
                crates.extend(request.externs.crate_of(import_path));
            }
        }
        for (krate, files) in request.externs.crates() {
            if crates.contains(krate) || request.mode == Mode::Services {
                let Within { types, modules } = Within::of(request.schema, files)?;
                for (name, path) in types {
                    let name = sources.renames.renamed(&name).into_owned();
                    found.types.insert(name, format!("::{krate}::{path}"));
                }
                for module in modules {
                    found.modules.entry(module).or_default().insert(krate.to_owned());
                }
            }
        }
        Ok(found)
    }
}

/// What a library holds, by paths within it.
struct Within {
    /// The types, by their names in the schema.
    types: Vec<(String, String)>,
    modules: Vec<String>,
}

impl Within {
    /// The paths depend on the files of the library and on the packages of what these import, on nothing else: whoever
    /// uses the library has to find what its maker gave.
    fn of(schema: &Schema, files: &[String]) -> Result<Self, Error> {
        let is_own = |file: &FileDescriptorProto| files.iter().any(|own| own == text(&file.name));
        let (own, imported): (Vec<_>, Vec<_>) =
            schema.closure(files)?.into_iter().partition(|file| is_own(file));
        let (mut own, renames) = Renames::apply(&own);
        own.iter_mut().for_each(|file| file.source_code_info = <_>::default());
        let only_package = |file: &FileDescriptorProto| FileDescriptorProto {
            name: file.name.clone(),
            package: file.package.clone(),
            ..Default::default()
        };
        let seen: Vec<FileDescriptorProto> =
            own.iter().cloned().chain(imported.into_iter().map(only_package)).collect();
        let config = CodeGenConfig::default();
        let context = CodeGenContext::new(&seen, &config, &[]);
        let path = |name: &str| {
            let path = context.rust_type(&renames.renamed(name))?;
            Some((name.to_owned(), renames.rust(path).into_owned()))
        };
        let types = files.iter().flat_map(|file| schema.types_of(file)).filter_map(path).collect();
        let mut modules = Vec::new();
        for file in &own {
            let package = text(&file.package);
            for message in file.message_type.iter().filter(|message| has_module(message)) {
                let module = context.nested_module_name(package, text(&message.name));
                let path = package.split('.').chain([module.as_str()]).collect::<Vec<_>>().join("::");
                modules.push(renames.rust(path.trim_start_matches("::")).into_owned());
            }
        }
        Ok(Self { types, modules })
    }
}
