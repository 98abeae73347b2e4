//! Calls and words that the house does without; each names what to use instead.

use crate::rust::{Layers, closing, identifiers, line_of, test_regions};
use crate::unsafety::SANS_IO;
use crate::{File, Finding, Tree};

/// Finds what is banned.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.files.iter().filter(|file| !file.is_data());
    files
        .flat_map(|file| {
            let mut found = marks(file);
            if file.is_rust() {
                found.extend(rust_calls(file));
            } else if file.is_starlark() {
                found.extend(starlark_words(file));
            } else if file.is_shell() {
                found.extend(shell_sleeps(file));
            }
            found
        })
        .collect()
}

/// Where a ban holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Everywhere,
    Tests,
    Libraries,
    SansIo,
}

struct Ban {
    /// Identifiers and signs, without spaces.
    call: &'static str,
    scope: Scope,
    instead: &'static str,
}

/// Notes to oneself, in any file but a page that talks about them.
fn marks(file: &File) -> Vec<Finding> {
    if file.path.ends_with(".md") || file.path.ends_with(".lock") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for (_, word) in identifiers(line).filter(|(_, word)| MARKS.contains(word)) {
            found.push(Finding::new(
                &file.path,
                at + 1,
                word,
                "do it, or open an issue and describe today's behaviour",
            ));
        }
    }
    found
}

fn rust_calls(file: &File) -> Vec<Finding> {
    let layers = Layers::of(&file.text);
    let tests = test_regions(&layers.code);
    let library = file.path.contains("/src/") && !file.path.contains("/src/bin/") && file.name() != "main.rs";
    let sans_io = SANS_IO.iter().any(|package| file.path.starts_with(&format!("{package}/src/")));
    // A test that pauses tokio's clock sleeps without waiting.
    let virtual_clock = layers.code.contains("start_paused") || layers.code.contains("time::pause()");
    let mut found = Vec::new();
    for ban in BANS.iter().filter(|ban| !(virtual_clock && ban.call.starts_with("time::"))) {
        for at in calls(&layers.code, ban.call).chain(imports(&layers.code, ban.call)) {
            let in_tests = file.is_test() || tests.iter().any(|region| region.contains(&at));
            let holds = match ban.scope {
                Scope::Everywhere => true,
                Scope::Tests => in_tests,
                Scope::Libraries => library && !in_tests,
                Scope::SansIo => sans_io && !in_tests,
            };
            if holds {
                found.push(Finding::new(&file.path, line_of(&layers.code, at), ban.call, ban.instead));
            }
        }
    }
    for (line, (code, strings)) in layers.code.lines().zip(layers.strings.lines()).enumerate() {
        if code.contains("bind(") && has_fixed_port(strings) {
            let port = "a fixed port";
            found.push(Finding::new(
                &file.path,
                line + 1,
                port,
                "bind port 0 and ask the listener for its address",
            ));
        }
    }
    found
}

/// Places where `call` stands as a whole: not the end of a longer word, nor the start of one.
fn calls<'a>(code: &'a str, call: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(call).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].chars().next_back().is_some_and(is_word);
        let after = call.ends_with(is_word) && code[at + call.len()..].chars().next().is_some_and(is_word);
        let starts_with_word = call.starts_with(is_word);
        !(before && starts_with_word || after)
    })
}

/// Places where `a::b` is imported as part of a group, `a::{b, c}`.
fn imports<'a>(code: &'a str, call: &'a str) -> impl Iterator<Item = usize> + 'a {
    let (module, name) = call.rsplit_once("::").unwrap_or(("", call));
    let group = format!("{module}::{{");
    let starts: Vec<usize> = if module.is_empty() { Vec::new() } else { calls(code, &group).collect() };
    starts.into_iter().filter(move |&at| {
        let open = at + group.len() - 1;
        identifiers(&code[open..closing(code, open)]).any(|(_, word)| word == name)
    })
}

