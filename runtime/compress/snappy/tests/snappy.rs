//! snappy keeps the laws of a compression, understands Go, and refuses what the format forbids.

use bytes::BytesMut;
use ringwire_compress::{Compression, Compressions, DecompressError, Level};
use ringwire_compress_snappy::Snappy;
use ringwire_testing::{
    compression::{self, Truncated, compressed, decompressed},
    fuzz::Target,
    seed::Seed,
};

#[test]
fn snappy_keeps_the_laws() {
    compression::check(&Snappy, Truncated::CorruptOrShorter);
}

#[test]
fn snappy_is_added_by_name() {
    assert_eq!(Compressions::none().with(&Snappy).accept_header(), Some("snappy"));
}

#[test]
fn snappy_understands_go() {
    check(include_bytes!("golden/go.snappy"), Ok(MESSAGE));
}

#[test]
fn stream_begins_with_its_identifier() {
    let stream = compressed(&Snappy, MESSAGE);
    assert!(stream.starts_with(IDENTIFIER));
    check(&stream[IDENTIFIER.len()..], CORRUPT);
    check(IDENTIFIER, Ok(b""));
}

#[test]
fn joined_streams_are_one() {
    let joined = [compressed(&Snappy, &MESSAGE[..500]), compressed(&Snappy, &MESSAGE[500..])].concat();
    check(&joined, Ok(MESSAGE));
}

#[test]
fn padding_and_skippable_chunks_are_skipped() {
    for kind in 0x80..=0xfe {
        let mut stream = compressed(&Snappy, MESSAGE);
        stream.extend_from_slice(&[kind, 3, 0, 0, 1, 2, 3]);
        check(&stream, Ok(MESSAGE));
        stream.pop();
        check(&stream, CORRUPT);
    }
}

#[test]
fn unknown_chunks_that_matter_are_corrupt() {
    for kind in 0x02..0x80 {
        check(&[IDENTIFIER, &[kind, 3, 0, 0, 1, 2, 3]].concat(), CORRUPT);
    }
}

#[test]
fn another_identifier_is_corrupt() {
    check(&[IDENTIFIER, b"\xff\x06\x00\x00SnApPy"].concat(), CORRUPT);
}

#[test]
fn chunk_longer_than_the_format_allows_is_corrupt() {
    let longest = uncompressed(&[7; 65_536]);
    assert_eq!(decompressed(&Snappy, &longest, usize::MAX), Ok(vec![7; 65_536]));
    let longer = uncompressed(&[7; 65_537]);
    assert_eq!(decompressed(&Snappy, &longer, usize::MAX), Err(DecompressError::Corrupt));
}

#[test]
fn every_byte_of_the_checksum_counts() {
    for at in 0..4 {
        let mut stream = compressed(&Snappy, MESSAGE);
        stream[IDENTIFIER.len() + 4 + at] ^= 1;
        check(&stream, CORRUPT);
    }
}

#[test]
fn what_does_not_shrink_is_left_as_it_is() {
    let noise = Seed::new(1).bytes(1000);
    assert_eq!(compressed(&Snappy, &noise), uncompressed(&noise));
}

#[test]
fn snappy_refuses_or_comes_back() {
    let seeds: &[&[u8]] = &[include_bytes!("golden/go.snappy")];
    let target = Target { name: "snappy", run: |input| compression::fuzz(&Snappy, input), seeds };
    target.replay("runtime/compress/snappy", "testdata/corpus", 5_000);
}

#[test]
fn bomb_is_refused_at_the_limit() {
    let mut chunk = BytesMut::new();
    Snappy.compress(&[0; 65_536], Level::Default, &mut chunk);
    let bomb = [IDENTIFIER, &chunk[IDENTIFIER.len()..].repeat(1024)].concat();
    let measured = allocation_counter::measure(|| {
        let refused = Snappy.decompress(&bomb, LIMIT, &mut BytesMut::new());
        assert_eq!(refused, Err(DecompressError::TooLarge { limit: LIMIT }));
    });
    assert!(measured.bytes_max < 2 * LIMIT as u64, "{measured:?}");
}

/// A stream of one chunk that is not compressed, its checksum reckoned bit by bit.
fn uncompressed(data: &[u8]) -> Vec<u8> {
    let crc = !data.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    });
    let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
    let len = (data.len() as u32 + 4).to_le_bytes();
    [IDENTIFIER, &[1], &len[..3], &masked.to_le_bytes(), data].concat()
}

fn check(stream: &[u8], expected: Result<&[u8], DecompressError>) {
    assert_eq!(decompressed(&Snappy, stream, MESSAGE.len()).as_deref(), expected.as_ref().copied());
}

const CORRUPT: Result<&[u8], DecompressError> = Err(DecompressError::Corrupt);
const IDENTIFIER: &[u8] = b"\xff\x06\x00\x00sNaPpY";
const LIMIT: usize = 4 << 20;
const MESSAGE: &[u8] = include_bytes!("golden/message.json");
