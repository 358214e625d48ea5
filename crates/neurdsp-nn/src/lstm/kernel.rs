//! The inner loops of [`Lstm`](super::Lstm): the four gates of a group of units at a time, in registers.
//!
//! Each step waits for the one before it, so the length of the chain of dependent operations counts, not their number: the
//! sums over columns run in several parts that do not wait for each other, layers run side by side, and
//! [`gates`](super::gates) has the rest of the chain.
// Every block stays within slices whose lengths `Lstm::run` has checked; the caller vouches for the instruction set, as
// `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::gates::{Gates, step_by_fractions};
use super::layer::{Lstm, Packed};
use neurdsp_simd::math::fma;
use neurdsp_simd::{AlignedBuf, Vector, dispatch};

/// The hidden columns come in multiples of this, which all numbers of parts divide.
pub(super) const COLUMN_STEP: usize = 4;

dispatch! {
    /// Runs `lstm` over the frames of `input`; see [`Lstm::run`].
    pub(super) fn layer(lstm: &Packed, input: &[f32], input_stride: usize, hidden: &mut [f32], cell: &mut [f32]) = layer_generic
}

dispatch! {
    /// Runs layers of one size over `frames` frames; see [`Lstm::run_stack`].
    pub(super) fn stack(
        layers: &[Lstm],
        input: &[f32],
        frames: usize,
        hidden: &mut [AlignedBuf],
        cell: &mut [AlignedBuf],
    ) = stack_generic
}

/// Calls `$run::<V, COLUMNS, VECTORS, PARTS>`.
///
/// A layer that fits one register has its number of hidden columns built in. Otherwise the number is 0, and there are the
/// vectors of a group and the parts of a sum, as many as the registers take. The portable code takes groups of four lanes,
/// which compilers turn into one SSE register.
macro_rules! shaped {
    ($lstm:expr, $run:ident($($arg:expr),*)) => {
        match (V::LANES, $lstm.stride / V::LANES, $lstm.columns) {
            (8 | 16, 1, 4) => $run::<V, 4, 1, 2>($($arg),*),
            (8 | 16, 1, 8) => $run::<V, 8, 1, 2>($($arg),*),
            (16, 1, 12) => $run::<V, 12, 1, 2>($($arg),*),
            (16, 1, 16) => $run::<V, 16, 1, 2>($($arg),*),
            (8 | 16, vectors, _) if vectors % 2 == 0 => $run::<V, 0, 2, 1>($($arg),*),
            (16, 3, _) => $run::<V, 0, 3, 1>($($arg),*),
            (8 | 16, ..) => $run::<V, 0, 1, 2>($($arg),*),
            _ => $run::<V, 0, 4, 1>($($arg),*),
        }
    };
}

#[inline(always)]
unsafe fn layer_generic<V: Gates>(
    lstm: &Packed,
    input: &[f32],
    input_stride: usize,
    hidden: &mut [f32],
    cell: &mut [f32],
) {
    unsafe { shaped!(lstm, frames(lstm, input, input_stride, hidden, cell)) }
}

#[inline(always)]
unsafe fn frames<V: Gates, const COLUMNS: usize, const VECTORS: usize, const PARTS: usize>(
    lstm: &Packed,
    input: &[f32],
    input_stride: usize,
    hidden: &mut [f32],
    cell: &mut [f32],
) {
    unsafe {
        let constants = V::constants();
        let stride = lstm.stride;
        let mut x = input.as_ptr();
        let end = x.add(input.len());
        let mut before = hidden.as_mut_ptr();
        if COLUMNS > 0 {
            // The state stays in registers: a value that is stored and loaded again comes late.
            let (mut h, mut c) = (V::load(before), V::load(cell.as_ptr()));
            while x < end {
                before = before.add(stride);
                (h, c) = small_step::<V, COLUMNS>(lstm, &constants, x, h, c);
                h.store(before);
                x = x.add(input_stride);
            }
            c.store(cell.as_mut_ptr());
        } else {
            while x < end {
                step::<V, COLUMNS, VECTORS, PARTS>(lstm, &constants, x, before, cell.as_mut_ptr());
                before = before.add(stride);
                x = x.add(input_stride);
            }
        }
    }
}

#[inline(always)]
unsafe fn stack_generic<V: Gates>(
    layers: &[Lstm],
    input: &[f32],
    frames: usize,
    hidden: &mut [AlignedBuf],
    cell: &mut [AlignedBuf],
) {
    unsafe { shaped!(layers[0].packed, waves(layers, input, frames, hidden, cell)) }
}

