//! An exchange on a warm connection, from the bytes of a request to those of its response: heads of which one line differs, the
//! same head, and hyper, whose transport in memory and service are included.

#[path = "../examples/http1_exchanges/engines.rs"]
mod engines;

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Instant;

fn exchanges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http1 exchange");
    for kind in ["new", "same", "hyper"] {
        group.bench_function(kind, |bencher| {
            bencher.iter_custom(|count| {
                let begun = Instant::now();
                engines::run(kind, black_box(count as u32));
                begun.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, exchanges);
criterion_main!(benches);
