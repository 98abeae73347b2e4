//! Names that the message generator does not bear, replaced before it sees them.
//!
//! Each such name becomes a placeholder that no schema holds. When the Rust is there, the placeholder becomes the name
//! that Rust gets, and in literals, which are what peers see, the name of the schema again.

use super::reasons::{Scope, Unfit, unfit_oneof};
use crate::schema::text;
use buffa_codegen::generated::descriptor::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};
use proc_macro2::{Group, Ident, Literal, TokenStream, TokenTree};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Which names of a schema were replaced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renames {
    /// In the schema → in the files. Types within a type whose name was replaced are here too.
    types: BTreeMap<String, String>,
    originals: BTreeMap<String, String>,
    names: Vec<Renamed>,
}

/// A name that was replaced.
#[derive(Clone, Debug)]
pub(crate) struct Renamed {
    /// The message or enum, as the files name it; nothing for a field or a oneof.
    pub(crate) type_name: Option<String>,
    /// The name in the schema.
    pub(crate) original: String,
    /// The name in Rust.
    pub(crate) rust: String,
    /// The name of the module that goes with it; of a oneof, that of its field.
    pub(crate) module: String,
    /// Whether the name of the schema is another name of it in Rust.
    pub(crate) has_alias: bool,
}

impl Renames {
    /// The files with placeholders where that is needed. What a name becomes depends on its own file alone, so that all
    /// libraries agree.
    pub(crate) fn apply(files: &[&FileDescriptorProto]) -> (Vec<FileDescriptorProto>, Self) {
        let mut renames = Self::default();
        let mut files: Vec<FileDescriptorProto> = files.iter().map(|&file| file.clone()).collect();
        for file in &mut files {
            let prefix = if text(&file.package).is_empty() {
                ".".to_owned()
            } else {
                format!(".{}.", text(&file.package))
            };
            let mut scope = Scope::of_file(file);
            renames.of_scope(&mut scope, [&prefix, &prefix], &mut file.message_type, &mut file.enum_type);
        }
        renames.originals =
            renames.types.iter().map(|(original, new)| (new.clone(), original.clone())).collect();
        if !renames.types.is_empty() {
            files.iter_mut().for_each(|file| renames.refer(file));
        }
        (files, renames)
    }

