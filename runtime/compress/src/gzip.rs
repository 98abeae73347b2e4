//! gzip (RFC 1952), the one compression that every peer has.
//!
//! A body is one or more members, one after another, as RFC 1952 §2.2 has it, with nothing behind the last one.

use std::cell::Cell;

use bytes::{BufMut, BytesMut};
use flate2::{Compress, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use crate::{
    Compression, DecompressError, Level,
    coder::{Bounded, Step, append, with_idle},
};

/// gzip, at level 1 of 0 to 9 unless told otherwise.
///
/// Level 1 because a message waits for it: level 6 takes three times as long to save a third of the bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gzip;

impl Compression for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn compress(&self, input: &[u8], level: Level, out: &mut BytesMut) {
        let level = match level {
            Level::Default => 1,
            Level::Exact(level) => level.clamp(0, 9).unsigned_abs(),
        };
        let ready = |last: Option<(u32, Compress)>| match last {
            Some((its, mut coder)) if its == level => {
                coder.reset();
                (level, coder)
            }
            _ => (level, Compress::new(flate2::Compression::new(level), false)),
        };
        let mut crc = Crc::new();
        crc.update(input);
        out.put_slice(&HEADER);
        with_idle(&DEFLATE, ready, |(_, coder)| {
            append(input, input.len() / 2, out, |input, out| {
                let (consumed, produced) = (coder.total_in(), coder.total_out());
                let status =
                    coder.compress(input, out, FlushCompress::Finish).expect("deflate takes any input");
                Step {
                    consumed: (coder.total_in() - consumed) as usize,
                    produced: (coder.total_out() - produced) as usize,
                    done: status == Status::StreamEnd,
                }
            });
        });
        out.put_u32_le(crc.sum());
        out.put_u32_le(crc.amount());
    }

    fn decompress(&self, input: &[u8], limit: usize, out: &mut BytesMut) -> Result<(), DecompressError> {
        let mut rest = input;
        let mut out = Bounded::new(out, limit, expected_size(input));
        with_idle(
            &INFLATE,
            |last| last.unwrap_or_else(|| Decompress::new(false)),
            |coder| {
                while !rest.is_empty() {
                    rest = member(rest, coder, &mut out)?;
                }
                Ok(())
            },
        )?;
        out.commit();
        Ok(())
    }
}

/// Decompresses one member, and returns what follows it.
fn member<'a>(
    input: &'a [u8],
    coder: &mut Decompress,
    out: &mut Bounded<'_>,
) -> Result<&'a [u8], DecompressError> {
    let body = &input[header_len(input).ok_or(DecompressError::Corrupt)?..];
    let start = out.written().len();
    coder.reset(false);
    let consumed = out.run(body, |input, out| {
        let (consumed, produced) = (coder.total_in(), coder.total_out());
        let status =
            coder.decompress(input, out, FlushDecompress::Finish).map_err(|_| DecompressError::Corrupt)?;
        Ok(Step {
            consumed: (coder.total_in() - consumed) as usize,
            produced: (coder.total_out() - produced) as usize,
            done: status == Status::StreamEnd,
        })
    })?;
    let (trailer, rest) = body[consumed..].split_first_chunk::<8>().ok_or(DecompressError::Corrupt)?;
    let mut crc = Crc::new();
    crc.update(&out.written()[start..]);
    let mut expected = [0; 8];
    expected[..4].copy_from_slice(&crc.sum().to_le_bytes());
    expected[4..].copy_from_slice(&crc.amount().to_le_bytes());
    if *trailer == expected { Ok(rest) } else { Err(DecompressError::Corrupt) }
}

/// The length of the header that `input` begins with (RFC 1952 §2.3), if it is a whole and valid one.
fn header_len(input: &[u8]) -> Option<usize> {
    let (fixed, mut rest) = input.split_first_chunk::<10>()?;
    let &[0x1f, 0x8b, DEFLATED, flags, ..] = fixed else { return None };
    if flags & RESERVED != 0 {
        return None;
    }
    if flags & EXTRA != 0 {
        let (len, behind) = rest.split_first_chunk()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*len))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let nul = rest.iter().position(|&byte| byte == 0)?;
            rest = &rest[nul + 1..];
        }
    }
    if flags & HEADER_CRC != 0 {
        let mut crc = Crc::new();
        crc.update(&input[..input.len() - rest.len()]);
        let (its, behind) = rest.split_first_chunk()?;
        if u32::from(u16::from_le_bytes(*its)) != crc.sum() & 0xffff {
            return None;
        }
        rest = behind;
    }
    Some(input.len() - rest.len())
}

/// The size that the trailer claims, as far as deflate could reach it: a claim costs the peer nothing.
fn expected_size(input: &[u8]) -> usize {
    let claim = input.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    (claim as usize).min(input.len().saturating_mul(RATIO_MAX))
}

thread_local! {
    static DEFLATE: Cell<Option<(u32, Compress)>> = const { Cell::new(None) };
    static INFLATE: Cell<Option<Decompress>> = const { Cell::new(None) };
}

// No name, no time, an unknown system: the same input makes the same bytes everywhere.
const HEADER: [u8; 10] = [0x1f, 0x8b, DEFLATED, 0, 0, 0, 0, 0, 0, 0xff];
const DEFLATED: u8 = 8;
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

// The shortest code deflate has for its longest match: two bits for 258 bytes.
const RATIO_MAX: usize = 1032;

#[cfg(test)]
mod tests;
