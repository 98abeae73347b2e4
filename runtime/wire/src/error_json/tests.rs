use super::*;

type DetailRow<'a> = (&'a str, &'a [u8]);

fn received(code: Option<Code>, message: &str, details: &[DetailRow<'_>]) -> ReceivedError {
    let detail = |(type_name, value): &DetailRow<'_>| ReceivedDetail {
        type_name: (*type_name).to_owned(),
        value: Bytes::copy_from_slice(value),
    };
    ReceivedError { code, message: message.to_owned(), details: details.iter().map(detail).collect() }
}

/// Reads `body` alone and as the error of a stream; `None` stands for malformed JSON.
#[track_caller]
fn check(body: &str, want: Option<ReceivedError>) {
    assert_eq!(parse_error(body.as_bytes()).ok(), want, "{body}");
    let payload = format!(" {{ \"error\" : {body} , \"x\" : [{{}}] }} ");
    let end = parse_end_stream(payload.as_bytes()).ok();
    if body != "null" {
        assert_eq!(end.map(|end| end.error), want.map(Some), "{payload}");
    }
}

/// Reads `payload` and shows whether it is an error, and its trailers.
#[track_caller]
fn check_end(payload: &str, want: Option<(bool, &[(&str, &str)])>) {
    let got = parse_end_stream(payload.as_bytes()).ok();
    let trailers = |end: &EndStream| {
        end.trailers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect::<Vec<_>>()
    };
    let got = got.as_ref().map(|end| (end.error.is_some(), trailers(end)));
    let want = want.map(|(is_error, trailers)| {
        let owned = trailers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        (is_error, owned.collect())
    });
    assert_eq!(got, want, "{payload}");
}

/// Writes an error and the end of a stream as these texts, and reads them back.
#[track_caller]
fn check_write(error: &Error<'_>, trailers: &Metadata, body: &str, payload: &str) {
    let mut out = BytesMut::new();
    write_error(error, &mut out);
    assert_eq!(out, body);
    let details: Vec<_> = error.details.iter().map(|detail| (detail.type_name, detail.value)).collect();
    check(body, Some(received(Some(error.code), error.message, &details)));
    out.clear();
    write_end_stream(Some(error), trailers, &mut out);
    assert_eq!(out, payload);
    let read = parse_end_stream(payload.as_bytes()).unwrap().trailers;
    let written: Vec<_> = trailers.iter_custom().collect();
    assert!(read.iter().all(|field| written.contains(&field)));
    assert_eq!(read.len(), written.len());
    for end in 0..payload.len() {
        assert!(parse_end_stream(&payload.as_bytes()[..end]).is_err(), "{}", &payload[..end]);
    }
}

#[test]
fn every_member_is_read_in_any_order() {
    let want = received(Some(Code::NotFound), "gone", &[("a.B", b"\x08\x01"), ("c.D", b"")]);
    check(
        r#"{"code":"not_found","message":"gone","details":[{"type":"a.B","value":"CAE"},{"type":"c.D","value":""}]}"#,
        Some(want.clone()),
    );
    check(
        r#"{"details":[{"value":"CAE=","type":"type.googleapis.com/a.B"},{"value":"","type":"x/c.D"}],"message":"gone","code":"not_found"}"#,
        Some(want),
    );
}

