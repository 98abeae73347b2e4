use super::*;

/// Appends a field as an application does and expects it to read so, or this fault.
#[track_caller]
fn check(name: &'static str, value: &'static [u8], want: Result<(&str, &[u8]), Fault>) {
    let mut metadata = Metadata::new();
    let got = metadata.append(name, value).map_err(|error| {
        assert_eq!(error.name.to_ascii_lowercase(), name.to_ascii_lowercase());
        error.fault
    });
    assert_eq!(got, want.map(drop), "{name:?}: {value:?}");
    assert_eq!(metadata.iter().collect::<Vec<_>>(), want.into_iter().collect::<Vec<_>>());

    let mut replaced = Metadata::new();
    assert_eq!(replaced.insert(name, value).map_err(|error| error.fault), got);
    assert_eq!(replaced, metadata);

    let mut received = Metadata::new();
    let got_received = received.append_received(name, value).map_err(|error| error.fault);
    match want {
        Err(Fault::Reserved) => assert_eq!((received.len(), received.iter_custom().count()), (1, 0)),
        Ok(_) | Err(_) => assert_eq!(got_received, got),
    }
}

/// Reads all binary values of `value`; `None` stands for one that is not base64.
#[track_caller]
fn check_bin(value: &str, want: &[Option<&[u8]>]) {
    let mut metadata = Metadata::new();
    metadata.append("a-bin", value.to_owned()).unwrap();
    let got: Vec<_> = metadata.get_all_bin("A-Bin").map(Result::ok).collect();
    let want_all: Vec<_> = want.iter().map(|value| value.map(Bytes::copy_from_slice)).collect();
    assert_eq!(got, want_all, "{value:?}");
    assert_eq!(metadata.get_bin("a-bin").ok(), want_all[0]);
}

fn fields(metadata: &Metadata) -> Vec<(&str, &str)> {
    metadata.iter().map(|(name, value)| (name, std::str::from_utf8(value).unwrap())).collect()
}

#[test]
fn names_are_tokens_in_lower_case() {
    check("x-a", b"1", Ok(("x-a", b"1")));
    check("X-Served-BY", b"1", Ok(("x-served-by", b"1")));
    check("!#$%&'*+-.^_`|~09az", b"1", Ok(("!#$%&'*+-.^_`|~09az", b"1")));
    for name in [
        "", " ", "a b", "a:", ":a", "a\n", "a\0", "\u{e9}", "a,b", "a\"", "(a)", "a/b", "a;", "a=", "[a]",
        "{a}", "\u{7f}",
    ] {
        check(name, b"1", Err(Fault::Name));
    }
}

#[test]
fn values_have_no_control_characters_and_no_space_around() {
    check("a", b"", Ok(("a", b"")));
    check("a", b" \tb c\td \t", Ok(("a", b"b c\td")));
    check("a", b"  ", Ok(("a", b"")));
    check("a", b"\x80\xff~", Ok(("a", b"\x80\xff~")));
    for value in [&b"b\r\nc: d"[..], b"b\n", b"\nb", b"\r", b"b\0", b"\x1f", b"\x7f", b"\x0b", b"\x0c"] {
        check("a", value, Err(Fault::Value));
    }
}

#[test]
fn names_of_the_protocol_cannot_be_set() {
    for name in [
        "Content-Type",
        "content-length",
        "content-encoding",
        "accept-encoding",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "upgrade",
        "expect",
        "date",
        "connect-timeout-ms",
        "Connect-Anything",
        "grpc-status",
        "grpc-status-details-bin",
        "GRPC-X",
        "trailer-x-a",
    ] {
        check(name, b"1", Err(Fault::Reserved));
    }
    for name in [
        "connection-id",
        "content-type-x",
        "grpc",
        "connect",
        "x-grpc-web",
        "user-agent",
        "authorization",
        "accept",
    ] {
        check(name, b"1", Ok((name, b"1")));
    }
}

#[test]
fn binary_fields_hold_unpadded_base64() {
    let mut metadata = Metadata::new();
    metadata.append_bin("a-bin", b"\xfb\xff").unwrap();
    metadata.append_bin("A-BIN", b"").unwrap();
    assert_eq!(fields(&metadata), [("a-bin", "+/8"), ("a-bin", "")]);
    assert_eq!(metadata.get_bin("a-bin").unwrap(), &b"\xfb\xff"[..]);
    assert_eq!(metadata.get_all_bin("a-bin").count(), 2);
    assert_eq!(metadata.append_bin("a", b"x").unwrap_err().fault, Fault::NotBinary);
    assert_eq!(metadata.append_bin("grpc-x-bin", b"x").unwrap_err().fault, Fault::Reserved);
    assert_eq!(metadata.append_bin("a b-bin", b"x").unwrap_err().fault, Fault::Name);
    assert_eq!(metadata.len(), 2);
}

