//! Functions of the values of slices, in single precision, with every operation rounded by itself.
// Blocks stay within slices whose lengths the entry points check; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Isa, Lanes, Vector, dispatch};

/// Slices are whole numbers of the widest registers.
const LANES: usize = 16;

/// `x / (1 + exp(−x))` of every value.
///
/// # Panics
/// If the values are not a multiple of sixteen.
///
/// # Examples
///
/// ```
/// let mut x = [1.0; 16];
/// neurdsp_nn::exact::silu(neurdsp_simd::Isa::detect(), &mut x);
/// assert!((x[0] - 0.731_058_6).abs() < 1e-6);
/// ```
pub fn silu(isa: Isa, values: &mut [f32]) {
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    silu_all(isa, values);
}

/// The exponential function of every value, to within 3e-7 of itself.
///
/// # Panics
/// If the values are not a multiple of sixteen.
pub fn exp(isa: Isa, values: &mut [f32]) {
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    exp_all(isa, values);
}

/// Adds `amplitude · cos(2π turns)`; turns are 0 to 1.
///
/// # Panics
/// If the slices differ in length or are not a multiple of sixteen.
pub fn add_cosines(isa: Isa, turns: &[f32], amplitude: &[f32], to: &mut [f32]) {
    assert!(to.len().is_multiple_of(LANES), "whole registers");
    assert!([turns.len(), amplitude.len()] == [to.len(); 2], "slices of one length");
    add_cosines_all(isa, turns, amplitude, to);
}

/// The values that shape a saturated cosine, one for each of its own.
#[derive(Clone, Copy, Debug)]
pub struct Saturation<'a> {
    /// In Hz; the drive is at most `limit_hz` over it.
    pub hertz: &'a [f32],
    /// The most that drive times frequency may be.
    pub limit_hz: f32,
    /// Factor in front of the hyperbolic tangent; a cosine below 0.001, fully saturated above 0.3.
    pub drive: &'a [f32],
    /// What is added to the cosine, −0.9 to 0.9.
    pub bias: &'a [f32],
    /// What is taken off, so that no constant is left.
    pub mean: &'a [f32],
}

/// Adds `amplitude` times a cosine through a hyperbolic tangent of unit peak.
///
/// # Panics
/// As [`add_cosines`].
pub fn add_saturated(isa: Isa, turns: &[f32], amplitude: &[f32], saturation: Saturation<'_>, to: &mut [f32]) {
    let Saturation { hertz, drive, bias, mean, .. } = saturation;
    assert!(to.len().is_multiple_of(LANES), "whole registers");
    let lens = [turns, amplitude, hertz, drive, bias, mean].map(<[f32]>::len);
    assert!(lens == [to.len(); 6], "slices of one length");
    add_saturated_all(isa, turns, amplitude, saturation, to);
}

dispatch! {
    fn silu_all(values: &mut [f32]) = silu_generic
}

#[inline(always)]
unsafe fn silu_generic<V: Lanes<Element = f32>>(values: &mut [f32]) {
    unsafe {
        let one = V::splat(1.0);
        for block in values.chunks_exact_mut(V::LANES) {
            let x = V::load(block.as_ptr());
            x.div(one.add(exp_of(x.neg()))).store(block.as_mut_ptr());
        }
    }
}

dispatch! {
    fn exp_all(values: &mut [f32]) = exp_generic
}

#[inline(always)]
unsafe fn exp_generic<V: Lanes<Element = f32>>(values: &mut [f32]) {
    unsafe {
        for block in values.chunks_exact_mut(V::LANES) {
            exp_of(V::load(block.as_ptr())).store(block.as_mut_ptr());
        }
    }
}

dispatch! {
    fn add_cosines_all(turns: &[f32], amplitude: &[f32], to: &mut [f32]) = add_cosines_generic
}

#[inline(always)]
unsafe fn add_cosines_generic<V: Lanes<Element = f32>>(turns: &[f32], amplitude: &[f32], to: &mut [f32]) {
    unsafe {
        for at in (0..to.len()).step_by(V::LANES) {
            let cosine = cos_of(V::load(turns.as_ptr().add(at)));
            let place = to.as_mut_ptr().add(at);
            V::load(place).add(cosine.mul(V::load(amplitude.as_ptr().add(at)))).store(place);
        }
    }
}

