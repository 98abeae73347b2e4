//! Header blocks of a gRPC client: the first of a connection, and one that is all in the table.

use criterion::{Criterion, criterion_group, criterion_main};
use ringwire_hpack::{Decoder, Encoder};
use ringwire_http::{HeadersMut, Method, Names, Scheme};
use std::hint::black_box;

fn blocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hpack");
    group.bench_function("encode the first", |bencher| {
        bencher.iter(|| encode(&mut Encoder::new(Names::HTTP)));
    });
    let mut encoder = Encoder::new(Names::HTTP);
    let blocks = [(); 3].map(|()| encode(&mut encoder));
    group.bench_function("encode a known one", |bencher| {
        bencher.iter(|| encode(&mut encoder));
    });
    group.bench_function("decode the first", |bencher| {
        bencher.iter(|| decode(&mut Decoder::new(Names::HTTP), &blocks[0]));
    });
    let mut decoder = Decoder::new(Names::HTTP);
    assert!(blocks.iter().all(|block| decode(&mut decoder, block) > 0));
    group.bench_function("decode a known one", |bencher| {
        bencher.iter(|| decode(&mut decoder, &blocks[2]));
    });
    group.finish();
}

fn encode(encoder: &mut Encoder) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut block = encoder.block(&mut out);
    block.method(&Method::Post);
    block.scheme(Scheme::Http);
    block.path("/greet.v1.Greet/Greet");
    block.authority("127.0.0.1:8080");
    for (name, value) in [
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "grpc-c++/1.60.0 grpc-c/37.0.0 (linux; chttp2)"),
        ("grpc-accept-encoding", "identity, deflate, gzip"),
    ] {
        block.append(name, value.as_bytes());
    }
    out
}

fn decode(decoder: &mut Decoder, block: &[u8]) -> usize {
    let mut bytes = 0;
    decoder.decode(block, 16_384, &mut |line| bytes += black_box(line).value.len()).expect("a block") + bytes
}

criterion_group!(benches, blocks);
criterion_main!(benches);
