//! The inner loops of [`ResidualConv1d`](super::ResidualConv1d): tiles of output channels by frames, held in registers.
//!
//! A tile broadcasts one input value at a time and multiplies it with vectors of weights, so each frame's sum runs over
//! taps and input channels in one fixed order, whatever the tile: that is what makes the output independent of block
//! sizes. Three lessons from measurements:
//!
//! - The loop over input channels has a run-time trip count, in steps of four. Where the compiler knows the count it
//!   unrolls everything, and the code no longer fits the instruction cache.
//! - All tiles are stored before the tanh is taken, over the whole block. Applied to the live accumulators, its constants and
//!   temporaries spill them.
//! - The strides that occur in practice are constants of the code, so that the frames of a tile are displacements in the
//!   addressing mode instead of a pointer each.
// Every block stays within slices whose lengths `ResidualConv1d::run` has checked; the caller vouches for the
// instruction set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::math::{self, Tanh};
use neurdsp_simd::{AlignedBuf, Vector, dispatch};

/// The parameters of a layer, in the order in which the kernel reads them.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    /// For each group of output channels, each tap and each input channel (rounded up to four): the group's weights.
    pub(super) weight: AlignedBuf,
    /// One value for each channel, padded.
    pub(super) bias: AlignedBuf,
    pub(super) groups: Vec<Group>,
    /// Input channels rounded up to four, the step of the inner loop; the weights beyond the channels are zero.
    pub(super) inputs: usize,
}

/// Output channels that one tile of accumulators covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// The first output channel.
    pub(super) first: usize,
    /// How many vectors of output channels.
    pub(super) vectors: usize,
    /// Where its weights begin.
    pub(super) weights: usize,
}

/// Vectors whose tanh is taken at a time.
const CHAINS: usize = 4;

dispatch! {
    /// Runs all groups of `conv` over the frames of `output`. `offsets` holds where each tap's window begins in `samples`.
    pub(super) fn layer(conv: &Packed, samples: &[f32], offsets: &[usize], output: &mut [f32]) = layer_generic
}

#[inline(always)]
unsafe fn layer_generic<V: Vector<f32>>(
    conv: &Packed,
    samples: &[f32],
    offsets: &[usize],
    output: &mut [f32],
) {
    unsafe {
        let stride = conv.bias.len();
        let frames = output.len() / stride;
        for group in &conv.groups {
            let span = Span {
                weight: conv.weight.as_ptr().add(group.weights),
                bias: conv.bias.as_ptr().add(group.first),
                samples: samples.as_ptr(),
                offsets,
                inputs: conv.inputs,
                stride,
                first: group.first,
                output: output.as_mut_ptr(),
            };
            // The tile shapes: as many accumulators as leave registers for the weights and the broadcast.
            match (V::LANES, *group, stride) {
                (16, Group { vectors: 1, .. }, 16) => span.run::<V, 1, 16, 16>(frames),
                (16, Group { vectors: 2, .. }, 32) => span.run::<V, 2, 12, 32>(frames),
                (16, Group { vectors: 3, .. }, 48) => span.run::<V, 3, 8, 48>(frames),
                (16, Group { vectors: 1, .. }, _) => span.run::<V, 1, 16, 0>(frames),
                (16, Group { vectors: 2, .. }, _) => span.run::<V, 2, 12, 0>(frames),
                (16, ..) => span.run::<V, 3, 8, 0>(frames),
                (8, Group { vectors: 2, .. }, 16) => span.run::<V, 2, 6, 16>(frames),
                (8, Group { vectors: 2, .. }, 24) => span.run::<V, 2, 6, 24>(frames),
                (8, Group { vectors: 1, .. }, 24) => span.run::<V, 1, 12, 24>(frames),
                (8, Group { vectors: 2, .. }, 32) => span.run::<V, 2, 6, 32>(frames),
                (8, Group { vectors: 2, .. }, 48) => span.run::<V, 2, 6, 48>(frames),
                (8, Group { vectors: 1, .. }, _) => span.run::<V, 1, 12, 0>(frames),
                (8, ..) => span.run::<V, 2, 6, 0>(frames),
                _ => span.run::<V, 4, 4, 0>(frames),
            }
        }
        // The window of the last tap is the residual.
        if let Some(&present) = offsets.last() {
            activate::<V>(samples.as_ptr().add(present), output);
        }
    }
}

