//! The trailers of a response, on their way from the exchange to the shell.

use bytes::Bytes;
use ringwire_http::{HeadersMut, Token};
use std::borrow::Cow;

/// Trailers in order. The one static field that ends most calls takes no allocation.
#[derive(Debug, Default)]
pub(crate) struct Trailers {
    first: Option<(Token, &'static str)>,
    rest: Option<Box<Rest>>,
}

type Rest = Vec<(Cow<'static, str>, Bytes)>;

impl Trailers {
    pub(crate) fn write(&self, sink: &mut dyn HeadersMut) {
        if let Some((name, value)) = self.first {
            sink.append_static(name, value);
        }
        for (name, value) in self.rest.iter().flat_map(|rest| rest.iter()) {
            sink.append(name, value);
        }
    }

    fn rest(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }
}

impl HeadersMut for Trailers {
    fn append(&mut self, name: &str, value: &[u8]) {
        self.rest().push((Cow::Owned(name.to_owned()), Bytes::copy_from_slice(value)));
    }

    fn append_known(&mut self, token: Token, value: &[u8]) {
        self.rest().push((Cow::Borrowed(token.as_str()), Bytes::copy_from_slice(value)));
    }

    fn append_static(&mut self, token: Token, value: &'static str) {
        if self.first.is_none() && self.rest.is_none() {
            self.first = Some((token, value));
        } else {
            self.rest().push((Cow::Borrowed(token.as_str()), Bytes::from_static(value.as_bytes())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        let mut fields = Trailers::default();
        fields.append_static(Token::TE, "1");
        fields.append("b", b"2");
        fields.append_static(Token::DATE, "3");
        let mut out: Vec<(String, Vec<u8>)> = Vec::new();
        fields.write(&mut out);
        let names: Vec<_> = out.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        assert_eq!(names, [("te", &b"1"[..]), ("b", b"2"), ("date", b"3")]);
    }
}
