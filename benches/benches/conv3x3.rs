//! The 3x3 layers of a public drum network on every instruction set, and in bfloat16 where the processor has it:
//! criterion's elements are the floating-point operations of a direct convolution, so a rate above the FMA peak is right.
// Criterion's macros define undocumented items, and a bench may unwrap.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use neurdsp_nn::image::{Affine, Conv3x3, Image, Precision, Work};
use neurdsp_simd::{Isa, fma_burst};

/// Values that rise and fall; the speed does not depend on them.
fn wave(count: usize, scale: f32) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.7).sin() * scale).collect()
}

fn conv3x3(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conv3x3");
    group.sample_size(10);
    for isa in Isa::available().into_iter().filter(|isa| *isa != Isa::Scalar) {
        let rounds = 1_000_000;
        group.throughput(Throughput::Elements(fma_burst(isa, rounds).0));
        group.bench_function(format!("peak/{}", isa.name()), |bencher| {
            bencher.iter(|| fma_burst(isa, rounds));
        });
    }
    // Channels, and rows and columns of a quarter of a chunk.
    for (channels, side) in [(128, 256), (256, 128), (384, 64), (512, 32)] {
        let input = Image::from_planes(&wave(channels * side * side, 1.0), channels, side, side);
        let weights = wave(channels * channels * 9, 0.03);
        let (before, work) = (Affine::activation(channels, true), Work::new(1));
        group.throughput(Throughput::Elements((18 * channels * channels * side * side) as u64));
        for isa in Isa::available().into_iter().filter(|isa| *isa != Isa::Scalar) {
            for (precision, name) in [(Precision::Float32, "float32"), (Precision::BFloat16, "bfloat16")] {
                if precision == Precision::BFloat16 && !isa.has_bf16() {
                    continue;
                }
                let layer = Conv3x3::new(&weights, channels, channels, isa).with_precision(precision);
                group.bench_function(format!("{channels}/{}/{name}", isa.name()), |bencher| {
                    bencher.iter(|| work.keep(layer.run(&input, &before, None, &work).0));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, conv3x3);
criterion_main!(benches);
