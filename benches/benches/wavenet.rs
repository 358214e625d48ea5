//! The four amp presets on every instruction set, in blocks of 64 samples: criterion's elements are samples.
// Criterion's macros define undocumented items, and a bench may unwrap.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use neurdsp_models::StreamingModel;
use neurdsp_models::amp::residual::{
    LayerWeights, PreparedResidual, ResidualConfig, ResidualStream, ResidualWeights,
};
use neurdsp_simd::Isa;
use std::sync::Arc;

const BLOCK: usize = 64;

/// Weights that fall and rise between -1 and 1 over the square root of the fan-in; the speed does not depend on them.
fn weights(config: &ResidualConfig) -> ResidualWeights {
    let c = config.channels;
    let scale = 1.0 / ((c * config.kernel_size) as f32).sqrt();
    let values = |count: usize| (0..count).map(|i| (i as f32 * 0.7).sin() * scale).collect::<Vec<f32>>();
    ResidualWeights {
        input_weight: values(c),
        input_bias: values(c),
        layers: (0..config.num_layers)
            .map(|_| LayerWeights { weight: values(c * c * config.kernel_size), bias: values(c) })
            .collect(),
        output_weight: values(c),
        output_bias: 0.0,
    }
}

fn wavenet(criterion: &mut Criterion) {
    let input: Vec<f32> = (0..BLOCK).map(|i| (i as f32 * 0.1).sin() * 0.3).collect();
    let mut output = vec![0.0; BLOCK];
    let mut group = criterion.benchmark_group("wavenet");
    group.throughput(Throughput::Elements(BLOCK as u64));
    for (channels, num_layers) in [(16, 6), (18, 9), (32, 10), (48, 12)] {
        let config = ResidualConfig { channels, num_layers, kernel_size: 3, dilation_base: 2 };
        let weights = weights(&config);
        for isa in Isa::available() {
            let prepared = Arc::new(PreparedResidual::for_isa(&config, &weights, isa).unwrap());
            let mut amp = ResidualStream::from_prepared(prepared).unwrap();
            group.bench_function(format!("{channels}x{num_layers}/{}", isa.name()), |bencher| {
                bencher.iter(|| amp.process(&input, &mut output));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, wavenet);
criterion_main!(benches);
