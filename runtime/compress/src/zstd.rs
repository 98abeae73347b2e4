//! Zstandard (RFC 8878), through the reference implementation.
//!
//! A body is one or more frames, one after another; skippable frames are skipped. Each is decoded in one piece into
//! the caller's buffer, which thus is the only window there is: a frame that declares a large one costs no memory.

use std::cell::Cell;

use bytes::BytesMut;
use zstd_safe::{CCtx, DCtx};

use crate::{
    Compression, DecompressError, Level,
    coder::{Bounded, with_idle},
};

/// Zstandard, at level 3 of 1 to 22 (or below 0, for speed) unless told otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub struct Zstd;

impl Compression for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn compress(&self, input: &[u8], level: Level, out: &mut BytesMut) {
        let level = match level {
            Level::Default => 3,
            Level::Exact(level) => level.clamp(zstd_safe::min_c_level(), zstd_safe::max_c_level()),
        };
        let start = out.len();
        out.resize(start + zstd_safe::compress_bound(input.len()), 0);
        let (len, size) = with_idle(&COMPRESS, Option::unwrap_or_default, |coder: &mut CCtx<'static>| {
            let len = coder.compress(&mut out[start..], input, level).expect("the bound holds any input");
            (len, coder.sizeof())
        });
        out.truncate(start + len);
        if size > IDLE_SIZE_MAX {
            COMPRESS.set(None);
        }
    }

    fn decompress(&self, input: &[u8], limit: usize, out: &mut BytesMut) -> Result<(), DecompressError> {
        let mut rest = input;
        let mut out = Bounded::new(out, limit, 0);
        with_idle(&DECOMPRESS, Option::unwrap_or_default, |coder| {
            while !rest.is_empty() {
                let len =
                    zstd_safe::find_frame_compressed_size(rest).map_err(|_| DecompressError::Corrupt)?;
                let (whole, behind) = rest.split_at_checked(len).ok_or(DecompressError::Corrupt)?;
                frame(whole, coder, &mut out)?;
                rest = behind;
            }
            Ok(())
        })?;
        out.commit();
        Ok(())
    }
}

/// Decompresses one frame, which says its size where the peer knew it beforehand.
fn frame(input: &[u8], coder: &mut DCtx<'static>, out: &mut Bounded<'_>) -> Result<(), DecompressError> {
    let reach = input.len().saturating_mul(RATIO_MAX);
    let claim = zstd_safe::get_frame_content_size(input).map_err(|_| DecompressError::Corrupt)?;
    if let Some(claim) = claim {
        let size = usize::try_from(claim).map_err(|_| out.too_large())?;
        if size > out.remaining() {
            return Err(out.too_large());
        }
        // A claim costs the peer nothing, so it buys no memory that the frame could not fill.
        if size > reach {
            return Err(DecompressError::Corrupt);
        }
        return match out.offer(size, |out| coder.decompress(out, input)) {
            Ok(len) if len == size => Ok(()),
            _ => Err(DecompressError::Corrupt),
        };
    }
    let most = reach.min(out.remaining());
    let mut size = input.len().saturating_mul(RATIO_USUAL).min(most);
    loop {
        match out.offer(size, |out| coder.decompress(out, input)) {
            Ok(_) => return Ok(()),
            Err(DESTINATION_TOO_SMALL) if size < most => size = size.saturating_mul(2).min(most),
            Err(DESTINATION_TOO_SMALL) if most < reach => return Err(out.too_large()),
            Err(_) => return Err(DecompressError::Corrupt),
        }
    }
}

thread_local! {
    static COMPRESS: Cell<Option<CCtx<'static>>> = const { Cell::new(None) };
    static DECOMPRESS: Cell<Option<DCtx<'static>>> = const { Cell::new(None) };
}

// Level 3 needs 1.3 MB at most; what a high level took for one message is not kept in every thread.
const IDLE_SIZE_MAX: usize = 4 << 20;

// A block of 128 KiB takes four bytes at least: three of header and the one that it repeats.
const RATIO_MAX: usize = 128 * 1024 / 4;

// Messages seldom shrink to less than a quarter; those that do are decoded again into twice the room.
const RATIO_USUAL: usize = 4;

// `ZSTD_error_dstSize_tooSmall` (zstd_errors.h, stable since 1.3.1), as the C functions return it.
const DESTINATION_TOO_SMALL: zstd_safe::ErrorCode = 70_usize.wrapping_neg();

#[cfg(test)]
mod tests;
