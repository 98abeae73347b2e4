//! What one exchange may cost.

/// The bounds of one exchange. Crossing the first two is `resource_exhausted` in every protocol and on every
/// path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The longest message to receive, counted after decompression.
    ///
    /// An exchange holds no more than this, the compressed form of the same message, and the chunk pushed
    /// last.
    pub receive_max: u32,
    /// The longest message to send, counted before compression. `u32::MAX` is no limit: no envelope holds
    /// more.
    pub send_max: u32,
    /// The most bytes of headers, or of trailers, that are taken from a response, each field counted with 32
    /// more as HTTP/2 does. Crossing it ends the call with `resource_exhausted`.
    pub metadata_max: usize,
    /// The longest error body or end-of-stream message that a client reads. What does not fit is treated as
    /// an error without a body, and the code comes from the HTTP status.
    pub error_body_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            receive_max: RECEIVE_MAX,
            send_max: u32::MAX,
            metadata_max: METADATA_MAX,
            error_body_max: ERROR_BODY_MAX,
        }
    }
}

// What other implementations agree on.
const RECEIVE_MAX: u32 = 4 * 1024 * 1024;
// Four times what HTTP/2 servers commonly accept: a trailer with error details is larger than a request's
// header.
const METADATA_MAX: usize = 64 * 1024;
// Room for many details, and little enough that a thousand failing calls cost no gigabyte.
const ERROR_BODY_MAX: u32 = 1024 * 1024;
