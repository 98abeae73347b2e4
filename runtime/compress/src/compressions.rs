//! The ordered set of compressions that one side offers, and the choice among them.

use std::{fmt, sync::Arc};

#[cfg(not(target_arch = "wasm32"))]
use crate::Zstd;
use crate::{Compression, Gzip, IDENTITY};

/// The compressions that a server or a channel understands, most preferred first.
///
/// A value: clones share it, nothing locks it, and looking a name up walks a list of a few entries.
#[derive(Debug, Clone)]
pub struct Compressions {
    offered: Arc<Offered>,
}

impl Compressions {
    /// A set that understands nothing but identity.
    pub fn none() -> Self {
        Self::of(Vec::new())
    }

    /// The set with `compression` as its last choice; one of the same name is replaced where it stands.
    ///
    /// # Panics
    /// If the name could not stand in a header: it must be a lower-case token other than `identity`.
    #[must_use]
    pub fn with(&self, compression: &'static dyn Compression) -> Self {
        let name = compression.name();
        assert!(
            is_name(name),
            "the name of a compression is a lower-case token other than identity, not {name:?}"
        );
        let mut list = self.offered.list.clone();
        match list.iter_mut().find(|other| other.name() == name) {
            Some(other) => *other = compression,
            None => list.push(compression),
        }
        Self::of(list)
    }

    /// The set without the compression called `name`.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Self::of(self.iter().filter(|other| !other.name().eq_ignore_ascii_case(name)).collect())
    }

    /// The compression that an encoding header names; `None` for identity.
    pub fn find(&self, encoding: &str) -> Result<Option<&'static dyn Compression>, UnknownEncoding> {
        if encoding.eq_ignore_ascii_case(IDENTITY) {
            return Ok(None);
        }
        self.position(encoding).map(|at| Some(self.offered.list[at])).ok_or(UnknownEncoding)
    }

    /// The compression to answer with, given what the peer accepts; `None` for identity.
    ///
    /// `accepted` holds names and their quality in thousandths, in the order of the peer's header; a name without a
    /// quality has 1000. The highest quality wins, and among equals the peer's order, which is how RPC peers state
    /// their preference. `*` stands for the first of ours that the header does not name. Identity wins only where the
    /// peer prefers it outright: clients that list it beside gzip mean that they understand both.
    pub fn negotiate<'a, I>(&self, accepted: I) -> Option<&'static dyn Compression>
    where
        I: IntoIterator<Item = (&'a str, u16)>,
        I::IntoIter: Clone,
    {
        let accepted = accepted.into_iter();
        let identity = rate(IDENTITY, accepted.clone()).map_or(0, |rating| rating.quality);
        let mut best: Option<(&'static dyn Compression, Rating)> = None;
        for ours in self.iter() {
            let Some(rating) = rate(ours.name(), accepted.clone()).or_else(|| rate("*", accepted.clone()))
            else {
                continue;
            };
            if rating.quality >= identity.max(1) && best.is_none_or(|(_, other)| rating.beats(other)) {
                best = Some((ours, rating));
            }
        }
        best.map(|(compression, _)| compression)
    }

    /// The value of an accept-encoding header that offers the whole set; `None` when there is nothing to offer,
    /// because an empty header is not one.
    pub fn accept_header(&self) -> Option<&str> {
        Some(self.offered.header.as_str()).filter(|header| !header.is_empty())
    }

    /// The compressions, most preferred first.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn Compression> + '_ {
        self.offered.list.iter().copied()
    }

    fn of(list: Vec<&'static dyn Compression>) -> Self {
        let header = list.iter().map(|compression| compression.name()).collect::<Vec<_>>().join(",");
        Self { offered: Arc::new(Offered { list, header }) }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.offered.list.iter().position(|compression| compression.name().eq_ignore_ascii_case(name))
    }
}

impl Default for Compressions {
    /// zstd, which is faster and smaller, then gzip, which everybody has. On wasm32 gzip alone.
    fn default() -> Self {
        let none = Self::none();
        #[cfg(not(target_arch = "wasm32"))]
        let none = none.with(&Zstd);
        none.with(&Gzip)
    }
}

/// An encoding that this side does not understand; [`Compressions::accept_header`] says which ones it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEncoding;

impl fmt::Display for UnknownEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown encoding")
    }
}

impl std::error::Error for UnknownEncoding {}

#[derive(Debug)]
struct Offered {
    list: Vec<&'static dyn Compression>,
    header: String,
}

/// What a peer said about one name: how much it likes it, and where in its list.
#[derive(Clone, Copy)]
struct Rating {
    quality: u16,
    place: usize,
}

impl Rating {
    fn beats(self, other: Self) -> bool {
        self.quality > other.quality || (self.quality == other.quality && self.place < other.place)
    }
}

