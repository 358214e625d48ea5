//! The inner loops of [`Lstm`](super::Lstm): the four gates of a group of units at a time, in registers.
//!
//! Each step waits for the one before it, so the length of the chain of dependent operations counts, not their number:
//! the sums over columns run in several parts that do not wait for each other, and the weights of the sigmoid gates are
//! halved beforehand so that all gates take the same tanh. Division is slow, so that tanh stays a fraction: with `σ =
//! (D + N) / 2D`, the new cell `f·c + i·g` and the new hidden value `o·tanh(c)` take one division each.
// Every block stays within slices whose lengths `Lstm::run` has checked; the caller vouches for the instruction set, as
// `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::math::{fma, tanh_fraction};
use neurdsp_simd::{AlignedBuf, Vector, dispatch};

/// The hidden columns come in multiples of this, which all numbers of parts divide.
pub(super) const COLUMN_STEP: usize = 4;

/// The parameters of a layer, in the order in which the kernel reads them.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    /// For each group of units, each input and then each hidden column: the weights of the four gates of these units.
    ///
    /// Those of the three sigmoid gates are halved, since σ(x) = ½ tanh(½ x) + ½.
    pub(super) weight: AlignedBuf,
    /// For each group of units: the biases of the four gates, halved likewise.
    pub(super) bias: AlignedBuf,
    pub(super) inputs: usize,
    /// Hidden columns, rounded up to the step of the inner loop; the weights of those beyond the units are zero.
    pub(super) columns: usize,
    /// Values from one hidden frame to the next.
    pub(super) stride: usize,
}

dispatch! {
    /// Runs `lstm` over the frames of `input`; see [`Lstm::run`](super::Lstm::run).
    pub(super) fn layer(lstm: &Packed, input: &[f32], input_stride: usize, hidden: &mut [f32], cell: &mut [f32]) = layer_generic
}

#[inline(always)]
unsafe fn layer_generic<V: Vector<f32>>(
    lstm: &Packed,
    input: &[f32],
    input_stride: usize,
    hidden: &mut [f32],
    cell: &mut [f32],
) {
    unsafe {
        // Vectors of a group, and parts of a sum: as many as the registers take. The portable code takes groups of four
        // lanes, which compilers turn into one SSE register.
        match V::LANES {
            16 => frames::<V, 1, 2>(lstm, input, input_stride, hidden, cell),
            8 if lstm.stride.is_multiple_of(16) => frames::<V, 2, 1>(lstm, input, input_stride, hidden, cell),
            8 => frames::<V, 1, 2>(lstm, input, input_stride, hidden, cell),
            _ => frames::<V, 4, 1>(lstm, input, input_stride, hidden, cell),
        }
    }
}

#[inline(always)]
unsafe fn frames<V: Vector<f32>, const VECTORS: usize, const PARTS: usize>(
    lstm: &Packed,
    input: &[f32],
    input_stride: usize,
    hidden: &mut [f32],
    cell: &mut [f32],
) {
    unsafe {
        let stride = lstm.stride;
        let mut x = input.as_ptr();
        let end = x.add(input.len());
        let mut before: *const f32 = hidden.as_ptr();
        let mut after = hidden.as_mut_ptr().add(stride);
        while x < end {
            let mut weight = lstm.weight.as_ptr();
            for first in (0..stride).step_by(VECTORS * V::LANES) {
                let bias = lstm.bias.as_ptr().add(4 * first);
                weight = units::<V, VECTORS, PARTS>(
                    lstm,
                    weight,
                    bias,
                    (x, before),
                    (cell.as_mut_ptr().add(first), after.add(first)),
                );
            }
            x = x.add(input_stride);
            before = after;
            after = after.add(stride);
        }
    }
}

