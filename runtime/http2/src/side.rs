//! What the two sides of a connection do differently with a head.

use crate::heads::{Heads, Read};
use ringwire_hpack::DecodeError;
use ringwire_http::{Client, Head, ResponseHead, Role, Server};

/// A side of an HTTP/2 connection: [`Server`] or [`Client`].
#[allow(private_bounds)]
pub trait Side: Role + Rules {}

impl Side for Server {}
impl Side for Client {}

/// The rules of a side.
pub(crate) trait Rules: Role + Sized {
    const IS_SERVER: bool;

    /// Reads the head that this side receives.
    fn read(heads: &mut Heads, block: &[u8]) -> Result<Read<Self::Head>, DecodeError>;

    /// Whether another head follows this one.
    fn is_interim(head: &Self::Head) -> bool;

    /// Whether a message with this head has no body, whatever its content-length says.
    fn is_bodiless(head: &Self::Head) -> bool;
}

impl Rules for Server {
    const IS_SERVER: bool = true;

    #[inline]
    fn read(heads: &mut Heads, block: &[u8]) -> Result<Read<Head>, DecodeError> {
        heads.request(block)
    }

    fn is_interim(_: &Head) -> bool {
        false
    }

    fn is_bodiless(_: &Head) -> bool {
        false
    }
}

impl Rules for Client {
    const IS_SERVER: bool = false;

    fn read(heads: &mut Heads, block: &[u8]) -> Result<Read<ResponseHead>, DecodeError> {
        heads.response(block)
    }

    fn is_interim(head: &ResponseHead) -> bool {
        head.status < 200
    }

    fn is_bodiless(head: &ResponseHead) -> bool {
        matches!(head.status, 204 | 304)
    }
}
