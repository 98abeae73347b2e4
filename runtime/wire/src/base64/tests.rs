use super::*;

/// Writes `bytes` as `text`, which has its padding, and reads them back: padded or not, whole or in two
/// chunks cut at every place.
#[track_caller]
fn check(alphabet: Alphabet, bytes: &[u8], text: &str) {
    let unpadded = text.trim_end_matches('=');
    let mut out = BytesMut::from(&b"before"[..]);
    encode(alphabet, bytes, &mut out);
    assert_eq!(&out[6..], unpadded.as_bytes());
    assert_eq!(encoded_len(bytes.len()), unpadded.len());
    out.truncate(6);
    encode_padded(alphabet, bytes, &mut out);
    assert_eq!(&out[6..], text.as_bytes());

    for text in [text, unpadded] {
        out.truncate(6);
        decode(alphabet, text.as_bytes(), &mut out).unwrap();
        assert_eq!(&out[6..], bytes);
        for cut in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            assert_eq!(decode_chunks(alphabet, &[head, tail]).as_deref(), Ok(bytes), "{text:?} cut at {cut}");
        }
    }
}

/// Expects that `text` is refused, whole and in chunks, and that nothing is appended.
#[track_caller]
fn check_malformed(alphabet: Alphabet, text: &[u8]) {
    let mut out = BytesMut::from(&b"before"[..]);
    assert_eq!(decode(alphabet, text, &mut out), Err(MALFORMED), "{text:?}");
    assert_eq!(out, "before");
    for cut in 0..=text.len() {
        let (head, tail) = text.split_at(cut);
        assert_eq!(decode_chunks(alphabet, &[head, tail]), Err(MALFORMED), "{text:?} cut at {cut}");
    }
}

fn decode_chunks(alphabet: Alphabet, chunks: &[&[u8]]) -> Result<BytesMut, Malformed> {
    let mut out = BytesMut::new();
    let mut decoder = StreamDecoder::new(alphabet);
    chunks.iter().try_for_each(|chunk| decoder.decode(chunk, &mut out))?;
    decoder.finish(&mut out)?;
    Ok(out)
}

#[test]
fn the_vectors_of_rfc_4648() {
    for alphabet in [Alphabet::Standard, Alphabet::Url] {
        check(alphabet, b"", "");
        check(alphabet, b"f", "Zg==");
        check(alphabet, b"fo", "Zm8=");
        check(alphabet, b"foo", "Zm9v");
        check(alphabet, b"foob", "Zm9vYg==");
        check(alphabet, b"fooba", "Zm9vYmE=");
        check(alphabet, b"foobar", "Zm9vYmFy");
    }
}

#[test]
fn alphabets_differ_in_two_characters() {
    check(Alphabet::Standard, b"\xfb\xef\xff", "++//");
    check(Alphabet::Url, b"\xfb\xef\xff", "--__");
    check_malformed(Alphabet::Standard, b"--__");
    check_malformed(Alphabet::Url, b"++//");
}

#[test]
fn every_pair_of_bytes_survives() {
    for first in 0..=255 {
        for second in 0..=255 {
            let mut text = BytesMut::new();
            let mut bytes = BytesMut::new();
            encode(Alphabet::Standard, &[first, second], &mut text);
            decode(Alphabet::Standard, &text, &mut bytes).unwrap();
            assert_eq!(bytes, &[first, second][..]);
        }
    }
}

#[test]
fn garbage_is_refused() {
    for text in [
        &b"A"[..],
        b"AAAAA",
        b"=",
        b"==",
        b"===",
        b"====",
        b"A=",
        b"A==",
        b"A===",
        b"AA=",
        b"AAA==",
        b"AAAA=",
        b"AAAA==",
        b"AAAA====",
        b"AA= ",
        b"AA =",
        b" AAA",
        b"AAA\n",
        b"AA\r\n",
        b"AA.A",
        b"AA\0A",
        b"AA\xffA",
        b"AA*=",
        b"=AAA",
        b"A=AA",
    ] {
        check_malformed(Alphabet::Standard, text);
    }
}

#[test]
fn each_byte_is_in_the_alphabet_or_refused() {
    for byte in 0..=255u8 {
        for at in 0..4 {
            let mut text = *b"AAAA";
            text[at] = byte;
            let legal = STANDARD.contains(&byte) || byte == b'=' && at == 3;
            assert_eq!(
                decode(Alphabet::Standard, &text, &mut BytesMut::new()).is_ok(),
                legal,
                "{byte} at {at}"
            );
        }
    }
}

#[test]
fn spare_bits_are_ignored() {
    for (text, want) in [("Zh", "f"), ("Zv==", "f"), ("Zm9", "fo"), ("Zm+=", "fo")] {
        let mut out = BytesMut::new();
        decode(Alphabet::Standard, text.as_bytes(), &mut out).unwrap();
        assert_eq!(out, want);
    }
}

#[test]
fn texts_end_to_end_decode_as_a_stream_only() {
    let text = b"Zg==Zm8=Zm9vZg==Zg";
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let chunks = [&text[..first], &text[first..second], &text[second..]];
            assert_eq!(decode_chunks(Alphabet::Standard, &chunks).unwrap(), "ffofooff");
        }
    }
    assert!(decode(Alphabet::Standard, text, &mut BytesMut::new()).is_err());
}
