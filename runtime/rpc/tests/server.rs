//! Requests in, responses out: every protocol, every shape, every way to cut a body.

mod common;

use common::{
    BIDI, CLIENT_STREAM, Extras, Request, SERVER_STREAM, UNARY, config, frame, get, post, serve_every_way,
};
use ringwire_http::Version;
use ringwire_rpc::Spec;

/// Serves `request` cut every way, and expects the response `want`.
#[track_caller]
fn check(request: &Request, spec: &Spec, want: &str) {
    check_with(request, spec, Extras::default(), want);
}

#[track_caller]
fn check_with(request: &Request, spec: &Spec, extras: Extras, want: &str) {
    let got = serve_every_way(request, spec, &config(), extras).show();
    assert!(got == want, "\n got: {got}\nwant: {want}");
}

const EXTRAS: Extras =
    Extras { headers: &[("a", "1"), ("a", "2"), ("b-bin", "AQI")], trailers: &[("c", "3"), ("c", "4")] };

mod success {
    use super::*;

    #[test]
    fn unary() {
        check(&post("application/proto", "hi"), &UNARY, "200; content-type: application/proto | hi");
        check(&post("application/json", "{}"), &UNARY, "200; content-type: application/json | {}");
        check(
            &post("application/grpc", frame(0, "hi")),
            &UNARY,
            r"200; content-type: application/grpc | \x00\x00\x00\x00\x02hi | grpc-status: 0",
        );
        check(
            &post("application/grpc+json", frame(0, "{}")),
            &UNARY,
            r"200; content-type: application/grpc+json | \x00\x00\x00\x00\x02{} | grpc-status: 0",
        );
        check(
            &post("application/grpc-web+proto", frame(0, "hi")),
            &UNARY,
            r"200; content-type: application/grpc-web+proto | \x00\x00\x00\x00\x02hi\x80\x00\x00\x00\x10grpc-status: 0\r\n",
        );
        check(
            &post("application/grpc-web-text", "AAAAAAJoaQ=="),
            &UNARY,
            "200; content-type: application/grpc-web-text | AAAAAAJoaQ==gAAAABBncnBjLXN0YXR1czogMA0K",
        );
    }

    #[test]
    fn streams() {
        let body = [frame(0, "a"), frame(0, ""), frame(0, "b")].concat();
        check(
            &post("application/connect+proto", &body),
            &BIDI,
            r"200; content-type: application/connect+proto | \x00\x00\x00\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01b\x02\x00\x00\x00\x02{}",
        );
        check(
            &post("application/connect+proto", &body),
            &CLIENT_STREAM,
            r"200; content-type: application/connect+proto | \x00\x00\x00\x00\x04a,,b\x02\x00\x00\x00\x02{}",
        );
        check(
            &post("application/connect+json", frame(0, "a")),
            &SERVER_STREAM,
            r"200; content-type: application/connect+json | \x00\x00\x00\x00\x01a\x02\x00\x00\x00\x02{}",
        );
        check(
            &post("application/grpc", &body),
            &BIDI,
            r"200; content-type: application/grpc | \x00\x00\x00\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01b | grpc-status: 0",
        );
    }

    #[test]
    fn empty_messages_are_messages() {
        check(&post("application/proto", ""), &UNARY, "200; content-type: application/proto | ");
        check(
            &post("application/grpc", frame(0, "")),
            &UNARY,
            r"200; content-type: application/grpc | \x00\x00\x00\x00\x00 | grpc-status: 0",
        );
        // A compressed empty message may come as nothing at all.
        check(
            &post("application/grpc", frame(1, "")).header("grpc-encoding", "runs"),
            &UNARY,
            r"200; content-type: application/grpc | \x00\x00\x00\x00\x00 | grpc-status: 0",
        );
        check(
            &post("application/proto", "").header("content-encoding", "runs"),
            &UNARY,
            "200; content-type: application/proto | ",
        );
    }

