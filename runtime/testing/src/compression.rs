//! The laws of a [`Compression`], for ours and for an application's own.

use bytes::BytesMut;
use ringwire_compress::{Compression, DecompressError, Level};

use crate::seed::Seed;

/// What becomes of a stream that lost its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncated {
    /// It is corrupt, wherever it was cut.
    Corrupt,
    /// It is corrupt, or stands for the beginning of its message: the format does not mark its end.
    CorruptOrShorter,
}

/// Holds `compression` against every law of the trait.
///
/// # Panics
/// At the first law that is broken, naming it.
pub fn check(compression: &dyn Compression, truncated: Truncated) {
    for message in messages() {
        for level in [Level::Default, Level::Exact(1), Level::Exact(i32::MIN), Level::Exact(i32::MAX)] {
            round_trip(compression, &message, level);
        }
        limits(compression, &message);
    }
    nothing_stands_for_nothing(compression);
    truncation(compression, truncated);
    trailing_bytes(compression);
    damage(compression);
    noise(compression);
}

/// Compresses `message` at the default level.
pub fn compressed(compression: &dyn Compression, message: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    compression.compress(message, Level::Default, &mut out);
    out.to_vec()
}

/// Decompresses `input` behind other bytes, and checks what holds in any case: those bytes stay, the limit holds, and
/// a failure leaves nothing behind.
///
/// # Panics
/// If any of that does not hold.
pub fn decompressed(
    compression: &dyn Compression,
    input: &[u8],
    limit: usize,
) -> Result<Vec<u8>, DecompressError> {
    let mut out = BytesMut::from(BEFORE);
    let result = compression.decompress(input, limit, &mut out);
    let added = out.strip_prefix(BEFORE).expect("the caller's bytes stay");
    match result {
        Ok(()) => {
            assert!(added.len() <= limit, "{} bytes pass a limit of {limit}", added.len());
            Ok(added.to_vec())
        }
        Err(error) => {
            assert!(added.is_empty(), "{error} left {} bytes behind", added.len());
            Err(error)
        }
    }
}

/// What a fuzzer holds `compression` against: any `input` is refused or stands for a message within a limit, which
/// compressed again stands for itself.
///
/// # Panics
/// If that does not hold.
pub fn fuzz(compression: &dyn Compression, input: &[u8]) {
    let Ok(message) = decompressed(compression, input, FUZZ_LIMIT) else { return };
    round_trip(compression, &message, Level::Default);
    if !message.is_empty() {
        let refused = decompressed(compression, input, message.len() - 1);
        assert_eq!(refused, Err(DecompressError::TooLarge { limit: message.len() - 1 }));
    }
}

fn round_trip(compression: &dyn Compression, message: &[u8], level: Level) {
    let mut out = BytesMut::from(BEFORE);
    compression.compress(message, level, &mut out);
    let stream = out.strip_prefix(BEFORE).expect("the caller's bytes stay");
    assert!(!stream.is_empty(), "an empty message is compressed to something");
    let back = decompressed(compression, stream, message.len()).expect("our own stream is well formed");
    assert!(back == message, "{} bytes at {level:?} do not come back", message.len());
}

fn limits(compression: &dyn Compression, message: &[u8]) {
    let stream = compressed(compression, message);
    let at = |limit| decompressed(compression, &stream, limit);
    assert_eq!(at(message.len()).as_deref(), Ok(message), "a message as long as the limit passes");
    assert_eq!(at(message.len() + 1).as_deref(), Ok(message), "a message below the limit passes");
    assert_eq!(at(usize::MAX).as_deref(), Ok(message), "a limit need not limit");
    for below in [message.len().wrapping_sub(1), message.len() / 2, 0] {
        if below < message.len() {
            let refused = at(below);
            assert_eq!(refused, Err(DecompressError::TooLarge { limit: below }), "{} bytes", message.len());
        }
    }
}

fn nothing_stands_for_nothing(compression: &dyn Compression) {
    assert_eq!(decompressed(compression, b"", 0), Ok(Vec::new()), "no bytes stand for no bytes");
    assert_eq!(decompressed(compression, b"", 1), Ok(Vec::new()), "no bytes stand for no bytes");
}

fn truncation(compression: &dyn Compression, truncated: Truncated) {
    let stream = compressed(compression, TEXT);
    for len in 1..stream.len() {
        match decompressed(compression, &stream[..len], TEXT.len()) {
            Err(DecompressError::Corrupt) => {}
            Ok(shorter) if truncated == Truncated::CorruptOrShorter => assert!(TEXT.starts_with(&shorter)),
            other => panic!("{len} bytes of a stream of {} give {other:?}", stream.len()),
        }
    }
}

fn trailing_bytes(compression: &dyn Compression) {
    for extra in 0..=u8::MAX {
        let mut stream = compressed(compression, TEXT);
        stream.push(extra);
        let result = decompressed(compression, &stream, TEXT.len());
        assert_eq!(result, Err(DecompressError::Corrupt), "a byte {extra:#04x} behind the end");
    }
}

fn damage(compression: &dyn Compression) {
    let stream = compressed(compression, TEXT);
    for bit in 0..stream.len() * 8 {
        let mut damaged = stream.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let _ = decompressed(compression, &damaged, TEXT.len() * 2);
    }
}

fn noise(compression: &dyn Compression) {
    let mut seed = Seed::new(1);
    let stream = compressed(compression, TEXT);
    for _ in 0..2_000 {
        let len = seed.below(64);
        let begin = seed.below(stream.len());
        let noise = [&stream[..begin], &seed.bytes(len)].concat();
        let _ = decompressed(compression, &noise, TEXT.len());
    }
}

/// Short and long, of one byte and of none, that shrink well and not at all; some longer than one block of any format.
fn messages() -> Vec<Vec<u8>> {
    let mut seed = Seed::new(7);
    vec![
        Vec::new(),
        b"a".to_vec(),
        TEXT.to_vec(),
        vec![0; 300_000],
        seed.bytes(1_000),
        seed.bytes(150_000),
        TEXT.repeat(500),
        [seed.bytes(70_000), vec![7; 70_000], seed.bytes(70_000)].concat(),
    ]
}

const FUZZ_LIMIT: usize = 1 << 16;

const BEFORE: &[u8] = b"before";

const TEXT: &[u8] =
    b"A greeting needs a name; a name needs no greeting. A greeting without a name is no greeting.";
