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
        let end = value.bytes().position(|byte| matches!(byte, b';' | b' ' | b'\t')).unwrap_or(value.len());
        let (essence, parameters) = value.split_at(end);
        let (kind, subtype) = essence.split_once('/').ok_or(MALFORMED)?;
        for part in [kind, subtype] {
            if !is_token(part.as_bytes()) {
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
        if !is_token(name.as_bytes()) {
            return Err(MALFORMED);
        }
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = rest.bytes().position(|byte| !is_token(&[byte])).unwrap_or(rest.len());
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
mod tests;