fn has_fixed_port(strings: &str) -> bool {
    ["127.0.0.1:", "localhost:", "0.0.0.0:", "[::1]:", "[::]:"].iter().any(|host| {
        let port = strings.find(host).and_then(|at| strings[at + host.len()..].chars().next());
        port.is_some_and(|c| ('1'..='9').contains(&c))
    })
}

fn starlark_words(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    let layers = crate::starlark::layers(&file.text);
    for (at, word) in identifiers(&layers.code) {
        let line = line_of(&layers.code, at);
        let instead = match word {
            "bazel_version" => "look for the symbol itself: a Bazel of Debian has no version to ask for",
            "genrule"
                if ["proto_rules/", "examples/", "e2e/"]
                    .iter()
                    .any(|folder| file.path.starts_with(folder)) =>
            {
                "write a rule: nothing that users load runs a genrule"
            }
            _ => continue,
        };
        found.push(Finding::new(&file.path, line, word, instead));
    }
    for (at, _) in layers.strings.match_indices(COMPILED_PROTOC) {
        let instead = "resolve protoc through its toolchain: this label compiles protobuf";
        found.push(Finding::new(&file.path, line_of(&layers.strings, at), COMPILED_PROTOC, instead));
    }
    found
}

fn shell_sleeps(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let sleeps = words.windows(2).any(|pair| {
            pair[0] == "sleep" && pair[1].starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '$')
        });
        if sleeps {
            found.push(Finding::new(
                &file.path,
                at + 1,
                "sleep",
                "wait for the thing itself: `wait`, a lock, or a line from a pipe",
            ));
        }
    }
    found
}

