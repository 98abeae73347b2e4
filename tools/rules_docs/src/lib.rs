//! The reference page of rules, from what Bazel extracts of their sources.

#![forbid(unsafe_code)]

use std::fmt::Write;

use extract_rust::ringwire::rules_docs::{Module, Role, Type};

/// Writes the page of some modules, in their order.
///
/// # Panics
///
/// Panics where `extracts` are not what `starlark_doc_extract` writes.
#[must_use]
pub fn page(extracts: &[Vec<u8>]) -> String {
    let mut page = HEAD.to_owned();
    for extract in extracts {
        let module = <Module as ringwire_message::buffa::Message>::decode_from_slice(extract)
            .expect("starlark_doc_extract writes a module");
        section(&mut page, &module).expect("a string takes everything");
    }
    page
}

fn section(page: &mut String, module: &Module) -> std::fmt::Result {
    let file = format!("@ringwire{}", module.file);
    writeln!(page, "\n## `{file}`\n\n{}", module.doc.trim())?;
    for function in &module.functions {
        let row = |parameter: &extract_rust::ringwire::rules_docs::Parameter| {
            let kind = match parameter.role.as_known() {
                Some(Role::KWARGS) => "",
                _ if parameter.mandatory => "mandatory",
                _ => parameter.default.as_str(),
            };
            row(&parameter.name, kind, &parameter.doc)
        };
        entry(page, &function.name, &file, &function.doc)?;
        page.push_str(TABLE);
        page.extend(function.parameters.iter().map(row));
    }
    for rule in &module.rules {
        let row = |attribute: &extract_rust::ringwire::rules_docs::Attribute| {
            let kind = attribute.r#type.as_known().map_or("", type_name);
            let default = if attribute.mandatory { "mandatory" } else { &attribute.default };
            row(&attribute.name, &format!("{kind}, {default}"), &attribute.doc)
        };
        entry(page, &rule.name, &file, &rule.doc)?;
        page.push_str(TABLE);
        page.extend(rule.attributes.iter().filter(|attribute| attribute.name != "name").map(row));
    }
    module.aspects.iter().try_for_each(|aspect| entry(page, &aspect.name, &file, &aspect.doc))
}

fn entry(page: &mut String, name: &str, file: &str, doc: &str) -> std::fmt::Result {
    writeln!(page, "\n### {name}\n\n```starlark\nload(\"{file}\", \"{name}\")\n```\n\n{}", doc.trim())
}

fn row(name: &str, kind: &str, doc: &str) -> String {
    let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let kind = match kind.strip_suffix("mandatory") {
        Some(kind) => format!("{kind}**mandatory**"),
        None => kind.replace("\"\"", "none").replace("[]", "none").replace("None", "none"),
    };
    format!("| `{name}` | {kind} | {} |\n", doc.replace('|', "\\|"))
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::NAME | Type::STRING => "string",
        Type::INT => "int",
        Type::LABEL => "label",
        Type::STRING_LIST => "strings",
        Type::INT_LIST => "ints",
        Type::LABEL_LIST => "labels",
        Type::BOOLEAN => "bool",
        Type::OUTPUT => "output",
        Type::OUTPUT_LIST => "outputs",
        Type::LABEL_STRING_DICT
        | Type::STRING_DICT
        | Type::STRING_LIST_DICT
        | Type::LABEL_DICT_UNARY
        | Type::LABEL_LIST_DICT => "dict",
        Type::UNKNOWN => "",
    }
}

const HEAD: &str = "\
# The rules

<!-- Made of the .bzl files: `tools/bazel run //docs:update_rules` writes this page anew. -->

Every public rule, macro and aspect, with all attributes.
";

const TABLE: &str = "\n| Attribute | | |\n|---|---|---|\n";
