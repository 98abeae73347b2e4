//! Bytes as people read them: `00 00 00 00 05 "hello" 61*1000`.

/// Writes `bytes` on one line.
pub fn write(bytes: &[u8]) -> String {
    tokens(bytes).join(" ")
}

/// Writes `bytes` on as many lines as it takes to keep them short.
pub fn lines(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for token in tokens(bytes) {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + token.len() <= LINE_MAX => {
                line.push(' ');
                line.push_str(&token);
            }
            Some(_) | None => lines.push(token),
        }
    }
    lines
}

/// Reads what [`write`] writes, and what people write in its place.
pub fn parse(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (unit, behind) =
            if let Some(quoted) = rest.strip_prefix('"') { quote(quoted)? } else { hex(rest)? };
        let (times, behind) = repetition(behind)?;
        if !behind.is_empty() && !behind.starts_with(char::is_whitespace) {
            return Err(format!("a space is missing before {behind:?}"));
        }
        if unit.len().saturating_mul(times) > BYTES_MAX {
            return Err(format!("{times} times {} bytes is more than a transcript should hold", unit.len()));
        }
        bytes.extend(unit.repeat(times));
        rest = behind.trim_start();
    }
    Ok(bytes)
}

fn quote(text: &str) -> Result<(Vec<u8>, &str), String> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => return Ok((bytes, chars.as_str())),
            '\\' => match chars.next() {
                Some('n') => bytes.push(b'\n'),
                Some('r') => bytes.push(b'\r'),
                Some('t') => bytes.push(b'\t'),
                Some(same @ ('"' | '\\')) => bytes.push(same as u8),
                Some('x') => {
                    let digits = chars.as_str().get(..2).ok_or("\\x needs two hex digits")?;
                    bytes
                        .push(u8::from_str_radix(digits, 16).map_err(|_| format!("\\x{digits} is no byte"))?);
                    chars = chars.as_str()[2..].chars();
                }
                other => return Err(format!("there is no escape {other:?}")),
            },
            other => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err("a quote is not closed".to_owned())
}

fn hex(text: &str) -> Result<(Vec<u8>, &str), String> {
    let end = text.find(|char: char| !char.is_ascii_hexdigit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || digits.len() % 2 == 1 {
        return Err(format!("{text:?} is neither text in quotes nor pairs of hex digits"));
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("these are hex digits");
    Ok(((0..digits.len()).step_by(2).map(byte).collect(), rest))
}

fn repetition(text: &str) -> Result<(usize, &str), String> {
    let Some(behind) = text.strip_prefix('*') else { return Ok((1, text)) };
    let end = behind.find(|char: char| !char.is_ascii_digit()).unwrap_or(behind.len());
    let (digits, rest) = behind.split_at(end);
    Ok((digits.parse().map_err(|_| format!("{text:?} does not say how often"))?, rest))
}

fn tokens(bytes: &[u8]) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let run = rest.iter().take_while(|&&byte| byte == rest[0]).count();
        if run >= RUN_MIN {
            tokens.push(format!(
                "{}*{run}",
                if is_text(rest[0]) { quoted(&rest[..1]) } else { format!("{:02x}", rest[0]) }
            ));
            rest = &rest[run..];
            continue;
        }
        let text = text_len(rest);
        let letters = rest[..text].iter().filter(|byte| (b' '..=b'~').contains(byte)).count();
        if letters >= TEXT_MIN || (text == bytes.len() && letters > 0) {
            tokens.push(quoted(&rest[..text]));
            rest = &rest[text..];
        } else {
            tokens.push(format!("{:02x}", rest[0]));
            rest = &rest[1..];
        }
    }
    tokens
}

/// How many of the bytes at the front read well as one text: up to a line's end, a long run, or a line's width.
fn text_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    while len < bytes.len().min(TEXT_MAX) && is_text(bytes[len]) {
        if bytes[len..].len() >= RUN_MIN && bytes[len..len + RUN_MIN].iter().all(|&byte| byte == bytes[len]) {
            break;
        }
        len += 1;
        if bytes[len - 1] == b'\n' {
            break;
        }
    }
    len
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')
}

fn quoted(bytes: &[u8]) -> String {
    let escaped: String =
        bytes.iter().flat_map(|&byte| std::ascii::escape_default(byte)).map(char::from).collect();
    format!("\"{}\"", escaped.replace("\\'", "'"))
}

const LINE_MAX: usize = 100;
const TEXT_MIN: usize = 3;
const TEXT_MAX: usize = 90;
const RUN_MIN: usize = 16;
const BYTES_MAX: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn bytes_read_as_people_would_write_them() {
        check(b"", "");
        check(b"hello", r#""hello""#);
        check(b"\0\0\0\0\x05hello", r#"00 00 00 00 05 "hello""#);
        check(b"hi", r#""hi""#);
        check(b"\0hi", "00 68 69");
        check(b"a\"b'c\\\t", r#""a\"b'c\\\t""#);
        check(b"one\r\ntwo", r#""one\r\n" "two""#);
        check("\u{263a}".as_bytes(), "e2 98 ba");
        check(b"\n", "0a");
    }

    #[test]
    fn runs_are_counted() {
        check(&[0; 1000], "00*1000");
        check(&[b'a'; 16], r#""a"*16"#);
        check(&[b'a'; 15], r#""aaaaaaaaaaaaaaa""#);
        check(&[b"abc", &[b'd'; 20][..], b"efg"].concat(), r#""abc" "d"*20 "efg""#);
    }

    #[test]
    fn people_may_write_otherwise() {
        assert_eq!(parse(r#"  0000 00FF  "☺\x41" "ab"*3  "#).unwrap(), b"\0\0\0\xff\xe2\x98\xbaAababab");
        assert_eq!(parse("0001*2").unwrap(), [0, 1, 0, 1]);
        assert_eq!(parse("00*0").unwrap(), b"");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "0",
            "000",
            "zz",
            "\"open",
            "\"\\q\"",
            "\"\\x4\"",
            "\"\\xzz\"",
            "00*",
            "00*x",
            "\"a\"00",
            "00*9999999999",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn any_bytes_come_back() {
        let mut seed = Seed::new(5);
        for len in 0..200 {
            let bytes: Vec<u8> =
                seed.bytes(len).into_iter().map(|byte| byte % [2, 16, 128, 255][len % 4]).collect();
            assert_eq!(parse(&write(&bytes)).unwrap(), bytes);
            let lines = lines(&bytes.repeat(3));
            assert_eq!(parse(&lines.join(" ")).unwrap(), bytes.repeat(3));
            assert!(lines.iter().all(|line| line.len() <= 200 && !line.contains('\n')));
        }
    }

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(write(bytes), expected);
        assert_eq!(parse(expected).unwrap(), bytes);
    }
}
