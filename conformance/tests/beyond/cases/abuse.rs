//! Peers that send much of what costs them little: a server bounds it, keeps its memory, and serves others.
//!
//! `//server_uring:server_test` has the same in memory, on a virtual clock; this is from outside, for every server, with
//! what that cannot show: sockets that fill up.

use super::goaway::call;
use crate::case::Case;
use crate::play::{
    DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, Play, RST_STREAM, Reads, SETTINGS, WINDOW_UPDATE,
    block, frame,
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        flood(
            |round| [call(2 * round + 1, "{}"), frame(RST_STREAM, 0, 2 * round + 1, &[0, 0, 0, 8])].concat(),
            20_000,
            Reads::All,
        )
        .case("calls that are reset at once")
        .want("goaway 11, takes connections")
        .connect_go("takes all, takes connections", "Go bounds how many run, not how many come"),
        flood(
            |round| {
                [head(2 * round + 1, END_HEADERS), frame(WINDOW_UPDATE, 0, 2 * round + 1, &[0; 4])].concat()
            },
            20_000,
            Reads::All,
        )
        .case("streams that make the server reset them, by an empty WINDOW_UPDATE")
        .want("goaway 11, takes connections")
        .connect_go("takes all, takes connections", "Go does not count its own resets"),
        flood(
            |round| {
                [head(2 * round + 1, END_HEADERS | END_STREAM), frame(DATA, 0, 2 * round + 1, b"late")]
                    .concat()
            },
            20_000,
            Reads::All,
        )
        .case("streams that make the server reset them, by DATA after their end")
        .want("goaway 11, takes connections")
        .connect_go("takes all, takes connections", "Go does not count its own resets"),
        flood(|round| head(2 * round + 1, END_HEADERS), 20_000, Reads::All)
            .case("more streams than there may be")
            .want("goaway 11, takes connections")
            .connect_go("takes all, takes connections", "Go refuses each, and counts none"),
        flood(|round| if round == 0 { head(1, 0) } else { frame(9, 0, 1, &[]) }, 20_000, Reads::All)
            .case("a header block that does not end")
            .want("goaway 11, takes connections")
            .connect_go("takes all, takes connections", "Go does not count empty frames"),
        flood(|_| frame(PING, 0, 0, b"whatever").repeat(100), 50_000, Reads::Nothing)
            .case("pings of a peer that reads nothing")
            .want("stops reading, takes connections")
            .ringwire(
                "closes, takes connections || stops reading, takes connections",
                "it says goaway and discards a little more, unless what it has to say fills the socket first",
            )
            .connect_go("closes, takes connections", "Go closes when 10,000 answers wait"),
        flood(|_| frame(SETTINGS, 0, 0, &[]).repeat(100), 50_000, Reads::Nothing)
            .case("settings of a peer that reads nothing")
            .want("stops reading, takes connections")
            .ringwire(
                "closes, takes connections || stops reading, takes connections",
                "it says goaway and discards a little more, unless what it has to say fills the socket first",
            )
            .connect_go("takes all, takes connections", "Go reads on"),
        flood(
            |round| if round == 0 { head(1, END_HEADERS) } else { frame(DATA, 0, 1, &[]) },
            20_000,
            Reads::All,
        )
        .case("empty DATA")
        .want("goaway 11, takes connections")
        .connect_go("takes all, takes connections", "Go does not count it"),
        flood(|_| frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 15]).repeat(10), 2_000, Reads::All)
            .case("priorities, which mean nothing any more")
            .want("takes all, takes connections")
            .ringwire(
                "goaway 11, takes connections",
                "frames that say nothing are counted, whatever their kind",
            ),
        flood(|round| frame(HEADERS, END_HEADERS | END_STREAM, 2 * round + 1, &bomb()), 50, Reads::All)
            .case("header lists that unfold")
            .want("goaway 11, takes connections")
            .connect_go("takes all, takes connections", "Go answers each with 431"),
    ]
}

/// A flood; afterwards the server serves others, and has not grown.
fn flood(frames: fn(u32) -> Vec<u8>, rounds: u32, reads: Reads) -> Play {
    Play::http2().flood(frames, rounds, reads).knock().memory(MEMORY_MIB_MAX)
}

/// The head of a request whose body may follow.
fn head(stream: u32, flags: u8) -> Vec<u8> {
    let head = block(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "test"),
        (":path", "/connectrpc.conformance.v1.ConformanceService/ClientStream"),
        ("content-type", "application/connect+json"),
    ]);
    frame(HEADERS, flags, stream, &head)
}

/// One entry of 4000 bytes goes into the table, and is then named by one byte each time.
fn bomb() -> Vec<u8> {
    let mut block = b"\x83\x86\x44\x01/\x41\x01t\x40\x01a\x7f\xa1\x1e".to_vec();
    block.extend([b'x'; 4000]);
    block.extend([0xbe; 8000]);
    block
}

const MEMORY_MIB_MAX: u64 = 100;
