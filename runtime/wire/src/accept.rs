//! Lists of codings with weights: `gzip;q=0.5, br, *;q=0`.
//!
//! The grammar of `accept-encoding`, and without weights that of its kin in the RPC protocols. What
//! cannot be read is passed over: such a list is an offer, and what is left of it still is one.

use crate::token::{is_token, trim_ows};

/// One member of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Coding<'a> {
    /// The name as it was written, or `*` for every coding that is not in the list.
    pub name: &'a str,
    /// How welcome it is.
    pub weight: Weight,
}

/// How welcome a coding is, in thousandths: 0 is refused, 1000 is the default.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Weight(u16);

impl Weight {
    /// Not acceptable.
    pub const REFUSED: Self = Self(0);
    /// As welcome as can be, and the weight of a coding that says none.
    pub const FULL: Self = Self(1000);

    /// The weight in thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// Whether the coding may be used at all.
    pub const fn is_acceptable(self) -> bool {
        self.0 > 0
    }

    /// Reads a digit 0 or 1, and at most three decimals.
    fn parse(text: &[u8]) -> Option<Self> {
        let (whole, decimals) = match text {
            [whole] | [whole, b'.'] => (whole, &[][..]),
            [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
            _ => return None,
        };
        let mut thousandths = match whole {
            b'0' => 0,
            b'1' => 1000,
            _ => return None,
        };
        for (digit, worth) in decimals.iter().zip([100, 10, 1]) {
            if !digit.is_ascii_digit() {
                return None;
            }
            thousandths += u16::from(digit - b'0') * worth;
        }
        (thousandths <= Self::FULL.0).then_some(Self(thousandths))
    }
}

/// Every coding of the list that can be read, in order.
pub fn codings(list: &[u8]) -> impl Iterator<Item = Coding<'_>> {
    list.split(|byte| *byte == b',').filter_map(coding)
}

/// The weight that the list gives to the coding `name`: its own, that of `*`, or `None`.
pub fn weight(list: &[u8], name: &str) -> Option<Weight> {
    let mut of_rest = None;
    for coding in codings(list) {
        if coding.name.eq_ignore_ascii_case(name) {
            return Some(coding.weight);
        }
        if coding.name == "*" {
            of_rest = of_rest.or(Some(coding.weight));
        }
    }
    of_rest
}

fn coding(member: &[u8]) -> Option<Coding<'_>> {
    let mut parts = member.split(|byte| *byte == b';').map(trim_ows);
    let name = parts.next()?;
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return None;
    }
    let weight = match (parts.next(), parts.next()) {
        (None, _) => Weight::FULL,
        (Some([b'q' | b'Q', b'=', weight @ ..]), None) => Weight::parse(weight)?,
        (Some(_), _) => return None,
    };
    Some(Coding { name: std::str::from_utf8(name).ok()?, weight })
}

#[cfg(test)]
mod tests {
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
}
