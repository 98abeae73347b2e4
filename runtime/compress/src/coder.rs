//! What every compression is built from: output that cannot pass its limit, and coders that are used again.
//!
//! For those who write a [`Compression`](crate::Compression). A decoder never sees the caller's buffer: it gets
//! slices of it from [`Bounded`], which owns the counting, so that a forgotten check cannot let a bomb through.

use std::{cell::Cell, thread::LocalKey};

use bytes::BytesMut;

use crate::DecompressError;

/// What one turn of a coder did with the input and the output it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How many bytes of the input it used up.
    pub consumed: usize,
    /// How many bytes of the output it wrote.
    pub produced: usize,
    /// Whether the stream is complete.
    pub done: bool,
}

/// The end of a buffer, as long as a limit lets it grow.
///
/// Dropped before [`commit`](Bounded::commit), it leaves the buffer as it was.
#[derive(Debug)]
pub struct Bounded<'a> {
    out: &'a mut BytesMut,
    start: usize,
    written: usize,
    limit: usize,
    committed: bool,
}

impl<'a> Bounded<'a> {
    /// Room for `limit` bytes at the end of `out`, and memory for `expected` of them.
    pub fn new(out: &'a mut BytesMut, limit: usize, expected: usize) -> Self {
        let start = out.len();
        let mut bounded = Self { out, start, written: 0, limit, committed: false };
        bounded.grow(expected.min(limit));
        bounded
    }

    /// The bytes written so far.
    pub fn written(&self) -> &[u8] {
        &self.out[self.start..self.start + self.written]
    }

    /// How many more bytes may be written.
    pub fn remaining(&self) -> usize {
        self.limit - self.written
    }

    /// The refusal of one byte too many.
    pub fn too_large(&self) -> DecompressError {
        DecompressError::TooLarge { limit: self.limit }
    }

    /// Turns `step` until its stream is complete, and says how much of `input` that took.
    pub fn run(
        &mut self,
        input: &[u8],
        mut step: impl FnMut(&[u8], &mut [u8]) -> Result<Step, DecompressError>,
    ) -> Result<usize, DecompressError> {
        let mut consumed = 0;
        loop {
            if self.spare().is_empty() {
                self.grow((self.out.len() - self.start).saturating_mul(2).max(SMALLEST_GROWTH));
            }
            // At the limit the stream may still have its end to read, so it gets one more byte to write: a byte of
            // its own, whose use is the refusal.
            let mut over = [0];
            let full = self.remaining() == 0;
            let target = if full { &mut over[..] } else { self.spare() };
            let turn = step(&input[consumed..], target)?;
            if full && turn.produced > 0 {
                return Err(self.too_large());
            }
            consumed += turn.consumed;
            self.written += turn.produced;
            if turn.done {
                return Ok(consumed);
            }
            if turn.consumed == 0 && turn.produced == 0 {
                return Err(DecompressError::Corrupt);
            }
        }
    }

    /// Offers `fill` room for `len` bytes, or for as many as the limit leaves, and keeps as many as it says it wrote.
    pub fn offer<E>(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let len = len.min(self.remaining());
        if len > self.spare().len() {
            self.grow((self.written + len).max(self.written.saturating_mul(2)));
        }
        let wrote = fill(&mut self.spare()[..len])?;
        assert!(wrote <= len, "a decoder writes no more than its room");
        self.written += wrote;
        Ok(wrote)
    }

    /// Keeps what was written.
    pub fn commit(mut self) {
        self.committed = true;
    }

    fn spare(&mut self) -> &mut [u8] {
        &mut self.out[self.start + self.written..]
    }

    fn grow(&mut self, len: usize) {
        let len = self.start + len.min(self.limit);
        if len > self.out.capacity() && self.written > 0 {
            // A buffer that grows by itself doubles, and so would pass the limit.
            let mut larger = BytesMut::with_capacity(len);
            larger.extend_from_slice(&self.out[..self.start + self.written]);
            *self.out = larger;
        }
        if len > self.out.len() {
            self.out.resize(len, 0);
        }
    }
}

impl Drop for Bounded<'_> {
    fn drop(&mut self) {
        let written = if self.committed { self.written } else { 0 };
        self.out.truncate(self.start + written);
    }
}

/// Appends everything that `step` makes of `input` to `out`, beginning with memory for `expected` bytes.
///
/// For compressing, where the caller owns the input and so the size of the output.
///
/// # Panics
/// If `step` neither ends nor moves: a coder with room to write always does one of the two.
pub fn append(
    input: &[u8],
    expected: usize,
    out: &mut BytesMut,
    mut step: impl FnMut(&[u8], &mut [u8]) -> Step,
) {
    let mut end = out.len();
    let mut consumed = 0;
    out.resize(end + expected.max(SMALLEST_GROWTH), 0);
    loop {
        if end == out.len() {
            out.resize(end + end.max(SMALLEST_GROWTH), 0);
        }
        let turn = step(&input[consumed..], &mut out[end..]);
        consumed += turn.consumed;
        end += turn.produced;
        if turn.done {
            return out.truncate(end);
        }
        assert!(turn.consumed + turn.produced > 0, "a coder with room to write moves or ends");
    }
}

/// Lends this thread's idle coder to `work`, made by `ready` out of the last one, if any.
///
/// Making a coder costs more than compressing a small message with it, and there is no `&mut` to keep one in: a
/// [`Compression`](crate::Compression) is shared by every call. A coder for each thread needs no lock, and moves no
/// cache line between cores.
pub fn with_idle<T, R>(
    idle: &'static LocalKey<Cell<Option<T>>>,
    ready: impl FnOnce(Option<T>) -> T,
    work: impl FnOnce(&mut T) -> R,
) -> R {
    // While a thread ends its idle coder is gone already; the call still works.
    let mut coder = ready(idle.try_with(Cell::take).ok().flatten());
    let result = work(&mut coder);
    let _ = idle.try_with(|slot| slot.set(Some(coder)));
    result
}

const SMALLEST_GROWTH: usize = 256;

#[cfg(test)]
mod tests;
