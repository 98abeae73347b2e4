//! What fuzzers found, and what is easily found, as ordinary tests.
//!
//! An entry is a function of bytes that panics where something breaks its word. A fuzzer searches for such bytes for as
//! long as it is given; [`replay`] tries in a moment those that were found, and some that chance comes upon.

use std::{fs, panic, path::Path};

use crate::{seed::Seed, transcript::notation};

/// Something that reads what a peer wrote, under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name, as a fuzzer's command line says it.
    pub name: &'static str,
    /// Reads the input, and panics if something is wrong with what was read.
    pub run: fn(&[u8]),
    /// Inputs from which more can be made.
    pub seeds: &'static [&'static [u8]],
}

impl Target {
    /// Runs the target over its seeds, over its corpus, over all beginnings of either, and over `mutations` inputs made of
    /// them.
    ///
    /// The corpus is the file of the target's name and `.txt` in `folder` of `package`, if there is one: an input a line, as
    /// [`notation`] has it, and lines of comment that begin with `#`. Package and folder are as for
    /// [`transcript::check`](crate::transcript::check).
    ///
    /// # Panics
    /// With the input, where the target does.
    pub fn replay(&self, package: &str, folder: &str, mutations: usize) {
        let mut corpus: Vec<Vec<u8>> = self.seeds.iter().map(|seed| seed.to_vec()).collect();
        corpus.extend(found(&crate::find(package, folder).join(self.name).with_extension("txt")));
        for input in &corpus {
            for len in 0..=input.len().min(BEGINNINGS_MAX) {
                self.run_one(&input[..len]);
            }
            self.run_one(input);
        }
        let mut seed = Seed::new(0);
        for _ in 0..mutations {
            let input = mutated(&corpus, &mut seed);
            self.run_one(&input);
        }
    }

    fn run_one(&self, input: &[u8]) {
        if let Err(panicked) = panic::catch_unwind(|| (self.run)(input)) {
            eprintln!("{} panicked over {}", self.name, notation::write(input));
            panic::resume_unwind(panicked);
        }
    }
}

fn found(file: &Path) -> Vec<Vec<u8>> {
    let Ok(text) = fs::read_to_string(file) else { return Vec::new() };
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#'));
    let read = |(number, line)| {
        notation::parse(line).unwrap_or_else(|what| panic!("{}:{number}: {what}", file.display()))
    };
    lines.map(read).collect()
}

/// One of the corpus, changed in a few places.
fn mutated(corpus: &[Vec<u8>], seed: &mut Seed) -> Vec<u8> {
    let any = |seed: &mut Seed| {
        if corpus.is_empty() { Vec::new() } else { corpus[seed.below(corpus.len())].clone() }
    };
    let mut input = any(seed);
    for _ in 0..=seed.below(4) {
        let at = seed.below(input.len() + 1);
        match seed.below(7) {
            0 => input.insert(at, byte(seed)),
            1 if at < input.len() => drop(input.remove(at)),
            2 if at < input.len() => input[at] = byte(seed),
            3 if at < input.len() => input[at] ^= 1 << seed.below(8),
            4 => input.truncate(at),
            5 => {
                let other = any(seed);
                input.truncate(at);
                input.extend_from_slice(&other[seed.below(other.len() + 1)..]);
            }
            _ => {
                let len = seed.below(8);
                input.splice(at..at, seed.bytes(len));
            }
        }
    }
    input
}

/// Any byte, and half of the time one that means something to some reader.
fn byte(seed: &mut Seed) -> u8 {
    if seed.below(2) == 0 { seed.number() as u8 } else { TELLING[seed.below(TELLING.len())] }
}

const TELLING: &[u8] = b"\0\x01\x02\x03\x04\x05\x7f\x80\xff\r\n\t \"%&*+,-./0129:;=AZ[\\]_az{}\xc3\xa9";

// Beyond this, running every beginning is quadratic for little.
const BEGINNINGS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_that_one_change_away_is_found() {
        fn sensitive(input: &[u8]) {
            assert!(!input.contains(&0xff), "found");
        }
        check(sensitive, true);
    }

    #[test]
    fn what_is_right_passes() {
        fn patient(_: &[u8]) {}
        check(patient, false);
    }

    fn check(run: fn(&[u8]), is_found: bool) {
        let target = Target { name: "test", run, seeds: &[b"seed", b"other"] };
        let result = panic::catch_unwind(|| target.replay("no such package", "no such folder", 1000));
        assert_eq!(result.is_err(), is_found);
    }
}