    #[test]
    fn empty_streams() {
        check(
            &post("application/connect+proto", ""),
            &BIDI,
            r"200; content-type: application/connect+proto | \x02\x00\x00\x00\x02{}",
        );
        check(&post("application/grpc", ""), &BIDI, "200; content-type: application/grpc; grpc-status: 0 | ");
        check(
            &post("application/connect+proto", ""),
            &CLIENT_STREAM,
            r"200; content-type: application/connect+proto | \x00\x00\x00\x00\x00\x02\x00\x00\x00\x02{}",
        );
    }

    #[test]
    fn headers_and_trailers() {
        check_with(
            &post("application/proto", "hi"),
            &UNARY,
            EXTRAS,
            "200; content-type: application/proto; a: 1; a: 2; b-bin: AQI; trailer-c: 3; trailer-c: 4 | hi",
        );
        check_with(
            &post("application/grpc", frame(0, "hi")),
            &UNARY,
            EXTRAS,
            r"200; content-type: application/grpc; a: 1; a: 2; b-bin: AQI | \x00\x00\x00\x00\x02hi | grpc-status: 0; c: 3; c: 4",
        );
        check_with(
            &post("application/connect+proto", frame(0, "#")),
            &SERVER_STREAM,
            EXTRAS,
            r#"200; content-type: application/connect+proto; a: 1; a: 2; b-bin: AQI | \x02\x00\x00\x00\x1c{\"metadata\":{\"c\":[\"3\",\"4\"]}}"#,
        );
        check_with(
            &post("application/grpc-web", frame(0, "#")),
            &SERVER_STREAM,
            EXTRAS,
            r"200; content-type: application/grpc-web; a: 1; a: 2; b-bin: AQI | \x80\x00\x00\x00\x1cgrpc-status: 0\r\nc: 3\r\nc: 4\r\n",
        );
        // Without headers of its own, an empty stream is nothing but trailers; with them, it is not.
        check_with(
            &post("application/grpc", frame(0, "#")),
            &SERVER_STREAM,
            Extras { headers: &[], ..EXTRAS },
            "200; content-type: application/grpc; grpc-status: 0; c: 3; c: 4 | ",
        );
        check_with(
            &post("application/grpc", frame(0, "#")),
            &SERVER_STREAM,
            EXTRAS,
            "200; content-type: application/grpc; a: 1; a: 2; b-bin: AQI |  | grpc-status: 0; c: 3; c: 4",
        );
    }
}

mod failure {
    use super::*;

    #[test]
    fn unary() {
        check(
            &post("application/proto", "!not_found"),
            &UNARY,
            r#"404; content-type: application/json; beside: it | {\"code\":\"not_found\",\"message\":\"it is not_found\"}"#,
        );
        check(
            &post("application/grpc", frame(0, "!not_found")),
            &UNARY,
            "200; content-type: application/grpc; grpc-status: 5; grpc-message: it is not_found; beside: it | ",
        );
        check(
            &post("application/grpc-web", frame(0, "!not_found")),
            &UNARY,
            "200; content-type: application/grpc-web; grpc-status: 5; grpc-message: it is not_found; beside: it | ",
        );
        check(
            &post("application/grpc-web-text+proto", "AAAAAAohbm90X2ZvdW5k"),
            &UNARY,
            "200; content-type: application/grpc-web-text+proto; grpc-status: 5; grpc-message: it is not_found; beside: it | ",
        );
    }

