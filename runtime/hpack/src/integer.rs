//! Integers with a prefix: <https://www.rfc-editor.org/rfc/rfc7541#section-5.1>.

use crate::DecodeError;

/// Takes an integer off the front of `block`; its prefix is the low `prefix` bits of the first byte.
#[inline]
pub(crate) fn take(block: &mut &[u8], prefix: u32) -> Result<usize, DecodeError> {
    let (&first, mut rest) = block.split_first().ok_or(DecodeError::Truncated)?;
    let full = (1 << prefix) - 1;
    let mut value = u64::from(first & full as u8);
    if value == full {
        let mut shift = 0;
        loop {
            let (&byte, behind) = rest.split_first().ok_or(DecodeError::Truncated)?;
            rest = behind;
            value += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
            if shift > SHIFT_MAX {
                return Err(DecodeError::Integer);
            }
        }
    }
    *block = rest;
    usize::try_from(value).ok().filter(|&value| value <= VALUE_MAX).ok_or(DecodeError::Integer)
}

/// Appends an integer; `flags` are the bits above its prefix.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, flags: u8, prefix: u32, value: usize) {
    let full = (1 << prefix) - 1;
    if value < full {
        out.push(flags | value as u8);
    } else {
        out.push(flags | full as u8);
        put_rest(out, value - full);
    }
}

/// Appends what is beyond the prefix.
#[cold]
fn put_rest(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(0x80 | value as u8);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Nothing that an integer counts here can be larger; a block is bounded far below.
const VALUE_MAX: usize = u32::MAX as usize;
/// Five bytes after the prefix hold all of 32 bits.
const SHIFT_MAX: u32 = 28;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], prefix: u32, want: Result<usize, DecodeError>) {
        let mut rest = bytes;
        assert_eq!(take(&mut rest, prefix), want, "{bytes:x?}");
        if let Ok(value) = want {
            assert!(rest.is_empty());
            for len in 0..bytes.len() {
                assert_eq!(take(&mut &bytes[..len], prefix), Err(DecodeError::Truncated));
            }
            let mut out = Vec::new();
            put(&mut out, bytes[0] & !((1_u16 << prefix) - 1) as u8, prefix, value);
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn examples_of_rfc_7541_appendix_c1() {
        check(&[0b01010], 5, Ok(10));
        check(&[0b11111, 0b1001_1010, 0b1010], 5, Ok(1337));
        check(&[0b0010_1010], 8, Ok(42));
    }

    #[test]
    fn flags_stay_out_of_the_value() {
        check(&[0b1110_0101], 5, Ok(5));
        check(&[0b1111_1111, 0], 5, Ok(31));
        check(&[0x7f, 0x80, 0x01], 7, Ok(255));
    }

    #[test]
    fn values_are_bounded() {
        check(&[0xff, 0x80, 0xff, 0xff, 0xff, 0x0f], 7, Ok(u32::MAX as usize));
        check(&[0xff, 0x81, 0xff, 0xff, 0xff, 0x0f], 7, Err(DecodeError::Integer));
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], 7, Err(DecodeError::Integer));
        check(&[0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 7, Err(DecodeError::Integer));
    }

    #[test]
    fn a_padded_integer_is_still_one() {
        let mut block = &[0x7f, 0x80, 0x80, 0x00][..];
        assert_eq!(take(&mut block, 7), Ok(127));
    }
}
