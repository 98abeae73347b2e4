//! Frames: <https://www.rfc-editor.org/rfc/rfc9113#section-4>.

use bytes::BytesMut;

/// The header of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameHeader {
    pub(crate) len: usize,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
}

impl FrameHeader {
    #[inline]
    pub(crate) fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let [a, b, c, kind, flags, stream @ ..] = *bytes;
        Self {
            len: u32::from_be_bytes([0, a, b, c]) as usize,
            kind,
            flags,
            stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
        }
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// The bytes of a frame's header.
#[inline]
pub(crate) fn header(len: usize, kind: u8, flags: u8, stream: u32) -> [u8; HEADER_LEN] {
    let [_, a, b, c] = (len as u32).to_be_bytes();
    let [s, t, u, v] = stream.to_be_bytes();
    [a, b, c, kind, flags, s, t, u, v]
}

pub(crate) fn put(out: &mut BytesMut, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend_from_slice(&header(payload.len(), kind, flags, stream));
    out.extend_from_slice(payload);
}

/// Appends a header block: a HEADERS frame, and CONTINUATION frames as far as it is longer than `frame_max`.
pub(crate) fn put_long(out: &mut BytesMut, stream: u32, end: bool, block: &[u8], frame_max: usize) {
    let mut kind_and_flags = (kind::HEADERS, if end { flag::END_STREAM } else { 0 });
    let mut pieces = block.chunks(frame_max).peekable();
    while let Some(piece) = pieces.next() {
        let (kind, mut flags) = std::mem::replace(&mut kind_and_flags, (kind::CONTINUATION, 0));
        if pieces.peek().is_none() {
            flags |= flag::END_HEADERS;
        }
        put(out, kind, flags, stream, piece);
    }
}

pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

pub(crate) mod flag {
    pub(crate) const END_STREAM: u8 = 0x1;
    pub(crate) const ACK: u8 = 0x1;
    pub(crate) const END_HEADERS: u8 = 0x4;
    pub(crate) const PADDED: u8 = 0x8;
    pub(crate) const PRIORITY: u8 = 0x20;
}

pub(crate) mod setting {
    pub(crate) const HEADER_TABLE_SIZE: u16 = 1;
    pub(crate) const ENABLE_PUSH: u16 = 2;
    pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 6;
}

/// The first bytes that a client sends: <https://www.rfc-editor.org/rfc/rfc9113#section-3.4>.
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const HEADER_LEN: usize = 9;
/// The largest payload that every peer accepts.
pub(crate) const FRAME_MAX_DEFAULT: usize = 16_384;
/// The windows before any SETTINGS or WINDOW_UPDATE.
pub(crate) const WINDOW_DEFAULT: u32 = 65_535;
pub(crate) const WINDOW_MAX: u32 = 0x7fff_ffff;
pub(crate) const STREAM_MAX: u32 = 0x7fff_ffff;
