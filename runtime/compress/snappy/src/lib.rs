//! Snappy in its framing format: what connect peers mean by `snappy`, beginning with `sNaPpY`.
//!
//! The contract is that of [`Compression`]; an application adds it by `compressions.with(&Snappy)`. The format marks no
//! end, so a stream cut between two chunks stands for a shorter message: the envelope around it tells its length.
//! The format: <https://github.com/google/snappy/blob/main/framing_format.txt>.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

use std::cell::Cell;

use bytes::{BufMut, BytesMut};
use ringwire_compress::{
    Compression, DecompressError, Level,
    coder::{Bounded, with_idle},
};
use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use crate::checksum::masked_crc32c;

mod checksum;

/// Snappy, which has one level only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snappy;

impl Compression for Snappy {
    fn name(&self) -> &'static str {
        "snappy"
    }

    fn compress(&self, input: &[u8], _: Level, out: &mut BytesMut) {
        out.put_slice(IDENTIFIER);
        with_idle(
            &ENCODER,
            |last| last.unwrap_or_else(Encoder::new),
            |encoder| {
                for data in input.chunks(CHUNK_DATA_MAX) {
                    put_chunk(data, encoder, out);
                }
            },
        );
    }

    fn decompress(&self, input: &[u8], limit: usize, out: &mut BytesMut) -> Result<(), DecompressError> {
        if input.is_empty() {
            return Ok(());
        }
        let mut out = Bounded::new(out, limit, 0);
        let mut rest = input.strip_prefix(IDENTIFIER).ok_or(DecompressError::Corrupt)?;
        while let Some((header, behind)) = rest.split_first_chunk::<4>() {
            let [kind, len @ ..] = *header;
            let len = u32::from_le_bytes([len[0], len[1], len[2], 0]) as usize;
            let (body, behind) = behind.split_at_checked(len).ok_or(DecompressError::Corrupt)?;
            take_chunk(kind, body, &mut out)?;
            rest = behind;
        }
        if !rest.is_empty() {
            return Err(DecompressError::Corrupt);
        }
        out.commit();
        Ok(())
    }
}

/// Appends one chunk: compressed if that makes it shorter.
fn put_chunk(data: &[u8], encoder: &mut Encoder, out: &mut BytesMut) {
    let start = out.len();
    out.put_slice(&[COMPRESSED, 0, 0, 0]);
    out.put_u32_le(masked_crc32c(data));
    let body = out.len();
    out.resize(body + max_compress_len(data.len()), 0);
    let len = encoder.compress(data, &mut out[body..]).expect("the bound holds any chunk");
    out.truncate(body + len);
    if len >= data.len() {
        out.truncate(body);
        out.put_slice(data);
        out[start] = UNCOMPRESSED;
    }
    let len = (out.len() - start - 4) as u32;
    out[start + 1..start + 4].copy_from_slice(&len.to_le_bytes()[..3]);
}

/// Writes what one chunk stands for.
fn take_chunk(kind: u8, body: &[u8], out: &mut Bounded<'_>) -> Result<(), DecompressError> {
    let corrupt = DecompressError::Corrupt;
    let (crc, data) = match kind {
        COMPRESSED | UNCOMPRESSED => body.split_first_chunk::<4>().ok_or(corrupt)?,
        // Streams may be joined, so the identifier may come again.
        IDENTIFIES => return if body == &IDENTIFIER[4..] { Ok(()) } else { Err(corrupt) },
        SKIPPABLE.. => return Ok(()),
        _ => return Err(corrupt),
    };
    let len = if kind == COMPRESSED { decompress_len(data).map_err(|_| corrupt)? } else { data.len() };
    if len > CHUNK_DATA_MAX {
        return Err(corrupt);
    }
    if len > out.remaining() {
        return Err(out.too_large());
    }
    out.offer(len, |out| {
        if kind == COMPRESSED {
            return Decoder::new().decompress(data, out).map_err(|_| corrupt);
        }
        out.copy_from_slice(data);
        Ok(len)
    })?;
    let written = out.written();
    if masked_crc32c(&written[written.len() - len..]) == u32::from_le_bytes(*crc) {
        Ok(())
    } else {
        Err(corrupt)
    }
}

thread_local! {
    static ENCODER: Cell<Option<Encoder>> = const { Cell::new(None) };
}

const IDENTIFIER: &[u8] = b"\xff\x06\x00\x00sNaPpY";

// The kinds of chunks (§4 of the format). From `SKIPPABLE` on, padding included, a decoder passes over what it does not
// know; it fails on the kinds between.
const COMPRESSED: u8 = 0x00;
const UNCOMPRESSED: u8 = 0x01;
const SKIPPABLE: u8 = 0x80;
const IDENTIFIES: u8 = 0xff;

// No chunk stands for more (§4.2, §4.3).
const CHUNK_DATA_MAX: usize = 65_536;