    #[test]
    fn headers_and_trailers_stay_apart() {
        check_with(
            &post("application/proto", "!aborted"),
            &UNARY,
            EXTRAS,
            r#"409; content-type: application/json; beside: it; a: 1; a: 2; b-bin: AQI; trailer-c: 3; trailer-c: 4 | {\"code\":\"aborted\",\"message\":\"it is aborted\"}"#,
        );
        check_with(
            &post("application/grpc", frame(0, "!aborted")),
            &UNARY,
            EXTRAS,
            "200; content-type: application/grpc; a: 1; a: 2; b-bin: AQI |  | grpc-status: 10; grpc-message: it is aborted; beside: it; c: 3; c: 4",
        );
        check_with(
            &post("application/grpc-web", frame(0, "!aborted")),
            &UNARY,
            EXTRAS,
            r"200; content-type: application/grpc-web; a: 1; a: 2; b-bin: AQI | \x80\x00\x00\x00Fgrpc-status: 10\r\ngrpc-message: it is aborted\r\nbeside: it\r\nc: 3\r\nc: 4\r\n",
        );
        check_with(
            &post("application/connect+proto", frame(0, "!aborted")),
            &BIDI,
            EXTRAS,
            r#"200; content-type: application/connect+proto; a: 1; a: 2; b-bin: AQI | \x02\x00\x00\x00a{\"error\":{\"code\":\"aborted\",\"message\":\"it is aborted\"},\"metadata\":{\"c\":[\"3\",\"4\"],\"beside\":[\"it\"]}}"#,
        );
    }

    #[test]
    fn after_messages() {
        let body = [frame(0, "a"), frame(0, "!aborted"), frame(0, "b")].concat();
        check(
            &post("application/connect+proto", &body),
            &BIDI,
            r#"200; content-type: application/connect+proto | \x00\x00\x00\x00\x01a\x02\x00\x00\x00S{\"error\":{\"code\":\"aborted\",\"message\":\"it is aborted\"},\"metadata\":{\"beside\":[\"it\"]}}"#,
        );
        check(
            &post("application/grpc", &body),
            &BIDI,
            r"200; content-type: application/grpc | \x00\x00\x00\x00\x01a | grpc-status: 10; grpc-message: it is aborted; beside: it",
        );
    }

    #[test]
    fn a_method_that_promises_a_response_and_gives_none() {
        check(
            &post("application/proto", "#"),
            &UNARY,
            r#"500; content-type: application/json | {\"code\":\"internal\",\"message\":\"the method ended without its response\"}"#,
        );
        check(
            &post("application/grpc", frame(0, "#")),
            &UNARY,
            "200; content-type: application/grpc; grpc-status: 13; grpc-message: the method ended without its response | ",
        );
    }
}

mod refusal {
    use super::*;

    const POST_TYPES: &str = "application/grpc, application/grpc+proto, application/grpc-web, application/grpc-web+proto, application/grpc-web-text, application/grpc-web-text+proto";

    #[test]
    fn method_not_allowed() {
        for method in ["DELETE", "PUT", "HEAD", "OPTIONS", "post", "PROPFIND"] {
            for content_type in ["application/proto", "application/grpc", "application/grpc-web"] {
                check(&post(content_type, "").method(method), &UNARY, "405; allow: GET, POST | ");
                check(&post(content_type, "").method(method), &BIDI, "405; allow: POST | ");
            }
        }
        check(&get("connect=v1&encoding=json&message=a"), &BIDI, "405; allow: POST | ");
    }

    #[test]
    fn unsupported_media_type() {
        let want_unary = format!(
            "415; accept-post: {POST_TYPES}, application/proto, application/grpc+json, application/grpc-web+json, application/grpc-web-text+json, application/json | "
        );
        let want_stream = format!(
            "415; accept-post: {POST_TYPES}, application/connect+proto, application/grpc+json, application/grpc-web+json, application/grpc-web-text+json, application/connect+json | "
        );
        for content_type in
            ["image/jpeg", "application/foo", "", "application", "application/connect+foo", "text/plain;"]
        {
            check(&post(content_type, "x"), &UNARY, &want_unary);
            check(&post(content_type, "x"), &BIDI, &want_stream);
        }
        check(&post("application/proto", "x"), &BIDI, &want_stream);
        check(&post("application/connect+proto", "x"), &UNARY, &want_unary);
        let mut request = post("", "x");
        request.headers.clear();
        check(&request, &UNARY, &want_unary);
    }

