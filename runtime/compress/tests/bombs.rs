//! Memory stays near the limit, whatever a peer sends.

use bytes::BytesMut;
use flate2::{Compress, FlushCompress};
use ringwire_compress::{Compression, DecompressError, Gzip, Level, Zstd};

#[test]
fn gibibyte_of_gzip_is_refused_at_the_limit() {
    check(&Gzip, &gzip_bomb(), TOO_LARGE);
}

#[test]
fn gibibyte_of_gzip_members_is_refused_at_the_limit() {
    let mut member = BytesMut::new();
    Gzip.compress(&vec![0; MIB], Level::Default, &mut member);
    check(&Gzip, &member.repeat(1024), TOO_LARGE);
}

#[test]
fn false_size_in_a_gzip_trailer_buys_no_memory() {
    let mut member = BytesMut::new();
    Gzip.compress(b"small", Level::Default, &mut member);
    let len = member.len();
    member[len - 4..].fill(0xff);
    assert!(peak(&Gzip, &member, Err(DecompressError::Corrupt)) < CODER_MAX + 1032 * len);
}

#[test]
fn gibibyte_of_zstd_is_refused_at_the_limit() {
    check(&Zstd, &zstd_bomb(&[0x00, 0x38]), TOO_LARGE);
}

#[test]
fn gibibyte_that_a_zstd_frame_declares_is_refused_unread() {
    let declared = [&[0xe0][..], &(1_u64 << 30).to_le_bytes()].concat();
    assert!(peak(&Zstd, &zstd_bomb(&declared), TOO_LARGE) < CODER_MAX);
}

#[test]
fn false_size_in_a_zstd_frame_buys_no_memory() {
    let declared = [ZSTD_MAGIC, &[0xe0], &(LIMIT as u64).to_le_bytes(), &[1, 0, 0]].concat();
    assert!(peak(&Zstd, &declared, Err(DecompressError::Corrupt)) < CODER_MAX);
}

#[test]
fn message_of_known_size_is_allocated_once() {
    let compressions: [&dyn Compression; 2] = [&Gzip, &Zstd];
    for compression in compressions {
        let mut stream = BytesMut::new();
        compression.compress(&vec![0; LIMIT], Level::Default, &mut stream);
        assert!(peak(compression, &stream, Ok(())) < LIMIT + CODER_MAX, "{compression:?}");
    }
}

#[test]
fn kept_coders_allocate_nothing() {
    let compressions: [&dyn Compression; 2] = [&Gzip, &Zstd];
    for compression in compressions {
        let (mut stream, mut back) = (BytesMut::with_capacity(2048), BytesMut::with_capacity(2048));
        let mut turn = || {
            stream.clear();
            back.clear();
            compression.compress(&[7; 1024], Level::Default, &mut stream);
            compression.decompress(&stream, 1024, &mut back).unwrap();
        };
        turn();
        assert_eq!(allocation_counter::measure(turn).count_total, 0, "{compression:?}");
    }
}

fn check(compression: &dyn Compression, bomb: &[u8], expected: Result<(), DecompressError>) {
    let peak = peak(compression, bomb, expected);
    assert!(peak <= 2 * LIMIT + CODER_MAX, "{peak} bytes at once under a limit of {LIMIT}");
}

/// The most memory held at once while `input` is decompressed under `LIMIT`.
fn peak(compression: &dyn Compression, input: &[u8], expected: Result<(), DecompressError>) -> usize {
    let measured = allocation_counter::measure(|| {
        assert_eq!(compression.decompress(input, LIMIT, &mut BytesMut::new()), expected);
    });
    measured.bytes_max as usize
}

/// One member whose body says the same mebibyte of zeros over and over.
fn gzip_bomb() -> Vec<u8> {
    let mut coder = Compress::new(flate2::Compression::best(), false);
    let mut zeros = Vec::with_capacity(MIB);
    coder.compress_vec(&vec![0; MIB], &mut zeros, FlushCompress::Full).expect("deflate takes any input");
    let end = b"\x03\x00\0\0\0\0\0\0\0\0";
    [b"\x1f\x8b\x08\0\0\0\0\0\0\xff", &zeros.repeat(1024)[..], end].concat()
}

/// One frame of blocks that repeat a byte 128 Ki times, behind a header that the caller chooses.
fn zstd_bomb(header: &[u8]) -> Vec<u8> {
    let block = |last: u32| (last | 1 << 1 | (128 * 1024) << 3).to_le_bytes();
    [ZSTD_MAGIC, header, &block(0).repeat(8191), &block(1)].concat()
}

const MIB: usize = 1 << 20;
const LIMIT: usize = 4 * MIB;
const TOO_LARGE: Result<(), DecompressError> = Err(DecompressError::TooLarge { limit: LIMIT });

// What a coder needs for itself: 47 KB to inflate; the memory of zstd comes from C and is not counted.
const CODER_MAX: usize = 64 * 1024;
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
