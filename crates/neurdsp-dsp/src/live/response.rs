//! Changing the sample rate of impulse responses, which nothing precedes.

use super::ratio::Ratio;
use super::sinc::{Prototype, ResampleQuality, TABLE_PHASES};
use crate::error::{Error, Result};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

/// Magnitudes below this share of the largest one count as this, before the logarithm: −140 dB.
const FLOOR: f64 = 1e-7;
/// What is cut off at the end, relative to the peak.
const TAIL: f32 = 1e-7;
/// The share of the energy that may lie before the first sample, where it is lost: −80 dB.
const LOST: f64 = 1e-8;

/// Converts the channels of an impulse response to another rate without changing its gain.
///
/// A symmetric filter rings before the sound as well as after it. Where a response begins softly, nothing is lost by cutting
/// that off, and the result is aligned with the source. One that begins at its peak, as those of cabinets often do, would
/// lose up to half of that peak's energy; there the filter has minimum phase, so that nothing comes earlier, and a constant is
/// delayed by a few samples of the lower rate. Either way the magnitude at every frequency up to 0.45 of the lower rate stays
/// what it was, to 0.01 dB.
///
/// The values are those of the same signal; as a filter it has the gain of the old one after a scale by
/// `from_rate / to_rate`. All channels of the result have the same length.
///
/// # Errors
/// There is no channel, or one is empty; the rates do not form a [`Ratio`].
///
/// # Example
///
/// ```
/// let response = neurdsp_dsp::live::resample_response(&[vec![1.0]], 48_000.0, 96_000.0)?;
/// let gain: f32 = response[0].iter().sum::<f32>() * 0.5;
/// assert!((gain - 1.0).abs() < 1e-4);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
pub fn resample_response(channels: &[Vec<f32>], from_rate: f64, to_rate: f64) -> Result<Vec<Vec<f32>>> {
    let longest = channels.iter().map(Vec::len).max().unwrap_or(0);
    if longest == 0 || channels.iter().any(Vec::is_empty) {
        return Err(Error::Empty);
    }
    let ratio = Ratio::new(from_rate, to_rate)?;
    if ratio.up == ratio.down {
        return Ok(channels.to_vec());
    }
    let prototype = Prototype::new(ratio, ResampleQuality::High);
    let phases = ratio.up.min(TABLE_PHASES);
    let half_width = prototype.half_width as u64;
    let points = 2 * half_width * phases;
    let mut symmetric: Vec<f64> =
        (0..points).map(|j| prototype.at(j as f64 / phases as f64 - half_width as f64)).collect();
    let sum: f64 = symmetric.iter().sum();
    symmetric.iter_mut().for_each(|value| *value *= phases as f64 / sum);

    // Positions are in units of 1 / `up` of an input sample, from where the symmetric filter begins to ring.
    let first = half_width * ratio.up;
    let outputs = |kernel: &[f64], from: u64, count: u64| {
        let channel = |channel: &Vec<f32>| -> Vec<f32> {
            (0..count).map(|n| sample(channel, kernel, from + n * ratio.down, ratio, phases)).collect()
        };
        channels.iter().map(channel).collect::<Vec<_>>()
    };
    let energy = |channels: &[Vec<f32>]| -> f64 {
        channels.iter().flatten().map(|value| f64::from(*value).powi(2)).sum()
    };
    let count = |inputs: u64| (inputs * ratio.up).div_ceil(ratio.down);
    let before = outputs(&symmetric, first % ratio.down, first / ratio.down);
    let mut converted = outputs(&symmetric, first, count(longest as u64 + half_width));
    if energy(&before) > LOST * energy(&converted) {
        let kernel = minimum_phase(symmetric, phases as usize);
        converted = outputs(&kernel, 0, count(longest as u64 + 2 * half_width));
    }
    let least = (longest as u64 * ratio.up / ratio.down) as usize;
    trim(&mut converted, least);
    Ok(converted)
}

/// The output sample at a position.
fn sample(response: &[f32], kernel: &[f64], position: u64, ratio: Ratio, phases: u64) -> f32 {
    let (newest, phase) = (position / ratio.up, position % ratio.up);
    // Between two points of the kernel, if it does not hold every phase.
    let scaled = u128::from(phase) * u128::from(phases);
    let first = (scaled / u128::from(ratio.up)) as usize;
    let share = (scaled % u128::from(ratio.up)) as f64 / ratio.up as f64;
    let step = phases as usize;
    let oldest = newest.saturating_sub((kernel.len() / step) as u64);
    let last = newest.min(response.len() as u64 - 1);
    let mut sum = 0.0;
    for input in oldest..=last {
        let at = first + (newest - input) as usize * step;
        let Some(&near) = kernel.get(at) else { continue };
        let far = kernel.get(at + 1).copied().unwrap_or(0.0);
        sum += f64::from(response[input as usize]) * (near + (far - near) * share);
    }
    sum as f32
}

/// The filter with the same magnitude and the least delay; both have `phases` points for every input sample.
///
/// Source: A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing", the complex cepstrum of a minimum-phase
/// sequence.
fn minimum_phase(mut signal: Vec<f64>, phases: usize) -> Vec<f64> {
    let n = signal.len();
    let size = (8 * n).next_power_of_two();
    signal.resize(size, 0.0);
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let mut spectrum = vec![Complex::default(); size / 2 + 1];
    // The lengths are those of the plans, so neither transform can fail.
    let _ = forward.process(&mut signal, &mut spectrum);
    let largest = spectrum.iter().map(|bin| bin.norm()).fold(0.0, f64::max);
    for bin in &mut spectrum {
        *bin = Complex::new(bin.norm().max(FLOOR * largest).ln() / size as f64, 0.0);
    }
    let _ = inverse.process(&mut spectrum, &mut signal);
    // The cepstrum of a causal filter: its even part twice, from 0 on.
    signal[1..size / 2].iter_mut().for_each(|value| *value *= 2.0);
    signal[size / 2 + 1..].fill(0.0);
    let _ = forward.process(&mut signal, &mut spectrum);
    for bin in &mut spectrum {
        *bin = bin.exp();
    }
    // Real where they must be, but for rounding.
    spectrum[0].im = 0.0;
    spectrum[size / 2].im = 0.0;
    let _ = inverse.process(&mut spectrum, &mut signal);
    signal.truncate(n);
    let sum: f64 = signal.iter().sum();
    signal.iter_mut().for_each(|value| *value *= phases as f64 / sum);
    signal
}

/// Cuts off the end where only the filter rings, inaudibly; at least `least` samples stay.
fn trim(channels: &mut [Vec<f32>], least: usize) {
    let peak = channels.iter().flatten().fold(0.0f32, |peak, value| value.abs().max(peak));
    let end = |channel: &Vec<f32>| {
        channel.iter().rposition(|value| value.abs() > TAIL * peak).map_or(0, |last| last + 1)
    };
    let end = channels.iter().map(end).max().unwrap_or(0).max(least).max(1);
    channels.iter_mut().for_each(|channel| channel.truncate(end));
}
