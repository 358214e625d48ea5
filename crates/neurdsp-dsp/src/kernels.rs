//! Vector kernels on blocks of frames: the band sums of a filterbank, the logarithm, the check for NaN.
// Each kernel stays inside the slices whose lengths its first lines check; the instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::mel::Bands;
use crate::sample::Sample;
use neurdsp_simd::{Lanes, Real, Vector, dispatch, ln_of};

dispatch! {
    /// For each band, the sum of its rows (`lanes` values each) times its weights.
    pub(crate) fn band_sums_f32(bands: &Bands<f32>, rows: &[f32], lanes: usize, sums: &mut [f32]) = band_sums_f32_generic
}
dispatch! {
    /// For each band, the sum of its rows (`lanes` values each) times its weights.
    pub(crate) fn band_sums_f64(bands: &Bands<f64>, rows: &[f64], lanes: usize, sums: &mut [f64]) = f64 band_sums_f64_generic
}

macro_rules! band_sums {
    ($name:ident, $t:ty) => {
        #[inline(always)]
        unsafe fn $name<V: Vector<$t>>(bands: &Bands<$t>, rows: &[$t], lanes: usize, sums: &mut [$t]) {
            unsafe { band_sums::<$t, V>(bands, rows, lanes, sums) }
        }
    };
}
band_sums!(band_sums_f32_generic, f32);
band_sums!(band_sums_f64_generic, f64);

/// Every lane is summed on its own and in the order of the rows, so that the width of a register changes no bit.
#[inline(always)]
unsafe fn band_sums<T: Sample, V: Vector<T>>(bands: &Bands<T>, rows: &[T], lanes: usize, sums: &mut [T]) {
    for (band, sum) in bands.iter().zip(sums.chunks_exact_mut(lanes)) {
        let rows = &rows[band.first * lanes..(band.first + band.weights.len()) * lanes];
        let mut lane = 0;
        while lane + V::LANES <= lanes {
            unsafe {
                let mut total = V::splat(T::zero());
                for (i, weight) in band.weights.iter().enumerate() {
                    total = V::load(rows.as_ptr().add(i * lanes + lane)).fma(V::splat(*weight), total);
                }
                total.store(sum.as_mut_ptr().add(lane));
            }
            lane += V::LANES;
        }
        for lane in lane..lanes {
            let weighted = band.weights.iter().zip(rows.chunks_exact(lanes));
            sum[lane] = weighted.fold(T::zero(), |total, (weight, row)| row[lane].mul_add(*weight, total));
        }
    }
}

dispatch! {
    /// The transpose of the band sums: adds to the rows of each band its sum times the weights.
    pub(crate) fn band_spread_f32(bands: &Bands<f32>, sums: &[f32], lanes: usize, rows: &mut [f32]) = band_spread_f32_generic
}
dispatch! {
    /// The transpose of the band sums: adds to the rows of each band its sum times the weights.
    pub(crate) fn band_spread_f64(bands: &Bands<f64>, sums: &[f64], lanes: usize, rows: &mut [f64]) = f64 band_spread_f64_generic
}

macro_rules! band_spread {
    ($name:ident, $t:ty) => {
        #[inline(always)]
        unsafe fn $name<V: Vector<$t>>(bands: &Bands<$t>, sums: &[$t], lanes: usize, rows: &mut [$t]) {
            unsafe { band_spread::<$t, V>(bands, sums, lanes, rows) }
        }
    };
}
band_spread!(band_spread_f32_generic, f32);
band_spread!(band_spread_f64_generic, f64);

/// Every lane on its own and in the order of the bands, as [`band_sums`].
#[inline(always)]
unsafe fn band_spread<T: Sample, V: Vector<T>>(bands: &Bands<T>, sums: &[T], lanes: usize, rows: &mut [T]) {
    for (band, sum) in bands.iter().zip(sums.chunks_exact(lanes)) {
        let rows = &mut rows[band.first * lanes..(band.first + band.weights.len()) * lanes];
        let mut lane = 0;
        while lane + V::LANES <= lanes {
            unsafe {
                let sum = V::load(sum.as_ptr().add(lane));
                for (i, weight) in band.weights.iter().enumerate() {
                    let row = rows.as_mut_ptr().add(i * lanes + lane);
                    sum.fma(V::splat(*weight), V::load(row)).store(row);
                }
            }
            lane += V::LANES;
        }
        for lane in lane..lanes {
            for (weight, row) in band.weights.iter().zip(rows.chunks_exact_mut(lanes)) {
                row[lane] = sum[lane].mul_add(*weight, row[lane]);
            }
        }
    }
}

dispatch! {
    /// The squared magnitudes of complex numbers.
    pub(crate) fn powers_f32(re: &[f32], im: &[f32], powers: &mut [f32]) = powers_f32_generic
}
dispatch! {
    /// The squared magnitudes of complex numbers.
    pub(crate) fn powers_f64(re: &[f64], im: &[f64], powers: &mut [f64]) = f64 powers_f64_generic
}
dispatch! {
    /// Complex numbers times real factors.
    pub(crate) fn scale_f32(factors: &[f32], re: &mut [f32], im: &mut [f32]) = scale_f32_generic
}
dispatch! {
    /// Complex numbers times real factors.
    pub(crate) fn scale_f64(factors: &[f64], re: &mut [f64], im: &mut [f64]) = f64 scale_f64_generic
}

