//! What peers get wrong, by mistake or on purpose, and the one code that each of it has on every path.

mod common;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use common::{
    BIDI, CLIENT_STREAM, Extras, Request, Response, SERVER_STREAM, UNARY, config, frame, get, post, serve,
    serve_every_way,
};
use ringwire_http::Version;
use ringwire_rpc::{
    Answer, Code, Compress, Ending, Error, Metadata, Received, ServerExchange, Sinks, Spec, answer_error,
    answer_unrouted,
};

/// Every way for a request of messages to travel: its media type, the field that names its encoding, and its
/// shape.
const ENVELOPED: [(&str, &str, Spec); 12] = [
    ("application/grpc", "grpc-encoding", UNARY),
    ("application/grpc", "grpc-encoding", CLIENT_STREAM),
    ("application/grpc", "grpc-encoding", SERVER_STREAM),
    ("application/grpc", "grpc-encoding", BIDI),
    ("application/grpc-web", "grpc-encoding", UNARY),
    ("application/grpc-web", "grpc-encoding", CLIENT_STREAM),
    ("application/grpc-web", "grpc-encoding", SERVER_STREAM),
    ("application/grpc-web", "grpc-encoding", BIDI),
    ("application/connect+proto", "connect-content-encoding", CLIENT_STREAM),
    ("application/connect+proto", "connect-content-encoding", SERVER_STREAM),
    ("application/connect+proto", "connect-content-encoding", BIDI),
    ("application/connect+json", "connect-content-encoding", BIDI),
];

