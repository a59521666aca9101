//! /metrics for ten thousand queues of which every row of the catalogue is known.

#[path = "../tests/web/world.rs"]
mod world;

use criterion::{Criterion, criterion_group, criterion_main};
use sqswatch::telemetry::Telemetry;
use sqswatch::web::exposition::{Encoding, Format, Sources, render};

const QUEUES: usize = 10_000;

fn exposition(criterion: &mut Criterion) {
    let (board, config, telemetry) = (world::large(QUEUES), world::config(), Telemetry::new());
    let outbox = Default::default();
    let sources = Sources {
        board: &board,
        config: &config,
        registry: &telemetry.registry,
        outbox: &outbox,
        peril: None,
        ready: true,
    };
    let write = |encoding, capacity| render(sources, world::NOW, Format::Prometheus, encoding, capacity);
    let text = write(Encoding::Identity, 0);
    let series = text.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#")).count();
    println!("{series} series, {} bytes, {} with gzip", text.len(), write(Encoding::Gzip, 0).len());

    let mut group = criterion.benchmark_group("exposition of 10,000 queues");
    group.sample_size(20);
    group.bench_function("text", |bencher| bencher.iter(|| write(Encoding::Identity, text.len())));
    group.bench_function("gzip", |bencher| bencher.iter(|| write(Encoding::Gzip, text.len() / 8)));
    group.finish();
}

criterion_group!(benches, exposition);
criterion_main!(benches);
