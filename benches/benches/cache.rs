//! What a hit of the cache costs, beside what it saves: ten seconds at 32 kHz, the 704 linear bins of GPT-SoVITS.
// Criterion's macros define undocumented items, and a bench may unwrap.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use neurdsp_dsp::{Key, Magnitude, MelCache, PadMode, Projection, Spectrogram, StftConfig};

fn cache(criterion: &mut Criterion) {
    let frames =
        StftConfig { hop_length: 640, pad: 704, pad_mode: PadMode::Reflect, ..StftConfig::new(2048) };
    let magnitude = Magnitude::Root { eps: 1e-6 };
    let plan = Spectrogram::<f32>::new(frames, magnitude, Projection::Bins(704), None).unwrap();
    let samples: Vec<f32> = (0..320_000).map(|i| (i as f32 * 0.05).sin()).collect();
    let folder = std::env::temp_dir().join(format!("neurdsp-bench-cache-{}", std::process::id()));
    let memory = MelCache::in_memory(1 << 28);
    // Without memory, every hit is one of the folder.
    let disk = MelCache::open(&folder, 0, 1 << 28).unwrap();
    for cache in [&memory, &disk] {
        cache.get_or_compute(&plan, &samples).unwrap();
    }
    let mut group = criterion.benchmark_group("cache");
    group.bench_function("hash", |bencher| bencher.iter(|| Key::new(&plan, &samples, "")));
    group.bench_function("memory hit", |bencher| {
        bencher.iter(|| memory.get_or_compute(&plan, &samples).unwrap());
    });
    group.bench_function("disk hit", |bencher| {
        bencher.iter(|| disk.get_or_compute(&plan, &samples).unwrap());
    });
    group.bench_function("computed", |bencher| bencher.iter(|| plan.process(&samples).unwrap()));
    group.finish();
    assert_eq!((memory.stats().misses, disk.stats().misses), (1, 1));
    std::fs::remove_dir_all(&folder).unwrap();
}

criterion_group!(benches, cache);
criterion_main!(benches);
