//! Messages, as buffa writes them.

use crate::error::Error;
use crate::fixup::{Through, add_aliases, add_owned};
use crate::place;
use crate::schema::text;
use crate::tree::Tree;
use crate::types::{Library, tokens};
use crate::well_known::is_well_known;
use buffa_codegen::{CodeGenError, idents};
use proc_macro2::TokenStream;
use quote::format_ident;
use std::collections::{BTreeMap, BTreeSet};
use syn::parse_quote;

/// Writes the messages of all files to generate.
pub(crate) fn generate(library: &Library<'_>, tree: &mut Tree) -> Result<(), Error> {
    let packages = buffa_codegen::generate(&library.files, &library.generate, &library.config)
        .map_err(|error| refused(library, &error))?;
    let through = Through::new(&library.request.options.runtime.message);
    let context = library.context();
    let runtime = tokens(&library.request.options.runtime.message);
    for package in packages {
        let code: TokenStream = package.content.parse().expect("buffa formats what it has parsed");
        let code = library.renames.rust_code(through.apply(code));
        let mut file: syn::File = syn::parse2(code).expect("only names were changed");
        add_aliases(library, &context, &package.package, &mut file.items);
        add_owned(&mut file.items, &runtime);
        tree.package(&package.package).extend(file.items);
    }
    let asked_for: BTreeSet<&str> =
        library.request.generate.iter().map(String::as_str).filter(|file| is_well_known(file)).collect();
    reexport_well_known(library, tree, |file| asked_for.contains(file));
    Ok(())
}

/// Makes the messages of other crates reachable under the modules of their packages.
pub(crate) fn reexport(library: &Library<'_>, tree: &mut Tree) {
    let mut crates: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (krate, files) in library.request.externs.crates() {
        for file in files.iter().filter_map(|file| library.request.schema.file(file)) {
            crates.entry(text(&file.package).to_owned()).or_default().insert(krate);
        }
    }
    // A package may have the name of a message's module, and would hide it.
    for (module, in_crates) in &library.elsewhere.modules {
        if let Some(crates) = crates.get_mut(&module.replace("::", ".")) {
            crates.extend(in_crates.iter().map(String::as_str));
        }
    }
    for (package, crates) in crates {
        for krate in crates {
            let krate = format_ident!("{krate}");
            let segments = package.split('.').filter(|segment| !segment.is_empty());
            let segments = segments.map(idents::make_field_ident);
            tree.package(&package).push(parse_quote! {
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
