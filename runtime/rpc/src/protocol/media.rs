//! The media types of each codec, and the protocol that each of them stands for.

use std::borrow::Cow;

use ringwire_http::HeadersMut;
use ringwire_wire::MediaType;

use super::{Protocol, connect, grpc, grpc_web};

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
    pub(crate) protocol: &'static dyn Protocol,
}

/// The text of a media type, without parameters.
#[derive(Clone, Debug)]
pub(crate) struct MediaText(Cow<'static, str>);

impl MediaTypes {
    pub(crate) fn new(name: &'static str) -> Self {
        let mut entries = Vec::new();
        for protocol in ALL {
            let prefix = protocol.media_prefix();
            if let (DEFAULT_CODEC, Some(bare)) = (name, protocol.media_default()) {
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
    pub(crate) fn of(&self, protocol: &dyn Protocol) -> &MediaText {
        let found =
            self.entries.iter().find(|entry| entry.protocol.media_prefix() == protocol.media_prefix());
        &found.expect("every protocol has an entry").media_type
    }

    /// The protocol that `value`, a media type of this codec, stands for.
    pub(crate) fn read(&self, value: &[u8]) -> Option<&'static dyn Protocol> {
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

    /// Appends the field `content-type`.
    pub(crate) fn write(&self, head: &mut dyn HeadersMut) {
        match &self.0 {
            Cow::Borrowed(text) => head.append_static(CONTENT_TYPE, text),
            Cow::Owned(text) => head.append(CONTENT_TYPE, text.as_bytes()),
        }
    }
}

/// The protocol whose media types begin like this one, whatever the codec.
pub(crate) fn family(essence: &str) -> Option<&'static dyn Protocol> {
    ALL.into_iter().find(|protocol| {
        let is_default = protocol.media_default().is_some_and(|bare| essence.eq_ignore_ascii_case(bare));
        is_default || has_prefix(essence, protocol.media_prefix())
    })
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

pub(crate) const CONTENT_TYPE: &str = "content-type";

// What a media type without a codec means.
const DEFAULT_CODEC: &str = "proto";
// The prefix of the last is one of all others.
const ALL: [&dyn Protocol; 5] =
    [&grpc::Grpc, &grpc_web::BINARY, &grpc_web::TEXT, &connect::Streaming, &connect::POST];
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(codec: &'static str, want: &[&str]) {
        let types = MediaTypes::new(codec);
        let got: Vec<_> = types.entries().iter().map(|entry| entry.media_type.as_str()).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn protobuf_is_the_default_codec() {
        check(
            "proto",
            &[
                "application/grpc",
                "application/grpc+proto",
                "application/grpc-web",
                "application/grpc-web+proto",
                "application/grpc-web-text",
                "application/grpc-web-text+proto",
                "application/connect+proto",
                "application/proto",
            ],
        );
    }

    #[test]
    fn other_codecs_are_always_named() {
        check(
            "cbor",
            &[
                "application/grpc+cbor",
                "application/grpc-web+cbor",
                "application/grpc-web-text+cbor",
                "application/connect+cbor",
                "application/cbor",
            ],
        );
    }

    #[test]
    fn known_media_types_are_static() {
        for codec in ["proto", "json"] {
            for entry in MediaTypes::new(codec).entries() {
                assert!(matches!(entry.media_type.0, Cow::Borrowed(_)), "{entry:?}");
            }
        }
    }
}
