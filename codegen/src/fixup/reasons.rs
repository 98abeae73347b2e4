//! Which names the message generator does not bear, and what Rust calls them.

use crate::names;
use crate::schema::text;
use buffa_codegen::generated::descriptor::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use buffa_codegen::idents::is_rust_keyword;
use std::collections::BTreeSet;

/// A name that the message generator does not bear.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Unfit {
    /// The name that Rust gets.
    pub(crate) rust: String,
    /// The name of the module that goes with it; of a oneof, that of its field.
    pub(crate) module: String,
    /// Whether the name of the schema can be another name of it.
    pub(crate) has_alias: bool,
}

/// The names that stand beside one another: the types of a file, or the types and fields of a message.
pub(crate) struct Scope {
    is_file: bool,
    types: BTreeSet<String>,
    fields: BTreeSet<String>,
    /// The modules of the messages that have passed, in the order of their declaration.
    modules: BTreeSet<String>,
}

impl Scope {
    pub(crate) fn of_file(file: &FileDescriptorProto) -> Self {
        let messages = file.message_type.iter().map(|message| text(&message.name));
        let types = messages.chain(file.enum_type.iter().map(|declared| text(&declared.name)));
        let types = types.map(str::to_owned).collect();
        Self { is_file: true, types, fields: BTreeSet::new(), modules: BTreeSet::new() }
    }

    pub(crate) fn of_message(message: &DescriptorProto) -> Self {
        let messages = message.nested_type.iter().map(|message| text(&message.name));
        let types = messages.chain(message.enum_type.iter().map(|declared| text(&declared.name)));
        let fields = message.field.iter().map(|field| text(&field.name));
        Self {
            is_file: false,
            types: types.map(str::to_owned).collect(),
            fields: fields.map(str::to_owned).collect(),
            modules: BTreeSet::new(),
        }
    }

    pub(crate) fn unfit_enum(&mut self, name: &str) -> Option<Unfit> {
        let is_unfit = is_no_type(name) || is_parameter(name);
        is_unfit.then(|| self.grown(name, !is_no_type(name)))
    }

    pub(crate) fn unfit_message(&mut self, message: &DescriptorProto) -> Option<Unfit> {
        let name = text(&message.name);
        let module = names::module(name);
        let is_second = !self.modules.insert(module.clone());
        let meets_oneof = self.is_file && module == "oneof";
        if is_no_type(name) || is_parameter(name) || is_second || meets_oneof {
            return Some(self.grown(name, !is_no_type(name)));
        }
        // The module of `message lower` would be named like the message.
        if module == name && has_module(message) {
            let module = names::unique(&mut self.modules, format!("{name}_"));
            return Some(Unfit { rust: name.to_owned(), module, has_alias: false });
        }
        None
    }

    pub(crate) fn unfit_field(&mut self, name: &str) -> Option<Unfit> {
        (name == "_").then(|| {
            let rust = names::unique(&mut self.fields, "__".to_owned());
            Unfit { module: rust.clone(), rust, has_alias: false }
        })
    }

    /// The name with an underscore, or as many as it takes.
    fn grown(&mut self, name: &str, has_alias: bool) -> Unfit {
        let rust = names::unique(&mut self.types, format!("{name}_"));
        let mut module = names::module(&rust);
        if module == rust {
            module.push('_');
        }
        let module = names::unique(&mut self.modules, module);
        Unfit { rust, module, has_alias }
    }
}

/// Whether something is declared within the message that takes a module: a type or a oneof.
pub(crate) fn has_module(message: &DescriptorProto) -> bool {
    let is_map_entry = |nested: &DescriptorProto| {
        nested.options.as_option().is_some_and(|options| options.map_entry == Some(true))
    };
    // The oneof around an optional field of proto3 is nobody's.
    let in_oneof =
        |field: &FieldDescriptorProto| field.oneof_index.is_some() && field.proto3_optional != Some(true);
    !message.enum_type.is_empty()
        || message.nested_type.iter().any(|nested| !is_map_entry(nested))
        || message.field.iter().any(in_oneof)
}

/// The enum of a oneof is named like it, with a capital: that must not be `Self`.
pub(crate) fn unfit_oneof(name: &str) -> Option<Unfit> {
    let is_self = name.trim_matches('_').eq_ignore_ascii_case("self");
    is_self.then(|| Unfit { rust: "Self_".to_owned(), module: "self_".to_owned(), has_alias: false })
}

/// Keywords, and types that the language knows without their being imported.
fn is_no_type(name: &str) -> bool {
    let is_primitive = matches!(
        name,
        "bool"
            | "char"
            | "f32"
            | "f64"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "str"
            | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
    );
    is_primitive || is_rust_keyword(name)
}

/// Names that the message generator gives to type parameters, and to types within functions.
fn is_parameter(name: &str) -> bool {
    matches!(name, "A" | "D" | "E" | "S") || name.starts_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(names: &[&str]) -> FileDescriptorProto {
        let message = |name: &&str| DescriptorProto {
            name: Some((*name).to_owned()),
            nested_type: vec![DescriptorProto::default()],
            ..Default::default()
        };
        FileDescriptorProto { message_type: names.iter().map(message).collect(), ..Default::default() }
    }

    /// The last message of the file, and what becomes of it and of its module.
    fn check(names: &[&str], expected: Option<[&str; 2]>) {
        let file = file(names);
        let mut scope = Scope::of_file(&file);
        let unfit = file.message_type.iter().map(|message| scope.unfit_message(message)).last().flatten();
        let unfit = unfit.as_ref().map(|unfit| [unfit.rust.as_str(), unfit.module.as_str()]);
        assert_eq!(unfit, expected, "{names:?}");
    }

    #[test]
    fn names_of_the_generator_and_of_the_language_give_way() {
        check(&["Fine"], None);
        check(&["E"], Some(["E_", "e_"]));
        check(&["_V"], Some(["_V_", "_v_"]));
        check(&["Self"], Some(["Self_", "self_"]));
        check(&["while"], Some(["while_", "while__"]));
        check(&["i32"], Some(["i32_", "i32__"]));
        check(&["Oneof"], Some(["Oneof_", "oneof_"]));
        check(&["E_", "E"], Some(["E__", "e__"]));
    }

    #[test]
    fn modules_do_not_meet() {
        check(&["HTTPRequest", "HttpRequest"], Some(["HttpRequest_", "http_request_"]));
        check(&["HTTPRequest"], None);
        check(&["lower"], Some(["lower", "lower_"]));
    }
}