/// One step of one group of units; gives where the weights of the next group begin.
#[inline(always)]
unsafe fn units<V: Vector<f32>, const VECTORS: usize, const PARTS: usize>(
    lstm: &Packed,
    mut weight: *const f32,
    bias: *const f32,
    (x, before): (*const f32, *const f32),
    (cell, after): (*mut f32, *mut f32),
) -> *const f32 {
    unsafe {
        let column = 4 * VECTORS * V::LANES;
        let mut sums = [[[V::splat(0.0); VECTORS]; 4]; PARTS];
        for (g, gate) in sums[0].iter_mut().enumerate() {
            for (v, sum) in gate.iter_mut().enumerate() {
                *sum = V::load(bias.add((g * VECTORS + v) * V::LANES));
            }
        }
        for i in 0..lstm.inputs {
            accumulate(&mut sums[PARTS - 1], x.add(i).read(), weight);
            weight = weight.add(column);
        }
        let mut h = before;
        let end = before.add(lstm.columns);
        while h < end {
            for (part, sums) in sums.iter_mut().enumerate() {
                accumulate(sums, h.add(part).read(), weight);
                weight = weight.add(column);
            }
            h = h.add(PARTS);
        }
        // In stages over all vectors of the group, so that the chains of one fill the gaps of another.
        let mut gates = [[(V::splat(0.0), V::splat(0.0)); 4]; VECTORS];
        for (v, gates) in gates.iter_mut().enumerate() {
            for (g, gate) in gates.iter_mut().enumerate() {
                let mut sum = sums[0][g][v];
                for part in &sums[1..] {
                    sum = sum.add(part[g][v]);
                }
                *gate = tanh_fraction(sum);
            }
        }
        let mut cells = [V::splat(0.0); VECTORS];
        for (v, (c, gates)) in cells.iter_mut().zip(&gates).enumerate() {
            *c = next_cell(gates, V::load(cell.add(v * V::LANES)));
            c.store(cell.add(v * V::LANES));
        }
        for (v, (c, gates)) in cells.iter().zip(&gates).enumerate() {
            next_hidden(gates, *c).store(after.add(v * V::LANES));
        }
        weight
    }
}

/// `σ(f) · before + σ(i) · tanh(g)`, where the gates are fractions of tanh, those of the sigmoids with halved arguments.
#[inline(always)]
unsafe fn next_cell<V: Vector<f32>>(gates: &[(V, V); 4], before: V) -> V {
    unsafe {
        let [(i, below_i), (f, below_f), (g, below_g), _] = *gates;
        let before = before.mul(below_i.mul(below_g));
        let kept = fma(f, before, below_f.mul(before));
        let above = fma(fma(i, below_f, below_i.mul(below_f)), g, kept);
        above.div(below_i.mul(below_g).mul(below_f.add(below_f)))
    }
}

/// `σ(o) · tanh(cell)`.
#[inline(always)]
unsafe fn next_hidden<V: Vector<f32>>(gates: &[(V, V); 4], cell: V) -> V {
    unsafe {
        let (o, below_o) = gates[3];
        let (c, below_c) = tanh_fraction(cell);
        below_o.add(o).mul(c).div(below_o.add(below_o).mul(below_c))
    }
}

dispatch! {
    /// The step of a state in place, from the sums of the gates: four rows one after another, those of sigmoids halved.
    pub(crate) fn cell_step(gates: &[f32], cell: &mut [f32], hidden: &mut [f32]) = cell_step_generic
}

#[inline(always)]
unsafe fn cell_step_generic<V: Vector<f32>>(gates: &[f32], cell: &mut [f32], hidden: &mut [f32]) {
    unsafe {
        let units = cell.len();
        for u in (0..units).step_by(V::LANES) {
            let mut fractions = [(V::splat(0.0), V::splat(0.0)); 4];
            for (gate, fraction) in fractions.iter_mut().enumerate() {
                *fraction = tanh_fraction(V::load(gates.as_ptr().add(gate * units + u)));
            }
            let place = cell.as_mut_ptr().add(u);
            let next = next_cell(&fractions, V::load(place));
            next.store(place);
            next_hidden(&fractions, next).store(hidden.as_mut_ptr().add(u));
        }
    }
}

/// `sums += value · weight` for the four gates.
#[inline(always)]
unsafe fn accumulate<V: Vector<f32>, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; 4],
    value: f32,
    weight: *const f32,
) {
    unsafe {
        let value = V::splat(value);
        for (g, gate) in sums.iter_mut().enumerate() {
            for (v, sum) in gate.iter_mut().enumerate() {
                *sum = fma(value, V::load(weight.add((g * VECTORS + v) * V::LANES)), *sum);
            }
        }
    }
}
