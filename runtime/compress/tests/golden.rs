//! What other programs compressed is understood here; `golden/README.md` says who made what.

use ringwire_compress::{Compression, DecompressError, Gzip, Zstd};
use ringwire_testing::compression::decompressed;

#[test]
fn gzip_understands_the_gzip_program() {
    check(&Gzip, include_bytes!("golden/gzip.gz"));
}

#[test]
fn gzip_reads_every_member() {
    check(&Gzip, include_bytes!("golden/members.gz"));
}

#[test]
fn gzip_understands_python() {
    check(&Gzip, include_bytes!("golden/python.gz"));
}

#[test]
fn gzip_skips_every_field_of_the_header() {
    check(&Gzip, include_bytes!("golden/every_field.gz"));
}

#[test]
fn zstd_understands_the_zstd_program() {
    check(&Zstd, include_bytes!("golden/checked.zst"));
    check(&Zstd, include_bytes!("golden/unsized.zst"));
}

#[test]
fn zstd_needs_no_window() {
    check(&Zstd, include_bytes!("golden/wide_window.zst"));
    check(&Zstd, include_bytes!("golden/huge_window.zst"));
}

#[test]
fn zstd_reads_every_frame_and_skips_the_skippable() {
    check(&Zstd, include_bytes!("golden/frames.zst"));
}

#[test]
fn zstd_understands_go() {
    check(&Zstd, include_bytes!("golden/go.zst"));
    check(&Zstd, include_bytes!("golden/go_flushed.zst"));
}

#[test]
fn one_does_not_understand_the_other() {
    let refused = Err(DecompressError::Corrupt);
    assert_eq!(decompressed(&Gzip, include_bytes!("golden/checked.zst"), 2000), refused);
    assert_eq!(decompressed(&Zstd, include_bytes!("golden/gzip.gz"), 2000), refused);
    assert_eq!(decompressed(&Gzip, MESSAGE, 2000), refused);
    assert_eq!(decompressed(&Zstd, MESSAGE, 2000), refused);
}

fn check(compression: &dyn Compression, stream: &[u8]) {
    let at = |limit| decompressed(compression, stream, limit);
    assert_eq!(at(MESSAGE.len()).as_deref(), Ok(MESSAGE));
    assert_eq!(at(MESSAGE.len() - 1), Err(DecompressError::TooLarge { limit: MESSAGE.len() - 1 }));
    for len in 1..stream.len() {
        let cut = decompressed(compression, &stream[..len], MESSAGE.len());
        // Between two members or frames the stream is whole, and the message shorter.
        assert!(
            cut == Err(DecompressError::Corrupt) || cut.is_ok_and(|shorter| shorter == MESSAGE[..500]),
            "{len}"
        );
    }
}

const MESSAGE: &[u8] = include_bytes!("golden/message.json");
