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
    if !is_token(name) {
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
mod tests;
