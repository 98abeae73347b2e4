//! The static table: <https://www.rfc-editor.org/rfc/rfc7541#appendix-A>.

use crate::{LineName, Pseudo};
use ringwire_http::{Names, TOKENS_MAX, Token};

/// The number of entries; the dynamic table begins behind them.
pub(crate) const STATIC_LEN: usize = TABLE.len();

/// The name and the value of the entry at `index`, which begins with 1.
pub(crate) fn entry(index: usize, names: &'static Names) -> (LineName<'static>, &'static str) {
    let (name, value) = TABLE[index - 1];
    let name = match CLASSES[index - 1] {
        Class::Pseudo(pseudo) => LineName::Pseudo(pseudo),
        Class::Known(token) => LineName::Known(token),
        // The layer above may have a token for it.
        Class::Text => names.find(name.as_bytes()).map_or(LineName::Text(name), LineName::Known),
    };
    (name, value)
}

/// The length of the name and the value of the entry at `index`.
pub(crate) fn len(index: usize) -> usize {
    let (name, value) = TABLE[index - 1];
    name.len() + value.len()
}

/// The first index of this name.
pub(crate) fn find_name(name: &str) -> Option<usize> {
    let at = TABLE.iter().position(|(other, _)| other.len() == name.len() && *other == name)?;
    Some(at + 1)
}

/// The first index of the name of this token of HTTP.
pub(crate) fn find_token(token: Token) -> Option<usize> {
    let index = usize::from(TOKEN_PLACES[token.index()]);
    // A token of the layer above may name a field of the table, too.
    if index == 0 && token.index() >= HTTP_TOKENS {
        find_name(token.as_str())
    } else {
        (index > 0).then_some(index)
    }
}

#[derive(Clone, Copy)]
enum Class {
    Pseudo(Pseudo),
    Known(Token),
    Text,
}

static CLASSES: [Class; STATIC_LEN] = {
    let mut classes = [Class::Text; STATIC_LEN];
    let mut at = 0;
    while at < STATIC_LEN {
        let name = TABLE[at].0.as_bytes();
        if let Some(pseudo) = Pseudo::find(name) {
            classes[at] = Class::Pseudo(pseudo);
        } else if let Some(token) = Names::HTTP.find(name) {
            classes[at] = Class::Known(token);
        }
        at += 1;
    }
    classes
};

static TOKEN_PLACES: [u8; TOKENS_MAX] = {
    let mut places = [0; TOKENS_MAX];
    let mut at = STATIC_LEN;
    while at > 0 {
        if let Some(token) = Names::HTTP.find(TABLE[at - 1].0.as_bytes()) {
            places[token.index()] = at as u8;
        }
        at -= 1;
    }
    places
};

/// The number of the tokens of HTTP: `vary` is the last.
const HTTP_TOKENS: usize = Token::VARY.index() + 1;

#[rustfmt::skip]
const TABLE: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Token = Token::extra(0, "age");
    const LATE: Token = Token::extra(1, "late");
    static NAMES: Names = Names::new(&[AGE, LATE]);

    #[test]
    fn entries_are_classified() {
        assert_eq!(entry(1, &NAMES), (LineName::Pseudo(Pseudo::Authority), ""));
        assert_eq!(entry(16, &NAMES), (LineName::Known(Token::ACCEPT_ENCODING), "gzip, deflate"));
        assert_eq!(entry(20, &NAMES), (LineName::Text("access-control-allow-origin"), ""));
        assert_eq!(entry(21, &NAMES), (LineName::Known(AGE), ""));
        assert_eq!(entry(61, &NAMES), (LineName::Text("www-authenticate"), ""));
    }

    #[test]
    fn names_have_their_first_index() {
        for (name, index) in
            [("content-type", Some(31)), ("te", None), ("vary", Some(59)), ("accept", Some(19))]
        {
            let token = Names::HTTP.find(name.as_bytes()).expect("a token");
            assert_eq!((find_token(token), find_name(name)), (index, index), "{name}");
        }
        assert_eq!((find_token(AGE), find_token(LATE)), (Some(21), None));
        assert_eq!(find_name(":status"), Some(8));
        // A token that a later version of HTTP's list adds must not fall between the two kinds.
        assert_eq!(AGE.index(), HTTP_TOKENS);
    }
}
