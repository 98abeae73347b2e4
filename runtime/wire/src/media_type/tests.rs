use super::*;

/// Reads `value` and shows it as essence and parameters; `None` stands for a malformed one.
#[track_caller]
fn check(value: &str, want: Option<(&str, &[(&str, &str)])>) {
    let got = MediaType::parse(value.as_bytes()).ok();
    let got = got.map(|got| (got.essence(), got.parameters().collect::<Vec<_>>()));
    let want = want.map(|(essence, parameters)| {
        (essence, parameters.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))).collect::<Vec<_>>())
    });
    assert_eq!(got, want, "{value:?}");
}

#[test]
fn types_without_parameters() {
    for value in [
        "application/json",
        "application/grpc-web-text+proto",
        "a/b",
        "*/*",
        "application/x-www-form-urlencoded",
    ] {
        check(value, Some((value, &[])));
    }
    check(" application/json\t", Some(("application/json", &[])));
}

#[test]
fn parameters_with_and_without_space_and_quotes() {
    let utf8: Option<(&str, &[(&str, &str)])> = Some(("application/json", &[("charset", "utf-8")]));
    check("application/json;charset=utf-8", utf8);
    check("application/json; charset=utf-8", utf8);
    check("application/json \t;\t charset=utf-8 ", utf8);
    check("application/json;charset=\"utf-8\"", utf8);
    check("application/json;charset=\"\\u\\t\\f-8\"", utf8);
    check("application/json;; charset=utf-8;", utf8);
    check("a/b;c=\"\";d=\" ;\\\"\\\\=\";e=f", Some(("a/b", &[("c", ""), ("d", " ;\"\\="), ("e", "f")])));
    check("a/b;C=1;c=2", Some(("a/b", &[("C", "1"), ("c", "2")])));
    check("a/b;c=\"\u{e9}\"", Some(("a/b", &[("c", "\u{e9}")])));
}

#[test]
fn malformed_types() {
    for value in [
        "",
        " ",
        "/",
        "a",
        "a/",
        "/b",
        "a/b/c",
        "a /b",
        "a/ b",
        "a/b c",
        "a/b,c/d",
        "a/b;c",
        "a/b;c=",
        "a/b;=c",
        "a/b; c =d",
        "a/b; c= d",
        "a/b;c=d e",
        "a/b;c=\"",
        "a/b;c=\"d",
        "a/b;c=\"d\\",
        "a/b;c=\"d\"e",
        "a/b;c=\"\n\"",
        "a/b;c=\"\\\0\"",
        "a/\u{e9}",
    ] {
        check(value, None);
    }
    assert!(MediaType::parse(b"a/\xff").is_err());
}

#[test]
fn case_does_not_matter_to_comparisons() {
    let media_type = MediaType::parse(b"Application/JSON; Charset=UTF-8").unwrap();
    assert!(media_type.is("application/json"));
    assert!(!media_type.is("application/jso"));
    assert_eq!(media_type.parameter("charset").as_deref(), Some("UTF-8"));
    assert_eq!(media_type.parameter("boundary"), None);
}

#[test]
fn the_suffix_follows_the_last_plus() {
    for (value, kind, want) in [
        ("application/grpc", "application", ("grpc", None)),
        ("application/grpc+proto", "application", ("grpc", Some("proto"))),
        ("application/grpc-web-text+proto", "application", ("grpc-web-text", Some("proto"))),
        ("image/a+b+c", "image", ("a+b", Some("c"))),
        ("a/b+", "a", ("b", Some(""))),
    ] {
        let media_type = MediaType::parse(value.as_bytes()).unwrap();
        assert_eq!((media_type.kind(), media_type.subtype_and_suffix()), (kind, want));
    }
}