#[test]
fn binary_values_arrive_padded_or_not_and_joined_by_commas() {
    check_bin("", &[Some(b"")]);
    check_bin("+/8", &[Some(b"\xfb\xff")]);
    check_bin("+/8=", &[Some(b"\xfb\xff")]);
    check_bin("+/8, AA==,AA ,\t", &[Some(b"\xfb\xff"), Some(b"\0"), Some(b"\0"), Some(b"")]);
    check_bin("-_8", &[None]);
    check_bin("A,AA", &[None, Some(b"\0")]);
    check_bin("AA,A A", &[Some(b"\0"), None]);
}

#[test]
fn reads_say_what_is_wrong() {
    let mut metadata = Metadata::new();
    metadata.append("text", &b"\xff"[..]).unwrap();
    metadata.append("data-bin", "!").unwrap();
    let fault = |fault| Err(fault);
    assert_eq!(metadata.get_str("text").map_err(|error| error.fault), fault(Fault::NotText));
    assert_eq!(metadata.get_str("none").map_err(|error| error.fault), fault(Fault::Absent));
    assert_eq!(
        metadata.get_bin("data-bin").map_err(|error| error.fault).map(drop),
        fault(Fault::NotBase64).map(drop)
    );
    assert_eq!(
        metadata.get_bin("none-bin").map_err(|error| error.fault).map(drop),
        fault(Fault::Absent).map(drop)
    );
    assert_eq!(
        metadata.get_bin("text").map_err(|error| error.fault).map(drop),
        fault(Fault::NotBinary).map(drop)
    );
    let error = metadata.get_str("none").unwrap_err();
    assert_eq!(error.to_string(), "metadata \"none\" is absent");
}

#[test]
fn order_and_repeated_names_are_kept() {
    let mut metadata = Metadata::new();
    for (name, value) in [("a", "1"), ("b", "2"), ("A", "3")] {
        metadata.append(name, value).unwrap();
    }
    assert_eq!(fields(&metadata), [("a", "1"), ("b", "2"), ("a", "3")]);
    assert_eq!(metadata.get_all("A").collect::<Vec<_>>(), [b"1", b"3"]);
    assert_eq!(metadata.get("a"), Some(&b"1"[..]));
    assert_eq!(metadata.get_str("A"), Ok("1"));
    assert_eq!(metadata.get("c"), None);

    let other = metadata.clone();
    metadata.insert("a", "4".to_owned()).unwrap();
    assert_eq!(fields(&metadata), [("b", "2"), ("a", "4")]);
    metadata.extend(&other);
    assert_eq!(fields(&metadata), [("b", "2"), ("a", "4"), ("a", "1"), ("b", "2"), ("a", "3")]);
    metadata.remove("A");
    assert_eq!(fields(&metadata), [("b", "2"), ("b", "2")]);
}

#[test]
fn a_refused_insert_changes_nothing() {
    let mut metadata = Metadata::new();
    metadata.append("a", "1").unwrap();
    metadata.insert("a", "\n").unwrap_err();
    assert_eq!(fields(&metadata), [("a", "1")]);
}

#[test]
fn static_names_and_values_are_not_copied_and_an_empty_map_allocates_nothing() {
    const NAME: &str = "x-a";
    const VALUE: &str = " b ";
    let mut metadata = Metadata::new();
    assert_eq!(metadata.fields.capacity(), 0);
    metadata.append(NAME, VALUE).unwrap();
    assert!(matches!(metadata.fields[0].0, Cow::Borrowed(NAME)));
    assert_eq!(metadata.fields[0].1.as_ptr(), VALUE[1..].as_ptr());
}

#[test]
fn list_size_is_that_of_http2() {
    let mut metadata = Metadata::new();
    assert!(metadata.is_empty());
    assert_eq!(metadata.list_size(), 0);
    metadata.append("abc", "de").unwrap();
    metadata.append("f", "").unwrap();
    assert_eq!(metadata.list_size(), 3 + 2 + 32 + 1 + 32);
}