    #[test]
    fn unknown_codecs_of_known_protocols() {
        for content_type in ["application/grpc+foo", "application/grpc+", "Application/GRPC+Foo; a=b"] {
            let essence = content_type.split(';').next().unwrap();
            check(
                &post(content_type, "x"),
                &UNARY,
                &format!(
                    "200; content-type: application/grpc; grpc-status: 12; grpc-message: unknown codec in \\\"{essence}\\\" | "
                ),
            );
        }
        check(
            &post("application/grpc-web+foo", "x"),
            &UNARY,
            r#"200; content-type: application/grpc-web; grpc-status: 12; grpc-message: unknown codec in \"application/grpc-web+foo\" | "#,
        );
        check(
            &post("application/grpc-web-text+foo", "x"),
            &UNARY,
            r#"200; content-type: application/grpc-web-text; grpc-status: 12; grpc-message: unknown codec in \"application/grpc-web-text+foo\" | "#,
        );
    }

    #[test]
    fn parameters_and_case_of_media_types_do_not_matter() {
        for content_type in
            ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=\"UTF-8\""]
        {
            check(&post(content_type, "{}"), &UNARY, "200; content-type: application/json | {}");
        }
    }

    #[test]
    fn unknown_encodings_are_told_the_known_ones() {
        check(
            &post("application/proto", "x").header("content-encoding", "foo"),
            &UNARY,
            r#"501; content-type: application/json; accept-encoding: runs | {\"code\":\"unimplemented\",\"message\":\"unknown encoding \\\"foo\\\"; supported: runs\"}"#,
        );
        check(
            &post("application/connect+proto", "x").header("connect-content-encoding", "foo"),
            &BIDI,
            r#"200; content-type: application/connect+proto; connect-accept-encoding: runs | \x02\x00\x00\x00X{\"error\":{\"code\":\"unimplemented\",\"message\":\"unknown encoding \\\"foo\\\"; supported: runs\"}}"#,
        );
        for content_type in ["application/grpc", "application/grpc-web", "application/grpc-web-text"] {
            check(
                &post(content_type, "x").header("grpc-encoding", "foo"),
                &BIDI,
                &format!(
                    r#"200; content-type: {content_type}; grpc-status: 12; grpc-message: unknown encoding \"foo\"; supported: runs; grpc-accept-encoding: runs | "#
                ),
            );
        }
        check(
            &get("connect=v1&encoding=json&message=a&compression=foo"),
            &UNARY,
            r#"501; content-type: application/json; accept-encoding: runs | {\"code\":\"unimplemented\",\"message\":\"unknown encoding \\\"foo\\\"; supported: runs\"}"#,
        );
    }

    #[test]
    fn no_field_is_ever_empty() {
        let mut config = config();
        config.compressions = ringwire_rpc::Compressions::none();
        let request = post("application/grpc", "x").header("grpc-encoding", "foo");
        let got = serve_every_way(&request, &BIDI, &config, Extras::default()).show();
        assert!(got.contains("; grpc-accept-encoding: identity |"), "{got}");
    }

    #[test]
    fn versions_other_than_ours() {
        check(
            &post("application/proto", "x").header("connect-protocol-version", "1"),
            &UNARY,
            "200; content-type: application/proto | x",
        );
        for version in ["2", "", "01", "v1"] {
            check(
                &post("application/proto", "x").header("connect-protocol-version", version),
                &UNARY,
                &format!(
                    r#"400; content-type: application/json | {{\"code\":\"invalid_argument\",\"message\":\"connect-protocol-version must be 1, not \\\"{version}\\\"\"}}"#
                ),
            );
        }
    }

    #[test]
    fn versions_may_be_required() {
        let mut config = config();
        config.require_protocol_version = true;
        for (request, spec, want) in [
            (post("application/proto", "x"), UNARY, "400; "),
            (post("application/proto", "x").header("connect-protocol-version", "1"), UNARY, "200; "),
            (post("application/grpc", frame(0, "x")), UNARY, "200; "),
            (get("encoding=json&message=a"), UNARY, "400; "),
            (get("connect=v1&encoding=json&message=a"), UNARY, "200; "),
        ] {
            let got = serve_every_way(&request, &spec, &config, Extras::default()).show();
            assert!(got.starts_with(want), "{request:?}: {got}");
        }
    }

    #[test]
    fn timeouts_that_cannot_be_read() {
        for value in ["", "x", "-1", "1.5", "12345678901", "+1", "1 "] {
            check(
                &post("application/proto", "x").header("connect-timeout-ms", value),
                &UNARY,
                &format!(
                    r#"400; content-type: application/json | {{\"code\":\"invalid_argument\",\"message\":\"header connect-timeout-ms is malformed: \\\"{value}\\\"\"}}"#
                ),
            );
        }
        for value in ["", "1", "S", "123456789S", "1s", "-1S"] {
            check(
                &post("application/grpc", "x").header("grpc-timeout", value),
                &UNARY,
                &format!(
                    r#"200; content-type: application/grpc; grpc-status: 3; grpc-message: header grpc-timeout is malformed: \"{value}\" | "#
                ),
            );
        }
    }

    #[test]
    fn fields_given_twice() {
        check(
            &post("application/proto", "x").header("content-type", "application/proto"),
            &UNARY,
            r#"400; content-type: application/json | {\"code\":\"invalid_argument\",\"message\":\"header content-type is given more than once\"}"#,
        );
        check(
            &post("application/grpc", "x").header("grpc-timeout", "1S").header("grpc-timeout", "1S"),
            &BIDI,
            "200; content-type: application/grpc; grpc-status: 3; grpc-message: header grpc-timeout is given more than once | ",
        );
        check(
            &post("application/grpc-web", "x")
                .header("grpc-encoding", "runs")
                .header("grpc-encoding", "runs"),
            &BIDI,
            "200; content-type: application/grpc-web; grpc-status: 3; grpc-message: header grpc-encoding is given more than once | ",
        );
    }

    #[test]
    fn trailers_need_a_version_of_http_that_has_them() {
        let request = |content_type| post(content_type, "").version(Version::Http11);
        check(&request("application/grpc"), &BIDI, "505;  | ");
        check(
            &request("application/grpc-web"),
            &BIDI,
            "200; content-type: application/grpc-web; grpc-status: 0 | ",
        );
        check(
            &request("application/connect+proto"),
            &BIDI,
            r"200; content-type: application/connect+proto | \x02\x00\x00\x00\x02{}",
        );
    }
}

