//! Trailers on their way from the exchange to the shell.

use bytes::Bytes;
use ringwire_http::HeadersMut;
use std::borrow::Cow;

/// Header fields in order. The one static field that ends most calls takes no allocation.
#[derive(Debug, Default)]
pub(super) struct Fields {
    first: Option<(&'static str, &'static str)>,
    rest: Vec<(Cow<'static, str>, Bytes)>,
}

impl Fields {
    pub(super) fn write(&self, sink: &mut dyn HeadersMut) {
        if let Some((name, value)) = self.first {
            sink.append_static(name, value);
        }
        for (name, value) in &self.rest {
            sink.append(name, value);
        }
    }
}

impl HeadersMut for Fields {
    fn append(&mut self, name: &str, value: &[u8]) {
        self.rest.push((Cow::Owned(name.to_owned()), Bytes::copy_from_slice(value)));
    }

    fn append_static(&mut self, name: &'static str, value: &'static str) {
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some((name, value));
        } else {
            self.rest.push((Cow::Borrowed(name), Bytes::from_static(value.as_bytes())));
        }
    }
}

/// Takes fields that nobody wants.
pub(super) struct Nowhere;

impl HeadersMut for Nowhere {
    fn append(&mut self, _: &str, _: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        let mut fields = Fields::default();
        fields.append_static("a", "1");
        fields.append("b", b"2");
        fields.append_static("c", "3");
        let mut out: Vec<(String, Vec<u8>)> = Vec::new();
        fields.write(&mut out);
        let names: Vec<_> = out.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        assert_eq!(names, [("a", &b"1"[..]), ("b", b"2"), ("c", b"3")]);
    }
}
