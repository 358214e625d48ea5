//! A matrix over the width of an image, the same for every row and channel.

use super::conv3x3::bands_of;
use super::norm::Affine;
use super::pixels::{Image, LANES};
use neurdsp_simd::parallel::{Idle, for_each};
use neurdsp_simd::{AlignedBuf, Isa, Vector, dispatch};

/// Rows that a thread takes at a time.
const BAND: usize = 8;

/// `y[.., f'] = sum over f of weights[f'][f] * x[.., f]`.
pub struct WidthLinear {
    /// `[inputs][outputs]`, so that the weights of some outputs lie side by side.
    weights: Vec<f32>,
    inputs: usize,
    outputs: usize,
    isa: Isa,
}

impl WidthLinear {
    /// A matrix `weights[outputs][inputs]`.
    ///
    /// # Panics
    /// If there are not so many weights.
    #[must_use]
    pub fn new(weights: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        assert_eq!(weights.len(), outputs * inputs, "a weight for each pair");
        let turned = (0..inputs).flat_map(|i| (0..outputs).map(move |o| weights[o * inputs + i])).collect();
        Self { weights: turned, inputs, outputs, isa }
    }

    /// Multiplies `before(input)`, and adds `base`.
    ///
    /// # Panics
    /// If the image has another width.
    #[must_use]
    pub fn run(&self, input: &Image, before: &Affine, base: Option<&Image>, n_threads: usize) -> Image {
        assert_eq!(input.width(), self.inputs, "the width of the input");
        let mut output = Image::new(input.channels(), input.height(), self.outputs);
        if input.height() == 0 || self.outputs == 0 {
            return output;
        }
        let (row, out_row) = (self.inputs * LANES, self.outputs * LANES);
        let scratch = || AlignedBuf::zeroed(row);
        let bands = bands_of(&mut output, BAND);
        for_each(n_threads, bands, &Idle::new(false), scratch, |normed, (band, mut rows)| {
            for (block, rows) in rows.iter_mut().enumerate() {
                for (y, to) in rows.chunks_exact_mut(out_row).enumerate() {
                    let y = band * BAND + y;
                    before.apply(self.isa, block, &input.block(block)[y * row..][..row], normed);
                    if let Some(base) = base {
                        to.copy_from_slice(&base.block(block)[y * out_row..][..out_row]);
                    }
                    multiply_row(self.isa, &self.weights, normed, to, base.is_some());
                }
            }
        });
        output
    }
}

dispatch! {
    fn multiply_row(weights: &[f32], from: &[f32], to: &mut [f32], adds: bool) = multiply_row_generic
}

/// Outputs that are summed together; each is one wide register or two narrow ones.
const TILE: usize = 4;

// Rows are whole pixels of `LANES` values; the caller vouches for the instruction set.
#[allow(clippy::undocumented_unsafe_blocks)]
#[inline(always)]
unsafe fn multiply_row_generic<V: Vector<f32>>(weights: &[f32], from: &[f32], to: &mut [f32], adds: bool) {
    unsafe {
        let outputs = to.len() / LANES;
        for lane in (0..LANES).step_by(V::LANES) {
            for (tile, to) in to.chunks_mut(TILE * LANES).enumerate() {
                let width = to.len() / LANES;
                let mut sums = [V::splat(0.0); TILE];
                for (input, pixel) in from.chunks_exact(LANES).enumerate() {
                    let x = V::load(pixel.as_ptr().add(lane));
                    let row = &weights[input * outputs + tile * TILE..][..width];
                    for (sum, weight) in sums.iter_mut().zip(row) {
                        *sum = x.fma(V::splat(*weight), *sum);
                    }
                }
                for (sum, to) in sums.into_iter().zip(to.chunks_exact_mut(LANES)) {
                    let place = to.as_mut_ptr().add(lane);
                    let sum = if adds { sum.add(V::load(place)) } else { sum };
                    sum.store(place);
                }
            }
        }
    }
}
