//! Comments of the schema as documentation of Rust.
//!
//! A comment is text that somebody wrote for people, so rustdoc must not take more out of it than is in it: brackets are
//! no links, and what is indented is no test.

use crate::place;
use buffa_codegen::generated::descriptor::FileDescriptorProto;

/// The comment at a path of the file, line by line, as Markdown that rustdoc has nothing to say against.
pub(crate) fn comment(file: &FileDescriptorProto, path: &[i32]) -> Vec<String> {
    let location = place::location(file, path);
    let comments = location.map(|location| [&location.leading_comments, &location.trailing_comments]);
    let written = comments.and_then(|comments| comments.into_iter().flatten().next());
    written.map_or_else(Vec::new, |text| lines(text))
}

fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.trim_end().lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()) {
        let bare = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| bare.starts_with(marker));
        match (fence, marker) {
            (None, Some(marker)) => {
                fence = Some(marker);
                lines.push(format!("{marker}text"));
            }
            (Some(open), Some(marker)) if open == marker => {
                fence = None;
                lines.push(marker.to_owned());
            }
            (Some(_), _) => lines.push(line.to_owned()),
            (None, None) => lines.push(prose(line)),
        }
    }
    lines.extend(fence.map(str::to_owned));
    lines
}

/// Four spaces would make a code block of it, which rustdoc would take for a test.
const INDENTED_MAX: usize = 2;

fn prose(line: &str) -> String {
    let bare = line.trim_start();
    let indented = (line.len() - bare.len()).min(INDENTED_MAX);
    let mut out = " ".repeat(indented);
    if bare.matches('`').count() % 2 == 1 {
        words(&mut out, &bare.replace('`', "\\`"));
        return out;
    }
    for (place, part) in bare.split('`').enumerate() {
        if place > 0 {
            out.push('`');
        }
        if place % 2 == 0 { words(&mut out, part) } else { out.push_str(part) }
    }
    out
}

fn words(out: &mut String, text: &str) {
    for word in text.split_inclusive(char::is_whitespace) {
        match word.find("https://").or_else(|| word.find("http://")) {
            Some(start) => {
                let (before, rest) = word.split_at(start);
                let end =
                    rest.find(|c: char| c.is_whitespace() || "<>\"'`)]}".contains(c)).unwrap_or(rest.len());
                let url = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
                escape(out, before);
                out.push_str(&format!("<{url}>"));
                escape(out, &rest[url.len()..]);
            }
            None => escape(out, word),
        }
    }
}

fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        if matches!(letter, '[' | ']' | '<' | '>') {
            out.push('\\');
        }
        out.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(comment: &str, expected: &[&str]) {
        assert_eq!(lines(comment), expected, "{comment:?}");
    }

    #[test]
    fn a_comment_is_its_lines() {
        check(" Says hello.\n\n And goodbye.\n", &["Says hello.", "", "And goodbye."]);
        check("No space.", &["No space."]);
    }

    #[test]
    fn brackets_are_no_links_and_no_tags() {
        check(" See [Foo] and <b>.", &["See \\[Foo\\] and \\<b\\>."]);
        check(" See `[Foo]`, [Bar].", &["See `[Foo]`, \\[Bar\\]."]);
        check(" An odd ` [x].", &["An odd \\` \\[x\\]."]);
    }

    #[test]
    fn addresses_are_links() {
        check(" At https://x.test/a_b(c).", &["At <https://x.test/a_b(c>)."]);
        check(" (http://x.test), more", &["(<http://x.test>), more"]);
    }

    #[test]
    fn nothing_is_a_test() {
        check(" Like\n\n     foo();\n", &["Like", "", "  foo();"]);
        check(" ```\n foo();\n ```", &["```text", "foo();", "```"]);
        check(" ```rust\n foo();", &["```text", "foo();", "```"]);
        check(" ~~~\n ```\n ~~~", &["~~~text", "```", "~~~"]);
    }
}
