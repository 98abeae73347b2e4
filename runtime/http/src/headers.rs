//! Header fields, as the core sees them: read through [`Headers`], written through [`HeadersMut`].
//!
//! Names given to either trait are lower-case; values are bytes, since HTTP promises no more.

use crate::Token;

/// Header or trailer fields that can be read.
pub trait Headers {
    /// The first value of the field `name`, which is lower-case.
    fn get(&self, name: &str) -> Option<&[u8]>;

    /// The first value of the field of this token.
    fn known(&self, token: Token) -> Option<&[u8]> {
        self.get(token.as_str())
    }

    /// Visits every field in order; a repeated field once per value. Names are in lower case.
    ///
    /// Pseudo-header fields (`:path` and its kin) are not visited.
    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8]));
}

/// A sink of header or trailer fields.
///
/// The caller promises a lower-case name that is an RFC 9110 token and a value without control
/// characters, so that a sink has nothing to refuse.
pub trait HeadersMut {
    /// Adds a field after those already there; a field of the same name stays.
    fn append(&mut self, name: &str, value: &[u8]);

    /// Adds a field whose name has a token. Sinks that work by index override this.
    fn append_known(&mut self, token: Token, value: &[u8]) {
        self.append(token.as_str(), value);
    }

    /// Adds a field whose name has a token, and whose value lives as long as the program.
    ///
    /// Sinks that can keep such text without copying it override this.
    fn append_static(&mut self, token: Token, value: &'static str) {
        self.append_known(token, value.as_bytes());
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn get(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.iter().find(|(other, _)| other.as_ref().eq_ignore_ascii_case(name))?;
        Some(value.as_ref())
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self {
            visit(name.as_ref(), value.as_ref());
        }
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const LEN: usize> Headers for [(N, V); LEN] {
    fn get(&self, name: &str) -> Option<&[u8]> {
        Headers::get(self.as_slice(), name)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        self.as_slice().for_each(visit);
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn get(&self, name: &str) -> Option<&[u8]> {
        Headers::get(self.as_slice(), name)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        self.as_slice().for_each(visit);
    }
}

impl<T: Headers + ?Sized> Headers for &T {
    fn get(&self, name: &str) -> Option<&[u8]> {
        (**self).get(name)
    }

    fn known(&self, token: Token) -> Option<&[u8]> {
        (**self).known(token)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        (**self).for_each(visit);
    }
}

/// Any function of a name and a value is a sink.
impl<F: FnMut(&str, &[u8])> HeadersMut for F {
    fn append(&mut self, name: &str, value: &[u8]) {
        self(name, value);
    }
}

impl<N: for<'a> From<&'a str>, V: for<'a> From<&'a [u8]>> HeadersMut for Vec<(N, V)> {
    fn append(&mut self, name: &str, value: &[u8]) {
        self.push((name.into(), value.into()));
    }
}

#[cfg(test)]
mod tests;
