//! The authority of a URI: a host and a port.

/// Whether `text` is a host and perhaps a port, as `host` and the targets of requests have it.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-7.2>: `Host = uri-host [ ":" port ]`. A name and a password before an `@`
/// are refused: <https://www.rfc-editor.org/rfc/rfc9110#section-4.2.4>.
pub(crate) fn is_authority(text: &[u8]) -> bool {
    let (host_is_valid, rest) = match text {
        [b'[', literal @ ..] => match literal.iter().position(|&byte| byte == b']') {
            Some(end) => (is_ip_literal(&literal[..end]), &literal[end + 1..]),
            None => return false,
        },
        _ => {
            let end = text.iter().position(|&byte| byte == b':').unwrap_or(text.len());
            (is_name(&text[..end]), &text[end..])
        }
    };
    let port_is_valid = match rest {
        [] => true,
        [b':', port @ ..] => port.len() <= PORT_DIGITS_MAX && port.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    host_is_valid && port_is_valid
}

/// Whether `text` is an IPv4 address or a registered name, which is not empty.
fn is_name(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let is_valid = match byte {
            b'%' => {
                bytes.next().is_some_and(u8::is_ascii_hexdigit)
                    && bytes.next().is_some_and(u8::is_ascii_hexdigit)
            }
            byte => NAME_BYTES[usize::from(*byte)],
        };
        if !is_valid {
            return false;
        }
    }
    !text.is_empty()
}

/// The bytes of a registered name, but for what `%` encodes.
const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let marks = b"-._~!$&'()*+,;=";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// Whether `text` may be between the brackets: an IPv6 address, or one of a later version.
fn is_ip_literal(text: &[u8]) -> bool {
    let is_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b":.-_~!$&'()*+,;=".contains(byte);
    match text {
        [b'v' | b'V', version @ ..] => {
            let digits = version.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            digits > 0
                && version.get(digits) == Some(&b'.')
                && version.len() > digits + 1
                && version[digits + 1..].iter().all(is_byte)
        }
        _ => std::str::from_utf8(text).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok()),
    }
}

// Leading zeros are digits too, but no client needs them.
const PORT_DIGITS_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_from_other_text() {
        for text in [
            "a",
            "localhost:8080",
            "a_b.example:",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:80",
            "[v1.a:b]:1",
            "a%2Fb",
            "xn--a",
            "a:00080",
            "[::ffff:1.2.3.4]",
        ] {
            assert!(is_authority(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            ":80",
            "a:b",
            "a:-1",
            "a:123456",
            "a b",
            "a/b",
            "a@b",
            "user:pw@b",
            "[::1",
            "[]",
            "[::g]",
            "[::1]a",
            "[v1]",
            "[v.a]",
            "[vg.a]",
            "[v1.]",
            "a%2",
            "a%zz",
            "a?b",
            "a#b",
            "a,b:c",
            "\u{e9}",
            "a\\b",
            "[::1%25eth0]",
        ] {
            assert!(!is_authority(text.as_bytes()), "{text}");
        }
    }
}
