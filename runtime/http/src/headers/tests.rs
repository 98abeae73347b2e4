use super::*;

/// Reads `headers` through the trait object and expects `want`, in order.
#[track_caller]
fn check(headers: &dyn Headers, want: &[(&str, &str)]) {
    let mut got: Vec<(String, Vec<u8>)> = Vec::new();
    headers.for_each(&mut |name, value| HeadersMut::append(&mut got, name, value));
    let want_owned: Vec<_> =
        want.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    assert_eq!(got, want_owned);
    for (name, _) in want {
        let first = want.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_bytes());
        assert_eq!(headers.get(name), first);
    }
    assert_eq!(headers.get("absent"), None);
}

#[test]
fn repeated_fields_keep_order_and_get_is_the_first() {
    let fields = [("a", "1"), ("b", "2"), ("a", "3")];
    check(&fields, &fields);
    check(&fields.to_vec(), &fields);
    check(&fields.as_slice(), &fields);
}

#[test]
fn no_fields() {
    check(&Vec::<(String, Vec<u8>)>::new(), &[]);
}

#[test]
fn upper_case_fields_are_found_by_their_lower_case_name() {
    assert_eq!([("Content-Type", "a")].get("content-type"), Some(&b"a"[..]));
}

#[test]
fn a_closure_is_a_sink() {
    let mut seen = Vec::new();
    let mut sink = |name: &str, value: &[u8]| seen.push((name.to_owned(), value.len()));
    let sink: &mut dyn HeadersMut = &mut sink;
    sink.append("a", b"xyz");
    sink.append_static(Token::TE, "x");
    assert_eq!(seen, [("a".to_owned(), 3), ("te".to_owned(), 1)]);
}
