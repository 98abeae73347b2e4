//! Media types: `application/json; charset=utf-8`.

use std::borrow::Cow;

use crate::Malformed;
use crate::token::{is_token, trim_ows};

/// A media type with its parameters, checked and borrowed from the header field.
#[derive(Clone, Copy, Debug)]
pub struct MediaType<'a> {
    essence: &'a str,
    slash: usize,
    // INVARIANT: what `Parameters` reads without error.
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// Reads a media type by the grammar of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#media.type).
    pub fn parse(value: &'a [u8]) -> Result<Self, Malformed> {
        let value = std::str::from_utf8(trim_ows(value)).map_err(|_| MALFORMED)?;
        let end = value.find([';', ' ', '\t']).unwrap_or(value.len());
        let (essence, parameters) = value.split_at(end);
        let (kind, subtype) = essence.split_once('/').ok_or(MALFORMED)?;
        for part in [kind, subtype] {
            if part.is_empty() || !part.bytes().all(is_token) {
                return Err(MALFORMED);
            }
        }
        Parameters { rest: parameters }.try_for_each(|parameter| parameter.map(drop))?;
        Ok(Self { essence, slash: kind.len(), parameters })
    }

    /// Type and subtype as they were written, without parameters.
    pub fn essence(&self) -> &'a str {
        self.essence
    }

    /// Whether this is the media type `essence`, whose case does not matter.
    pub fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    /// What stands before the slash.
    pub fn kind(&self) -> &'a str {
        &self.essence[..self.slash]
    }

    /// What stands after the slash, suffix included.
    pub fn subtype(&self) -> &'a str {
        &self.essence[self.slash + 1..]
    }

    /// The subtype, cut at its last `+`: `connect+proto` is `connect` with the suffix `proto`.
    pub fn subtype_and_suffix(&self) -> (&'a str, Option<&'a str>) {
        match self.subtype().rsplit_once('+') {
            Some((base, suffix)) => (base, Some(suffix)),
            None => (self.subtype(), None),
        }
    }

    /// The first parameter called `name`, whose case does not matter, without quotes.
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        self.parameters().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every parameter in order, values without quotes.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'a> {
        Parameters { rest: self.parameters }.map_while(Result::ok)
    }
}

/// Reads `OWS ";" OWS [name "=" value]` until there is none.
struct Parameters<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<(&'a str, Cow<'a, str>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.rest = self.rest.trim_start_matches(OWS);
            if self.rest.is_empty() {
                return None;
            }
            let Some(rest) = self.rest.strip_prefix(';') else {
                return Some(Err(MALFORMED));
            };
            self.rest = rest.trim_start_matches(OWS);
            // RFC 9110 lets a parameter be missing between semicolons.
            if !self.rest.is_empty() && !self.rest.starts_with(';') {
                return Some(self.parameter());
            }
        }
    }
}

impl<'a> Parameters<'a> {
    fn parameter(&mut self) -> Result<(&'a str, Cow<'a, str>), Malformed> {
        let (name, rest) = self.rest.split_once('=').ok_or(MALFORMED)?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(MALFORMED);
        }
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = rest.bytes().position(|byte| !is_token(byte)).unwrap_or(rest.len());
                let (value, rest) = rest.split_at(end);
                if value.is_empty() {
                    return Err(MALFORMED);
                }
                (Cow::Borrowed(value), rest)
            }
        };
        self.rest = rest;
        Ok((name, value))
    }
}

/// Reads the rest of a quoted string: its text, and what follows it.
fn unquote(quoted: &str) -> Result<(Cow<'_, str>, &str), Malformed> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        let character = match character {
            '"' if text.len() == at => return Ok((Cow::Borrowed(&quoted[..at]), &quoted[at + 1..])),
            '"' => return Ok((Cow::Owned(text), &quoted[at + 1..])),
            '\\' => characters.next().ok_or(MALFORMED)?.1,
            other => other,
        };
        if character.is_ascii_control() && character != '\t' {
            return Err(MALFORMED);
        }
        text.push(character);
    }
    Err(MALFORMED)
}

