//! Types whose names were replaced, under the names of the schema as well.

use super::Renames;
use crate::names;
use crate::types::Library;
use buffa_codegen::context::CodeGenContext;
use buffa_codegen::idents::make_field_ident;
use syn::{Item, parse_quote};

/// Adds the names of the schema beside the types of a package whose names were replaced.
pub(crate) fn add_aliases(
    library: &Library<'_>,
    context: &CodeGenContext<'_>,
    package: &str,
    items: &mut Vec<Item>,
) {
    let renames: &Renames = &library.renames;
    for renamed in renames.types().filter(|renamed| renamed.has_alias) {
        let Some(type_name) = renamed.type_name.as_deref() else { continue };
        if !library.is_local_type(type_name, package) {
            continue;
        }
        let Some(path) = context.rust_type_relative(type_name, package, 0) else { continue };
        let path = renames.rust(&path);
        let within: Vec<&str> = path.split("::").collect();
        let Some(items) = module_mut(items, &within[..within.len() - 1]) else { continue };
        let types = ["", "View", "OwnedView"]
            .map(|suffix| [&renamed.rust, &renamed.original].map(|it| format!("{it}{suffix}")));
        let module = names::module(&renamed.original);
        let is_package = within.len() == 1 && library.has_package(package, &module);
        let module = (!is_package).then(|| [renamed.module.clone(), module]);
        for [target, alias] in types.into_iter().chain(module) {
            if declares(items, &target) && !declares(items, &alias) {
                let (target, alias) = (make_field_ident(&target), make_field_ident(&alias));
                items.push(parse_quote!(#[doc(no_inline)] pub use self::#target as #alias;));
            }
        }
    }
}

fn module_mut<'i>(items: &'i mut Vec<Item>, path: &[&str]) -> Option<&'i mut Vec<Item>> {
    let [first, rest @ ..] = path else { return Some(items) };
    let modules = items.iter_mut().filter_map(|item| match item {
        Item::Mod(module) if module.ident == first.trim_start_matches("r#") => module.content.as_mut(),
        _ => None,
    });
    modules.map(|(_, items)| items).next().and_then(|items| module_mut(items, rest))
}

fn declares(items: &[Item], name: &str) -> bool {
    items.iter().any(|item| match item {
        Item::Enum(item) => item.ident == name,
        Item::Mod(item) => item.ident == name,
        Item::Struct(item) => item.ident == name,
        Item::Use(item) => last_of(&item.tree).is_some_and(|last| last == name),
        _ => false,
    })
}

fn last_of(tree: &syn::UseTree) -> Option<&syn::Ident> {
    match tree {
        syn::UseTree::Path(path) => last_of(&path.tree),
        syn::UseTree::Name(name) => Some(&name.ident),
        syn::UseTree::Rename(rename) => Some(&rename.rename),
        syn::UseTree::Glob(_) | syn::UseTree::Group(_) => None,
    }
}