/// What the tiles of one group share.
struct Span<'a> {
    weight: *const f32,
    bias: *const f32,
    samples: *const f32,
    offsets: &'a [usize],
    inputs: usize,
    stride: usize,
    first: usize,
    output: *mut f32,
}

impl Span<'_> {
    /// Covers `frames` frames with tiles of `FRAMES`, then of 4, then of 1. `STRIDE` is the stride, or 0 if it is not
    /// one of the common ones.
    #[inline(always)]
    unsafe fn run<V: Vector<f32>, const VECTORS: usize, const FRAMES: usize, const STRIDE: usize>(
        &self,
        frames: usize,
    ) {
        unsafe {
            let mut at = 0;
            while at + FRAMES <= frames {
                self.tile::<V, VECTORS, FRAMES, STRIDE>(at);
                at += FRAMES;
            }
            if FRAMES > 4 {
                while at + 4 <= frames {
                    self.tile::<V, VECTORS, 4, STRIDE>(at);
                    at += 4;
                }
            }
            while at < frames {
                self.tile::<V, VECTORS, 1, STRIDE>(at);
                at += 1;
            }
        }
    }

    /// The `FRAMES` frames that begin at frame `at`.
    #[inline(always)]
    unsafe fn tile<V: Vector<f32>, const VECTORS: usize, const FRAMES: usize, const STRIDE: usize>(
        &self,
        at: usize,
    ) {
        unsafe {
            let stride = if STRIDE == 0 { self.stride } else { STRIDE };
            let mut sums = [[V::splat(0.0); VECTORS]; FRAMES];
            for v in 0..VECTORS {
                let bias = V::load(self.bias.add(v * V::LANES));
                for row in &mut sums {
                    row[v] = bias;
                }
            }
            let mut weight = self.weight;
            for &offset in self.offsets {
                let mut x = self.samples.add(offset + at * stride);
                let end = x.add(self.inputs);
                while x < end {
                    for step in 0..4 {
                        let mut w = [V::splat(0.0); VECTORS];
                        for (v, w) in w.iter_mut().enumerate() {
                            *w = V::load(weight.add(v * V::LANES));
                        }
                        weight = weight.add(VECTORS * V::LANES);
                        for (frame, row) in sums.iter_mut().enumerate() {
                            let value = V::splat(x.add(frame * stride + step).read());
                            for (sum, w) in row.iter_mut().zip(w) {
                                *sum = math::fma(value, w, *sum);
                            }
                        }
                    }
                    x = x.add(4);
                }
            }
            let output = self.output.add(at * stride + self.first);
            for (frame, row) in sums.iter().enumerate() {
                for (v, sum) in row.iter().enumerate() {
                    sum.store(output.add(frame * stride + v * V::LANES));
                }
            }
        }
    }
}

/// `output = input + tanh(output)`.
#[inline(always)]
unsafe fn activate<V: Vector<f32>>(input: *const f32, output: &mut [f32]) {
    unsafe {
        let (len, output) = (output.len(), output.as_mut_ptr());
        let mut at = 0;
        // Tanh is one long chain of dependent operations: four at a time fill the gaps of each other.
        while at + CHAINS * V::LANES <= len {
            let mut chains = [Tanh::begin(V::splat(0.0)); CHAINS];
            for (i, chain) in chains.iter_mut().enumerate() {
                *chain = Tanh::begin(V::load(output.add(at + i * V::LANES)));
            }
            for chain in &mut chains {
                *chain = chain.high_powers();
            }
            for chain in &mut chains {
                *chain = chain.low_powers();
            }
            for (i, chain) in chains.iter().enumerate() {
                let input = V::load(input.add(at + i * V::LANES));
                input.add(chain.end()).store(output.add(at + i * V::LANES));
            }
            at += CHAINS * V::LANES;
        }
        while at < len {
            let y = math::tanh(V::load(output.add(at)));
            V::load(input.add(at)).add(y).store(output.add(at));
            at += V::LANES;
        }
    }
}
