//! The range of a spectrogram: everything far below its peak raised to one level, as Whisper wants it.
// Each kernel stays inside of its slice; the instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::sample::Sample;
use neurdsp_simd::{Isa, Lanes, dispatch};

/// Raises every value that lies more than `depth` below the largest one to there, and makes `(value + offset) * scale` of it.
///
/// `depth` of 8, `offset` of 4 and `scale` of a quarter are Whisper's, on logarithms to base ten. An empty slice stays empty.
///
/// ```
/// let mut values = [-9.0f32, -2.0, 0.0];
/// neurdsp_dsp::limit_range(&mut values, 8.0, 4.0, 0.25);
/// assert_eq!(values, [-1.0, 0.5, 1.0]);
/// ```
pub fn limit_range<T: Sample>(values: &mut [T], depth: f64, offset: f64, scale: f64) {
    T::limit_range(Isa::detect(), values, T::of(depth), T::of(offset), T::of(scale));
}

dispatch! { pub(crate) fn limit_f32(values: &mut [f32], depth: f32, offset: f32, scale: f32) = limit_single }
dispatch! { pub(crate) fn limit_f64(values: &mut [f64], depth: f64, offset: f64, scale: f64) = f64 limit_double }

macro_rules! limit {
    ($name:ident, $t:ty) => {
        #[inline(always)]
        unsafe fn $name<V: Lanes<Element = $t>>(values: &mut [$t], depth: $t, offset: $t, scale: $t) {
            unsafe {
                // Four peaks: each comparison waits for the one before.
                let mut peaks = [V::splat(<$t>::NEG_INFINITY); 4];
                let mut stretches = values.chunks_exact(4 * V::LANES);
                for stretch in &mut stretches {
                    for (i, peak) in peaks.iter_mut().enumerate() {
                        *peak = peak.max(V::load(stretch.as_ptr().add(i * V::LANES)));
                    }
                }
                let peak = peaks[0].max(peaks[1]).max(peaks[2].max(peaks[3])).max_lane();
                let peak = stretches.remainder().iter().fold(peak, |peak, value| peak.max(*value));
                let least = peak - depth;
                let mut blocks = values.chunks_exact_mut(V::LANES);
                for block in &mut blocks {
                    let raised = V::load(block.as_ptr()).max(V::splat(least));
                    raised.add(V::splat(offset)).mul(V::splat(scale)).store(block.as_mut_ptr());
                }
                for value in blocks.into_remainder() {
                    *value = (value.max(least) + offset) * scale;
                }
            }
        }
    };
}
limit!(limit_single, f32);
limit!(limit_double, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_the_same_on_every_instruction_set_and_at_every_length() {
        for len in [0, 1, 7, 16, 100] {
            let values: Vec<f64> = (0..len).map(|i| f64::from((i * 37) % 101) / 4.0 - 20.0).collect();
            let peak = values.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
            let wanted: Vec<f64> = values.iter().map(|x| (x.max(peak - 8.0) + 4.0) / 4.0).collect();
            for isa in Isa::available() {
                let mut double = values.clone();
                limit_f64(isa, &mut double, 8.0, 4.0, 0.25);
                assert_eq!(double, wanted, "{} {len}", isa.name());
                let mut single: Vec<f32> = values.iter().map(|x| *x as f32).collect();
                limit_f32(isa, &mut single, 8.0, 4.0, 0.25);
                assert!(single.iter().zip(&wanted).all(|(a, b)| f64::from(*a) == *b), "{} {len}", isa.name());
            }
        }
    }
}
