//! Metadata: the header and trailer fields that belong to the application.
//!
//! An ordered multimap of valid names and values, in the form in which they travel: names in lower
//! case, binary values in base64. Fields that the protocol or HTTP owns ([`is_reserved`]) can be
//! received but not set, so that an application cannot forge them.

use std::borrow::Cow;
use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::base64::{self, Alphabet};
use crate::token::{is_token, trim_ows};

/// An ordered multimap of header or trailer fields; free while empty.
///
/// Names are found whatever their case. Those that live as long as the program are kept without a copy, and so are
/// such values; others are given away as `String`s, `Vec`s or `Bytes`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Metadata {
    fields: Vec<(Cow<'static, str>, Bytes)>,
}

impl Metadata {
    /// No fields, and no allocation.
    pub const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    /// The first value of `name`, as it travels.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The first value of `name`, which must be there and be text.
    pub fn get_str(&self, name: &str) -> Result<&str, MetadataError> {
        let value = self.get(name).ok_or_else(|| MetadataError::new(name, Fault::Absent))?;
        std::str::from_utf8(value).map_err(|_| MetadataError::new(name, Fault::NotText))
    }

    /// The first value of `name`, which must end in `-bin`, be there and be base64.
    pub fn get_bin(&self, name: &str) -> Result<Bytes, MetadataError> {
        let first = self.get_all_bin(name).next();
        first.unwrap_or_else(|| Err(MetadataError::new(name, Fault::Absent)))
    }

    /// Every value of `name` in order, as it travels.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every value of the binary field `name` in order, decoded.
    ///
    /// A value that holds commas is several: HTTP allows proxies to join fields that way.
    pub fn get_all_bin<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = Result<Bytes, MetadataError>> + 'a {
        self.get_all(name).flat_map(|joined| joined.split(|byte| *byte == b',')).map(move |value| {
            if !is_binary(name) {
                return Err(MetadataError::new(name, Fault::NotBinary));
            }
            let mut bytes = BytesMut::new();
            base64::decode(Alphabet::Standard, trim_ows(value), &mut bytes)
                .map_err(|_| MetadataError::new(name, Fault::NotBase64))?;
            Ok(bytes.freeze())
        })
    }

    /// Sets `name` to the one value given.
    pub fn insert(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Bytes>,
    ) -> Result<(), MetadataError> {
        let (name, value) = custom_field(name.into(), value.into())?;
        self.remove(&name);
        self.fields.push((name, value));
        Ok(())
    }

    /// Adds a value to those that `name` has.
    pub fn append(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Bytes>,
    ) -> Result<(), MetadataError> {
        self.fields.push(custom_field(name.into(), value.into())?);
        Ok(())
    }

    /// Adds a binary value to those that `name`, which must end in `-bin`, has.
    pub fn append_bin(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: &[u8],
    ) -> Result<(), MetadataError> {
        let name = name.into();
        if !is_binary(&name) {
            return Err(MetadataError { name, fault: Fault::NotBinary });
        }
        let mut text = BytesMut::new();
        base64::encode(Alphabet::Standard, value, &mut text);
        self.append(name, text)
    }

    /// Adds a field that a peer sent, even one whose name is reserved.
    pub fn append_received(&mut self, name: &str, value: &[u8]) -> Result<(), MetadataError> {
        let value = trim_ows(value);
        if !is_token(name.as_bytes()) {
            return Err(MetadataError::new(name, Fault::Name));
        }
        if !is_valid_value(value) {
            return Err(MetadataError::new(name, Fault::Value));
        }
        self.fields.push((Cow::Owned(name.to_ascii_lowercase()), Bytes::copy_from_slice(value)));
        Ok(())
    }

    /// Adds all fields of `other`.
    pub fn extend(&mut self, other: &Self) {
        self.fields.extend_from_slice(&other.fields);
    }

    /// Removes all values of `name`.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// Every field in order, with its value as it travels.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Every field in order that is not reserved: what may be sent on.
    pub fn iter_custom(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().filter(|(name, _)| !is_reserved(name))
    }

    /// How many fields there are; a repeated one counts once per value.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The bytes of all fields, each with the 32 that HTTP/2 counts beside its name and value.
    pub fn list_size(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.len() + FIELD_OVERHEAD).sum()
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.fields.iter().map(|(name, value)| (name, value))).finish()
    }
}

/// A field that cannot be set, or not be read as was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MetadataError {
    /// The name of the field, as it was given.
    pub name: Cow<'static, str>,
    /// What is wrong with it.
    pub fault: Fault,
}

impl MetadataError {
    fn new(name: &str, fault: Fault) -> Self {
        Self { name: Cow::Owned(name.to_owned()), fault }
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Name => "has a name that is not an HTTP token",
            Fault::Reserved => "belongs to the protocol",
            Fault::Value => "has a value with control characters",
            Fault::Absent => "is absent",
            Fault::NotText => "is not text",
            Fault::NotBinary => "needs a name that ends in -bin to hold binary values",
            Fault::NotBase64 => "is not base64",
        };
        write!(f, "metadata {:?} {fault}", self.name)
    }
}

impl std::error::Error for MetadataError {}

/// What can be wrong with a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The name is empty or not a token of RFC 9110.
    Name,
    /// The name belongs to the protocol or to HTTP; see [`is_reserved`].
    Reserved,
    /// The value holds a control character, such as a line break.
    Value,
    /// There is no such field.
    Absent,
    /// The value is not UTF-8.
    NotText,
    /// The field is asked for binary values, and its name does not end in `-bin`.
    NotBinary,
    /// The value of a binary field is not base64.
    NotBase64,
}

/// Whether the lower-case `name` belongs to the protocol or to HTTP, and not to the application.
pub fn is_reserved(name: &str) -> bool {
    const PREFIXES: [&str; 4] = [":", "connect-", "grpc-", "trailer-"];
    match name {
        "accept-encoding" | "connection" | "content-encoding" | "content-length" | "content-type"
        | "date" | "expect" | "host" | "keep-alive" | "proxy-connection" | "te" | "trailer"
        | "transfer-encoding" | "upgrade" => true,
        // The one word of gRPC that servers say by metadata: when to try again.
        "grpc-retry-pushback-ms" => false,
        _ => PREFIXES.iter().any(|prefix| name.starts_with(prefix)),
    }
}

/// Whether the values of `name` are bytes in base64.
pub fn is_binary(name: &str) -> bool {
    name.len() >= 4 && name.as_bytes()[name.len() - 4..].eq_ignore_ascii_case(b"-bin")
}

fn custom_field(
    mut name: Cow<'static, str>,
    value: Bytes,
) -> Result<(Cow<'static, str>, Bytes), MetadataError> {
    let value = trimmed(value);
    let fault = if !is_token(name.as_bytes()) {
        Fault::Name
    } else if !is_valid_value(&value) {
        Fault::Value
    } else {
        lower(&mut name);
        if !is_reserved(&name) {
            return Ok((name, value));
        }
        Fault::Reserved
    };
    Err(MetadataError { name, fault })
}

fn is_valid_value(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}

fn lower(name: &mut Cow<'static, str>) {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_mut().make_ascii_lowercase();
    }
}

/// The value without leading and trailing white space, which HTTP does not count as part of it.
fn trimmed(value: Bytes) -> Bytes {
    value.slice_ref(trim_ows(&value))
}

/// How many fields a text of trailers may hold: a field costs a peer three bytes, and us a hundred.
pub(crate) const TRAILERS_MAX: usize = 1024;
const FIELD_OVERHEAD: usize = 32;

#[cfg(test)]
mod tests;
