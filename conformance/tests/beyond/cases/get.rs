//! Calls without side effects as GET, with messages in every form that a URL can hold.

use crate::call::{COMPRESSIONS, Call, Shown};
use crate::case::Case;
use crate::protocol::{Method, Protocol, compress};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        get(JSON).show(&[Shown::Data]).case("a message in JSON is escaped").want("ok, data 3"),
        get(&format!("connect=v1&encoding=json&base64=1&message={}", base64(DEFINITION, Padding::None)))
            .show(&[Shown::Data])
            .case("a message in JSON may be in base64")
            .want("ok, data 3"),
        get(&format!("connect=v1&encoding=json&base64=1&message={}", base64(DEFINITION, Padding::Full)))
            .show(&[Shown::Data])
            .case("base64 may be padded")
            .want("ok, data 3"),
        get("message=CgMSAQA&base64=1&encoding=proto&connect=v1")
            .show(&[Shown::Status, Shown::Header("content-type")])
            .case("a message in binary is in base64, in any order of parameters")
            .want("ok, status 200, content-type: application/proto"),
        get("connect=v1&encoding=proto&message=")
            .show(&[Shown::Status])
            .case("an empty message is a message")
            .want("ok, status 200"),
        get("connect=v1&encoding=json&base64=1&message=!!!")
            .show(&[Shown::Status])
            .case("what is no base64 is the client's fault")
            .want("invalid_argument, status 400")
            .connect_go("unknown, status 500", "it has no code for it"),
        get("connect=v1&encoding=json&message=%7B")
            .case("what cannot be decoded is the client's fault")
            .want("invalid_argument"),
        get("connect=v1&encoding=json&compression=lzma&base64=1&message=e30")
            .case("an unknown compression is refused")
            .want("unimplemented"),
        get("connect=v1&encoding=xml&message=e30").case("an unknown codec is 415").want("http 415"),
        get("connect=v2&encoding=json&message=%7B%7D")
            .case("another version of the protocol is refused")
            .want("invalid_argument"),
        get("encoding=json&message=%7B%7D").case("the version may be missing").want("ok"),
        get("connect=v1&message=%7B%7D")
            .case("a GET without a codec is refused")
            .want("invalid_argument")
            .connect_go("http 415", "none is one that it does not know"),
        get("connect=v1&encoding=json").case("a GET without a message is refused").want("invalid_argument"),
        get(&format!(
            "connect=v1&encoding=json&message=%7B%22requestData%22%3A%22{}%22%7D",
            "A".repeat(12_000)
        ))
        .case("a query of 12 KB is taken")
        .want("ok"),
        Call::of(&[Method::Unary])
            .via(&[Protocol::Connect])
            .query(JSON)
            .case("a method that may have side effects is not for GET")
            .want("http 405"),
        get(JSON)
            .accept("gzip")
            .show(&[Shown::Header("vary")])
            .case("a cache is told what a response depends on")
            .want("ok, vary: accept-encoding")
            .connect_go("ok, vary: Origin | Accept-Encoding", "it answers browsers too"),
        get(SLOW)
            .timeout_ms(200)
            .case("a GET has a deadline too")
            .want("deadline_exceeded")
            .connect_go("ok", "its handler sleeps on"),
        get(&JSON.replace("AAAA", &"AAAA".repeat(683)))
            .accept("gzip")
            .show(&[Shown::Data, Shown::Compression])
            .case("the response to a GET is compressed")
            .want("ok, data 2049, 1 of 1 by gzip"),
    ];
    for name in COMPRESSIONS {
        let message = base64(&compress(name, DEFINITION), Padding::None);
        cases.push(
            get(&format!("connect=v1&encoding=json&compression={name}&base64=1&message={message}"))
                .show(&[Shown::Data])
                .case(format!("a message may be compressed by {name}"))
                .want("ok, data 3"),
        );
    }
    cases
}

fn get(query: &str) -> Call {
    Call::of(&[Method::IdempotentUnary]).via(&[Protocol::Connect]).query(query)
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Padding {
    None,
    Full,
}

fn base64(bytes: &[u8], padding: Padding) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte))
            << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[bits >> (18 - 6 * digit) & 63]));
        }
        if padding == Padding::Full {
            text.push_str(["", "==", "="][chunk.len() % 3]);
        }
    }
    text
}

const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DEFINITION: &[u8] = br#"{"responseDefinition":{"responseData":"AAAA"}}"#;
const JSON: &str =
    "connect=v1&encoding=json&message=%7B%22responseDefinition%22%3A%7B%22responseData%22%3A%22AAAA%22%7D%7D";
const SLOW: &str =
    "connect=v1&encoding=json&message=%7B%22responseDefinition%22%3A%7B%22responseDelayMs%22%3A3000%7D%7D";
