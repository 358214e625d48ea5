//! Joining rows element by element.
// Each block is vector arithmetic within rows whose numbers the entry points check.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::rows::{Rows, RowsMut};
use crate::bounds::MAX_FRAMES;
use neurdsp_simd::math::fma;
use neurdsp_simd::{Isa, Vector, dispatch};

/// `x = x · scale + shift`, or `x = x · scale` without a shift: the end of a FiLM.
///
/// # Panics
///
/// If the numbers of channels differ or `frames` exceeds [`MAX_FRAMES`].
pub fn modulate(isa: Isa, x: &mut RowsMut<'_>, scale: Rows<'_>, shift: Option<Rows<'_>>, frames: usize) {
    check(x, scale, frames);
    match shift {
        Some(shift) => {
            check(x, shift, frames);
            ternary(isa, Join::ScaleShift, x, scale, shift, 0.0, frames);
        }
        None => multiply(isa, x, scale, frames),
    }
}

/// `x = x · by`.
///
/// # Panics
///
/// As [`modulate`].
pub fn multiply(isa: Isa, x: &mut RowsMut<'_>, by: Rows<'_>, frames: usize) {
    check(x, by, frames);
    ternary(isa, Join::Multiply, x, by, by, 0.0, frames);
}

/// `x = x + factor · rows`.
///
/// # Panics
///
/// As [`modulate`].
pub fn accumulate(isa: Isa, x: &mut RowsMut<'_>, rows: Rows<'_>, factor: f32, frames: usize) {
    check(x, rows, frames);
    ternary(isa, Join::Accumulate, x, rows, rows, factor, frames);
}

/// `x = share · x + (1 − share) · rest`.
///
/// # Panics
///
/// As [`modulate`].
pub fn blend(isa: Isa, x: &mut RowsMut<'_>, rest: Rows<'_>, share: Rows<'_>, frames: usize) {
    check(x, rest, frames);
    check(x, share, frames);
    ternary(isa, Join::Blend, x, rest, share, 0.0, frames);
}

fn check(x: &RowsMut<'_>, other: Rows<'_>, frames: usize) {
    assert_eq!(x.channels(), other.channels());
    assert!(frames <= MAX_FRAMES);
}

/// What becomes of `x`, `a` and `b`.
#[derive(Clone, Copy)]
enum Join {
    ScaleShift,
    Multiply,
    Accumulate,
    Blend,
}

dispatch! {
    fn ternary(join: Join, x: &mut RowsMut<'_>, a: Rows<'_>, b: Rows<'_>, factor: f32, frames: usize) = ternary_generic
}

#[inline(always)]
unsafe fn ternary_generic<V: Vector<f32>>(
    join: Join,
    x: &mut RowsMut<'_>,
    a: Rows<'_>,
    b: Rows<'_>,
    factor: f32,
    frames: usize,
) {
    unsafe {
        for channel in 0..x.channels() {
            let row = x.as_mut_ptr().add(channel * x.stride());
            let a = a.as_ptr().add(channel * a.stride());
            let b = b.as_ptr().add(channel * b.stride());
            for at in (0..frames).step_by(V::LANES) {
                let (x, a) = (V::load(row.add(at)), V::load(a.add(at)));
                let y = match join {
                    Join::ScaleShift => fma(x, a, V::load(b.add(at))),
                    Join::Multiply => x.mul(a),
                    Join::Accumulate => fma(a, V::splat(factor), x),
                    Join::Blend => {
                        let share = V::load(b.add(at));
                        fma(share, x, V::splat(1.0).sub(share).mul(a))
                    }
                };
                y.store(row.add(at));
            }
        }
    }
}
