use super::*;
use crate::{Decoder, Line, LineName, Pseudo};

const STATUS: Token = Token::extra(0, "x-status");
static NAMES: Names = Names::new(&[STATUS]);

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut lines = Vec::new();
    let name = |line: &Line<'_>| match line.name {
        LineName::Pseudo(Pseudo::Status) => ":status".to_owned(),
        LineName::Pseudo(pseudo) => format!(":{pseudo:?}").to_lowercase(),
        LineName::Known(token) => token.as_str().into(),
        LineName::Text(text) => text.into(),
        LineName::Malformed => panic!("an encoder writes what is allowed"),
    };
    decoder
        .decode(block, usize::MAX, &mut |line| lines.push((name(&line), line.value.to_vec())))
        .expect("a block");
    lines
}

/// Both ends of a connection.
struct Ends {
    encoder: Encoder,
    decoder: Decoder,
}

impl Ends {
    fn new() -> Self {
        Self { encoder: Encoder::new(&NAMES), decoder: Decoder::new(&NAMES) }
    }

    /// Sends fields, checks that they arrive, and returns their block.
    fn send(&mut self, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        self.encoder.put_table_size(&mut out);
        let mut block = self.encoder.block(&mut out);
        for (name, value) in fields {
            block.append(name, value.as_bytes());
        }
        let want: Vec<_> =
            fields.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        assert_eq!(decoded(&mut self.decoder, &out), want);
        assert!(self.encoder.size <= self.encoder.size_max);
        out
    }
}

#[test]
fn a_field_is_indexed_from_its_third_time_on() {
    for name in ["content-type", "x-status", "x-other", "x-team"] {
        let mut ends = Ends::new();
        let field = [(name, "application/grpc")];
        let first = ends.send(&field);
        let second = ends.send(&field);
        assert_eq!((first[0] & 0xf0, second[0] & 0xc0), (0, 0x40), "{name}");
        assert_eq!(ends.send(&field), [0xbe], "{name}");
    }
}

#[test]
fn values_that_alternate_stay_indexed() {
    for name in ["x-status", "x-other"] {
        let mut ends = Ends::new();
        for turn in 0..6 {
            for value in ["0", "5", "13"] {
                let len = ends.send(&[(name, value)]).len();
                assert_eq!(len == 1, turn >= 2, "{name} {value}");
            }
        }
    }
}

#[test]
fn values_that_never_repeat_push_nothing_out() {
    let mut ends = Ends::new();
    (0..2).for_each(|_| drop(ends.send(&[("content-type", "a")])));
    for n in 0..10_000 {
        ends.send(&[("x-request", &n.to_string())]);
    }
    assert_eq!(ends.send(&[("content-type", "a")]), [0xbe]);
}

#[test]
fn old_entries_leave_the_table() {
    let mut ends = Ends::new();
    let value = "v".repeat(500);
    for n in 0..100 {
        let field = [("x-status", &*format!("{n}{value}")), ("x-other", &*format!("{n}{value}"))];
        (0..3).for_each(|_| drop(ends.send(&field)));
    }
    assert!(ends.encoder.entries.len() < 9);
}

/// RFC 7541, section 7.1.3.
#[test]
fn secrets_are_never_indexed() {
    for (field, secret) in [
        (("authorization", "Bearer abc"), true),
        (("proxy-authorization", "Bearer abc"), true),
        (("set-cookie", "a=b"), true),
        (("cookie", "1234567890123456789"), true),
        (("cookie", "12345678901234567890"), false),
    ] {
        let mut ends = Ends::new();
        for turn in 0..3 {
            let block = ends.send(&[field]);
            assert_eq!(block[0] & 0xf0 == 0x10, secret, "{field:?}");
            assert_eq!(block.len() == 1, turn == 2 && !secret, "{field:?}");
        }
    }
}

#[test]
fn large_entries_are_not_indexed() {
    for (len, indexed) in [(TABLE_SIZE / 2 - 32 - 1, true), (TABLE_SIZE / 2 - 32, false)] {
        let mut ends = Ends::new();
        let value = "v".repeat(len);
        (0..2).for_each(|_| drop(ends.send(&[("a", &value)])));
        assert_eq!(ends.send(&[("a", &value)]).len() == 1, indexed, "{len}");
    }
}