macro_rules! complex {
    ($powers:ident, $scale:ident, $t:ty) => {
        /// Plain loops, which the compiler vectorises for the instruction set.
        #[inline(always)]
        #[allow(clippy::extra_unused_type_parameters)]
        unsafe fn $powers<V: Vector<$t>>(re: &[$t], im: &[$t], powers: &mut [$t]) {
            for ((power, re), im) in powers.iter_mut().zip(re).zip(im) {
                *power = re * re + im * im;
            }
        }
        #[inline(always)]
        #[allow(clippy::extra_unused_type_parameters)]
        unsafe fn $scale<V: Vector<$t>>(factors: &[$t], re: &mut [$t], im: &mut [$t]) {
            for ((re, im), factor) in re.iter_mut().zip(im).zip(factors) {
                (*re, *im) = (*re * factor, *im * factor);
            }
        }
    };
}
complex!(powers_f32_generic, scale_f32_generic, f32);
complex!(powers_f64_generic, scale_f64_generic, f64);

dispatch! {
    /// Replaces each value by `scale * ln(max(value, floor) + offset)`.
    pub(crate) fn log_f32(values: &mut [f32], floor: f32, offset: f32, scale: f32) = log_f32_generic
}
dispatch! {
    /// Replaces each value by `scale * ln(max(value, floor) + offset)`.
    pub(crate) fn log_f64(values: &mut [f64], floor: f64, offset: f64, scale: f64) = f64 log_f64_generic
}

macro_rules! log {
    ($name:ident, $t:ty) => {
        #[inline(always)]
        unsafe fn $name<V: Lanes<Element = $t>>(values: &mut [$t], floor: $t, offset: $t, scale: $t) {
            unsafe { log::<V>(values, floor, offset, scale) }
        }
    };
}
log!(log_f32_generic, f32);
log!(log_f64_generic, f64);

/// What does not fill a register is padded, so that every value is computed in the same way.
#[inline(always)]
unsafe fn log<V: Lanes>(values: &mut [V::Element], floor: V::Element, offset: V::Element, scale: V::Element) {
    unsafe {
        // Several at once: a logarithm is one long chain, and the processor looks ahead over only a few of them.
        let mut stretches = values.chunks_exact_mut(4 * V::LANES);
        for stretch in &mut stretches {
            let at = stretch.as_mut_ptr();
            let x = [
                V::load(at),
                V::load(at.add(V::LANES)),
                V::load(at.add(2 * V::LANES)),
                V::load(at.add(3 * V::LANES)),
            ];
            for (i, y) in scaled_log(x, floor, offset, scale).into_iter().enumerate() {
                y.store(at.add(i * V::LANES));
            }
        }
        let mut blocks = stretches.into_remainder().chunks_exact_mut(V::LANES);
        for block in &mut blocks {
            let x = V::load(block.as_ptr());
            scaled_log([x], floor, offset, scale)[0].store(block.as_mut_ptr());
        }
        let rest = blocks.into_remainder();
        if !rest.is_empty() {
            let mut padded = [V::Element::from_f64(1.0); 16];
            padded[..rest.len()].copy_from_slice(rest);
            let x = V::load(padded.as_ptr());
            scaled_log([x], floor, offset, scale)[0].store(padded.as_mut_ptr());
            rest.copy_from_slice(&padded[..rest.len()]);
        }
    }
}

#[inline(always)]
unsafe fn scaled_log<V: Lanes, const N: usize>(
    x: [V; N],
    floor: V::Element,
    offset: V::Element,
    scale: V::Element,
) -> [V; N] {
    // Below the normal numbers, zero above all, there is no logarithm to be had.
    let single = size_of::<V::Element>() == 4;
    let least = V::Element::from_f64(if single { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE });
    unsafe {
        let mut y = x;
        for y in &mut y {
            // The second operand is what `max` gives where one is NaN: NaN stays visible.
            *y = V::splat(least).max(V::splat(floor).max(*y).add(V::splat(offset)));
        }
        y = ln_of(y);
        for y in &mut y {
            *y = y.mul(V::splat(scale));
        }
        y
    }
}

dispatch! {
    /// Whether no sample is NaN or beyond `limit` in size.
    pub(crate) fn within_f32(samples: &[f32], limit: f32) -> bool = within_f32_generic
}
dispatch! {
    /// Whether no sample is NaN or beyond `limit` in size.
    pub(crate) fn within_f64(samples: &[f64], limit: f64) -> bool = f64 within_f64_generic
}

macro_rules! within {
    ($name:ident, $t:ty, $int:ty) => {
        /// The bits of magnitudes, read as integers, lie in the order of the magnitudes, with infinity and NaN above all;
        /// integers, so that the compiler vectorises the search.
        #[inline(always)]
        #[allow(clippy::extra_unused_type_parameters)]
        unsafe fn $name<V: Vector<$t>>(samples: &[$t], limit: $t) -> bool {
            let magnitude = |sample: &$t| (sample.to_bits() << 1 >> 1) as $int;
            let limit = magnitude(&limit.min(<$t>::MAX));
            samples.chunks(4096).all(|block| block.iter().map(magnitude).fold(0, <$int>::max) <= limit)
        }
    };
}
within!(within_f32_generic, f32, i32);
within!(within_f64_generic, f64, i64);
