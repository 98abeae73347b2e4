//! Serves as many requests as its argument says, for an instruction counter. The instructions of the engine alone, of 6000
//! requests less those of 1000, divided by 5000:
//!
//! ```sh
//! valgrind --tool=callgrind --collect-atstart=no --toggle-collect='http2_exchanges::ours::exchange*' http2_exchanges 6000
//! ```
//!
//! The requests are those of a gRPC client on a warm connection: 71 bytes of a message, fields that are all in the table.
//! A second argument chooses the engine: `ours`, `h2` or `hyper` on a transport in memory, or `none`, whose count is that of
//! making the requests.

#[path = "http2_exchanges/input.rs"]
mod input;
#[path = "http2_exchanges/other.rs"]
mod other;

#[path = "http2_exchanges/ours.rs"]
mod ours;

use input::Requests;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments.next().map_or(1, |count| count.parse().expect("a number of requests"));
    match arguments.next().as_deref() {
        Some("none") => {
            let mut requests = Requests::new();
            (0..count).for_each(|_| drop(std::hint::black_box(requests.next())));
        }
        Some("h2") => other::run(count),
        Some("hyper") => other::run_hyper(count),
        _ => ours::run(count),
    }
}
