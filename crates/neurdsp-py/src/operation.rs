//! How a model plays in a session: its rate, oversampling and the quality of resampling.

use neurdsp_dsp::live::ResampleQuality;
use neurdsp_rt::Operation;

/// The operation of a model at the rate of the host.
pub(crate) fn operation(sample_rate: f64, oversample: usize, low_latency: bool) -> Operation {
    let quality = if low_latency { ResampleQuality::LowLatency } else { ResampleQuality::High };
    Operation { sample_rate, oversample, quality }
}
