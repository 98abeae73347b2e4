//! The media types of a codec, and the protocol that each of them stands for.

use std::borrow::Cow;

use ringwire_http::{HeadersMut, Token};
use ringwire_wire::MediaType;

use super::Protocol;

/// The media types of one codec.
#[derive(Clone, Debug)]
pub(crate) struct MediaTypes {
    name: &'static str,
    entries: Vec<Entry>,
}

/// A media type, and the protocol it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) media_type: MediaText,
    pub(crate) protocol: &'static Protocol,
}

/// The text of a media type, without parameters.
#[derive(Clone, Debug)]
pub(crate) struct MediaText(Cow<'static, str>);

impl MediaTypes {
    /// The media types of the codec of this name, in each of these protocols.
    pub(crate) fn new(name: &'static str, protocols: &[&'static Protocol]) -> Self {
        let mut entries = Vec::new();
        for &protocol in protocols {
            let prefix = protocol.media_prefix;
            if let (DEFAULT_CODEC, Some(bare)) = (name, protocol.media_default) {
                entries.push(Entry { media_type: MediaText(Cow::Borrowed(bare)), protocol });
            }
            let text = interned(prefix, name).unwrap_or_else(|| Cow::Owned(format!("{prefix}{name}")));
            entries.push(Entry { media_type: MediaText(text), protocol });
        }
        Self { name, entries }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The media type in which a client of `protocol` sends.
    pub(crate) fn of(&self, protocol: &Protocol) -> &MediaText {
        &self.entries[self.place_of(protocol)].media_type
    }

    /// The place of the media type that names the codec, in a protocol that writes it like `protocol`.
    pub(crate) fn place_of(&self, protocol: &Protocol) -> usize {
        let same = |entry: &Entry| entry.protocol.media_prefix == protocol.media_prefix;
        self.entries.iter().position(same).expect("every protocol has an entry")
    }

    /// The protocol that `value`, a media type of this codec, stands for.
    pub(crate) fn read(&self, value: &[u8]) -> Option<&'static Protocol> {
        // Mostly it is written as we write it.
        if let Some(entry) = self.entries.iter().find(|entry| entry.media_type.0.as_bytes() == value) {
            return Some(entry.protocol);
        }
        let media_type = MediaType::parse(value).ok()?;
        self.entries.iter().find(|entry| media_type.is(&entry.media_type.0)).map(|entry| entry.protocol)
    }
}

impl MediaText {
    pub(crate) fn echo(essence: &str) -> Self {
        Self(Cow::Owned(essence.to_ascii_lowercase()))
    }

    pub(crate) const fn known(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn is_static(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_))
    }

    /// Appends the field `content-type`.
    pub(crate) fn write(&self, head: &mut dyn HeadersMut) {
        match &self.0 {
            Cow::Borrowed(text) => head.append_static(Token::CONTENT_TYPE, text),
            Cow::Owned(text) => head.append_known(Token::CONTENT_TYPE, text.as_bytes()),
        }
    }
}

pub(crate) fn has_prefix(essence: &str, prefix: &str) -> bool {
    essence.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// The media types that need no allocation, here and in sinks that keep static text.
fn interned(prefix: &str, name: &str) -> Option<Cow<'static, str>> {
    KNOWN
        .into_iter()
        .find(|known| known.strip_prefix(prefix).is_some_and(|codec| codec == name))
        .map(Cow::Borrowed)
}

// What a media type without a codec means.
const DEFAULT_CODEC: &str = "proto";
const KNOWN: [&str; 10] = [
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc-web+proto",
    "application/grpc-web+json",
    "application/grpc-web-text+proto",
    "application/grpc-web-text+json",
    "application/connect+proto",
    "application/connect+json",
    "application/proto",
    "application/json",
];