mod cardinality {
    use super::*;

    #[test]
    fn no_request_and_two_requests() {
        let two = [frame(0, "a"), frame(0, "b")].concat();
        for (body, text) in [
            (Vec::new(), "no request to a method that takes one"),
            (two, "a second request to a method that takes one"),
        ] {
            for content_type in ["application/grpc", "application/grpc-web"] {
                for spec in [UNARY, SERVER_STREAM] {
                    check(
                        &post(content_type, &body),
                        &spec,
                        &format!(
                            "200; content-type: {content_type}; grpc-status: 12; grpc-message: {text} | "
                        ),
                    );
                }
            }
            let json = format!(r#"{{"error":{{"code":"unimplemented","message":"{text}"}}}}"#);
            check(
                &post("application/connect+proto", &body),
                &SERVER_STREAM,
                &format!("200; content-type: application/connect+proto | {}", frame(2, json).escape_ascii()),
            );
        }
    }
}

mod get_requests {
    use super::*;

    #[test]
    fn parameters_in_any_order() {
        let ok = "200; content-type: application/json; vary: accept-encoding | {}";
        for query in [
            "connect=v1&encoding=json&message=%7B%7D",
            "message=%7B%7D&encoding=json&connect=v1",
            "encoding=json&message={}",
            "connect=v1&base64=1&encoding=json&message=e30",
            "connect=v1&base64=1&encoding=json&message=e30%3D",
            "connect=v1&base64=1&encoding=json&message=e30=&foo=bar&foo=baz",
            "connect=v1&base64=1&compression=runs&encoding=json&message=AXsBfQ",
            "connect=v1&base64=1&compression=identity&encoding=json&message=e30",
            "connect=v1&base64=0&compression=&encoding=json&message=%7b%7d",
        ] {
            check(&get(query), &UNARY, ok);
        }
        check(
            &get("connect=v1&base64=1&encoding=proto&message=_-8"),
            &UNARY,
            r"200; content-type: application/proto; vary: accept-encoding | \xff\xef",
        );
    }

