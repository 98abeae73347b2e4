//! Serves as many requests as its argument says, for an instruction counter: the instructions of 6000 requests less those of
//! 1000, divided by 5000.
//!
//! ```sh
//! valgrind --tool=callgrind --collect-atstart=no --toggle-collect='http1_exchanges::engines::exchange*' http1_exchanges 6000 new
//! valgrind --tool=callgrind http1_exchanges 6000 hyper
//! ```
//!
//! The requests are those of a client on a warm connection: six fields and 66 bytes of a body, answered by as many. The second
//! argument is `new` for heads that are seen for the first time, `same` for one head, `hyper` for that server in memory (the
//! instructions of the whole program), or `none` for the making of the requests.

#[path = "http1_exchanges/engines.rs"]
mod engines;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments.next().map_or(1, |count| count.parse().expect("a number of requests"));
    engines::run(&arguments.next().unwrap_or_else(|| "new".to_owned()), count);
}
