//! Brotli (RFC 7932), which shrinks text more than the others and takes longer for it.
//!
//! The contract is that of [`Compression`]; an application adds it by `compressions.with(&Br)`.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

use brotli::{
    Allocator, BrotliDecompressStream, BrotliResult, BrotliState,
    enc::{
        StandardAlloc,
        encode::{BrotliEncoderOperation, BrotliEncoderParameter, BrotliEncoderStateStruct},
    },
};
use bytes::BytesMut;
use ringwire_compress::{
    Compression, DecompressError, Level,
    coder::{Bounded, Step, append},
};

/// Brotli, at quality 4 of 0 to 11 unless told otherwise: from 5 on, its tables take a millisecond to lay out, for
/// however small a message.
///
/// The large windows of some encoders (over 16 MiB) are not Brotli as RFC 7932 has it, and corrupt here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Br;

impl Compression for Br {
    fn name(&self) -> &'static str {
        "br"
    }

    fn compress(&self, input: &[u8], level: Level, out: &mut BytesMut) {
        let quality = match level {
            Level::Default => 4,
            Level::Exact(level) => level.clamp(0, 11).unsigned_abs(),
        };
        let mut coder = BrotliEncoderStateStruct::new(StandardAlloc::default());
        coder.set_parameter(BrotliEncoderParameter::BROTLI_PARAM_QUALITY, quality);
        coder.set_parameter(BrotliEncoderParameter::BROTLI_PARAM_LGWIN, window_bits(input.len()));
        coder.set_parameter(BrotliEncoderParameter::BROTLI_PARAM_SIZE_HINT, size_hint(input.len()));
        append(input, input.len() / 2, out, |input, out| {
            let (mut left, mut consumed, mut room, mut produced) = (input.len(), 0, out.len(), 0);
            let fine = coder.compress_stream(
                BrotliEncoderOperation::BROTLI_OPERATION_FINISH,
                &mut left,
                input,
                &mut consumed,
                &mut room,
                out,
                &mut produced,
                &mut None,
                &mut |_, _, _, _| {},
            );
            assert!(fine, "Brotli takes any input");
            Step { consumed, produced, done: coder.is_finished() }
        });
    }

    fn decompress(&self, input: &[u8], limit: usize, out: &mut BytesMut) -> Result<(), DecompressError> {
        if input.is_empty() {
            return Ok(());
        }
        let mut out = Bounded::new(out, limit, input.len().saturating_mul(RATIO_USUAL));
        let window = Window { size_max: window_max(limit), refused: false };
        let mut coder = BrotliState::new_strict(window, StandardAlloc::default(), StandardAlloc::default());
        let consumed = out.run(input, |input, out| {
            let (mut left, mut consumed, mut room, mut produced) = (input.len(), 0, out.len(), 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut consumed,
                input,
                &mut room,
                &mut produced,
                out,
                &mut 0,
                &mut coder,
            );
            match result {
                BrotliResult::ResultFailure if coder.alloc_u8.refused => {
                    Err(DecompressError::TooLarge { limit })
                }
                BrotliResult::ResultFailure => Err(DecompressError::Corrupt),
                BrotliResult::ResultSuccess => Ok(Step { consumed, produced, done: true }),
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {
                    Ok(Step { consumed, produced, done: false })
                }
            }
        })?;
        if consumed < input.len() {
            return Err(DecompressError::Corrupt);
        }
        out.commit();
        Ok(())
    }
}

/// Memory for a decoder's window, as much of it as a message within the limit can fill.
///
/// The window grows to what a block declares, 16 MiB at most, before the block has shown that it holds as much.
struct Window {
    size_max: usize,
    refused: bool,
}

impl Allocator<u8> for Window {
    type AllocatedMemory = <StandardAlloc as Allocator<u8>>::AllocatedMemory;

    fn alloc_cell(&mut self, len: usize) -> Self::AllocatedMemory {
        if len > self.size_max {
            self.refused = true;
            return Self::AllocatedMemory::default();
        }
        StandardAlloc::default().alloc_cell(len)
    }

    fn free_cell(&mut self, cell: Self::AllocatedMemory) {
        drop(cell);
    }
}

// A window is a power of two with a little slack behind it; the tables beside it take 16 KiB at most.
fn window_max(limit: usize) -> usize {
    limit.checked_next_power_of_two().unwrap_or(usize::MAX).saturating_add(16 * 1024)
}

// A window larger than the message would only cost memory.
fn window_bits(len: usize) -> u32 {
    len.saturating_add(WINDOW_GAP).checked_next_power_of_two().map_or(22, usize::trailing_zeros).clamp(10, 22)
}

fn size_hint(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

// A window of 2^n reaches back 16 bytes less (RFC 7932 §9.1).
const WINDOW_GAP: usize = 16;

// Brotli does not say how long its message is; this much is right for most, and doubles for the others.
const RATIO_USUAL: usize = 4;
