//! deflate keeps the laws of a compression, understands zlib, and refuses bombs and bare streams.

use bytes::BytesMut;
use ringwire_compress::{Compression, Compressions, DecompressError, Level};
use ringwire_compress_deflate::Deflate;
use ringwire_testing::{
    compression::{self, Truncated, decompressed},
    fuzz::Target,
};

#[test]
fn deflate_keeps_the_laws() {
    compression::check(&Deflate, Truncated::Corrupt);
}

#[test]
fn deflate_is_added_by_name() {
    assert_eq!(Compressions::none().with(&Deflate).accept_header(), Some("deflate"));
}

#[test]
fn deflate_understands_zlib() {
    check(include_bytes!("golden/python.zlib"), Ok(MESSAGE));
    check(include_bytes!("golden/small_window.zlib"), Ok(MESSAGE));
}

#[test]
fn zlib_understands_deflate() {
    let mut stream = BytesMut::new();
    Deflate.compress(MESSAGE, Level::Default, &mut stream);
    assert_eq!(stream[0] & 0x0f, 8, "the method of the zlib header is deflate");
    assert_eq!(u16::from_be_bytes([stream[0], stream[1]]) % 31, 0, "the check of the zlib header holds");
}

#[test]
fn bare_stream_and_preset_dictionary_are_corrupt() {
    check(include_bytes!("golden/python.deflate"), Err(DecompressError::Corrupt));
    check(include_bytes!("golden/dictionary.zlib"), Err(DecompressError::Corrupt));
}

#[test]
fn deflate_refuses_or_comes_back() {
    let seeds: &[&[u8]] = &[include_bytes!("golden/python.zlib"), include_bytes!("golden/small_window.zlib")];
    let target = Target { name: "deflate", run: |input| compression::fuzz(&Deflate, input), seeds };
    target.replay("runtime/compress/deflate", "testdata/corpus", 5_000);
}

#[test]
fn bomb_is_refused_at_the_limit() {
    let mut bomb = BytesMut::new();
    Deflate.compress(&vec![0; 8 * LIMIT], Level::Default, &mut bomb);
    let measured = allocation_counter::measure(|| {
        let refused = Deflate.decompress(&bomb, LIMIT, &mut BytesMut::new());
        assert_eq!(refused, Err(DecompressError::TooLarge { limit: LIMIT }));
    });
    assert!(measured.bytes_max < 2 * LIMIT as u64 + 64 * 1024, "{measured:?}");
}

fn check(stream: &[u8], expected: Result<&[u8], DecompressError>) {
    assert_eq!(decompressed(&Deflate, stream, MESSAGE.len()).as_deref(), expected.as_ref().copied());
}

const LIMIT: usize = 1 << 20;
const MESSAGE: &[u8] = include_bytes!("golden/message.json");
