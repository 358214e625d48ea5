//! The dynamic range of a spectrogram: everything far below its peak raised to one level, as Whisper wants it.

use crate::sample::Sample;
use neurdsp_simd::Isa;

/// Raises every value that lies more than `depth` below the largest, and replaces it by `(value + offset) * scale`.
///
/// Whisper has a `depth` of 8, an `offset` of 4 and a `scale` of a quarter, on logarithms to base ten. An empty slice
/// stays empty.
///
/// ```
/// let mut values = [-9.0f32, -2.0, 0.0];
/// neurdsp_dsp::limit_range(&mut values, 8.0, 4.0, 0.25);
/// assert_eq!(values, [-1.0, 0.5, 1.0]);
/// ```
pub fn limit_range<T: Sample>(values: &mut [T], depth: f64, offset: f64, scale: f64) {
    T::limit_range(Isa::detect(), values, T::of(depth), T::of(offset), T::of(scale));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Kernels;

    #[test]
    fn the_range_is_the_same_on_every_instruction_set_and_at_every_length() {
        for len in [0, 1, 7, 16, 100] {
            let values: Vec<f64> = (0..len).map(|i| f64::from((i * 37) % 101) / 4.0 - 20.0).collect();
            let peak = values.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
            let wanted: Vec<f64> = values.iter().map(|x| (x.max(peak - 8.0) + 4.0) / 4.0).collect();
            for isa in Isa::available() {
                let mut double = values.clone();
                f64::limit_range(isa, &mut double, 8.0, 4.0, 0.25);
                assert_eq!(double, wanted, "{} {len}", isa.name());
                let mut single: Vec<f32> = values.iter().map(|x| *x as f32).collect();
                f32::limit_range(isa, &mut single, 8.0, 4.0, 0.25);
                assert!(single.iter().zip(&wanted).all(|(a, b)| f64::from(*a) == *b), "{} {len}", isa.name());
            }
        }
    }
}
