//! The dynamic range of a block: a floor that lies a given depth below its largest value.
// Loads and stores stay inside the slice; the instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real};

/// Raises every value that lies more than `depth` below the largest, and replaces it by `(value + offset) * scale`.
#[inline(always)]
pub(super) unsafe fn limit_range<V: Lanes>(
    values: &mut [V::Element],
    depth: V::Element,
    offset: V::Element,
    scale: V::Element,
) {
    unsafe {
        // Four peaks: each comparison waits for the one before.
        let mut peaks = [V::splat(V::Element::from_f64(f64::NEG_INFINITY)); 4];
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
