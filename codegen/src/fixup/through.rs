//! Names the runtime's dependencies through the runtime, which is then all that generated messages depend on.

use buffa_codegen::idents::is_rust_keyword;
use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};
use quote::quote;

/// Turns `::buffa::Message` into `::ringwire_message::buffa::Message`, wherever a path can stand.
pub(crate) struct Through {
    runtime: TokenStream,
    /// The same, as text, for attributes that hold paths in literals.
    text: String,
}

impl Through {
    pub(crate) fn new(runtime: &str) -> Self {
        Self { runtime: crate::types::tokens(runtime), text: runtime.to_owned() }
    }

    /// Tokens rather than a syntax tree, because the arguments of macros and attributes are nothing else.
    pub(crate) fn apply(&self, code: TokenStream) -> TokenStream {
        self.within(code, Within::Code)
    }

    fn within(&self, code: TokenStream, within: Within) -> TokenStream {
        let tokens: Vec<TokenTree> = code.into_iter().collect();
        let mut out = TokenStream::new();
        for (place, token) in tokens.iter().enumerate() {
            if starts_path(&tokens[..place], &tokens[place..]) {
                out.extend(self.runtime.clone());
            }
            match token {
                TokenTree::Group(group) => {
                    let within = within.group(tokens[..place].last(), group);
                    let mut inner = Group::new(group.delimiter(), self.within(group.stream(), within));
                    inner.set_span(group.span());
                    out.extend([TokenTree::Group(inner)]);
                    if derives_serde(group) {
                        let serde = format!("{}::serde", self.text);
                        out.extend(quote!(#[serde(crate = #serde)]));
                    }
                }
                TokenTree::Literal(literal) if within == Within::Attribute => {
                    out.extend([TokenTree::Literal(self.literal(literal))]);
                }
                other => out.extend([other.clone()]),
            }
        }
        out
    }

    fn literal(&self, literal: &Literal) -> Literal {
        let text = literal.to_string();
        let path = text.strip_prefix("\"::").and_then(|text| text.strip_suffix('"'));
        match path.and_then(|path| path.split("::").next().map(|first| (path, first))) {
            Some((path, first)) if is_dependency(first) => Literal::string(&format!("{}::{path}", self.text)),
            _ => literal.clone(),
        }
    }
}

/// Literals are paths in the attributes of serde, and nowhere else.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Within {
    Code,
    Attribute,
}

impl Within {
    fn group(self, before: Option<&TokenTree>, group: &Group) -> Self {
        let is_attribute = is_punct(before, '#') && group.delimiter() == Delimiter::Bracket;
        if is_attribute && first_ident(group).is_some_and(|name| name == "serde") {
            Self::Attribute
        } else {
            self
        }
    }
}

/// Whether a path starts here whose first part is one of the dependencies.
fn starts_path(before: &[TokenTree], here: &[TokenTree]) -> bool {
    let [first, second, TokenTree::Ident(name), ..] = here else { return false };
    is_punct(Some(first), ':')
        && is_punct(Some(second), ':')
        && is_dependency(&name.to_string())
        && !ends_path(before)
}

/// Whether two colons after this go on with a path: `foo::`, `self::`, but not `as ::`, nor `&'a ::`.
fn ends_path(tokens: &[TokenTree]) -> bool {
    let [before @ .., TokenTree::Ident(name)] = tokens else { return false };
    if is_punct(before.last(), '\'') {
        return false;
    }
    let name = name.to_string();
    matches!(name.as_str(), "self" | "Self" | "super" | "crate") || !is_rust_keyword(&name)
}

/// Whether these are the brackets of a derive of serde's traits, whose code needs to be told where serde is.
fn derives_serde(group: &Group) -> bool {
    let is_derive = first_ident(group).is_some_and(|name| name == "derive");
    is_derive && group.delimiter() == Delimiter::Bracket && group.stream().to_string().contains("serde")
}

fn first_ident(group: &Group) -> Option<String> {
    match group.stream().into_iter().next() {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    }
}

fn is_punct(token: Option<&TokenTree>, is: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == is)
}

fn is_dependency(krate: &str) -> bool {
    matches!(krate, "buffa" | "buffa_types" | "serde")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expected: &str) {
        let tokens = |code: &str| code.parse::<TokenStream>().expect("Rust");
        let through = Through::new("::ringwire_message").apply(tokens(code));
        assert_eq!(through.to_string(), tokens(expected).to_string());
    }

    #[test]
    fn paths_go_through_the_runtime_wherever_they_stand() {
        check("use ::buffa::Message;", "use ::ringwire_message::buffa::Message;");
        check("<Self as ::serde::Serialize>::x", "<Self as ::ringwire_message::serde::Serialize>::x");
        check("matches!(x, ::buffa::A)", "matches!(x, ::ringwire_message::buffa::A)");
        check("&'a ::buffa::MapView", "&'a ::ringwire_message::buffa::MapView");
        check("fn f() -> ::buffa_types::T", "fn f() -> ::ringwire_message::buffa_types::T");
    }

    #[test]
    fn paths_that_only_pass_by_such_a_name_stay() {
        for code in
            ["my::buffa::Message", "self::serde::X", "crate::buffa::Y", "::core::buffa", "r#type::buffa::Z"]
        {
            check(code, code);
        }
    }

    #[test]
    fn literals_are_paths_in_attributes_of_serde_alone() {
        check(
            "#[serde(with = \"::buffa::json_helpers::int64\")] a: i64",
            "#[serde(with = \"::ringwire_message::buffa::json_helpers::int64\")] a: i64",
        );
        for code in
            ["x(\"::buffa::y\")", "#[doc = \"::buffa::y\"] a: i64", "#[serde(rename = \"buffa\")] a: i64"]
        {
            check(code, code);
        }
    }

    #[test]
    fn derives_of_serde_learn_where_serde_is() {
        check(
            "#[derive(Clone, ::serde::Serialize)] struct S;",
            "#[derive(Clone, ::ringwire_message::serde::Serialize)] #[serde(crate = \"::ringwire_message::serde\")] struct S;",
        );
        check("#[derive(Clone)] struct S;", "#[derive(Clone)] struct S;");
    }
}