const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
const COMPILED_PROTOC: &str = concat!("@com_google_protobuf", "//:protoc");
const BANS: &[Ban] = &[
    Ban { call: "dbg!", scope: Scope::Everywhere, instead: "assert what you looked for" },
    Ban { call: "todo!", scope: Scope::Everywhere, instead: "write it, or leave the item out" },
    Ban {
        call: "unimplemented!",
        scope: Scope::Everywhere,
        instead: "answer with an error of the layer, or leave the item out",
    },
    Ban {
        call: "#[ignore",
        scope: Scope::Everywhere,
        instead: "assert today's behaviour, and say why it is wrong",
    },
    Ban {
        call: "thread::sleep",
        scope: Scope::Everywhere,
        instead: "wait for the event: a channel, a join, or a virtual clock",
    },
    Ban {
        call: "time::sleep",
        scope: Scope::Tests,
        instead: "pause tokio's clock (`start_paused = true`) or wait for the event",
    },
    Ban {
        call: "time::sleep_until",
        scope: Scope::Tests,
        instead: "pause tokio's clock (`start_paused = true`) or wait for the event",
    },
    Ban {
        call: "println!",
        scope: Scope::Libraries,
        instead: "return the fact: a library does not own the terminal",
    },
    Ban {
        call: "eprintln!",
        scope: Scope::Libraries,
        instead: "return the fact: a library does not own the terminal",
    },
    Ban {
        call: "print!",
        scope: Scope::Libraries,
        instead: "return the fact: a library does not own the terminal",
    },
    Ban {
        call: "eprint!",
        scope: Scope::Libraries,
        instead: "return the fact: a library does not own the terminal",
    },
    Ban {
        call: "process::exit",
        scope: Scope::Libraries,
        instead: "return an error: the caller decides when to stop",
    },
    Ban {
        call: "HashMap",
        scope: Scope::SansIo,
        instead: "use a `BTreeMap` or a small `Vec`: random seeds make tests unrepeatable",
    },
    Ban {
        call: "HashSet",
        scope: Scope::SansIo,
        instead: "use a `BTreeSet` or a small `Vec`: random seeds make tests unrepeatable",
    },
    Ban {
        call: "RandomState",
        scope: Scope::SansIo,
        instead: "take the seed as a parameter: ids and seeds come from the shell",
    },
    Ban {
        call: ".await",
        scope: Scope::SansIo,
        instead: "return what to do next: waiting belongs to the shell",
    },
    Ban {
        call: "async fn",
        scope: Scope::SansIo,
        instead: "return what to do next: waiting belongs to the shell",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = super::check(&Tree::of(&[(path, text)]));
        let found: Vec<_> = found.iter().map(|f| (f.line, f.token.as_str())).collect();
        assert_eq!(found, expected, "{path}: {text}");
    }

    #[test]
    fn notes_to_oneself_are_found() {
        for mark in MARKS {
            check("a/src/b.rs", &format!("\n// {mark}: later"), &[(2, mark)]);
            check("a.sh", &format!("# {mark}(me)"), &[(1, mark)]);
            check("a.md", &format!("no {mark} here"), &[]);
            check("a/src/b.rs", &format!("// a{mark} {mark}b"), &[]);
        }
    }

    #[test]
    fn each_banned_call_is_found_where_its_ban_holds() {
        for ban in BANS {
            let path = match ban.scope {
                Scope::Everywhere | Scope::Libraries => "a/src/b.rs",
                Scope::Tests => "a/tests/b.rs",
                Scope::SansIo => "runtime/wire/src/b.rs",
            };
            check(path, &format!("fn a() {{\n    std::{} (b)\n}}", ban.call), &[(2, ban.call)]);
            check(path, &format!("// {0}\nlet a = \"{0}\";", ban.call), &[]);
        }
    }

    #[test]
    fn a_ban_does_not_hold_elsewhere() {
        check("a/src/b.rs", "tokio::time::sleep(d); HashMap::new(); async fn a() {}", &[]);
        check("a/src/main.rs", "println!(\"a\"); process::exit(1)", &[]);
        check("a/src/b.rs", "#[cfg(test)]\nmod tests { fn a() { println!() } }", &[]);
        check("runtime/wire/src/tests.rs", "HashMap::new()", &[]);
        check("a/src/b.rs", "my_dbg!(); MyHashMap", &[]);
    }

    #[test]
    fn an_import_of_a_banned_call_is_found() {
        check("a/tests/b.rs", "use tokio::time::{Instant, sleep};", &[(1, "time::sleep")]);
        check("a/src/b.rs", "use std::thread::{self, sleep};", &[(1, "thread::sleep")]);
        check("a/tests/b.rs", "use tokio::time::{Instant, timeout};\nuse a::{sleep};", &[]);
    }

    #[test]
    fn a_paused_clock_may_sleep() {
        check("a/tests/b.rs", "#[tokio::test(start_paused = true)]\nfn a() { tokio::time::sleep(d) }", &[]);
    }

    #[test]
    fn fixed_ports_are_found() {
        check("a/tests/b.rs", "TcpListener::bind(\"127.0.0.1:8080\")", &[(1, "a fixed port")]);
        check("a/tests/b.rs", "TcpListener::bind(\"127.0.0.1:0\");\nparse(\"localhost:80\")", &[]);
    }

    #[test]
    fn shell_that_sleeps_is_found() {
        check(".ci/run", "#!/usr/bin/env bash\nsleep 5\n", &[(2, "sleep")]);
        check("a.sh", "while x; do sleep 0.1; done", &[(1, "sleep")]);
        check("a.sh", "echo asleep 5 # sleep 5\nsleep_until_ready 3", &[]);
    }

    #[test]
    fn starlark_that_asks_the_wrong_question_is_found() {
        check("a/b.bzl", "native.bazel_version", &[(1, "bazel_version")]);
        check("proto_rules/a.bzl", "\nnative.genrule()", &[(2, "genrule")]);
        check("tools/BUILD.bazel", "genrule(name = \"a\")", &[]);
        check(
            "a/BUILD.bazel",
            &format!("x(p = \"{COMPILED_PROTOC}\") # bazel_version"),
            &[(1, COMPILED_PROTOC)],
        );
    }
}
