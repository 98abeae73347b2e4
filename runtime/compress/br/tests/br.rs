//! br keeps the laws of a compression, understands node and Go, and refuses bombs and windows it was not asked for.

use bytes::BytesMut;
use ringwire_compress::{Compression, Compressions, DecompressError, Level};
use ringwire_compress_br::Br;
use ringwire_testing::{
    compression::{self, Truncated, compressed, decompressed},
    fuzz::Target,
    seed::Seed,
};

#[test]
fn br_keeps_the_laws() {
    compression::check(&Br, Truncated::Corrupt);
}

#[test]
fn br_is_added_by_name() {
    assert_eq!(Compressions::none().with(&Br).accept_header(), Some("br"));
}

#[test]
fn br_understands_node() {
    check(include_bytes!("golden/node.br"), Ok(MESSAGE));
    check(include_bytes!("golden/small.br"), Ok(MESSAGE));
}

#[test]
fn br_understands_go() {
    check(include_bytes!("golden/go.br"), Ok(MESSAGE));
}

#[test]
fn large_window_is_corrupt() {
    check(include_bytes!("golden/large_window.br"), Err(DecompressError::Corrupt));
}

#[test]
fn messages_of_whole_windows_fit_their_limit() {
    for len in [1 << 10, 1 << 16, 1 << 20] {
        for len in [len - 17, len - 16, len - 1, len, len + 1] {
            let message: Vec<u8> = Seed::new(3).bytes(len);
            assert!(
                decompressed(&Br, &compressed(&Br, &message), message.len())
                    .is_ok_and(|back| back == message)
            );
        }
    }
}

#[test]
fn br_refuses_or_comes_back() {
    let seeds: &[&[u8]] = &[
        include_bytes!("golden/node.br"),
        include_bytes!("golden/go.br"),
        include_bytes!("golden/small.br"),
    ];
    let target = Target { name: "br", run: |input| compression::fuzz(&Br, input), seeds };
    target.replay("runtime/compress/br", "testdata/corpus", 5_000);
}

#[test]
fn bomb_is_refused_at_the_limit() {
    let mut bomb = BytesMut::new();
    Br.compress(&vec![0; 8 * LIMIT], Level::Exact(1), &mut bomb);
    let peak = peak(&bomb, LIMIT);
    assert!(peak < 3 * LIMIT + CODER_MAX, "{peak} bytes");
}

#[test]
fn declared_block_buys_no_window() {
    // A window of 16 MiB, then the header of an uncompressed block of as many bytes, and the first of them.
    let declared = [0xcf, 0xff, 0xff, 0xff, b'a'];
    assert_eq!(decompressed(&Br, &declared, 1024), Err(DecompressError::TooLarge { limit: 1024 }));
    assert_eq!(decompressed(&Br, &declared, 16 << 20), Err(DecompressError::Corrupt));
    assert!(peak(&declared, 1024) < CODER_MAX);
}

fn check(stream: &[u8], expected: Result<&[u8], DecompressError>) {
    assert_eq!(decompressed(&Br, stream, MESSAGE.len()).as_deref(), expected.as_ref().copied());
}

/// The most memory held at once while `input` is refused.
fn peak(input: &[u8], limit: usize) -> usize {
    let measured = allocation_counter::measure(|| {
        assert!(Br.decompress(input, limit, &mut BytesMut::new()).is_err());
    });
    measured.bytes_max as usize
}

const LIMIT: usize = 1 << 20;
const MESSAGE: &[u8] = include_bytes!("golden/message.json");

// The state of a decoder, with its tables.
const CODER_MAX: usize = 128 * 1024;
