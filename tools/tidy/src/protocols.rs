//! Only `runtime/rpc/src/protocol/` names a protocol.
//!
//! A name is an identifier or a string of code that ships: tests and comments may say what they like. `connect` is a
//! verb too, so it counts as a name only as a type (`Connect`), beside a word that verbs do not take
//! (`connect_error`), or as the wire spells it (`"connect-timeout-ms"`).

use crate::rust::{Layers, identifiers, line_of, test_regions, words};
use crate::{File, Finding, Tree};

/// Finds protocol names out of place.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().filter(|file| is_bound(file)).flat_map(names).collect()
}

fn is_bound(file: &File) -> bool {
    let shipped = file.is_rust() && !file.is_test() && !file.is_data();
    let inside = ["runtime/", "server_uring/"].iter().any(|folder| file.path.starts_with(folder));
    shipped && inside && !HOMES.iter().any(|home| file.path.starts_with(home))
}

fn names(file: &File) -> Vec<Finding> {
    let layers = Layers::of(&file.text);
    let tests = test_regions(&layers.code);
    let code = identifiers(&layers.code).filter(|&(_, word)| is_name(word));
    let strings = literals(&layers.strings).filter(|&(_, text)| is_spelled(text));
    code.chain(strings)
        .filter(|(at, _)| !tests.iter().any(|region| region.contains(at)))
        .map(|(at, word)| Finding::new(&file.path, line_of(&layers.code, at), word, ADVICE))
        .collect()
}

fn is_name(identifier: &str) -> bool {
    let words = words(identifier);
    if words.iter().any(|word| word == "grpc" || word == "grpcweb") {
        return true;
    }
    let camel = identifier.starts_with(char::is_uppercase) && identifier.contains(char::is_lowercase);
    words.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).map_or("", |at| words[at].as_str());
        let after = words.get(at + 1).map_or("", String::as_str);
        word == "connect" && (camel || before == "is" || NOUNS.contains(&after))
    })
}

fn is_spelled(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "grpc")
        || text == "connect"
        || text.contains("connect=v")
        || text.contains("application/connect")
        || NOUNS.iter().any(|noun| text.contains(&format!("connect-{noun}")))
}

/// The stretches of a layer between blanks of more than one byte, or line ends.
fn literals(strings: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    strings.split_inclusive("  ").flat_map(|part| part.split_inclusive('\n')).filter_map(move |part| {
        let start = at + part.len() - part.trim_start().len();
        at += part.len();
        let text = part.trim();
        (!text.is_empty()).then_some((start, text))
    })
}

const HOMES: &[&str] = &["runtime/rpc/src/protocol/", "runtime/rpc/src/protocol.rs", "runtime/wire/src/"];
const NOUNS: &[&str] = &[
    "accept",
    "code",
    "codec",
    "content",
    "end",
    "error",
    "get",
    "protocol",
    "proto",
    "json",
    "rpc",
    "status",
    "stream",
    "streaming",
    "timeout-ms",
    "unary",
    "version",
];
const ADVICE: &str =
    "names a protocol outside runtime/rpc/src/protocol/; add a method to the protocol's trait instead";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = super::check(&Tree::of(&[(path, text)]));
        let found: Vec<_> = found.iter().map(|f| (f.line, f.token.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn identifiers_that_name_a_protocol_are_found() {
        for name in [
            "grpc",
            "GrpcWeb",
            "GRPC_STATUS",
            "is_grpc_web",
            "Connect",
            "ConnectError",
            "is_connect",
            "connect_error",
        ] {
            check("runtime/tower/src/a.rs", &format!("use b;\nfn a() {{ {name} }}"), &[(2, name)]);
        }
    }

    #[test]
    fn strings_that_name_a_protocol_are_found() {
        for text in [
            "application/grpc+proto",
            "grpc-timeout",
            "application/connect+json",
            "connect=v1",
            "connect-timeout-ms",
        ] {
            check("server_uring/src/a.rs", &format!("let a =\n    \"{text}\";"), &[(2, text)]);
        }
    }

    #[test]
    fn connecting_is_a_verb() {
        let text = "client.connect(); on_connect(); connection; disconnect(); connect_timeout; Connected; Connection; \
                    CONNECT; connect_to; \"failed to connect\"; \"ringwire\"";
        check("runtime/tower/src/a.rs", text, &[]);
    }

    #[test]
    fn comments_and_tests_and_homes_may_name_protocols() {
        let text = "fn grpc() {}";
        for path in [
            "runtime/rpc/src/protocol/grpc.rs",
            "runtime/wire/src/code.rs",
            "runtime/rpc/tests/a.rs",
            "runtime/rpc/src/exchange/tests.rs",
            "client/src/lib.rs",
            "runtime/rpc/README.md",
        ] {
            check(path, text, &[]);
        }
        check("runtime/rpc/src/a.rs", "//! grpc\n// Grpc\n#[cfg(test)]\nmod tests { fn grpc() {} }", &[]);
    }
}
