//! The choice of the fastest transform for a window.

use super::any_length::{RealFftAnalysis, RealFftSynthesis};
use super::lane_fft::LaneFft;
use super::seam::{Analysis, Synthesis};
use crate::kernels::Float;
use neurdsp_simd::Isa;

/// The fastest analysis for this window, as long as the transform, and frames that are `stride` samples apart.
pub(crate) fn fastest_analysis<T: Float>(window: &[f64], stride: usize) -> Box<dyn Analysis<T>> {
    match lane_fft(window, stride) {
        Some(plan) => Box::new(plan),
        None => Box::new(RealFftAnalysis::<T>::new(window)),
    }
}

/// The fastest synthesis for this window, as long as the transform, and frames that are `stride` samples apart.
pub(crate) fn fastest_synthesis<T: Float>(window: &[f64], stride: usize) -> Box<dyn Synthesis<T>> {
    match lane_fft(window, stride) {
        Some(plan) => Box::new(plan),
        None => Box::new(RealFftSynthesis::<T>::new(window, stride)),
    }
}

/// One frame to a lane, for the lengths that have codelets, where registers have more than one lane.
///
/// On narrow registers realfft is faster: it has kernels of its own for them.
fn lane_fft<T: Float>(window: &[f64], stride: usize) -> Option<LaneFft<T>> {
    let isa = Isa::detect();
    if isa.has_avx2() { LaneFft::new(isa, window, stride) } else { None }
}
