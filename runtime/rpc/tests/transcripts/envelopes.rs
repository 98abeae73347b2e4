//! Where envelopes begin and end, reckoned apart from the exchange.

use bytes::BytesMut;
use ringwire_wire::base64::{Alphabet, StreamDecoder};

use crate::show::Fields;

/// A body of envelopes, as far as it has come.
pub(crate) struct Envelopes {
    bytes: Vec<u8>,
    is_text: bool,
}

impl Envelopes {
    /// For a head that says that its body is envelopes.
    pub(crate) fn of(headers: &Fields) -> Option<Self> {
        let (_, value) = headers.iter().find(|(name, _)| name == "content-type")?;
        let value = String::from_utf8_lossy(value);
        let enveloped = value.contains("/grpc") || value.contains("/connect+");
        enveloped.then_some(Self { bytes: Vec::new(), is_text: value.contains("-text") })
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether the body ends inside an envelope.
    pub(crate) fn is_broken(&self) -> bool {
        self.flags().is_none()
    }

    /// Whether an envelope is there that ends a response.
    pub(crate) fn have_end(&self) -> bool {
        // Envelopes behind the end, whole or not, do not make it undone.
        (0..=self.bytes.len()).any(|len| {
            let flags = Self { bytes: self.bytes[..len].to_vec(), is_text: self.is_text }.flags();
            flags.is_some_and(|flags| flags.iter().any(|flags| flags & !1 != 0))
        })
    }

    /// The flags of each envelope, if all of them are whole.
    fn flags(&self) -> Option<Vec<u8>> {
        let body = if self.is_text { decoded(&self.bytes)? } else { self.bytes.clone() };
        let mut rest = &body[..];
        let mut all = Vec::new();
        while let Some(([flags, len @ ..], behind)) = rest.split_first_chunk::<5>() {
            rest = behind.get(u32::from_be_bytes(*len) as usize..)?;
            all.push(*flags);
        }
        rest.is_empty().then_some(all)
    }
}

fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = StreamDecoder::new(Alphabet::Standard);
    let mut bytes = BytesMut::new();
    decoder.decode(text, &mut bytes).ok()?;
    decoder.finish(&mut bytes).ok()?;
    Some(bytes.to_vec())
}