    /// The name of a type in the files, by its name in the schema.
    pub(crate) fn renamed<'n>(&'n self, type_name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(self.types.get(type_name).map_or(type_name, String::as_str))
    }

    /// The name of a type in the schema, by its name in the files.
    pub(crate) fn original<'n>(&'n self, type_name: &'n str) -> Cow<'n, str> {
        Cow::Borrowed(self.originals.get(type_name).map_or(type_name, String::as_str))
    }

    pub(crate) fn types(&self) -> impl Iterator<Item = &Renamed> {
        self.names.iter().filter(|name| name.type_name.is_some())
    }

    /// The names of Rust in place of placeholders: in an identifier, or in a path.
    pub(crate) fn rust<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.replaced(name, |renamed| [&renamed.rust, &renamed.module])
    }

    /// The same for code, whose literals hold the names of the schema.
    pub(crate) fn rust_code(&self, code: TokenStream) -> TokenStream {
        if self.names.is_empty() {
            code
        } else {
            code.into_iter().map(|token| self.rust_token(token)).collect()
        }
    }

    fn rust_token(&self, token: TokenTree) -> TokenTree {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), self.rust_code(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            TokenTree::Ident(ident) => match self.rust(&ident.to_string()) {
                Cow::Borrowed(_) => TokenTree::Ident(ident),
                Cow::Owned(name) => TokenTree::Ident(Ident::new(&name, ident.span())),
            },
            TokenTree::Literal(literal) => match self.schema(&literal.to_string()) {
                Cow::Borrowed(_) => TokenTree::Literal(literal),
                Cow::Owned(text) => {
                    TokenTree::Literal(text.parse::<Literal>().expect("letters within a literal"))
                }
            },
            punct @ TokenTree::Punct(_) => punct,
        }
    }

    /// The names of the schema in place of placeholders, in text. Modules are none of the schema's.
    fn schema<'n>(&self, text: &'n str) -> Cow<'n, str> {
        self.replaced(text, |renamed| match renamed.type_name {
            Some(_) => [&renamed.original, &renamed.module],
            None => [&renamed.original, &renamed.original],
        })
    }

    /// Puts names in place of placeholders: one for those that are capitalized, one for those that are not.
    fn replaced<'n>(&self, text: &'n str, by: impl Fn(&Renamed) -> [&String; 2]) -> Cow<'n, str> {
        if !text.to_ascii_lowercase().contains(&PLACEHOLDER[1..]) {
            return Cow::Borrowed(text);
        }
        let mut text = text.to_owned();
        for (number, renamed) in self.names.iter().enumerate() {
            let lower = placeholder(number);
            let [capital, small] = by(renamed);
            text = text.replace(&capitalized(&lower), capital);
            text = text.replace(&lower.to_ascii_uppercase(), &renamed.module.to_ascii_uppercase());
            text = text.replace(&lower, small);
        }
        Cow::Owned(text)
    }

    /// The types of one scope, and all within. The prefixes are those of the schema and of the files.
    fn of_scope(
        &mut self,
        scope: &mut Scope,
        [before, after]: [&str; 2],
        messages: &mut [DescriptorProto],
        enums: &mut [EnumDescriptorProto],
    ) {
        for declared in enums {
            let unfit = scope.unfit_enum(text(&declared.name));
            self.of_type(unfit, [before, after], &mut declared.name);
        }
        for message in messages {
            let unfit = scope.unfit_message(message);
            let [before, after] =
                self.of_type(unfit, [before, after], &mut message.name).map(|name| name + ".");
            let mut scope = Scope::of_message(message);
            for field in &mut message.field {
                let unfit = scope.unfit_field(text(&field.name));
                self.of_member(unfit, &mut field.name);
            }
            for oneof in &mut message.oneof_decl {
                self.of_member(unfit_oneof(text(&oneof.name)), &mut oneof.name);
            }
            self.of_scope(&mut scope, [&before, &after], &mut message.nested_type, &mut message.enum_type);
        }
    }

    /// Replaces the name of a type if it is unfit, and returns what it was and what it is, in full.
    fn of_type(
        &mut self,
        unfit: Option<Unfit>,
        [before, after]: [&str; 2],
        name: &mut Option<String>,
    ) -> [String; 2] {
        let original = text(name).to_owned();
        if unfit.is_some() {
            *name = Some(capitalized(&placeholder(self.names.len())));
        }
        let full = [format!("{before}{original}"), format!("{after}{}", text(name))];
        if let Some(unfit) = unfit {
            self.names.push(Renamed::new(Some(full[1].clone()), original, unfit));
        }
        if full[0] != full[1] {
            self.types.insert(full[0].clone(), full[1].clone());
        }
        full
    }

    /// Replaces the name of a field or of a oneof if it is unfit.
    fn of_member(&mut self, unfit: Option<Unfit>, name: &mut Option<String>) {
        if let Some(unfit) = unfit {
            let original = name.replace(placeholder(self.names.len())).unwrap_or_default();
            self.names.push(Renamed::new(None, original, unfit));
        }
    }

    /// Refers to types by their new names.
    fn refer(&self, file: &mut FileDescriptorProto) {
        self.refer_fields(&mut file.extension);
        self.refer_messages(&mut file.message_type);
    }

    fn refer_messages(&self, messages: &mut [DescriptorProto]) {
        for message in messages {
            self.refer_fields(&mut message.field);
            self.refer_fields(&mut message.extension);
            self.refer_messages(&mut message.nested_type);
        }
    }

    fn refer_fields(&self, fields: &mut [FieldDescriptorProto]) {
        for field in fields {
            for name in [&mut field.type_name, &mut field.extendee].into_iter().flatten() {
                if let Some(new) = self.types.get(name) {
                    name.clone_from(new);
                }
            }
        }
    }
}

impl Renamed {
    fn new(type_name: Option<String>, original: String, unfit: Unfit) -> Self {
        let Unfit { rust, module, has_alias } = unfit;
        Self { type_name, original, rust, module, has_alias }
    }
}

const PLACEHOLDER: &str = "qz9x";

/// One letter case, and digits at no word's beginning: it stays in one piece when it is taken for words.
fn placeholder(number: usize) -> String {
    format!("{PLACEHOLDER}{number}x")
}

fn capitalized(placeholder: &str) -> String {
    format!("Q{}", &placeholder[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str) -> DescriptorProto {
        DescriptorProto { name: Some(name.to_owned()), ..Default::default() }
    }

    #[test]
    fn code_gets_names_of_rust_and_literals_keep_those_of_the_schema() {
        let file = FileDescriptorProto {
            package: Some("p".to_owned()),
            message_type: vec![message("Fine"), message("E")],
            ..Default::default()
        };
        let (files, renames) = Renames::apply(&[&file]);
        let new = text(&files[0].message_type[1].name);
        assert_eq!(renames.renamed(".p.E"), format!(".p.{new}"));
        let code = format!("struct {new}View; mod {} {{}} \"p.{new}\"", new.to_lowercase());
        let code: TokenStream = code.parse().expect("Rust");
        // How tokens are spaced is not said by proc-macro2, and differs with the spans they carry.
        let bare = |code: TokenStream| code.to_string().replace(' ', "");
        assert_eq!(bare(renames.rust_code(code)), "structE_View;mode_{}\"p.E\"");
        assert_eq!(renames.rust(&format!("p::{new}")), "p::E_");
    }

    #[test]
    fn what_is_fit_stays() {
        let file = FileDescriptorProto { message_type: vec![message("Fine")], ..Default::default() };
        let (files, renames) = Renames::apply(&[&file]);
        assert_eq!(files, [file]);
        assert_eq!((renames.renamed(".Fine"), renames.original(".Fine")), (".Fine".into(), ".Fine".into()));
    }
}
