//! The content coding `deflate`, which is the zlib format (RFC 1950) and not a bare deflate stream.
//!
//! The contract is that of [`Compression`]; an application adds it by `compressions.with(&Deflate)`.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

use std::cell::Cell;

use bytes::BytesMut;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use ringwire_compress::{
    Compression, DecompressError, Level,
    coder::{Bounded, Step, append, with_idle},
};

/// deflate as HTTP means it (RFC 9110 §8.4.1.2), at level 1 of 0 to 9 unless told otherwise.
///
/// A bare deflate stream, which some senders confuse with it, is corrupt: no RPC peer sends one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deflate;

impl Compression for Deflate {
    fn name(&self) -> &'static str {
        "deflate"
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
            _ => (level, Compress::new(flate2::Compression::new(level), true)),
        };
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
    }

    fn decompress(&self, input: &[u8], limit: usize, out: &mut BytesMut) -> Result<(), DecompressError> {
        if input.is_empty() {
            return Ok(());
        }
        let mut out = Bounded::new(out, limit, input.len().saturating_mul(RATIO_USUAL));
        let consumed = with_idle(
            &INFLATE,
            |last| last.unwrap_or_else(|| Decompress::new(true)),
            |coder| {
                coder.reset(true);
                out.run(input, |input, out| {
                    let (consumed, produced) = (coder.total_in(), coder.total_out());
                    let status = coder.decompress(input, out, FlushDecompress::Finish);
                    let status = status.map_err(|_| DecompressError::Corrupt)?;
                    Ok(Step {
                        consumed: (coder.total_in() - consumed) as usize,
                        produced: (coder.total_out() - produced) as usize,
                        done: status == Status::StreamEnd,
                    })
                })
            },
        )?;
        if consumed < input.len() {
            return Err(DecompressError::Corrupt);
        }
        out.commit();
        Ok(())
    }
}

thread_local! {
    static DEFLATE: Cell<Option<(u32, Compress)>> = const { Cell::new(None) };
    static INFLATE: Cell<Option<Decompress>> = const { Cell::new(None) };
}

// The zlib format does not say how long its message is; this much is right for most, and doubles for the others.
const RATIO_USUAL: usize = 4;
