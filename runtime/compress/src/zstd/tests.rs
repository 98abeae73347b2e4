use super::*;

#[test]
fn limit_is_that_of_all_frames_together() {
    let mut frames = BytesMut::new();
    Zstd.compress(b"first ", Level::Default, &mut frames);
    Zstd.compress(b"second", Level::Default, &mut frames);
    check(&frames, 12, Ok("first second"));
    check(&frames, 11, Err(DecompressError::TooLarge { limit: 11 }));
}

#[test]
fn frame_without_a_size_grows_to_the_limit() {
    let frame = frame_of_a(100_000);
    let message = "a".repeat(100_000);
    check(&frame, 100_000, Ok(&message));
    check(&frame, 100_001, Ok(&message));
    check(&frame, 99_999, Err(DecompressError::TooLarge { limit: 99_999 }));
}

#[test]
fn skippable_frames_are_skipped() {
    let mut frames = BytesMut::from(&b"\x50\x2a\x4d\x18\x02\0\0\0xx"[..]);
    check(&frames, 0, Ok(""));
    Zstd.compress(b"message", Level::Default, &mut frames);
    frames.extend_from_slice(b"\x5f\x2a\x4d\x18\0\0\0\0");
    check(&frames, 7, Ok("message"));
    frames.truncate(frames.len() - 1);
    check(&frames, 7, Err(DecompressError::Corrupt));
}

#[test]
fn frame_for_a_dictionary_is_corrupt() {
    check(b"\x28\xb5\x2f\xfd\x21\x07\x01\x09\0\0a", 100, Err(DecompressError::Corrupt));
}

#[test]
fn coder_of_a_high_level_is_not_kept() {
    let mut out = BytesMut::new();
    Zstd.compress(b"message", Level::Default, &mut out);
    assert!(take().is_some());
    Zstd.compress(&vec![0; 1 << 20], Level::Exact(22), &mut out);
    assert!(take().is_none());
}

#[test]
fn error_of_the_c_library_is_the_one_we_know() {
    let frame = frame_of_a(2);
    let small = DCtx::create().decompress(&mut [0_u8; 1][..], &frame);
    assert_eq!(small, Err(DESTINATION_TOO_SMALL));
}

fn check(input: &[u8], limit: usize, expected: Result<&str, DecompressError>) {
    let mut out = BytesMut::new();
    let result = Zstd.decompress(input, limit, &mut out);
    assert_eq!(result.map(|()| &out[..]), expected.map(str::as_bytes));
}

/// A frame that does not say its size: one block that repeats a letter.
fn frame_of_a(len: u32) -> Vec<u8> {
    let block = 1 | 1 << 1 | len << 3;
    [b"\x28\xb5\x2f\xfd\x00\x38", &block.to_le_bytes()[..3], b"a"].concat()
}

fn take() -> Option<CCtx<'static>> {
    COMPRESS.take()
}
