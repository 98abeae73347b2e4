//! The ways in which a network cuts bytes into pieces.
//!
//! A machine must not care: every test that feeds one feeds it whole, at every split, and chopped by a few seeds.

use crate::seed::Seed;

/// One way to cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chop {
    /// Not at all.
    Whole,
    /// In two; the second piece begins at this byte.
    At(usize),
    /// Into single bytes.
    Bytes,
    /// Into pieces of lengths that look random; most of them short.
    Seeded(u64),
}

impl Chop {
    /// The pieces of `bytes`, in order, none of them empty; no bytes are no pieces.
    pub fn pieces<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        match *self {
            Self::Whole => pieces(bytes, || bytes.len()),
            Self::At(at) => {
                let (head, tail) = bytes.split_at(at.min(bytes.len()));
                [head, tail].into_iter().filter(|piece| !piece.is_empty()).collect()
            }
            Self::Bytes => pieces(bytes, || 1),
            Self::Seeded(seed) => {
                let mut seed = Seed::new(seed);
                pieces(bytes, || {
                    let most = 1 << seed.below(8);
                    1 + seed.below(most)
                })
            }
        }
    }
}

/// Every way to cut `len` bytes that a test should try: whole, byte by byte, at every split, and by a few seeds.
///
/// Of more than a thousand splits, those near either end and a choice of the others.
pub fn ways(len: usize) -> impl Iterator<Item = Chop> {
    let splits = places(len).into_iter().map(Chop::At);
    [Chop::Whole, Chop::Bytes].into_iter().chain(splits).chain((0..SEEDS).map(Chop::Seeded))
}

/// Every place inside `len` bytes, neither end among them, at which a test should cut, or end, its input.
///
/// Of more than a thousand, those near either end and a choice of the others: a run for each place makes the whole
/// test quadratic.
pub fn places(len: usize) -> Vec<usize> {
    if len <= PLACES_MAX {
        return (1..len).collect();
    }
    let mut seed = Seed::new(len as u64);
    let near = PLACES_MAX / 4;
    let mut places: Vec<usize> = (1..near).chain(len - near..len).collect();
    places.extend((0..PLACES_MAX / 2).map(|_| near + seed.below(len - 2 * near)));
    places.sort_unstable();
    places.dedup();
    places
}

fn pieces(bytes: &[u8], mut len: impl FnMut() -> usize) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(len().min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

const PLACES_MAX: usize = 1000;
const SEEDS: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_whole() {
        for len in [0, 1, 2, 100, 5000] {
            let bytes = Seed::new(0).bytes(len);
            for way in ways(len) {
                let pieces = way.pieces(&bytes);
                assert_eq!(pieces.concat(), bytes, "{way:?}");
                assert!(pieces.iter().all(|piece| !piece.is_empty()), "{way:?}");
            }
        }
    }

    #[test]
    fn short_input_is_cut_everywhere() {
        check(0, &[]);
        check(1, &[]);
        check(4, &[1, 2, 3]);
        assert_eq!(places(1000).len(), 999);
    }

    #[test]
    fn long_input_is_cut_near_its_ends_and_here_and_there() {
        let places = places(1_000_000);
        assert!(places.len() <= 1000 && places.is_sorted());
        assert!([1, 249, 999_750, 999_999].iter().all(|end| places.contains(end)));
        assert!(places.iter().filter(|&&place| (1_000..999_000).contains(&place)).count() > 400);
    }

    #[test]
    fn equal_seeds_cut_alike_and_others_do_not() {
        let bytes = [0; 1000];
        assert_eq!(Chop::Seeded(1).pieces(&bytes), Chop::Seeded(1).pieces(&bytes));
        assert_ne!(Chop::Seeded(1).pieces(&bytes), Chop::Seeded(2).pieces(&bytes));
    }

    fn check(len: usize, expected: &[usize]) {
        assert_eq!(places(len), expected);
    }
}
