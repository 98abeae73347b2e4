use super::*;

#[track_caller]
fn check(list: &str, want: &[(&str, u16)]) {
    let got: Vec<_> =
        codings(list.as_bytes()).map(|coding| (coding.name, coding.weight.thousandths())).collect();
    assert_eq!(got, want, "{list:?}");
}

#[test]
fn names_without_weights_are_fully_welcome() {
    check("", &[]);
    check("gzip", &[("gzip", 1000)]);
    check("gzip,br", &[("gzip", 1000), ("br", 1000)]);
    check(" gzip ,\tbr ", &[("gzip", 1000), ("br", 1000)]);
    check("*", &[("*", 1000)]);
}

#[test]
fn weights_have_up_to_three_decimals() {
    check("a;q=0", &[("a", 0)]);
    check("a;q=1", &[("a", 1000)]);
    check("a;q=0.", &[("a", 0)]);
    check("a;q=0.5", &[("a", 500)]);
    check("a;q=0.05", &[("a", 50)]);
    check("a;q=0.005", &[("a", 5)]);
    check("a;q=1.000", &[("a", 1000)]);
    check("a ; Q=0.5 , b", &[("a", 500), ("b", 1000)]);
    check(
        "gzip;q=0.5, br, *;q=0.1, identity;q=0",
        &[("gzip", 500), ("br", 1000), ("*", 100), ("identity", 0)],
    );
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    for member in [
        "",
        " ",
        ";q=1",
        "a b",
        "a;",
        "a;q",
        "a;q=",
        "a;q=2",
        "a;q=1.001",
        "a;q=0.0001",
        "a;q=.5",
        "a;q=-0",
        "a;q=0,5x",
        "a;q= 1",
        "a;q=1;b",
        "a;level=1",
        "\u{e9}",
        "a;q=0.x",
    ] {
        let list = format!("before,{member},after");
        let names: Vec<_> = codings(list.as_bytes()).map(|coding| coding.name).collect();
        assert_eq!((names.first(), names.last()), (Some(&"before"), Some(&"after")), "{member:?}");
        assert!(!names.contains(&"a") || member == "a;q=0,5x", "{member:?}");
    }
}

#[test]
fn the_weight_of_a_coding_is_its_own_or_the_rests() {
    for (list, name, want) in [
        ("gzip;q=0.5", "gzip", Some(500)),
        ("gzip;q=0.5", "GZIP", Some(500)),
        ("gzip;q=0.5", "br", None),
        ("*;q=0.2, gzip;q=0.5", "gzip", Some(500)),
        ("*;q=0.2, gzip;q=0.5", "br", Some(200)),
        ("gzip, *;q=0", "identity", Some(0)),
        ("gzip;q=0, *", "gzip", Some(0)),
        ("gzip;q=0.1, gzip", "gzip", Some(100)),
        ("*;q=0, *", "gzip", Some(0)),
        ("", "gzip", None),
    ] {
        assert_eq!(weight(list.as_bytes(), name).map(Weight::thousandths), want, "{name} in {list:?}");
    }
    assert!(!Weight::REFUSED.is_acceptable() && Weight(1).is_acceptable());
}
