//! Blocks of an independent encoder, the Python package hpack, are decoded to what went into them.

use ringwire_hpack::{Decoder, LineName, Pseudo};
use ringwire_http::Names;

#[test]
fn blocks_of_another_encoder_are_decoded() {
    let mut decoder = Decoder::new(Names::HTTP);
    let mut blocks = 0;
    let mut lines = include_str!("../testdata/python_hpack.txt").lines().peekable();
    while let Some(line) = lines.next() {
        if line == "connection" {
            decoder = Decoder::new(Names::HTTP);
            continue;
        }
        let mut want = Vec::new();
        while let Some((name, value)) = lines.peek().and_then(|line| line.rsplit_once(": ")) {
            want.push((name.to_owned(), bytes(value)));
            lines.next();
        }
        let mut got = Vec::new();
        let block = bytes(line);
        let size = decoder
            .decode(&block, usize::MAX, &mut |line| {
                let name = match line.name {
                    LineName::Pseudo(Pseudo::Status) => ":status",
                    LineName::Pseudo(Pseudo::Path) => ":path",
                    LineName::Known(token) => token.as_str(),
                    LineName::Text(text) => text,
                    LineName::Pseudo(_) | LineName::Malformed => panic!("{line:?}"),
                };
                got.push((name.to_owned(), line.value.to_vec()));
            })
            .expect("a block");
        assert_eq!(got, want, "block {blocks}");
        assert_eq!(size, want.iter().map(|(name, value)| name.len() + value.len() + 32).sum());
        blocks += 1;
    }
    assert_eq!(blocks, 12 * 12);
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits"))
        .collect()
}
