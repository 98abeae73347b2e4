//! gzip and zstd keep the laws of every compression.

use ringwire_compress::{Gzip, Zstd};
use ringwire_testing::compression::{Truncated, check};

#[test]
fn gzip_keeps_the_laws() {
    check(&Gzip, Truncated::Corrupt);
}

#[test]
fn zstd_keeps_the_laws() {
    check(&Zstd, Truncated::Corrupt);
}
