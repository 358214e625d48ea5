//! A kick of two seconds: the generator, and the renderer at several rates.
//!
//! Criterion's elements are kicks.
// Criterion's macros define undocumented items, and a bench may unwrap.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../crates/neurdsp-models/tests/kick/random.rs"]
mod random;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use neurdsp_models::Header;
use neurdsp_models::kick::{Hybrid, KickRenderer, RenderSpec, kick_key};
use neurdsp_simd::Isa;

fn kick(criterion: &mut Criterion) {
    let file = random::file(&random::full_config());
    let header = Header::from_metadata(&file.metadata).unwrap();
    let (code, key) = (random::code(1), kick_key(7, 0));
    let mut group = criterion.benchmark_group("kick");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    for isa in Isa::available().into_iter().filter(|isa| *isa != Isa::Scalar) {
        let model = Hybrid::for_isa(&file, &header, isa).unwrap();
        let mut renderer = KickRenderer::new(isa);
        group.bench_function(format!("generate/{}", isa.name()), |bencher| {
            bencher.iter(|| {
                let candidates = model.candidates(&[1.0, 0.0], &[None], 2.0, key).unwrap();
                model.decode(model.chosen(&candidates)).unwrap()
            });
        });
        for sample_rate in [44_100, 48_000, 96_000] {
            let spec = RenderSpec { sample_rate, length: 2 * sample_rate as usize, ..RenderSpec::default() };
            group.bench_function(format!("render at {sample_rate} Hz/{}", isa.name()), |bencher| {
                bencher.iter(|| renderer.render(&code, key, &spec).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, kick);
criterion_main!(benches);
