//! The speed of an amp model, compared with the peak of this machine.

use cpu_time::ThreadTime;
use neurdsp_models::amp::residual::{
    LayerWeights, PreparedResidual, ResidualConfig, ResidualStream, ResidualWeights,
};
use neurdsp_models::{LoadedModel, Result, StreamingModel};
use neurdsp_simd::{Isa, fma_burst};
use std::sync::Arc;
use std::time::Duration;

/// Alternating rounds of model and reference; the fastest of each is reported.
const ROUNDS: usize = 60;

/// The result of [`bench_residual`] or [`bench_model`]. All rates are per second of CPU time of one thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AmpSpeed {
    /// Samples of audio.
    pub samples_per_second: f64,
    /// Floating-point operations of the model's convolutions, in 10⁹; a multiply-add counts as two, the tanh as none.
    pub gflops: f64,
    /// The peak of the same instruction set on multiply-adds between registers, in 10⁹.
    pub peak_gflops: f64,
}

/// Measures a model of this shape with arbitrary weights on `isa`, in blocks of `block_size` samples.
///
/// Model and reference alternate, and each is timed by the CPU time of this thread, so that changes of the processor's
/// clock affect both alike. Of many short rounds the fastest counts, since other load can only slow a round down. It takes
/// about `duration` in all.
///
/// # Errors
///
/// As [`PreparedResidual::new`].
pub fn bench_residual(
    config: &ResidualConfig,
    isa: Isa,
    block_size: usize,
    duration: Duration,
) -> Result<AmpSpeed> {
    config.validate()?;
    let prepared = PreparedResidual::for_isa(config, &arbitrary_weights(config), isa)?;
    let mut amp = ResidualStream::from_prepared(Arc::new(prepared))?;
    Ok(measure(&mut amp, operations_per_sample(config), isa, block_size, duration))
}

/// Measures a model that was loaded, on the instruction set that it is prepared for: the best of this machine.
///
/// As [`bench_residual`]. Each parameter counts as one multiply-add a sample, biases too.
///
/// # Errors
///
/// As [`LoadedModel::build_stream`].
pub fn bench_model(model: &LoadedModel, block_size: usize, duration: Duration) -> Result<AmpSpeed> {
    let mut stream = model.build_stream()?;
    let operations = 2.0 * model.n_parameters() as f64;
    Ok(measure(stream.as_mut(), operations, Isa::detect(), block_size, duration))
}

/// The best of many rounds of `amp` and of the reference.
fn measure(
    amp: &mut dyn StreamingModel,
    operations_per_sample: f64,
    isa: Isa,
    block_size: usize,
    duration: Duration,
) -> AmpSpeed {
    let block_size = block_size.clamp(1, 1 << 20);
    // Never silent, or the models would idle.
    let input: Vec<f32> = (0..block_size).map(|i| (i as f32 * 0.1 + 0.05).sin() * 0.3).collect();
    let mut output = vec![0.0; block_size];
    let slice = duration / (2 * ROUNDS as u32 + 2);

    let mut play = || {
        amp.process(&input, &mut output);
        std::hint::black_box(&output);
        block_size as u64
    };
    let mut multiply = || {
        let (operations, sum) = fma_burst(isa, 2000);
        std::hint::black_box(sum);
        operations
    };
    rate(slice, &mut play); // fills the caches
    let (mut samples, mut operations) = (0.0f64, 0.0f64);
    for _ in 0..ROUNDS {
        samples = samples.max(rate(slice, &mut play));
        operations = operations.max(rate(slice, &mut multiply));
    }
    AmpSpeed {
        samples_per_second: samples,
        gflops: samples * operations_per_sample * 1e-9,
        peak_gflops: operations * 1e-9,
    }
}

/// Operations per output sample: two for each weight of the convolutions.
#[must_use]
pub fn operations_per_sample(config: &ResidualConfig) -> f64 {
    let c = config.channels as f64;
    2.0 * (c * c * config.kernel_size as f64 * config.num_layers as f64 + 2.0 * c)
}

/// Units of `work` per second of this thread's CPU time, measured over about `slice`.
fn rate(slice: Duration, work: &mut dyn FnMut() -> u64) -> f64 {
    let start = ThreadTime::now();
    let mut units = 0;
    // Reading the clock takes as long as several samples of a small model.
    let mut calls = 1;
    loop {
        units += (0..calls).map(|_| work()).sum::<u64>();
        let elapsed = start.elapsed();
        if elapsed >= slice && !elapsed.is_zero() {
            return units as f64 / elapsed.as_secs_f64();
        }
        if elapsed < slice / 4 {
            calls *= 2;
        }
    }
}

/// Small pseudo-random weights; the speed does not depend on them.
fn arbitrary_weights(config: &ResidualConfig) -> ResidualWeights {
    let c = config.channels;
    let scale = 1.0 / ((c * config.kernel_size) as f32).sqrt();
    let mut seed = 1u32;
    let mut values = |count: usize| -> Vec<f32> {
        let mut value = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((seed >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale
        };
        (0..count).map(|_| value()).collect()
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rates_are_positive_and_consistent() {
        let config = ResidualConfig { channels: 16, num_layers: 6, kernel_size: 3, dilation_base: 2 };
        for isa in Isa::available() {
            let speed = bench_residual(&config, isa, 64, Duration::from_millis(40)).unwrap();
            assert!(speed.peak_gflops > 0.0);
            let operations = speed.gflops * 1e9 / speed.samples_per_second;
            assert!((operations - 9280.0).abs() < 1e-6, "2 (16 x 16 x 3 x 6 + 2 x 16) a sample");
        }
    }

    #[test]
    fn a_loaded_model_is_measured_by_its_parameters() {
        let seed = neurdsp_models::SeedModel {
            name: "a test".to_owned(),
            sample_rate: 48_000.0,
            config: ResidualConfig { channels: 3, num_layers: 2, kernel_size: 3, dilation_base: 2 },
            weights: arbitrary_weights(&ResidualConfig {
                channels: 3,
                num_layers: 2,
                kernel_size: 3,
                dilation_base: 2,
            }),
        };
        let model = LoadedModel::from_seed(seed).unwrap();
        let speed = bench_model(&model, 64, Duration::from_millis(30)).unwrap();
        let operations = speed.gflops * 1e9 / speed.samples_per_second;
        assert!((operations - 2.0 * model.n_parameters() as f64).abs() < 1e-6);
    }

    #[test]
    fn a_shape_out_of_bounds_is_refused_before_anything_is_allocated() {
        let config = ResidualConfig { channels: 1 << 40, num_layers: 6, kernel_size: 3, dilation_base: 2 };
        assert!(bench_residual(&config, Isa::Scalar, 64, Duration::ZERO).is_err());
    }
}
