//! The body of a message that is being received.

use crate::chunked::{Chunk, Chunked};
use crate::field::{Coding, Facts};
use crate::input::Input;
use crate::{Fault, Limits};
use bytes::Bytes;
use ringwire_http::{Fields, Names};

/// A reader of a body, by the way in which its end is told.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes are missing; not 0.
    Length(u64),
    Chunked(Chunked),
    /// It ends with the connection.
    UntilEnd,
}

/// A part of a body.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Piece {
    /// Bytes; empty only at the end.
    Data { data: Bytes, end: bool },
    /// The body has ended, with trailers.
    Trailers(Fields),
}

impl Body {
    /// The body of a request with these fields; `None` if it has none. The faults are those of
    /// <https://www.rfc-editor.org/rfc/rfc9112#section-6.3>, where a recipient may choose: it refuses.
    pub(crate) fn of_request(facts: &Facts) -> Option<Self> {
        match (facts.coding, facts.content_length) {
            (Some(_), _) => Some(Self::Chunked(Chunked::new())),
            (None, Some(0) | None) => None,
            (None, Some(length)) => Some(Self::Length(length)),
        }
    }

    /// Reads the next part; `None` if it has not arrived.
    pub(crate) fn read(
        &mut self,
        input: &mut Input,
        limits: &Limits,
        names: &'static Names,
    ) -> Result<Option<Piece>, Fault> {
        match self {
            _ if input.is_empty() => Ok(None),
            Self::Length(left) => {
                let data = input.take(*left);
                *left -= data.len() as u64;
                Ok(Some(Piece::Data { data, end: *left == 0 }))
            }
            Self::Chunked(chunked) => {
                let piece = match chunked.read(input, limits, names)? {
                    None => return Ok(None),
                    Some(Chunk::Data(data)) => Piece::Data { data, end: chunked.skip_bare_end(input) },
                    Some(Chunk::End(fields)) if fields.is_empty() => {
                        Piece::Data { data: Bytes::new(), end: true }
                    }
                    Some(Chunk::End(fields)) => Piece::Trailers(fields),
                };
                Ok(Some(piece))
            }
            Self::UntilEnd => Ok(Some(Piece::Data { data: input.take(u64::MAX), end: false })),
        }
    }
}

impl Facts {
    /// Refuses what leaves the length of a message in doubt: RFC 9112 section 6.
    pub(crate) fn check_framing(&self, chunked_is_known: bool) -> Result<(), Fault> {
        match (self.coding, self.content_length) {
            (None, _) => Ok(()),
            // Whoever sends both may want two recipients to disagree: section 6.3, item 3.
            (Some(_), Some(_)) => Err(Fault::TwoLengths),
            // A message of HTTP/1.0 that has it was forwarded by someone who did not understand it: section 6.1.
            (Some(_), None) if !chunked_is_known => Err(Fault::TransferEncoding),
            (Some(Coding::Unknown), None) => Err(Fault::UnknownCoding),
            (Some(Coding::Chunked), None) => Ok(()),
        }
    }
}
