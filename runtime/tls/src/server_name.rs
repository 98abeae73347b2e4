//! The server name in a ClientHello: RFC 6066 section 3, RFC 8446 section 4.1.2.
//!
//! rustls judges the message, and its unbuffered connections keep the name to themselves. This reads it beforehand, and takes
//! anything out of order for the absence of a name.

/// The result of a look for the name.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Found {
    Name(String),
    /// There is none.
    Nothing,
    /// The message is not whole.
    Short,
}

/// Looks for the name in the first records of a connection.
pub(crate) fn find(records: &[u8]) -> Found {
    let mut message = Vec::new();
    let mut rest = records;
    loop {
        if let [1, a, b, c, hello @ ..] = &message[..] {
            let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            if let Some(hello) = hello.get(..len) {
                return name(hello).map_or(Found::Nothing, Found::Name);
            }
        } else if message.first().is_some_and(|&kind| kind != 1) {
            return Found::Nothing;
        }
        let [kind, _, _, a, b, behind @ ..] = rest else { return Found::Short };
        let len = usize::from(u16::from_be_bytes([*a, *b]));
        if *kind != HANDSHAKE || len == 0 {
            return Found::Nothing;
        }
        let Some(fragment) = behind.get(..len) else { return Found::Short };
        message.extend_from_slice(fragment);
        rest = &behind[len..];
    }
}

/// The name in a ClientHello without its header.
fn name(hello: &[u8]) -> Option<String> {
    let mut rest = hello.get(2 + 32..)?;
    take(&mut rest, 1)?;
    take(&mut rest, 2)?;
    take(&mut rest, 1)?;
    let mut extensions = take(&mut rest, 2)?;
    while !extensions.is_empty() {
        let kind = u16::from_be_bytes([*extensions.first()?, *extensions.get(1)?]);
        extensions = &extensions[2..];
        let mut extension = take(&mut extensions, 2)?;
        if kind != SERVER_NAME {
            continue;
        }
        let mut list = take(&mut extension, 2)?;
        let (kind, mut rest) = list.split_first()?;
        let host = (*kind == HOST_NAME).then(|| take(&mut rest, 2)).flatten()?;
        list = rest;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
        let is_valid = list.is_empty() && !host.is_empty() && host.iter().all(is_name);
        return is_valid.then(|| host.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect());
    }
    None
}

/// Takes a vector whose length stands in `width` bytes before it.
fn take<'a>(rest: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
    let len = rest.get(..width)?.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
    let vector = rest.get(width..width + len)?;
    *rest = &rest[width + len..];
    Some(vector)
}

const HANDSHAKE: u8 = 22;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_testing::seed::Seed;

    /// A ClientHello with these extensions.
    fn hello(extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let mut list = Vec::new();
        for (kind, extension) in extensions {
            list.extend_from_slice(&kind.to_be_bytes());
            list.extend_from_slice(&(extension.len() as u16).to_be_bytes());
            list.extend_from_slice(extension);
        }
        let mut hello = vec![3, 3];
        hello.extend_from_slice(&[7; 32]);
        hello.extend_from_slice(&[2, 1, 2, 0, 2, 0x13, 0x01, 1, 0]);
        hello.extend_from_slice(&(list.len() as u16).to_be_bytes());
        hello.extend_from_slice(&list);
        let len = hello.len() as u32;
        [&[1], &len.to_be_bytes()[1..], &hello].concat()
    }

    fn records(message: &[u8], len: usize) -> Vec<u8> {
        let record = |part: &[u8]| [&[22, 3, 1][..], &(part.len() as u16).to_be_bytes(), part].concat();
        message.chunks(len).flat_map(record).collect()
    }

    fn list(kind: u8, name: &str) -> Vec<u8> {
        let len = name.len() as u16;
        [&(len + 3).to_be_bytes()[..], &[kind], &len.to_be_bytes(), name.as_bytes()].concat()
    }

    fn check(extensions: &[(u16, &[u8])], want: Option<&str>) {
        let message = hello(extensions);
        let want = want.map_or(Found::Nothing, |name| Found::Name(name.to_owned()));
        for len in [1, 2, 5, 1000] {
            let records = records(&message, len);
            assert_eq!(find(&records), want, "records of {len} bytes");
            for short in 0..records.len() {
                assert_eq!(find(&records[..short]), Found::Short, "{short} bytes of {}", records.len());
            }
        }
    }

    #[test]
    fn a_name_is_found_among_other_extensions() {
        let name = list(0, "A.Example-1");
        check(&[(0, &name)], Some("a.example-1"));
        check(&[(16, b"\0\x03\x02h2"), (0, &name), (43, b"")], Some("a.example-1"));
    }

    #[test]
    fn what_is_no_name_is_none() {
        check(&[], None);
        check(&[(16, b"\0\x03\x02h2")], None);
        for name in ["", "a b", "a/b", "\u{e9}", "a\0"] {
            check(&[(0, &list(0, name))], None);
        }
        check(&[(0, &list(1, "a"))], None);
        check(&[(0, b"")], None);
        check(&[(0, b"\0\x09\0\0\x01a")], None);
        check(&[(0, &[&list(0, "a")[..], b"x"].concat())], Some("a"));
    }

    #[test]
    fn other_messages_have_none() {
        assert_eq!(find(b"GET / HTTP/1.1\r\n"), Found::Nothing);
        assert_eq!(find(b"\x16\x03\x01\0\0"), Found::Nothing);
        assert_eq!(find(b"\x16\x03\x01\0\x01\x02"), Found::Nothing);
        assert_eq!(find(b""), Found::Short);
    }

    #[test]
    fn nothing_panics() {
        let good = records(&hello(&[(0, &list(0, "a.example"))]), 1000);
        let mut seed = Seed::new(1);
        for _ in 0..50_000 {
            let mut bytes = good.clone();
            for _ in 0..=seed.below(3) {
                let at = seed.below(bytes.len());
                bytes[at] = seed.number() as u8;
            }
            find(&bytes);
        }
    }
}
