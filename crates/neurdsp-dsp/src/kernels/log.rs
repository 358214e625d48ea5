//! The logarithm of a block.
// Loads and stores stay inside the slice; the instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real, ln_of};

/// Replaces each value by `scale * ln(max(value, floor) + offset)`.
///
/// A rest that does not fill a register is padded, so that every value is computed in the same way.
#[inline(always)]
pub(super) unsafe fn log<V: Lanes>(
    values: &mut [V::Element],
    floor: V::Element,
    offset: V::Element,
    scale: V::Element,
) {
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
    // Zero and subnormals have no usable logarithm: the least normal number stands in for them.
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