// One walk of the peer's list for each of ours, and none within another: its length is the peer's to choose.
fn rate<'a>(name: &str, accepted: impl Iterator<Item = (&'a str, u16)>) -> Option<Rating> {
    accepted
        .enumerate()
        .find(|(_, (other, _))| name.eq_ignore_ascii_case(other))
        .map(|(place, (_, quality))| Rating { quality, place })
}

fn is_name(name: &str) -> bool {
    let token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'+-.^_`|~".contains(&byte);
    !name.is_empty() && name != IDENTITY && name.bytes().all(token)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::{DecompressError, Level};

    #[test]
    fn nothing_is_chosen_unless_the_peer_asks() {
        check(&[], None);
        check(&[("identity", 1000)], None);
        check(&[("br", 1000)], None);
    }

    #[test]
    fn highest_quality_wins() {
        check(&[("gzip", 500), ("zstd", 501)], Some("zstd"));
        check(&[("gzip", 501), ("zstd", 500)], Some("gzip"));
    }

    #[test]
    fn equal_quality_leaves_the_choice_to_the_peers_order() {
        check(&[("gzip", 1000), ("zstd", 1000)], Some("gzip"));
        check(&[("br", 1000), ("zstd", 1000), ("gzip", 1000)], Some("zstd"));
    }

    #[test]
    fn quality_zero_refuses() {
        check(&[("gzip", 0)], None);
        check(&[("zstd", 0), ("gzip", 1)], Some("gzip"));
        check(&[("*", 0)], None);
    }

    #[test]
    fn star_stands_for_what_is_not_named() {
        check(&[("*", 1000)], Some("zstd"));
        check(&[("zstd", 0), ("*", 1)], Some("gzip"));
        check(&[("*", 1000), ("zstd", 0), ("gzip", 0)], None);
        check(&[("*", 1000), ("gzip", 500)], Some("zstd"));
        check(&[("gzip", 1000), ("*", 500)], Some("gzip"));
    }

    #[test]
    fn identity_wins_only_outright() {
        check(&[("identity", 1000), ("deflate", 1000), ("gzip", 1000)], Some("gzip"));
        check(&[("identity", 1000), ("gzip", 999)], None);
        check(&[("identity", 0), ("gzip", 1)], Some("gzip"));
    }

    #[test]
    fn names_ignore_case() {
        check(&[("GZIP", 1000)], Some("gzip"));
        assert_eq!(ours().find("GZip").unwrap().map(Compression::name), Some("gzip"));
        assert_eq!(ours().find("Identity").unwrap().map(Compression::name), None);
        assert_eq!(ours().find("br").unwrap_err(), UnknownEncoding);
        assert_eq!(ours().find("").unwrap_err(), UnknownEncoding);
    }

    #[test]
    fn first_mention_counts() {
        check(&[("gzip", 0), ("gzip", 1000)], None);
        check(&[("gzip", 1000), ("gzip", 0)], Some("gzip"));
    }

    #[test]
    fn set_keeps_its_order() {
        assert_eq!(ours().accept_header(), Some("zstd,gzip"));
        assert_eq!(
            ours().with(&Named("zstd")).accept_header(),
            Some("zstd,gzip"),
            "replaced where it stands"
        );
        assert_eq!(ours().without("zstd").with(&Named("zstd")).accept_header(), Some("gzip,zstd"));
        assert_eq!(Compressions::none().accept_header(), None);
    }

    #[test]
    fn a_changed_set_leaves_its_clones_alone() {
        let before = ours();
        let _after = before.without("gzip");
        assert_eq!(before.accept_header(), Some("zstd,gzip"));
    }

    #[test]
    #[should_panic(expected = "lower-case token")]
    fn identity_is_no_compression() {
        let _ = ours().with(&Named("identity"));
    }

    #[test]
    #[should_panic(expected = "lower-case token")]
    fn a_name_fits_a_header() {
        let _ = ours().with(&Named("g zip"));
    }

    fn check(accepted: &[(&str, u16)], expected: Option<&str>) {
        let chosen = ours().negotiate(accepted.iter().copied());
        assert_eq!(chosen.map(Compression::name), expected, "{accepted:?}");
    }

    fn ours() -> Compressions {
        Compressions::none().with(&Named("zstd")).with(&Named("gzip"))
    }

    #[derive(Debug)]
    struct Named(&'static str);

    impl Compression for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn compress(&self, input: &[u8], _: Level, out: &mut BytesMut) {
            out.extend_from_slice(input);
        }

        fn decompress(&self, _: &[u8], _: usize, _: &mut BytesMut) -> Result<(), DecompressError> {
            Err(DecompressError::Corrupt)
        }
    }
}
