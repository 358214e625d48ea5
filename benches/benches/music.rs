//! The five music networks in single precision and in int8: each alone, all five in a pipeline, and all five with cold caches.
//!
//! An element is a step of a network, or of all five. "Cold" writes 64 MiB in front of each step, outside of what is timed.
// Criterion's macros define undocumented items, and a bench may unwrap.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../crates/neurdsp-models/tests/music/random.rs"]
mod random;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use neurdsp_models::music::{MusicPart, MusicPipeline, MusicRun};
use neurdsp_simd::Isa;
use std::hint::black_box;
use std::sync::Arc;

/// More than the caches hold, in bytes.
const COLD_BYTES: usize = 64 << 20;

fn music(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("music");
    for isa in Isa::available() {
        for (precision, int8) in [("float32", false), ("int8", true)] {
            let networks =
                MusicPart::ALL.map(|part| Arc::new(random::network(part, &random::whole(part), int8, isa)));
            let inputs = networks.each_ref().map(|network| random::inputs(network, 1, 3));
            let mut outputs = networks.each_ref().map(|network| vec![0.0; network.n_outputs()]);
            for (at, network) in networks.iter().enumerate() {
                let mut run = MusicRun::new(Arc::clone(network));
                let name = format!("{}/{precision}/{}", network.part().name(), isa.name());
                group.bench_function(name, |bencher| {
                    bencher.iter(|| run.step(black_box(&inputs[at]), &mut outputs[at]));
                });
            }
            let mut pipeline = MusicPipeline::new(networks);
            let mut all = || {
                for (part, (input, output)) in MusicPart::ALL.into_iter().zip(inputs.iter().zip(&mut outputs))
                {
                    pipeline.step(part, black_box(input), output);
                }
            };
            group.bench_function(format!("all/{precision}/{}", isa.name()), |bencher| bencher.iter(&mut all));
            let mut other = vec![0_u8; COLD_BYTES];
            group.bench_function(format!("all, cold/{precision}/{}", isa.name()), |bencher| {
                let wash = || {
                    other.iter_mut().step_by(64).for_each(|byte| *byte = byte.wrapping_add(1));
                    black_box(&other);
                };
                bencher.iter_batched(wash, |()| all(), BatchSize::PerIteration);
            });
        }
    }
    group.finish();
}

criterion_group!(benches, music);
criterion_main!(benches);
