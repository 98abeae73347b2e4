//! The Huffman code: <https://www.rfc-editor.org/rfc/rfc7541#section-5.2>.
//!
//! The code is canonical, so that the lengths of Appendix B say all of it.

use crate::DecodeError;

/// Appends what `coded` stands for.
pub(crate) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut node = 0;
    for &byte in coded {
        for nibble in [byte >> 4, byte & 15] {
            let step = STEPS[node as usize * 16 + nibble as usize];
            if step.flags & SYMBOL != 0 {
                out.push(step.symbol);
            } else if step.flags & FAILED != 0 {
                return Err(DecodeError::Huffman);
            }
            node = step.node;
        }
    }
    // Padding is the beginning of the end mark, and shorter than a byte.
    if PADDING[node as usize] { Ok(()) } else { Err(DecodeError::Huffman) }
}

/// The length of `text` once encoded.
pub(crate) fn encoded_len(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|&byte| usize::from(LENGTHS[byte as usize])).sum();
    bits.div_ceil(8)
}

/// Appends `text`, encoded.
pub(crate) fn encode(text: &[u8], out: &mut Vec<u8>) {
    let mut bits = 0_u64;
    let mut held = 0;
    for &byte in text {
        let len = u32::from(LENGTHS[byte as usize]);
        bits = bits << len | u64::from(CODES[byte as usize]);
        held += len;
        while held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    if held > 0 {
        out.push((bits << (8 - held)) as u8 | (0xff >> held));
    }
}

/// A step of the decoder over four bits. Codes are longer than that, so that a step meets one symbol at most.
#[derive(Clone, Copy)]
struct Step {
    node: u8,
    symbol: u8,
    flags: u8,
}

const SYMBOL: u8 = 1;
const FAILED: u8 = 2;
const EOS: usize = 256;
/// A code of `n` symbols has `n - 1` inner nodes.
const NODES: usize = 256;

const CODES: [u32; 257] = {
    let mut codes = [0; 257];
    let mut next = 0_u32;
    let mut len = 1;
    while len <= 30 {
        let mut symbol = 0;
        while symbol < 257 {
            if LENGTHS[symbol] == len {
                codes[symbol] = next;
                next += 1;
            }
            symbol += 1;
        }
        next <<= 1;
        len += 1;
    }
    codes
};

/// The tree: for each inner node its two children; leaves are `NODES` and the symbol.
const TREE: [[u16; 2]; NODES] = {
    let mut tree = [[0; 2]; NODES];
    let mut nodes = 1;
    let mut symbol = 0;
    while symbol < 257 {
        let mut node = 0;
        let mut bit = LENGTHS[symbol] as u32;
        while bit > 1 {
            bit -= 1;
            let side = (CODES[symbol] >> bit & 1) as usize;
            if tree[node][side] == 0 {
                tree[node][side] = nodes;
                nodes += 1;
            }
            node = tree[node][side] as usize;
        }
        tree[node][(CODES[symbol] & 1) as usize] = (NODES + symbol) as u16;
        symbol += 1;
    }
    assert!(nodes as usize == NODES);
    tree
};

static STEPS: [Step; NODES * 16] = {
    let mut steps = [Step { node: 0, symbol: 0, flags: 0 }; NODES * 16];
    let mut at = 0;
    while at < steps.len() {
        let mut step = Step { node: 0, symbol: 0, flags: 0 };
        let mut node = at / 16;
        let mut bit = 4;
        while bit > 0 {
            bit -= 1;
            let next = TREE[node][(at % 16) >> bit & 1] as usize;
            if next < NODES {
                node = next;
            } else {
                if next - NODES == EOS {
                    step.flags |= FAILED;
                } else {
                    step.flags |= SYMBOL;
                    step.symbol = (next - NODES) as u8;
                }
                node = 0;
            }
        }
        step.node = node as u8;
        steps[at] = step;
        at += 1;
    }
    steps
};

/// For each node, whether text may end there.
static PADDING: [bool; NODES] = {
    let mut padding = [false; NODES];
    let mut node = 0;
    let mut bits = 0;
    while bits < 8 {
        padding[node] = true;
        node = TREE[node][1] as usize;
        bits += 1;
    }
    padding
};

/// The lengths of the codes of all bytes, and of the end mark: RFC 7541, Appendix B.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(coded: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut out = Vec::new();
        decode(coded, &mut out).map(|()| out)
    }

    /// RFC 7541, Appendix C.4 and C.6.
    #[test]
    fn examples_of_rfc_7541() {
        for (text, coded) in [
            ("www.example.com", &b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..]),
            ("no-cache", b"\xa8\xeb\x10\x64\x9c\xbf"),
            ("custom-value", b"\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf"),
            ("302", b"\x64\x02"),
            ("", b""),
        ] {
            let mut out = Vec::new();
            encode(text.as_bytes(), &mut out);
            assert_eq!(out, coded, "{text}");
            assert_eq!(encoded_len(text.as_bytes()), coded.len());
            assert_eq!(decoded(coded), Ok(text.as_bytes().to_vec()));
        }
    }

    #[test]
    fn every_byte_and_every_pair_comes_back() {
        for first in 0..=255_u8 {
            for text in (0..=255_u8).map(|second| [first, second, first]) {
                let mut coded = Vec::new();
                encode(&text, &mut coded);
                assert_eq!(coded.len(), encoded_len(&text));
                assert_eq!(decoded(&coded), Ok(text.to_vec()));
            }
        }
    }

    /// <https://www.rfc-editor.org/rfc/rfc7541#section-5.2>: padding longer than 7 bits, or not of the end mark, or the end
    /// mark itself.
    #[test]
    fn wrong_padding_and_the_end_mark_are_refused() {
        // "a" is 00011, then the padding.
        assert_eq!(decoded(&[0b0001_1111]), Ok(b"a".to_vec()));
        for coded in [
            &[0b0001_1110][..],
            &[0b0001_1111, 0xff],
            &[0xff],
            &[0xff, 0xff, 0xff, 0xff],
            &[0b0001_1111, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(decoded(coded), Err(DecodeError::Huffman), "{coded:x?}");
        }
    }
}