dispatch! {
    fn add_saturated_all(turns: &[f32], amplitude: &[f32], saturation: Saturation<'_>, to: &mut [f32])
        = add_saturated_generic
}

#[inline(always)]
unsafe fn add_saturated_generic<V: Lanes<Element = f32>>(
    turns: &[f32],
    amplitude: &[f32],
    saturation: Saturation<'_>,
    to: &mut [f32],
) {
    unsafe {
        let Saturation { hertz, limit_hz, drive, bias, mean } = saturation;
        let (zero, one) = (V::splat(0.0), V::splat(1.0));
        for at in (0..to.len()).step_by(V::LANES) {
            let cosine = cos_of(V::load(turns.as_ptr().add(at)));
            let limit = V::splat(limit_hz).div(V::load(hertz.as_ptr().add(at)));
            let asked = V::load(drive.as_ptr().add(at)).min(limit);
            let (drive, bias) = (asked.max(V::splat(1e-3)), V::load(bias.as_ptr().add(at)));
            let (high, low) = (tanh_of(drive.mul(one.add(bias))), tanh_of(drive.mul(bias.sub(one))));
            let middle = tanh_of(drive.mul(cosine.add(bias)));
            let shaped = middle.add(middle).sub(high.add(low)).div(high.sub(low));
            let shaped = shaped.sub(V::load(mean.as_ptr().add(at)));
            // Below 0.001 the share is below 0.0034, and fades to nothing.
            let share = asked.div(V::splat(0.3)).max(zero).min(one);
            let weight = share.mul(asked.sub(V::splat(1e-3)).mul(V::splat(1e12)).max(zero).min(one));
            let value = cosine.add(weight.mul(shaped.sub(cosine)));
            let place = to.as_mut_ptr().add(at);
            V::load(place).add(value.mul(V::load(amplitude.as_ptr().add(at)))).store(place);
        }
    }
}

/// `2^n·p(r)` with `x = n·ln 2 + r`; arguments are limited to −87 and 88. The coefficients are those of the Cephes library.
#[inline(always)]
unsafe fn exp_of<V: Lanes<Element = f32>>(x: V) -> V {
    const COEFFICIENTS: [f32; 6] =
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5];
    unsafe {
        // A sum with it has no fraction.
        let round = V::splat(12_582_912.0);
        let x = x.min(V::splat(88.0)).max(V::splat(-87.0));
        let whole = x.mul(V::splat(std::f32::consts::LOG2_E)).add(round).sub(round);
        let rest = x.sub(whole.mul(V::splat(0.693_359_4))).add(whole.mul(V::splat(2.121_944_4e-4)));
        let mut sum = V::splat(COEFFICIENTS[0]);
        for coefficient in &COEFFICIENTS[1..] {
            sum = sum.mul(rest).add(V::splat(*coefficient));
        }
        let sum = sum.mul(rest.mul(rest)).add(rest).add(V::splat(1.0));
        sum.mul(whole.power_of_two())
    }
}

/// The hyperbolic tangent, `1 − 2 / (exp(2x) + 1)`: within 3e-7 absolute.
// A function, not a closure: that would not have the instruction set.
#[inline(always)]
unsafe fn tanh_of<V: Lanes<Element = f32>>(x: V) -> V {
    unsafe {
        let one = V::splat(1.0);
        one.sub(V::splat(2.0).div(exp_of(x.add(x)).add(one)))
    }
}

/// `cos(2πx)` for 0 to 1, to within 3e-7: the sine of what is left to a quarter of a turn, by its series.
#[inline(always)]
unsafe fn cos_of<V: Vector<f32>>(x: V) -> V {
    /// `(2π)^n / n!` with the signs of the sine, for n = 13, 11, … 1.
    const SERIES: [f32; 7] =
        [3.819_952_6, -15.094_643, 42.058_694, -76.705_86, 81.605_25, -41.341_7, std::f32::consts::TAU];
    unsafe {
        let z = x.sub(V::splat(0.5)).abs().sub(V::splat(0.25));
        let square = z.mul(z);
        let mut sum = V::splat(SERIES[0]);
        for term in &SERIES[1..] {
            sum = sum.mul(square).add(V::splat(*term));
        }
        sum.mul(z)
    }
}
