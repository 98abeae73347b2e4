use super::*;

/// Whether `document` is JSON.
#[track_caller]
fn check(document: &str, want: bool) {
    let got = Reader::new(document.as_bytes())
        .and_then(|mut reader| reader.skip().and_then(|()| reader.end()))
        .is_ok();
    assert_eq!(got, want, "{document:?}");
}

/// Reads `document`, a string, as `want`.
#[track_caller]
fn check_string(document: &str, want: Option<&str>) {
    let got = Reader::new(document.as_bytes()).and_then(|mut reader| {
        let text = reader.string()?;
        reader.end()?;
        Ok(text)
    });
    assert_eq!(got.ok().as_deref(), want, "{document:?}");
}

#[test]
fn documents() {
    for document in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "12",
        "1.5",
        "-1.50e+10",
        "1E3",
        "\"\"",
        "[]",
        "{}",
        " [ ] ",
        "\t{\r}\n",
        "[1,2]",
        "[[],{}]",
        "{\"a\":1}",
        "{\"a\" : [1, {\"b\": null}], \"\": \"\"}",
        "{\"a\":1,\"a\":2}",
    ] {
        check(document, true);
        for end in 0..document.trim_end().len() {
            let numeric = document.as_bytes()[0].is_ascii_digit() || document.starts_with('-');
            if !numeric {
                check(&document[..end], false);
            }
        }
    }
}

#[test]
fn what_is_not_json() {
    for document in [
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "--1",
        "0x1",
        "NaN",
        "'a'",
        "[1,]",
        "[,]",
        "[1 2]",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "{\"a\":1 \"b\":2}",
        "]",
        "}",
        "[}",
        "{]",
        "[1]]",
        "1 2",
        "// a\n1",
        "\u{feff}1",
        "\u{a0}1",
    ] {
        check(document, false);
    }
    assert!(Reader::new(b"\"\xff\"").is_err());
}

#[test]
fn depth_at_below_and_above_the_limit() {
    for (depth, want) in [(DEPTH_MAX - 1, true), (DEPTH_MAX, true), (DEPTH_MAX + 1, false), (100_000, false)]
    {
        check(&("[".repeat(depth) + &"]".repeat(depth)), want);
        check(&("{\"a\":".repeat(depth) + "0" + &"}".repeat(depth)), want);
    }
    check(&("[".repeat(DEPTH_MAX - 1) + &"[],".repeat(1000) + "0" + &"]".repeat(DEPTH_MAX - 1)), true);
}

#[test]
fn strings_and_escapes() {
    check_string("\"\"", Some(""));
    check_string("\"a\u{263a}\"", Some("a\u{263a}"));
    check_string(r#""\"\\\/\b\f\n\r\tx""#, Some("\"\\/\u{8}\u{c}\n\r\tx"));
    check_string(r#""\u0041\u00e9\u263A\u0000""#, Some("A\u{e9}\u{263a}\0"));
    check_string("\"\u{7f}\u{2028}\"", Some("\u{7f}\u{2028}"));
    for document in [
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u\"",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\\u+123\"",
        "\"\n\"",
        "\"\0\"",
        "\"\\\u{e9}\"",
    ] {
        check_string(document, None);
    }
}

#[test]
fn surrogates_make_pairs_or_are_replaced() {
    check_string(r#""\ud83d\ude08""#, Some("\u{1f608}"));
    check_string(r#""\uD800\uDC00\uDBFF\uDFFF""#, Some("\u{10000}\u{10ffff}"));
    check_string(r#""a\ud83d""#, Some("a\u{fffd}"));
    check_string(r#""\ude08b""#, Some("\u{fffd}b"));
    check_string(r#""\ud83d\ud83d\ude08""#, Some("\u{fffd}\u{1f608}"));
    check_string(r#""\ud83d\u0041""#, Some("\u{fffd}A"));
    check_string(r#""\ud83d\n""#, Some("\u{fffd}\n"));
    check_string(r#""\ude08\ud83d""#, Some("\u{fffd}\u{fffd}"));
    check_string(r#""\ud83d\u12""#, None);
}

#[test]
fn written_strings_read_back() {
    for (text, want) in [
        ("", "\"\""),
        ("plain", "\"plain\""),
        ("\"\\/", "\"\\\"\\\\/\""),
        ("\n\r\t\u{8}\0\u{1f}\u{7f}", "\"\\n\\r\\t\\u0008\\u0000\\u001f\u{7f}\""),
        ("\u{263a}\u{1f608}", "\"\u{263a}\u{1f608}\""),
    ] {
        let mut out = BytesMut::new();
        write_string(text, &mut out);
        assert_eq!(out, want);
        check_string(want, Some(text));
    }
}
