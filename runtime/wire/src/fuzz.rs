//! One entry for each reader, for fuzzers and for the tests that replay their finds.
//!
//! An entry panics where a reader breaks its word: what was read must be written and read again to the same.

use bytes::{Bytes, BytesMut};

use crate::base64::{self, Alphabet};
use crate::envelope::{Deframer, Frame, write_frame};
use crate::error_json::{self, Detail, Error, ReceivedError};
use crate::query::{self, MessageForm};
use crate::{Code, MediaType, Metadata, accept, code, percent, timeout, trailer_block};

/// A reader under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, as a fuzzer's command line says it.
    pub name: &'static str,
    /// Reads the input, and panics if something is wrong with what was read.
    pub run: fn(&[u8]),
    /// Inputs from which more can be made.
    pub seeds: &'static [&'static [u8]],
}

/// Every reader of this package.
pub const TARGETS: &[Target] = &[
    Target { name: "accept", run: accept, seeds: &[b"gzip;q=0.5, br, *;q=0, identity;q=1.000"] },
    Target { name: "base64", run: base64, seeds: &[b"Zm9vYg==", b"Zm9vYmE", b"-_8=", b"Zg==Zm8="] },
    Target { name: "code", run: code, seeds: &[b"16", b"0", b"deadline_exceeded"] },
    Target { name: "envelope", run: envelope, seeds: &[b"\x03\0\0\0\0\x02hi\x01\0\0\0\x03abc\x80\0\0\0\0"] },
    Target {
        name: "error_json",
        run: error_json,
        seeds: &[
            br#"{"code":"not_found","message":"\u263a\ud83d\ude08","details":[{"type":"a.B","value":"CAE","debug":{}}]}"#,
            br#"{"error":{"code":"aborted","x":[1.5e3,true,null]},"metadata":{"x-a":["1","2"],"y-bin":["CAE"]}}"#,
        ],
    },
    Target { name: "media_type", run: media_type, seeds: &[b"application/json; charset=\"utf\\-8\"; a=b"] },
    Target { name: "metadata", run: metadata, seeds: &[b"x-a: 1", b"Trace-Bin: AAA=,CAE", b"content-type:a/b"] },
    Target { name: "percent", run: percent, seeds: &[b"a%0D%0A%E2%98%BA%%zz%4"] },
    Target { name: "query", run: query, seeds: &[b"connect=v1&base64=1&compression=gzip&encoding=proto&message=-_8%3D+"] },
    Target { name: "timeout", run: timeout, seeds: &[b"9999999999", b"99999999H", b"1n", b"20m"] },
    Target { name: "trailer_block", run: trailer_block, seeds: &[b"grpc-status: 0\r\nX-A:1\n\nx-a: 2"] },
];

fn accept(input: &[u8]) {
    for coding in accept::codings(input) {
        assert!(coding.weight <= accept::Weight::FULL);
        assert!(accept::weight(input, coding.name).is_some());
    }
}

fn base64(input: &[u8]) {
    for alphabet in [Alphabet::Standard, Alphabet::Url] {
        let mut bytes = BytesMut::new();
        if base64::decode(alphabet, input, &mut bytes).is_err() {
            assert!(bytes.is_empty());
            continue;
        }
        let mut text = BytesMut::new();
        base64::encode_padded(alphabet, &bytes, &mut text);
        for text in [&text[..], input] {
            let mut again = BytesMut::new();
            let mut decoder = base64::StreamDecoder::new(alphabet);
            let (head, tail) = text.split_at(text.len() / 3);
            let chunks = [head, tail].into_iter().try_for_each(|chunk| decoder.decode(chunk, &mut again));
            assert_eq!(chunks.and_then(|()| decoder.finish(&mut again)), Ok(()));
            assert_eq!(again, bytes);
        }
    }
}

fn code(input: &[u8]) {
    if let Some(Err(code)) = code::parse_grpc_status(input) {
        assert_eq!(code::parse_grpc_status(code.grpc_status().as_bytes()), Some(Err(code)));
    }
    if let Some(code) = std::str::from_utf8(input).ok().and_then(Code::from_name) {
        assert_eq!(code.as_str().as_bytes(), input);
    }
}

/// The first byte is the length of the chunks in which the others arrive.
fn envelope(input: &[u8]) {
    let [size, body @ ..] = input else { return };
    let mut whole = Deframer::default();
    whole.push(Bytes::copy_from_slice(body));
    let frames = frames(&mut whole);

    let mut chopped = Deframer::default();
    let mut frames_chopped = Vec::new();
    for chunk in body.chunks(usize::from(*size).max(1)) {
        chopped.push(Bytes::copy_from_slice(chunk));
        if chunk[0] & 1 == 0 {
            frames_chopped.extend(self::frames(&mut chopped));
        }
    }
    frames_chopped.extend(self::frames(&mut chopped));
    assert_eq!(frames, frames_chopped);
    assert_eq!((whole.is_at_boundary(), whole.buffered()), (chopped.is_at_boundary(), chopped.buffered()));

    let mut out = BytesMut::new();
    for frame in &frames {
        let written = write_frame(&mut out, frame.flags, LIMIT, |out| out.extend_from_slice(&frame.payload));
        assert_eq!(written, Ok(()));
    }
    assert_eq!(out, body[..out.len()]);
    assert_eq!(whole.buffered(), body.len() - out.len());
}

fn frames(deframer: &mut Deframer) -> Vec<Frame> {
    std::iter::from_fn(|| deframer.next_frame(LIMIT).ok().flatten()).collect()
}

fn error_json(input: &[u8]) {
    if let Ok(error) = error_json::parse_error(input) {
        write_and_read(&error, &Metadata::new());
    }
    if let Ok(end) = error_json::parse_end_stream(input) {
        write_and_read(&end.error.unwrap_or_default(), &end.trailers);
    }
}