const OWS: [char; 2] = [' ', '\t'];
const MALFORMED: Malformed = Malformed { format: "media type" };

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `value` and shows it as essence and parameters; `None` stands for a malformed one.
    #[track_caller]
    fn check(value: &str, want: Option<(&str, &[(&str, &str)])>) {
        let got = MediaType::parse(value.as_bytes()).ok();
        let got = got.map(|got| (got.essence(), got.parameters().collect::<Vec<_>>()));
        let want = want.map(|(essence, parameters)| {
            (
                essence,
                parameters.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))).collect::<Vec<_>>(),
            )
        });
        assert_eq!(got, want, "{value:?}");
    }

    #[test]
    fn types_without_parameters() {
        for value in [
            "application/json",
            "application/grpc-web-text+proto",
            "a/b",
            "*/*",
            "application/x-www-form-urlencoded",
        ] {
            check(value, Some((value, &[])));
        }
        check(" application/json\t", Some(("application/json", &[])));
    }

    #[test]
    fn parameters_with_and_without_space_and_quotes() {
        let utf8: Option<(&str, &[(&str, &str)])> = Some(("application/json", &[("charset", "utf-8")]));
        check("application/json;charset=utf-8", utf8);
        check("application/json; charset=utf-8", utf8);
        check("application/json \t;\t charset=utf-8 ", utf8);
        check("application/json;charset=\"utf-8\"", utf8);
        check("application/json;charset=\"\\u\\t\\f-8\"", utf8);
        check("application/json;; charset=utf-8;", utf8);
        check("a/b;c=\"\";d=\" ;\\\"\\\\=\";e=f", Some(("a/b", &[("c", ""), ("d", " ;\"\\="), ("e", "f")])));
        check("a/b;C=1;c=2", Some(("a/b", &[("C", "1"), ("c", "2")])));
        check("a/b;c=\"\u{e9}\"", Some(("a/b", &[("c", "\u{e9}")])));
    }

    #[test]
    fn malformed_types() {
        for value in [
            "",
            " ",
            "/",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "a /b",
            "a/ b",
            "a/b c",
            "a/b,c/d",
            "a/b;c",
            "a/b;c=",
            "a/b;=c",
            "a/b; c =d",
            "a/b; c= d",
            "a/b;c=d e",
            "a/b;c=\"",
            "a/b;c=\"d",
            "a/b;c=\"d\\",
            "a/b;c=\"d\"e",
            "a/b;c=\"\n\"",
            "a/b;c=\"\\\0\"",
            "a/\u{e9}",
        ] {
            check(value, None);
        }
        assert!(MediaType::parse(b"a/\xff").is_err());
    }

    #[test]
    fn case_does_not_matter_to_comparisons() {
        let media_type = MediaType::parse(b"Application/JSON; Charset=UTF-8").unwrap();
        assert!(media_type.is("application/json"));
        assert!(!media_type.is("application/jso"));
        assert_eq!(media_type.parameter("charset").as_deref(), Some("UTF-8"));
        assert_eq!(media_type.parameter("boundary"), None);
    }

    #[test]
    fn the_suffix_follows_the_last_plus() {
        for (value, kind, want) in [
            ("application/grpc", "application", ("grpc", None)),
            ("application/grpc+proto", "application", ("grpc", Some("proto"))),
            ("application/grpc-web-text+proto", "application", ("grpc-web-text", Some("proto"))),
            ("image/a+b+c", "image", ("a+b", Some("c"))),
            ("a/b+", "a", ("b", Some(""))),
        ] {
            let media_type = MediaType::parse(value.as_bytes()).unwrap();
            assert_eq!((media_type.kind(), media_type.subtype_and_suffix()), (kind, want));
        }
    }
}
