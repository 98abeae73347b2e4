use super::*;

/// A query's parameters as a test writes them: version, encoding, compression, message.
type Row<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a [u8]>);

#[track_caller]
fn check(query: &str, want: Result<Row<'_>, (&'static str, Fault)>) {
    let got = parse(query).map_err(|error| (error.parameter, error.fault));
    let want = want.map(|(version, encoding, compression, message)| Query {
        version: version.map(Cow::Borrowed),
        encoding: encoding.map(Cow::Borrowed),
        compression: compression.map(Cow::Borrowed),
        message: message.map(Bytes::copy_from_slice),
    });
    assert_eq!(got, want, "{query:?}");
}

/// Writes a call as `query` and reads it back.
#[track_caller]
fn check_write(call: &Call<'_>, query: &str) {
    let mut out = BytesMut::from(&b"/pkg.Service/Method?"[..]);
    write(call, &mut out);
    assert_eq!(&out[20..], query.as_bytes());
    check(query, Ok((Some("v1"), Some(call.encoding), call.compression, Some(call.message))));
}

#[test]
fn parameters_come_in_any_order() {
    let want = Ok((Some("v1"), Some("json"), Some("gzip"), Some(&b"{}"[..])));
    let parts = ["connect=v1", "encoding=json", "compression=gzip", "message=e30", "base64=1"];
    for first in 0..parts.len() {
        for second in 0..parts.len() {
            let mut parts = parts;
            parts.swap(0, first);
            parts.swap(1, second);
            check(&parts.join("&"), want);
            parts.reverse();
            check(&parts.join("&"), want);
        }
    }
}

#[test]
fn absent_and_empty_parameters_differ() {
    check("", Ok((None, None, None, None)));
    check("&&", Ok((None, None, None, None)));
    check("message=", Ok((None, None, None, Some(b""))));
    check("message", Ok((None, None, None, Some(b""))));
    check("connect&encoding=&base64=1&message=", Ok((Some(""), Some(""), None, Some(b""))));
}

#[test]
fn unknown_parameters_are_ignored_even_if_malformed_or_repeated() {
    let want = Ok((None, Some("json"), None, Some(&b"1"[..])));
    check("a=%&encoding=json&a=b&message=1&=&Message=2&Connect=v9&mess%61ge=3", want);
}

#[test]
fn own_parameters_given_twice_are_refused() {
    for parameter in ["connect", "base64", "compression", "encoding", "message"] {
        check(&format!("{parameter}=1&x=y&{parameter}=1"), Err((parameter, Fault::Repeated)));
    }
}

#[test]
fn escapes_and_pluses() {
    check("message=%7B%22a%22:+1%2B1%7d", Ok((None, None, None, Some(b"{\"a\": 1+1}"))));
    check("message=%00%ff=", Ok((None, None, None, Some(b"\0\xff="))));
    check("encoding=js%6Fn", Ok((None, Some("json"), None, None)));
    for escape in ["%", "%4", "%4g", "%g4", "%%41", "%+1"] {
        check(&format!("message={escape}"), Err(("message", Fault::Escape)));
        check(&format!("encoding={escape}"), Err(("encoding", Fault::Escape)));
    }
    check("encoding=%ff", Err(("encoding", Fault::NotText)));
    check("connect=%ff", Err(("connect", Fault::NotText)));
    check("compression=%ff", Err(("compression", Fault::NotText)));
}

#[test]
fn base64_is_url_safe_with_or_without_padding() {
    check("base64=1&message=-_8", Ok((None, None, None, Some(b"\xfb\xff"))));
    check("base64=1&message=-_8=", Ok((None, None, None, Some(b"\xfb\xff"))));
    check("base64=1&message=-_8%3D", Ok((None, None, None, Some(b"\xfb\xff"))));
    for message in ["%2B%2F8", "+/8", "a", "aa=", "aaa==", "!!!!", "a+aa", "%20"] {
        check(&format!("base64=1&message={message}"), Err(("message", Fault::NotBase64)));
    }
}

#[test]
fn only_1_asks_for_base64() {
    for base64 in ["base64=0", "base64=true", "base64=", "base64", "x=1"] {
        check(&format!("{base64}&message=e30"), Ok((None, None, None, Some(b"e30"))));
    }
}

#[test]
fn calls_are_written_in_the_specified_order() {
    check_write(
        &Call {
            compression: None,
            encoding: "json",
            message: b"{\"a\": \"\xe2\x98\xba\"}",
            form: MessageForm::Percent,
        },
        "connect=v1&encoding=json&message=%7B%22a%22%3A%20%22%E2%98%BA%22%7D",
    );
    check_write(
        &Call {
            compression: Some("gzip"),
            encoding: "proto",
            message: b"\xfb\xff",
            form: MessageForm::Base64,
        },
        "connect=v1&base64=1&compression=gzip&encoding=proto&message=-_8",
    );
    check_write(
        &Call { compression: Some("a&b"), encoding: "c=d", message: b"", form: MessageForm::Base64 },
        "connect=v1&base64=1&compression=a%26b&encoding=c%3Dd&message=",
    );
}

#[test]
fn every_byte_survives_both_forms() {
    let message: Vec<u8> = (0..=255).collect();
    for form in [MessageForm::Percent, MessageForm::Base64] {
        let mut out = BytesMut::new();
        write(&Call { compression: None, encoding: "proto", message: &message, form }, &mut out);
        let query = std::str::from_utf8(&out).unwrap();
        assert!(query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~&=%".contains(&byte)));
        assert_eq!(parse(query).unwrap().message.unwrap(), message);
    }
}