#[test]
fn every_code_is_read() {
    for code in Code::ALL {
        check(&format!(r#"{{"code":"{code}"}}"#), Some(received(Some(code), "", &[])));
    }
}

#[test]
fn codes_that_are_none_of_ours() {
    for member in [
        "",
        r#""code":null,"#,
        r#""code":"","#,
        r#""code":"ok","#,
        r#""code":"NOT_FOUND","#,
        r#""code":5,"#,
        r#""code":{},"#,
    ] {
        check(&format!(r#"{{{member}"message":"kept"}}"#), Some(received(None, "kept", &[])));
    }
}

#[test]
fn null_and_absent_members_are_the_same() {
    check("{}", Some(received(None, "", &[])));
    check(
        r#"{"code":"aborted","message":null,"details":null}"#,
        Some(received(Some(Code::Aborted), "", &[])),
    );
    check(r#"{"code":"aborted","message":7,"details":{}}"#, Some(received(Some(Code::Aborted), "", &[])));
}

#[test]
fn unknown_members_and_debug_are_ignored() {
    check(
        r#"{"Code":1,"x":{"code":"internal"},"code":"aborted","details":[{"type":"a.B","value":"CAE","debug":{"@type":"?","deep":[[[1]]]},"y":0}],"z":[]}"#,
        Some(received(Some(Code::Aborted), "", &[("a.B", b"\x08\x01")])),
    );
}

#[test]
fn details_that_cannot_be_read_are_left_out() {
    check(
        r#"{"code":"aborted","details":[null,1,{},{"type":"a.B"},{"value":"CAE"},{"type":1,"value":"CAE"},{"type":"a.B","value":"!"},{"type":"a.B","value":"CAE"}]}"#,
        Some(received(Some(Code::Aborted), "", &[("a.B", b"\x08\x01")])),
    );
}

#[test]
fn bodies_that_are_no_error() {
    for body in ["null", "[]", "\"\"", "0", "{", "{\"code\"}", "{\"code\":\"aborted\",}", "<html>"] {
        check(body, None);
    }
    assert!(parse_error(b"").is_err());
    assert!(parse_error(b"{} {}").is_err());
    assert!(parse_error(b"{\"message\":\"\xff\"}").is_err());
}

#[test]
fn a_stream_ends_well_unless_it_has_an_error() {
    check_end("{}", Some((false, &[])));
    check_end(r#"{"error":null}"#, Some((false, &[])));
    check_end(r#"{"error":null,"metadata":null}"#, Some((false, &[])));
    check_end(r#"{"unknown":{"error":{}}}"#, Some((false, &[])));
    check_end(r#"{"error":{}}"#, Some((true, &[])));
    for payload in ["", "null", "[]", "{} x", r#"{"error":1}"#, r#"{"error":"x"}"#, r#"{"error":[]}"#] {
        check_end(payload, None);
    }
}

#[test]
fn trailers_are_arrays_of_strings() {
    check_end(
        r#"{"metadata":{"X-A":["1","2"],"b-bin":["CAE"],"x-a":["3"],"n":null,"e":[],"u":["\u263a"]}}"#,
        Some((false, &[("x-a", "1"), ("x-a", "2"), ("b-bin", "CAE"), ("x-a", "3"), ("u", "\u{263a}")])),
    );
    for metadata in [
        "1",
        "[]",
        r#"{"a":"b"}"#,
        r#"{"a":[1]}"#,
        r#"{"a":[null]}"#,
        r#"{"a b":["c"]}"#,
        r#"{"":["c"]}"#,
        r#"{"a":["b\nc"]}"#,
        r#"{"a":["\u0000"]}"#,
    ] {
        check_end(&format!(r#"{{"metadata":{metadata}}}"#), None);
    }
}

#[test]
fn an_error_is_written_with_what_it_has() {
    let mut error = Error { code: Code::InvalidArgument, message: "", details: &[] };
    check_write(
        &error,
        &Metadata::new(),
        r#"{"code":"invalid_argument"}"#,
        r#"{"error":{"code":"invalid_argument"}}"#,
    );
    error.message = "\n...\r\n...\u{263a}...\u{1f608}\n\"\\\0";
    error.details = &[
        Detail { type_name: "a.B", value: b"\x08\x01", debug: Some(r#"{"c":1}"#) },
        Detail { type_name: "c.D", value: b"", debug: None },
    ];
    let body = "{\"code\":\"invalid_argument\",\"message\":\"\\n...\\r\\n...\u{263a}...\u{1f608}\\n\\\"\\\\\\u0000\",\
        \"details\":[{\"type\":\"a.B\",\"value\":\"CAE\",\"debug\":{\"c\":1}},{\"type\":\"c.D\",\"value\":\"\"}]}";
    let mut trailers = Metadata::new();
    trailers.append("x-a", "1").unwrap();
    trailers.append_bin("y-bin", b"\0").unwrap();
    trailers.append("x-a", "\"2\"").unwrap();
    trailers.append_received("content-type", b"forged").unwrap();
    check_write(
        &error,
        &trailers,
        body,
        &format!(r#"{{"error":{body},"metadata":{{"x-a":["1","\"2\""],"y-bin":["AA"]}}}}"#),
    );
}

#[test]
fn success_is_written_with_trailers_or_without() {
    let mut trailers = Metadata::new();
    let write = |trailers: &Metadata| {
        let mut out = BytesMut::new();
        write_end_stream(None, trailers, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    };
    assert_eq!(write(&trailers), "{}");
    trailers.append_received("grpc-status", b"13").unwrap();
    assert_eq!(write(&trailers), "{}");
    trailers.append("x-a", &b"\xff"[..]).unwrap();
    assert_eq!(write(&trailers), "{\"metadata\":{\"x-a\":[\"\u{fffd}\"]}}");
}

#[test]
fn as_many_trailers_and_details_as_are_allowed() {
    for (count, is_read) in [(TRAILERS_MAX - 1, true), (TRAILERS_MAX, true), (TRAILERS_MAX + 1, false)] {
        let values = vec!["\"\""; count].join(",");
        let read = parse_end_stream(format!(r#"{{"metadata":{{"a":[{values}]}}}}"#).as_bytes());
        assert_eq!(read.is_ok(), is_read, "{count}");
    }
    for (count, kept) in
        [(DETAILS_MAX - 1, DETAILS_MAX - 1), (DETAILS_MAX, DETAILS_MAX), (DETAILS_MAX + 1, DETAILS_MAX)]
    {
        let details = vec![r#"{"type":"a.B","value":""}"#; count].join(",");
        let read = parse_error(format!(r#"{{"details":[{details}]}}"#).as_bytes());
        assert_eq!(read.unwrap().details.len(), kept);
    }
}
