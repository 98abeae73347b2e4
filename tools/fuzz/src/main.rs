//! One fuzzer for every target: `RINGWIRE_FUZZ` names the one to run.
//!
//! The targets live with the packages they belong to, whose ordinary tests replay what was found here.

#![forbid(unsafe_code)]
#![no_main]

use std::{cell::RefCell, sync::LazyLock};

use ringwire_compress::{Gzip, Zstd};
use ringwire_compress_br::Br;
use ringwire_compress_deflate::Deflate;
use ringwire_compress_snappy::Snappy;
use ringwire_testing::{compression::fuzz, transcript::notation};

#[path = "../../../runtime/http2/tests/corpus/targets.rs"]
mod http2;
#[path = "../../../runtime/rpc/tests/corpus/targets.rs"]
mod rpc;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let run = *CHOSEN;
    INPUT.with_borrow_mut(|last| {
        last.clear();
        last.extend_from_slice(input);
    });
    run(input);
});

static CHOSEN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("RINGWIRE_FUZZ").unwrap_or_default();
    let targets = targets();
    let chosen = targets.iter().find(|(other, _)| *other == name);
    let names: Vec<&str> = targets.iter().map(|(name, _)| *name).collect();
    let (_, run) =
        chosen.unwrap_or_else(|| panic!("RINGWIRE_FUZZ is {name:?}, not one of {}", names.join(", ")));
    say_input_of_panics();
    *run
});

/// Has a panic say its input as a line of a corpus, before the fuzzer's own hook ends the process.
fn say_input_of_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        INPUT.with_borrow(|input| eprintln!("{}", notation::write(input)));
        hook(info);
    }));
}

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn targets() -> Vec<(&'static str, fn(&[u8]))> {
    let heads = [rpc::REQUEST_HEAD, rpc::RESPONSE_HEAD].into_iter().map(|target| (target.name, target.run));
    let bodies = ringwire_rpc::fuzz::TARGETS.iter().map(|target| (target.name, target.run));
    let http1 = ringwire_http1::fuzz::TARGETS.iter().map(|target| (target.name, target.run));
    let http2 = http2::TARGETS.iter().map(|target| (target.name, target.run));
    let message = ringwire_message::fuzz::TARGETS.iter().map(|target| (target.name, target.run));
    let wire = ringwire_wire::fuzz::TARGETS.iter().map(|target| (target.name, target.run));
    let compress: [(&str, fn(&[u8])); 5] = [
        ("br", |input| fuzz(&Br, input)),
        ("deflate", |input| fuzz(&Deflate, input)),
        ("gzip", |input| fuzz(&Gzip, input)),
        ("snappy", |input| fuzz(&Snappy, input)),
        ("zstd", |input| fuzz(&Zstd, input)),
    ];
    let notation: (&str, fn(&[u8])) = ("notation", notation_comes_back);
    heads.chain(bodies).chain(http1).chain(http2).chain(wire).chain(message).chain(compress).chain([notation]).collect()
}

fn notation_comes_back(input: &[u8]) {
    assert_eq!(notation::parse(&notation::write(input)).as_deref(), Ok(input));
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(bytes) = notation::parse(text)
    {
        assert_eq!(notation::parse(&notation::write(&bytes)), Ok(bytes));
    }
}
