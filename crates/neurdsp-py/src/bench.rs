//! Measuring the engine on the machine at hand.

use crate::amp::AmpModel;
use crate::errors::{ParameterError, from_models};
use neurdsp_models::amp::residual::ResidualConfig;
use neurdsp_simd::Isa;
use pyo3::prelude::*;
use std::time::Duration;

/// The names of the instruction sets that this machine can run, the slowest first.
#[pyfunction]
pub(crate) fn instruction_sets() -> Vec<&'static str> {
    Isa::available().into_iter().map(Isa::name).collect()
}

/// Samples a second of CPU time, GFLOP/s, and the machine's peak of GFLOP/s, for an amp model of this shape.
#[pyfunction]
#[pyo3(signature = (channels, num_layers, kernel_size, dilation_base, *, isa, block_size, seconds))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn bench_amp(
    py: Python<'_>,
    channels: usize,
    num_layers: usize,
    kernel_size: usize,
    dilation_base: usize,
    isa: &str,
    block_size: usize,
    seconds: f64,
) -> PyResult<(f64, f64, f64)> {
    let available = Isa::available();
    let Some(isa) = available.iter().copied().find(|known| known.name() == isa) else {
        let names = instruction_sets().join(", ");
        return Err(ParameterError::new_err(format!("isa is '{isa}', but this machine has {names}")));
    };
    let duration = check(block_size, seconds)?;
    let config = ResidualConfig { channels, num_layers, kernel_size, dilation_base };
    config.validate().map_err(|error| ParameterError::new_err(error.to_string()))?;
    let speed = py
        .detach(|| neurdsp_rt::bench::bench_residual(&config, isa, block_size, duration))
        .map_err(from_models)?;
    Ok((speed.samples_per_second, speed.gflops, speed.peak_gflops))
}

/// Samples a second of CPU time, GFLOP/s, and the machine's peak of GFLOP/s, for a model that was loaded.
#[pyfunction]
#[pyo3(signature = (model, *, block_size, seconds))]
pub(crate) fn bench_model(
    py: Python<'_>,
    model: &AmpModel,
    block_size: usize,
    seconds: f64,
) -> PyResult<(f64, f64, f64)> {
    let duration = check(block_size, seconds)?;
    let speed = py
        .detach(|| neurdsp_rt::bench::bench_model(model.model(), block_size, duration))
        .map_err(from_models)?;
    Ok((speed.samples_per_second, speed.gflops, speed.peak_gflops))
}

/// The duration, after both values were found to be in bounds.
fn check(block_size: usize, seconds: f64) -> PyResult<Duration> {
    if !(1..=1 << 20).contains(&block_size) {
        return Err(ParameterError::new_err(format!("block_size is {block_size}, but must be 1 to 1048576")));
    }
    if !(seconds > 0.0 && seconds <= 3600.0) {
        return Err(ParameterError::new_err(format!(
            "seconds is {seconds}, but must be above 0 and at most 3600"
        )));
    }
    Ok(Duration::from_secs_f64(seconds))
}