/// Sends one message in every protocol and shape, as it is and compressed, and expects one code.
#[track_caller]
fn check_message(message: &[u8], want: Option<Code>) {
    let mut compressed = BytesMut::new();
    ringwire_rpc::Compression::compress(&common::Runs, message, Default::default(), &mut compressed);
    let compressed = &compressed[..];
    let mut requests = vec![
        (post("application/proto", message), UNARY),
        (post("application/json", compressed).header("content-encoding", "runs"), UNARY),
        (get(&format!("encoding=proto&message={}", escaped(message))), UNARY),
        (get(&format!("encoding=proto&compression=runs&message={}", escaped(compressed))), UNARY),
    ];
    for (content_type, encoding, spec) in ENVELOPED {
        requests.push((post(content_type, frame(0, message)), spec));
        requests.push((post(content_type, frame(0, message)).header(encoding, "runs"), spec));
        requests.push((post(content_type, frame(1, compressed)).header(encoding, "runs"), spec));
    }
    for (request, spec) in requests {
        let got = serve_every_way(&request, &spec, &config(), Extras::default());
        assert_eq!(got.code(), want, "{request:?} {:?}\n{}", spec.shape, got.show());
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn message_limit_is_one_number_and_one_code_on_every_path() {
    check_message(&[b'a'; 63], None);
    check_message(&[b'a'; 64], None);
    check_message(&[b'a'; 65], Some(Code::ResourceExhausted));
    check_message(&[b'a'; 66], Some(Code::ResourceExhausted));
    check_message(&[b'a'; 300], Some(Code::ResourceExhausted));
    check_message(&[b'a'; 2_000], Some(Code::ResourceExhausted));
}

#[test]
fn data_that_does_not_compress_may_be_longer_on_the_wire_than_the_limit() {
    let message: Vec<u8> = (0..64).collect();
    check_message(&message, None);
}

#[test]
fn bombs_do_not_go_off() {
    // 2 MB that stand for 255 MB.
    let bomb = [255, b'a'].repeat(1_000_000);
    let mut config = config();
    config.limits.receive_max = 4 << 20;
    for (request, spec) in [
        (post("application/proto", &bomb).header("content-encoding", "runs"), UNARY),
        (post("application/grpc", frame(1, &bomb)).header("grpc-encoding", "runs"), BIDI),
    ] {
        let got =
            serve(&request, &[&request.body], true, &spec, &Arc::new(config.clone()), Extras::default());
        assert_eq!(got.code(), Some(Code::ResourceExhausted));
    }
}

#[test]
fn huge_declared_lengths_are_refused_on_the_prefix() {
    for (content_type, encoding, spec) in ENVELOPED {
        for flags in [0, 1] {
            let request = post(content_type, [flags, 0xff, 0xff, 0xff, 0xff]).header(encoding, "runs");
            // The body goes on: nobody waits for what was declared.
            let got = serve(&request, &[&request.body], false, &spec, &Arc::new(config()), Extras::default());
            assert!(!got.open);
            assert_eq!(got.code(), Some(Code::ResourceExhausted), "{}", got.show());
        }
    }
}

#[test]
fn whole_bodies_are_refused_when_they_grow_too_long() {
    let config = Arc::new(config());
    let request = post("application/proto", "");
    let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
    for _ in 0..4 {
        exchange.push(Bytes::from_static(&[b'a'; 16]), false);
        assert_eq!(exchange.next_input().unwrap(), Received::Pending);
    }
    exchange.push(Bytes::from_static(b"a"), false);
    assert_eq!(exchange.next_input().unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(exchange.buffered(), 0);
    exchange.push(Bytes::from_static(&[b'a'; 1000]), false);
    assert_eq!(exchange.buffered(), 0, "what follows an error is not kept");
    assert_eq!(exchange.next_input().unwrap_err().code(), Code::ResourceExhausted, "and the error stays");
}

#[test]
fn stray_flags_are_one_error_on_every_path() {
    for (content_type, _, spec) in ENVELOPED {
        for flags in (0..=255_u8).filter(|flags| *flags > 1) {
            for body in [frame(flags, ""), frame(flags, "{}"), [frame(flags, "a"), frame(0, "b")].concat()] {
                let request = post(content_type, body);
                let config = Arc::new(config());
                let got = serve(&request, &[&request.body], true, &spec, &config, Extras::default());
                assert_eq!(got.code(), Some(Code::Internal), "{content_type} {flags:#04x} {}", got.show());
            }
        }
    }
}

#[test]
fn messages_flagged_as_compressed_need_a_named_encoding() {
    for (content_type, encoding, spec) in ENVELOPED {
        for payload in ["", "\x01a"] {
            for request in [
                post(content_type, frame(1, payload)),
                post(content_type, frame(1, payload)).header(encoding, "identity"),
            ] {
                let got = serve_every_way(&request, &spec, &config(), Extras::default());
                assert_eq!(got.code(), Some(Code::Internal), "{}", got.show());
            }
        }
    }
}

#[test]
fn corrupt_compression_is_the_clients_fault() {
    for (content_type, encoding, spec) in ENVELOPED {
        let request = post(content_type, frame(1, "\x01")).header(encoding, "runs");
        let got = serve_every_way(&request, &spec, &config(), Extras::default());
        assert_eq!(got.code(), Some(Code::InvalidArgument), "{}", got.show());
    }
    let request = post("application/proto", "\x01").header("content-encoding", "runs");
    let got = serve_every_way(&request, &UNARY, &config(), Extras::default());
    assert_eq!(got.code(), Some(Code::InvalidArgument), "{}", got.show());
}

#[test]
fn every_truncation_ends_in_an_answer() {
    for (content_type, encoding, spec) in ENVELOPED {
        let first = frame(1, "\x02a");
        let body = [first.clone(), frame(0, "bc")].concat();
        for len in 0..body.len() {
            let request = post(content_type, &body[..len]).header(encoding, "runs");
            let got = serve(&request, &[&request.body], true, &spec, &Arc::new(config()), Extras::default());
            let is_boundary = len == 0 || len == first.len();
            let want = match (is_boundary, spec.shape.has_one_request()) {
                (false, _) => Some(Code::InvalidArgument),
                (true, true) if len == 0 => Some(Code::Unimplemented),
                (true, _) => None,
            };
            assert_eq!(got.code(), want, "{content_type} {:?} cut to {len}: {}", spec.shape, got.show());
        }
    }
}

#[test]
fn every_truncation_of_text_ends_in_an_answer() {
    let text = "AAAAAAFhAAAAAAFi";
    for len in 0..text.len() {
        let request = post("application/grpc-web-text", &text[..len]);
        let got = serve_every_way(&request, &BIDI, &config(), Extras::default());
        assert!(!got.open && got.status == 200, "cut to {len}");
    }
    for text in ["AAAA*AFh", "AAAAAAFh*AAA", "AAAAAAFhY===", "AAAAAAFh=", "AAAAAAFhA"] {
        let request = post("application/grpc-web-text", text);
        let got = serve_every_way(&request, &BIDI, &config(), Extras::default());
        assert_eq!(got.code(), Some(Code::InvalidArgument), "{text}");
    }
}

#[test]
fn errors_on_open_streams_are_answered_at_once() {
    for (content_type, encoding, spec) in ENVELOPED {
        let config = Arc::new(config());
        let mut requests: Vec<Request> = vec![
            post(content_type, "").header(encoding, "foo"),
            post(content_type, frame(2, "")),
            post(content_type, frame(0, [0; 65])),
        ];
        if spec.shape.has_one_request() {
            requests.push(post(content_type, [frame(0, "a"), frame(0, "b")].concat()));
        } else if !spec.shape.has_one_response() {
            requests.push(post(content_type, [frame(0, "a"), frame(0, "!aborted")].concat()));
        }
        for request in requests {
            let got = serve(&request, &[&request.body], false, &spec, &config, Extras::default());
            assert!(!got.open && got.code().is_some(), "{content_type} {:?} {}", spec.shape, got.show());
        }
    }
}

#[test]
fn one_request_is_not_handed_out_before_its_end() {
    let config = Arc::new(config());
    for spec in [UNARY, SERVER_STREAM] {
        let request = post("application/grpc", "");
        let mut exchange = ServerExchange::accept(&request.head(), &spec, &config).unwrap();
        exchange.push(frame(0, "a").into(), false);
        assert_eq!(exchange.next_input().unwrap(), Received::Pending);
        exchange.push(Bytes::new(), true);
        assert_eq!(exchange.next_input().unwrap(), Received::Message("a".into()));
        assert_eq!(exchange.next_input().unwrap(), Received::End);
        assert_eq!(exchange.next_input().unwrap(), Received::End);
    }
}

#[test]
fn request_trailers_end_the_request() {
    let config = Arc::new(config());
    let request = post("application/grpc", "");
    let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
    exchange.push(frame(0, "a").into(), false);
    exchange.push_end();
    assert_eq!(exchange.next_input().unwrap(), Received::Message("a".into()));
    assert_eq!(exchange.next_input().unwrap(), Received::End);
}

#[test]
fn contiguous_messages_are_not_copied() {
    let config = Arc::new(config());
    for (content_type, body, offset) in
        [("application/grpc", frame(0, "abc"), 5), ("application/proto", b"abc".to_vec(), 0)]
    {
        let chunk = Bytes::from(body);
        let request = post(content_type, "");
        let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
        exchange.push(chunk.clone(), true);
        let Received::Message(message) = exchange.next_input().unwrap() else { panic!("a message is there") };
        assert_eq!(message.as_ptr(), chunk[offset..].as_ptr());
    }
}

#[test]
fn send_limit_is_one_code_and_leaves_the_buffer_as_it_was() {
    let mut config = config();
    config.limits.send_max = 8;
    let config = Arc::new(config);
    for content_type in
        ["application/grpc", "application/grpc-web", "application/grpc-web-text", "application/proto"]
    {
        for accept in ["identity", "runs"] {
            let request = post(content_type, "")
                .header("accept-encoding", accept)
                .header("grpc-accept-encoding", accept);
            for (len, want) in [
                (7, None),
                (8, None),
                (9, Some(Code::ResourceExhausted)),
                (99, Some(Code::ResourceExhausted)),
            ] {
                let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
                let mut out = BytesMut::from("before");
                let sent = exchange.send(&mut out, |out| {
                    out.resize(out.len() + len, b'a');
                    Ok(())
                });
                assert_eq!(sent.err().map(|error| error.code()), want, "{content_type} {len}");
                assert_eq!(want.is_some(), &out[..] == b"before", "{content_type} {len}");
            }
        }
    }
}

#[test]
fn a_second_response_is_refused_where_there_is_one() {
    let config = Arc::new(config());
    for content_type in ["application/grpc", "application/proto"] {
        let request = post(content_type, "");
        let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
        let mut out = BytesMut::new();
        exchange.send(&mut out, |out| append(out, "a")).unwrap();
        let len = out.len();
        assert_eq!(exchange.send(&mut out, |out| append(out, "b")).unwrap_err().code(), Code::Internal);
        assert_eq!(out.len(), len);
    }
}

#[test]
fn an_error_after_the_response_takes_its_place_where_it_can() {
    let config = Arc::new(config());
    let (none, error) = (Metadata::new(), Error::aborted("late"));
    for (content_type, want) in [
        (
            "application/proto",
            r#"409; content-type: application/json | before{\"code\":\"aborted\",\"message\":\"late\"}"#,
        ),
        (
            "application/grpc",
            r"200; content-type: application/grpc | before\x00\x00\x00\x00\x01a | grpc-status: 10; grpc-message: late",
        ),
    ] {
        let request = post(content_type, "");
        let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
        let mut out = BytesMut::from("before");
        exchange.send(&mut out, |out| append(out, "a")).unwrap();
        let (mut headers, mut trailers) = (common::Fields::new(), common::Fields::new());
        let end = exchange.finish(
            Ending { outcome: Err(&error), headers: &none, trailers: &none },
            Sinks { head: &mut headers, body: &mut out, trailers: &mut trailers },
        );
        let got = Response {
            status: end.status.unwrap(),
            headers,
            body: out.to_vec(),
            trailers: end.trailers.then_some(trailers),
            open: false,
        };
        assert_eq!(got.show(), want);
    }
}

fn append(out: &mut BytesMut, message: &str) -> Result<(), Error> {
    out.extend_from_slice(message.as_bytes());
    Ok(())
}

#[test]
fn encoders_that_fail_or_panic_leave_the_buffer_as_it_was() {
    let config = Arc::new(config());
    for content_type in ["application/grpc", "application/proto"] {
        let request = post(content_type, "");
        let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
        let mut out = BytesMut::from("before");
        let failed = exchange.send(&mut out, |out| {
            out.extend_from_slice(b"half a mess");
            Err(Error::internal("no type of this name"))
        });
        assert_eq!(failed.unwrap_err().message(), "no type of this name");
        assert_eq!(&out[..], b"before");
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            exchange.send(&mut out, |out| {
                out.extend_from_slice(b"half a mess");
                std::panic::resume_unwind(Box::new("a bug of the handler's"))
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(&out[..], b"before");
        exchange
            .send(&mut out, |out| {
                out.extend_from_slice(b"a");
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn compression_can_be_asked_for_and_refused_per_message() {
    let config = Arc::new(config());
    let request = post("application/grpc", "").header("grpc-accept-encoding", "runs");
    let mut exchange = ServerExchange::accept(&request.head(), &BIDI, &config).unwrap();
    let mut out = BytesMut::new();
    for (wish, message) in [
        (Compress::Always, "a"),
        (Compress::ByPolicy, "a"),
        (Compress::ByPolicy, "aaaa"),
        (Compress::Never, "aaaa"),
    ] {
        exchange.set_compress(wish);
        exchange
            .send(&mut out, |out| {
                out.extend_from_slice(message.as_bytes());
                Ok(())
            })
            .unwrap();
    }
    assert_eq!(out, [frame(1, "\x01a"), frame(0, "a"), frame(1, "\x04a"), frame(0, "aaaa")].concat());
}

#[test]
fn the_head_of_a_stream_goes_once_and_that_of_a_unary_call_waits() {
    let config = Arc::new(config());
    let (none, mut fields) = (Metadata::new(), common::Fields::new());
    let request = post("application/proto", "");
    let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
    assert_eq!(exchange.write_head(&none, &mut fields), None);
    let request = post("application/grpc", "");
    let mut exchange = ServerExchange::accept(&request.head(), &UNARY, &config).unwrap();
    assert_eq!(exchange.write_head(&none, &mut fields), Some(200));
    assert_eq!(exchange.write_head(&none, &mut fields), None);
    assert_eq!(fields, [("content-type".to_owned(), b"application/grpc".to_vec())]);
}

#[test]
fn what_an_exchange_is_can_be_asked() {
    let config = Arc::new(config());
    for (request, spec, protocol, codec) in [
        (post("application/proto", ""), UNARY, "connect", 0),
        (post("application/connect+json", ""), BIDI, "connect", 1),
        (post("application/grpc+json", ""), BIDI, "grpc", 1),
        (post("application/grpc-web-text+proto", ""), BIDI, "grpc-web", 0),
        (get("encoding=json&message="), UNARY, "connect", 1),
    ] {
        let request = request.header("connect-timeout-ms", "1500").header("grpc-timeout", "1500m");
        let exchange = ServerExchange::accept(&request.head(), &spec, &config).unwrap();
        assert_eq!((exchange.protocol(), exchange.codec()), (protocol, codec));
        assert_eq!(exchange.timeout(), Some(std::time::Duration::from_millis(1500)));
    }
    let request = post("application/proto", "");
    assert_eq!(ServerExchange::accept(&request.head(), &UNARY, &config).unwrap().timeout(), None);
}

mod answers {
    use super::*;

    #[track_caller]
    fn check(answer: Answer, want: &str) {
        let got = Response::from(answer).show();
        assert!(got == want, "\n got: {got}\nwant: {want}");
    }

    #[test]
    fn unrouted_paths() {
        let json = r#"404; content-type: application/json | {\"code\":\"unimplemented\",\"message\":\"there is no such method\"}"#;
        for content_type in
            ["application/proto", "application/json", "application/connect+proto", "application/foo"]
        {
            check(answer_unrouted(&post(content_type, "").head()), json);
        }
        for content_type in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc-web+json",
            "application/grpc-web-text",
        ] {
            let want = format!(
                "200; content-type: {content_type}; grpc-status: 12; grpc-message: there is no such method | "
            );
            check(answer_unrouted(&post(content_type, "").head()), &want);
            check(answer_unrouted(&post(content_type, "").version(Version::Http11).head()), &want);
        }
        for content_type in ["", "text/html", "image/jpeg"] {
            check(answer_unrouted(&post(content_type, "").head()), "404;  | ");
        }
        check(answer_unrouted(&get("").head()), "404;  | ");
    }

    #[test]
    fn errors_of_middleware() {
        let error = Error::unauthenticated("who are you?");
        let json = r#"{\"code\":\"unauthenticated\",\"message\":\"who are you?\"}"#;
        let unary = format!("401; content-type: application/json | {json}");
        for content_type in ["application/proto", "application/json; charset=utf-8", "text/plain", ""] {
            check(answer_error(&post(content_type, "").head(), &error), &unary);
        }
        check(answer_error(&get("connect=v1").head(), &error), &unary);
        check(
            answer_error(&post("application/connect+proto", "").head(), &error),
            &format!(
                r#"200; content-type: application/connect+proto | \x02\x00\x00\x00={{\"error\":{json}}}"#
            ),
        );
        for content_type in ["application/grpc", "application/grpc-web", "application/grpc-web-text"] {
            check(
                answer_error(&post(content_type, "").head(), &error),
                &format!("200; content-type: {content_type}; grpc-status: 16; grpc-message: who are you? | "),
            );
        }
    }
}
