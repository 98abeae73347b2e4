//! A request on a warm connection, from its bytes to the bytes of its response: the engine, the crate h2, hyper.
//!
//! The last two include a transport in memory, and hyper its service.

#[path = "../examples/http2_exchanges/input.rs"]
mod input;
#[path = "../examples/http2_exchanges/other.rs"]
mod other;
#[path = "../examples/http2_exchanges/ours.rs"]
mod ours;

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Instant;

fn requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http2 request");
    let engines: [fn(u32); 3] = [ours::run, other::run, other::run_hyper];
    for (name, run) in ["ours", "h2", "hyper"].into_iter().zip(engines) {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let begun = Instant::now();
                run(black_box(count as u32));
                begun.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, requests);
criterion_main!(benches);