/// RFC 7541, section 4.2: the smallest size in between is told as well.
#[test]
fn the_table_follows_what_the_peer_allows() {
    let field = [("a", "b")];
    for (sizes, told, kept) in [
        (&[4096][..], &[][..], true),
        (&[65_536], &[], true),
        (&[100], &[0x3f, 69][..], true),
        (&[0], &[0x20], false),
        (&[0, 4096], &[0x20, 0x3f, 0xe1, 0x1f], false),
        (&[50, 40, 4096, 60], &[0x3f, 9, 0x3f, 29], true),
        (&[33, 4096], &[0x3f, 2, 0x3f, 0xe1, 0x1f], false),
    ] {
        let mut ends = Ends::new();
        (0..2).for_each(|_| drop(ends.send(&field)));
        sizes.iter().for_each(|&size| ends.encoder.set_table_size(size));
        let block = ends.send(&field);
        assert!(block.starts_with(told), "{sizes:?}: {block:x?}");
        assert_eq!(block.len() == told.len() + 1, kept, "{sizes:?}: {block:x?}");
        assert_eq!(ends.send(&[("c", "d")])[0], 0, "told once");
    }
}

/// Texts known by their address are encoded as any others: with values in turns, two addresses of one text, evictions, and
/// tables of other sizes.
#[test]
fn static_texts_make_the_same_blocks() {
    static TEXTS: [&str; 5] = ["application/grpc", "application/grpc+proto", "0", "", "application/grpc"];
    let longer = "application/grpc+proto";
    let texts = || TEXTS.into_iter().chain([&longer[..16], &longer[..1]]);
    let tokens = [STATUS, Token::CONTENT_TYPE, Token::AUTHORIZATION];
    let mut ends = Ends::new();
    let mut other = Encoder::new(&NAMES);
    let mut indexed = 0;
    for round in 0..3000_usize {
        let text = texts().nth(round * 7 / (1 + round % 3) % 7).expect("a text");
        let token = tokens[round * 5 / (1 + round % 4) % 3];
        if round % 251 == 250 {
            let size = [0, 60, 4096][round % 3];
            ends.encoder.set_table_size(size);
            other.set_table_size(size);
        }
        let (mut out, mut want) = (Vec::new(), Vec::new());
        if round % 2 == 0 {
            // A block without room takes the long way.
            out.reserve(64);
        }
        ends.encoder.put_table_size(&mut out);
        other.put_table_size(&mut want);
        ends.encoder.block(&mut out).append_static(token, text);
        other.block(&mut want).append_known(token, text.as_bytes());
        assert_eq!(out, want, "{round}");
        let arrived = decoded(&mut ends.decoder, &out);
        assert_eq!(arrived, [(token.as_str().to_owned(), text.as_bytes().to_vec())], "{round}");
        indexed += usize::from(out.len() == 1);
    }
    assert!(indexed > 300, "{indexed}");
}

#[test]
fn requests_and_responses_begin_with_their_pseudo_fields() {
    let mut ends = Ends::new();
    for status in [100, 199, 200, 204, 206, 304, 400, 404, 500, 503, 999] {
        let (line, len) = crate::status(status);
        let out = &line[line.len() - len..];
        assert_eq!(decoded(&mut ends.decoder, out), [(":status".into(), status.to_string().into_bytes())]);
    }
    let methods = [Method::Get, Method::Post, Method::Put, Method::Other("FIND".into())];
    for (method, scheme, path) in methods.iter().flat_map(|method| {
        [(method, Scheme::Http, "/"), (method, Scheme::Https, "/a?b"), (method, Scheme::Http, "/a?b")]
    }) {
        let mut out = Vec::new();
        let mut block = ends.encoder.block(&mut out);
        block.method(method);
        block.scheme(scheme);
        block.authority("example.com");
        block.path(path);
        let scheme = if let Scheme::Http = scheme { "http" } else { "https" };
        let want = [
            (":method", method.as_str()),
            (":scheme", scheme),
            (":authority", "example.com"),
            (":path", path),
        ];
        let want: Vec<_> =
            want.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        assert_eq!(decoded(&mut ends.decoder, &out), want);
    }
}

#[test]
fn fields_stay_out_of_logs() {
    let mut ends = Ends::new();
    (0..2).for_each(|_| drop(ends.send(&[("x-other", "secret")])));
    let text = format!("{:?} {:?}", ends.encoder, ends.decoder);
    assert!(text.contains("entries: 1") && !text.contains("secret"), "{text}");
}