    #[test]
    fn empty_messages() {
        check(
            &get("connect=v1&encoding=proto&message="),
            &UNARY,
            "200; content-type: application/proto; vary: accept-encoding | ",
        );
    }

    #[test]
    fn what_cannot_be_read_is_the_clients_fault() {
        for (query, text) in [
            ("", r#"query parameter \\\"encoding\\\" is missing"#),
            ("connect=v1&encoding=json", r#"query parameter \\\"message\\\" is missing"#),
            ("connect=v1&message=a", r#"query parameter \\\"encoding\\\" is missing"#),
            (
                "connect=v2&encoding=json&message=a",
                r#"query parameter \\\"connect\\\" must be v1, not \\\"v2\\\""#,
            ),
            (
                "connect=v1&encoding=json&base64=1&message=*",
                r#"query parameter \\\"message\\\" is not base64"#,
            ),
            (
                "connect=v1&encoding=json&base64=1&message=e",
                r#"query parameter \\\"message\\\" is not base64"#,
            ),
            (
                "connect=v1&encoding=json&message=%f",
                r#"query parameter \\\"message\\\" has a malformed escape"#,
            ),
            (
                "encoding=json&message=a&message=b",
                r#"query parameter \\\"message\\\" is given more than once"#,
            ),
        ] {
            check(
                &get(query),
                &UNARY,
                &format!(
                    r#"400; content-type: application/json | {{\"code\":\"invalid_argument\",\"message\":\"{text}\"}}"#
                ),
            );
        }
        check(
            &get("connect=v1&base64=1&compression=runs&encoding=json&message=AXsB"),
            &UNARY,
            r#"400; content-type: application/json; vary: accept-encoding | {\"code\":\"invalid_argument\",\"message\":\"compressed message is corrupt\"}"#,
        );
    }

    #[test]
    fn unknown_codec() {
        check(&get("connect=v1&encoding=foo&message=a"), &UNARY, "415;  | ");
    }

    #[test]
    fn bodies_are_refused_where_announced_and_ignored_where_not() {
        let mut request = get("connect=v1&encoding=json&message=%7B%7D");
        request.body = b"smuggled".to_vec();
        check(&request, &UNARY, "200; content-type: application/json; vary: accept-encoding | {}");
        check(
            &request.clone().header("content-length", "8"),
            &UNARY,
            r#"400; content-type: application/json | {\"code\":\"invalid_argument\",\"message\":\"a GET carries its message in the query, not in a body\"}"#,
        );
        check(
            &get("connect=v1&encoding=json&message=%7B%7D").header("content-length", "0"),
            &UNARY,
            "200; content-type: application/json; vary: accept-encoding | {}",
        );
    }

    #[test]
    fn errors() {
        check(
            &get("connect=v1&encoding=json&message=!unavailable"),
            &UNARY,
            r#"503; content-type: application/json; beside: it; vary: accept-encoding | {\"code\":\"unavailable\",\"message\":\"it is unavailable\"}"#,
        );
    }

    #[test]
    fn timeouts_and_response_compression_are_headers_still() {
        let request = get("connect=v1&encoding=json&message=aaaa").header("accept-encoding", "runs");
        check(
            &request,
            &UNARY,
            r"200; content-type: application/json; content-encoding: runs; vary: accept-encoding | \x04a",
        );
        check(
            &request.header("connect-timeout-ms", "x"),
            &UNARY,
            r#"400; content-type: application/json | {\"code\":\"invalid_argument\",\"message\":\"header connect-timeout-ms is malformed: \\\"x\\\"\"}"#,
        );
    }
}

mod compression {
    use super::*;

    #[test]
    fn requests() {
        check(
            &post("application/proto", b"\x02a\x01b").header("content-encoding", "runs"),
            &UNARY,
            "200; content-type: application/proto | aab",
        );
        for content_type in ["application/grpc", "application/grpc-web"] {
            let body = [frame(1, b"\x02a"), frame(0, "b")].concat();
            let got = serve_every_way(
                &post(content_type, body).header("grpc-encoding", "runs"),
                &BIDI,
                &config(),
                Extras::default(),
            );
            assert!(got.body.starts_with(b"\0\0\0\0\x02aa\0\0\0\0\x01b"), "{}", got.show());
        }
        check(
            &post("application/proto", "a").header("content-encoding", "identity"),
            &UNARY,
            "200; content-type: application/proto | a",
        );
        check(
            &post("application/proto", "a").header("content-encoding", ""),
            &UNARY,
            "200; content-type: application/proto | a",
        );
    }

    #[test]
    fn responses_only_where_asked_for_and_worth_it() {
        let unary = |accept| post("application/proto", "aaaa").header("accept-encoding", accept);
        for accept in ["identity", "gzip", "runs;q=0", "", "*;q=0", "runs;q=0.5, identity"] {
            check(&unary(accept), &UNARY, "200; content-type: application/proto | aaaa");
        }
        for accept in ["runs", "gzip, runs", "*", "runs;q=0.1", "gzip;q=1.0, RUNS;q=0.5"] {
            check(
                &unary(accept),
                &UNARY,
                r"200; content-type: application/proto; content-encoding: runs | \x04a",
            );
        }
        check(
            &post("application/proto", "aaa").header("accept-encoding", "runs"),
            &UNARY,
            "200; content-type: application/proto | aaa",
        );
        check(
            &unary("gzip").header("accept-encoding", "runs"),
            &UNARY,
            r"200; content-type: application/proto; content-encoding: runs | \x04a",
        );
    }

    #[test]
    fn streams_announce_it_and_flag_messages() {
        let body = [frame(0, "aaaa"), frame(0, "b")].concat();
        check(
            &post("application/grpc", &body).header("grpc-accept-encoding", "runs"),
            &BIDI,
            r"200; content-type: application/grpc; grpc-encoding: runs | \x01\x00\x00\x00\x02\x04a\x00\x00\x00\x00\x01b | grpc-status: 0",
        );
        check(
            &post("application/connect+proto", &body).header("connect-accept-encoding", "runs"),
            &BIDI,
            r"200; content-type: application/connect+proto; connect-content-encoding: runs | \x01\x00\x00\x00\x02\x04a\x00\x00\x00\x00\x01b\x02\x00\x00\x00\x02{}",
        );
        // The HTTP field says nothing about envelopes.
        check(
            &post("application/connect+proto", frame(0, "aaaa")).header("accept-encoding", "runs"),
            &BIDI,
            r"200; content-type: application/connect+proto | \x00\x00\x00\x00\x04aaaa\x02\x00\x00\x00\x02{}",
        );
    }

    #[test]
    fn errors_are_not_compressed() {
        check(
            &post("application/proto", "!aborted").header("accept-encoding", "runs"),
            &UNARY,
            r#"409; content-type: application/json; beside: it | {\"code\":\"aborted\",\"message\":\"it is aborted\"}"#,
        );
    }
}