fn write_and_read(error: &ReceivedError, trailers: &Metadata) {
    let code = error.code.unwrap_or(Code::Unknown);
    let details: Vec<_> = error
        .details
        .iter()
        .map(|detail| Detail { type_name: &detail.type_name, value: &detail.value, debug: None })
        .collect();
    let mut out = BytesMut::new();
    let written = Error { code, message: &error.message, details: &details };
    error_json::write_end_stream(Some(&written), trailers, &mut out);
    let read = error_json::parse_end_stream(&out).expect("what was written can be read");
    assert_eq!(read.error, Some(ReceivedError { code: Some(code), ..error.clone() }));
    assert_eq!(read.trailers.len(), trailers.iter_custom().count());
    for (name, value) in trailers.iter_custom() {
        assert!(read.trailers.get_all(name).any(|other| other == value));
    }
}

fn media_type(input: &[u8]) {
    if let Ok(media_type) = MediaType::parse(input) {
        let joined = [media_type.kind(), "/", media_type.subtype()].concat();
        assert!(media_type.is(&joined));
        for (name, _) in media_type.parameters() {
            assert!(media_type.parameter(name).is_some());
        }
    }
}

/// A name, a colon, and a value.
fn metadata(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == b':');
    let (Some(Ok(name)), Some(value)) = (parts.next().map(std::str::from_utf8), parts.next()) else {
        return;
    };
    let mut metadata = Metadata::new();
    if metadata.append_received(name, value).is_err() {
        assert!(metadata.is_empty());
        return;
    }
    assert!(metadata.iter().all(|(_, value)| !value.contains(&b'\r') && !value.contains(&b'\n')));
    for bytes in metadata.get_all_bin(name).flatten() {
        let mut again = Metadata::new();
        if again.append_bin(name.to_owned(), &bytes).is_ok() {
            assert_eq!(again.get_bin(name), Ok(bytes));
        }
    }
}

fn percent(input: &[u8]) {
    let message = percent::decode(input);
    let mut out = BytesMut::new();
    percent::encode(&message, &mut out);
    assert!(out.iter().all(|byte| (b' '..=b'~').contains(byte)));
    assert_eq!(percent::decode(&out), message);
}

fn query(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(query) = query::parse(text) else { return };
    for form in [MessageForm::Percent, MessageForm::Base64] {
        let call = query::Call {
            compression: query.compression.as_deref(),
            encoding: query.encoding.as_deref().unwrap_or_default(),
            message: query.message.as_deref().unwrap_or_default(),
            form,
        };
        let mut out = BytesMut::new();
        query::write(&call, &mut out);
        let text = std::str::from_utf8(&out).expect("a query is ASCII");
        let again = query::parse(text).expect("what was written can be read");
        assert_eq!(again.compression, query.compression);
        assert_eq!(again.encoding.as_deref(), Some(call.encoding));
        assert_eq!(again.message.as_deref(), Some(call.message));
    }
}

fn timeout(input: &[u8]) {
    let mut out = BytesMut::new();
    if let Ok(timeout) = timeout::connect::parse(input) {
        timeout::connect::write(timeout, &mut out);
        assert_eq!(timeout::connect::parse(&out), Ok(timeout));
    }
    out.clear();
    if let Ok(timeout) = timeout::grpc::parse(input) {
        timeout::grpc::write(timeout, &mut out);
        assert_eq!(timeout::grpc::parse(&out), Ok(timeout));
    }
}

fn trailer_block(input: &[u8]) {
    if let Ok(trailers) = trailer_block::parse(input) {
        let mut out = BytesMut::new();
        for (name, value) in trailers.iter() {
            trailer_block::write(name, value, &mut out);
        }
        assert_eq!(trailer_block::parse(&out), Ok(trailers));
    }
}

const LIMIT: u32 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a target over its seeds, over what mutation makes of them, and over random bytes.
    #[track_caller]
    fn check(target: &Target) {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for seed in target.seeds {
            (target.run)(seed);
            for end in 0..seed.len() {
                (target.run)(&seed[..end]);
                (target.run)(&seed[end..]);
            }
            for _ in 0..MUTATIONS {
                let mut input = seed.to_vec();
                for _ in 0..=random.below(4) {
                    random.mutate(&mut input, target.seeds);
                }
                (target.run)(&input);
            }
        }
        for _ in 0..MUTATIONS {
            let len = random.below(64);
            (target.run)(&(0..len).map(|_| random.byte()).collect::<Vec<_>>());
        }
    }

    /// xorshift64: repeatable, and good enough to choose bytes.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 16) as usize % bound
        }

        /// Any byte, and half of the time one that means something to some reader.
        fn byte(&mut self) -> u8 {
            const TELLING: &[u8] = b"\0\x01\x02\xff\r\n\t \"%&*+,-./0129:;=AZ[\\]_az{}\xc3\xa9";
            if self.below(2) == 0 { self.below(256) as u8 } else { TELLING[self.below(TELLING.len())] }
        }

        fn mutate(&mut self, input: &mut Vec<u8>, seeds: &[&[u8]]) {
            let at = self.below(input.len() + 1);
            match self.below(5) {
                0 => input.insert(at, self.byte()),
                1 if at < input.len() => drop(input.remove(at)),
                2 if at < input.len() => input[at] = self.byte(),
                3 => input.truncate(at),
                _ => {
                    let other = seeds[self.below(seeds.len())];
                    input.extend_from_slice(&other[self.below(other.len())..]);
                }
            }
        }
    }

    const MUTATIONS: usize = 20_000;

    #[test]
    fn no_reader_breaks_its_word() {
        for target in TARGETS {
            check(target);
        }
    }
}
