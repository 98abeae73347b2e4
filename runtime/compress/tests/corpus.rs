//! What fuzzers found in gzip and zstd, and what is easily found.

use ringwire_compress::{Gzip, Zstd};
use ringwire_testing::{compression::fuzz, fuzz::Target};

#[test]
fn gzip_refuses_or_comes_back() {
    check(Target {
        name: "gzip",
        run: |input| fuzz(&Gzip, input),
        seeds: &[
            include_bytes!("golden/members.gz"),
            include_bytes!("golden/every_field.gz"),
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0",
        ],
    });
}

#[test]
fn zstd_refuses_or_comes_back() {
    check(Target {
        name: "zstd",
        run: |input| fuzz(&Zstd, input),
        seeds: &[
            include_bytes!("golden/frames.zst"),
            include_bytes!("golden/unsized.zst"),
            include_bytes!("golden/checked.zst"),
            include_bytes!("golden/huge_window.zst"),
        ],
    });
}

fn check(target: Target) {
    target.replay("runtime/compress", "testdata/corpus", 5_000);
}
