//! Messages, as buffa writes them.

use crate::error::Error;
use crate::fixup::{Through, add_aliases};
use crate::options::Mode;
use crate::place;
use crate::schema::text;
use crate::tree::Tree;
use crate::types::{Library, tokens};
use crate::well_known::is_well_known;
use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::DescriptorProto;
use buffa_codegen::{CodeGenError, idents};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::{BTreeMap, BTreeSet};
use syn::parse_quote;

/// Writes the messages of all files to generate.
pub(crate) fn generate(library: &Library<'_>, tree: &mut Tree) -> Result<(), Error> {
    let packages = buffa_codegen::generate(&library.files, &library.generate, &library.config)
        .map_err(|error| refused(library, &error))?;
    let through = Through::new(&library.request.options.runtime.message);
    let context = library.context();
    for package in packages {
        let code: TokenStream = package.content.parse().expect("buffa formats what it has parsed");
        let code = library.renames.rust_code(through.apply(code));
        let mut file: syn::File = syn::parse2(code).expect("only names were changed");
        add_aliases(library, &context, &package.package, &mut file.items);
        tree.package(&package.package).extend(file.items);
    }
    let asked_for: BTreeSet<&str> =
        library.request.generate.iter().map(String::as_str).filter(|file| is_well_known(file)).collect();
    reexport_well_known(library, tree, |file| asked_for.contains(file));
    Ok(())
}

/// Makes the messages of other crates reachable under the modules of their packages.
pub(crate) fn reexport(library: &Library<'_>, tree: &mut Tree) {
    let mut crates: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (krate, files) in library.request.externs.crates() {
        for file in files.iter().filter_map(|file| library.request.schema.file(file)) {
            crates.entry(text(&file.package)).or_default().insert(krate);
        }
    }
    for (package, crates) in crates {
        for krate in crates {
            let krate = format_ident!("{krate}");
            let segments =
                package.split('.').filter(|segment| !segment.is_empty()).map(idents::make_field_ident);
            tree.package(package).push(parse_quote! {
                #[doc(inline)]
                pub use ::#krate::#(#segments::)**;
            });
        }
    }
    reexport_well_known(library, tree, |_| true);
}

/// One by one, because other files of that package may be generated beside them.
fn reexport_well_known(library: &Library<'_>, tree: &mut Tree, is_wanted: impl Fn(&str) -> bool) {
    let schema = library.request.schema;
    let runtime = tokens(&library.request.options.runtime.message);
    let files = schema.import_paths().filter(|file| is_well_known(file) && is_wanted(file));
    for file in files.filter_map(|file| schema.file(file)) {
        let messages = file.message_type.iter().map(|message| text(&message.name));
        let names =
            messages.flat_map(|name| ["", "View", "OwnedView"].map(|suffix| format_ident!("{name}{suffix}")));
        let enums = file.enum_type.iter().map(|declared| format_ident!("{}", text(&declared.name)));
        let names = names.chain(enums);
        tree.package("google.protobuf").push(parse_quote! {
            #[doc(no_inline)]
            pub use #runtime::buffa_types::google::protobuf::{#(#names),*};
        });
    }
}

/// Writes the function that makes the messages known to a registry.
pub(crate) fn register(library: &Library<'_>, tree: &mut Tree) {
    let options = library.request.options;
    let runtime = tokens(&options.runtime.message);
    let mut statements: Vec<TokenStream> = Vec::new();
    if library.request.mode == Mode::Services {
        for (krate, _) in library.request.externs.crates() {
            let krate = format_ident!("{krate}");
            statements.push(quote!(::#krate::register_types(registry);));
        }
    } else if options.json && options.views {
        let context = library.context();
        for file in library.generated_files() {
            let prefix = match text(&file.package) {
                "" => ".".to_owned(),
                package => format!(".{package}."),
            };
            let mut registered =
                Registered { library, context: &context, runtime: &runtime, statements: &mut statements };
            registered.of_messages(&prefix, &file.message_type);
        }
    }
    tree.package("").push(parse_quote! {
        /// Makes the messages and extensions of this crate known to a registry, so that `Any` can hold them in JSON.
        pub fn register_types(registry: &mut #runtime::buffa::type_registry::TypeRegistry) {
            let _ = &registry;
            #(#statements)*
        }
    });
}

struct Registered<'r, 'a> {
    library: &'r Library<'a>,
    context: &'r CodeGenContext<'r>,
    runtime: &'r TokenStream,
    statements: &'r mut Vec<TokenStream>,
}

impl Registered<'_, '_> {
    fn of_messages(&mut self, prefix: &str, messages: &[DescriptorProto]) {
        for message in messages.iter().filter(|message| !is_map_entry(message)) {
            let name = format!("{prefix}{}", text(&message.name));
            if let Some(path) = self.context.rust_type(&name) {
                let path = self.library.renames.rust(path);
                let (runtime, path) = (self.runtime, tokens(&format!("self::{path}")));
                self.statements.push(quote!(#runtime::register::<#path>(registry);));
            }
            self.of_messages(&format!("{name}."), &message.nested_type);
        }
    }
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_option().is_some_and(|options| options.map_entry == Some(true))
}

/// What buffa refuses, at its place in the schema.
fn refused(library: &Library<'_>, error: &CodeGenError) -> Error {
    let named = match error {
        CodeGenError::ReservedFieldName { message_name, .. } => Some(message_name.clone()),
        CodeGenError::ModuleNameConflict { scope, name_b, .. } if scope.is_empty() => Some(name_b.clone()),
        CodeGenError::ModuleNameConflict { scope, name_b, .. } => Some(format!("{scope}.{name_b}")),
        _ => None,
    };
    let schema = library.request.schema;
    let place = named.and_then(|name| schema.place_of_type(&format!(".{name}")));
    let place = place.unwrap_or_else(|| {
        let first = library.generate.first().map(String::as_str).unwrap_or_default();
        schema.place(first, &[place::PACKAGE])
    });
    Error::new(error.to_string()).at(place).remedy("rename it in the .proto file")
}