/// All layers at a time, each one frame behind the one below it, so that the chain of one fills the gaps of another.
#[inline(always)]
unsafe fn waves<V: Gates, const COLUMNS: usize, const VECTORS: usize, const PARTS: usize>(
    layers: &[Lstm],
    input: &[f32],
    frames: usize,
    hidden: &mut [AlignedBuf],
    cell: &mut [AlignedBuf],
) {
    unsafe {
        let constants = V::constants();
        for wave in 0..frames + layers.len() - 1 {
            let mut below = input.as_ptr();
            for (i, (layer, (hidden, cell))) in
                layers.iter().zip(hidden.iter_mut().zip(cell.iter_mut())).enumerate()
            {
                let hidden = hidden.as_mut_ptr();
                let Packed { inputs, stride, .. } = layer.packed;
                let frame = wave.wrapping_sub(i);
                if frame < frames {
                    let (x, before) =
                        (below.add(frame * inputs_stride(i, inputs, stride)), hidden.add(frame * stride));
                    step::<V, COLUMNS, VECTORS, PARTS>(
                        &layer.packed,
                        &constants,
                        x,
                        before,
                        cell.as_mut_ptr(),
                    );
                }
                below = hidden.add(stride);
            }
        }
    }
}

/// Values between the frames that layer `i` reads.
#[inline(always)]
fn inputs_stride(i: usize, inputs: usize, stride: usize) -> usize {
    if i == 0 { inputs } else { stride }
}

/// One step of a layer, from the hidden frame `before` to the one that follows it.
#[inline(always)]
unsafe fn step<V: Gates, const COLUMNS: usize, const VECTORS: usize, const PARTS: usize>(
    lstm: &Packed,
    constants: &V::Constants,
    x: *const f32,
    before: *mut f32,
    cell: *mut f32,
) {
    unsafe {
        let after = before.add(lstm.stride);
        if COLUMNS > 0 {
            let (h, c) = small_step::<V, COLUMNS>(lstm, constants, x, V::load(before), V::load(cell));
            h.store(after);
            c.store(cell);
            return;
        }
        let mut weight = lstm.weight.as_ptr();
        for first in (0..lstm.stride).step_by(VECTORS * V::LANES) {
            let bias = lstm.bias.as_ptr().add(4 * first);
            weight = units::<V, VECTORS, PARTS>(
                lstm,
                constants,
                weight,
                bias,
                (x, before),
                (cell.add(first), after.add(first)),
            );
        }
    }
}

/// One step of a layer that fits one register.
#[inline(always)]
unsafe fn small_step<V: Gates, const COLUMNS: usize>(
    lstm: &Packed,
    constants: &V::Constants,
    x: *const f32,
    h: V,
    c: V,
) -> (V, V) {
    unsafe {
        let column = 4 * V::LANES;
        let mut sums = [[[V::splat(0.0); 1]; 4]; 2];
        for (g, sum) in sums[0].iter_mut().enumerate() {
            sum[0] = V::load(lstm.bias.as_ptr().add(g * V::LANES));
        }
        // Compilers would read the weights ahead of all steps, into more registers than there are.
        let mut weight = std::hint::black_box(lstm.weight.as_ptr());
        for i in 0..lstm.inputs {
            accumulate(&mut sums[0], V::splat(x.add(i).read()), weight);
            weight = weight.add(column);
        }
        for first in (0..COLUMNS).step_by(COLUMN_STEP) {
            for k in 0..COLUMN_STEP {
                accumulate(&mut sums[k % 2], h.broadcast(first + k), weight);
                weight = weight.add(column);
            }
        }
        let sums = std::array::from_fn(|g| [sums[0][g][0].add(sums[1][g][0])]);
        let ([h], [c]) = V::step(constants, sums, [c]);
        (h, c)
    }
}

/// One step of one group of units; gives where the weights of the next group begin.
#[inline(always)]
unsafe fn units<V: Gates, const VECTORS: usize, const PARTS: usize>(
    lstm: &Packed,
    constants: &V::Constants,
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
            accumulate(&mut sums[PARTS - 1], V::splat(x.add(i).read()), weight);
            weight = weight.add(column);
        }
        let mut h = before;
        let end = before.add(lstm.columns);
        while h < end {
            for (part, sums) in sums.iter_mut().enumerate() {
                accumulate(sums, V::splat(h.add(part).read()), weight);
                weight = weight.add(column);
            }
            h = h.add(PARTS);
        }
        let (mut sums, others) = (sums[0], &sums[1..]);
        for part in others {
            for (sum, part) in sums.as_flattened_mut().iter_mut().zip(part.as_flattened()) {
                *sum = sum.add(*part);
            }
        }
        let cells = std::array::from_fn(|v| V::load(cell.add(v * V::LANES)));
        let (h, c) = V::step(constants, sums, cells);
        for v in 0..VECTORS {
            c[v].store(cell.add(v * V::LANES));
            h[v].store(after.add(v * V::LANES));
        }
        weight
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
            let sums = std::array::from_fn(|gate| [V::load(gates.as_ptr().add(gate * units + u))]);
            let place = cell.as_mut_ptr().add(u);
            let ([after], [next]) = step_by_fractions(sums, [V::load(place)]);
            next.store(place);
            after.store(hidden.as_mut_ptr().add(u));
        }
    }
}

/// `sums += value · weight` for the four gates.
#[inline(always)]
unsafe fn accumulate<V: Vector<f32>, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; 4],
    value: V,
    weight: *const f32,
) {
    unsafe {
        for (g, gate) in sums.iter_mut().enumerate() {
            for (v, sum) in gate.iter_mut().enumerate() {
                *sum = fma(value, V::load(weight.add((g * VECTORS + v) * V::LANES)), *sum);
            }
        }
    }
}
