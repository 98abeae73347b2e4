//! Names of the schema as names of Rust.

use buffa_codegen::idents::{is_rust_keyword, make_field_ident};
use proc_macro2::Ident;
use std::collections::BTreeSet;

/// `GetURL` → `get_url`, a name for a function; keywords become raw identifiers.
pub(crate) fn function(name: &str) -> Ident {
    make_field_ident(&snake(name))
}

/// `GetURL` → `GET_URL`.
pub(crate) fn constant(name: &str) -> String {
    snake(name).to_uppercase()
}

/// The name of a type as it is in the schema; keywords, which types cannot be named by, end in an underscore.
pub(crate) fn type_name(name: &str) -> String {
    if is_rust_keyword(name) { format!("{name}_") } else { name.to_owned() }
}

/// The name, or the name with as many underscores as it takes to be the first of its kind.
pub(crate) fn unique(taken: &mut BTreeSet<String>, mut name: String) -> String {
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// `GetURL` → `get_url`, with a digit as the end of a word. `_`, which is no name in Rust, is `__`.
pub(crate) fn snake(name: &str) -> String {
    match name {
        "_" => "__".to_owned(),
        _ => words(name, |before| before.is_ascii_lowercase() || before.is_ascii_digit()),
    }
}

/// The module that buffa makes for what is declared within a message of this name.
pub(crate) fn module(name: &str) -> String {
    words(name, |before| before.is_ascii_lowercase())
}

/// Words begin at an underscore, at an upper-case letter after the end of a word, and at the last letter of an acronym
/// that a lower-case letter follows.
fn words(name: &str, ends_word: impl Fn(char) -> bool) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (place, &letter) in letters.iter().enumerate() {
        if letter.is_ascii_uppercase() && place > 0 {
            let before = letters[place - 1];
            let after = letters.get(place + 1);
            let ends_acronym = before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase);
            if ends_word(before) || ends_acronym {
                snake.push('_');
            }
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_methods_become_names_of_functions() {
        let check = |name, expected| assert_eq!(function(name).to_string(), expected, "{name}");
        check("Greet", "greet");
        check("GetURL", "get_url");
        check("HTTPRequest", "http_request");
        check("GetV2Beta", "get_v2_beta");
        check("already_snake", "already_snake");
        check("camelCase", "camel_case");
        check("Type", "r#type");
        check("Self", "self_");
        check("_", "__");
    }

    #[test]
    fn a_name_that_is_taken_grows() {
        let mut taken = BTreeSet::new();
        let names = ["a", "a", "a_", "b"].map(|name| unique(&mut taken, name.to_owned()));
        assert_eq!(names, ["a", "a_", "a__", "b"]);
    }
}
