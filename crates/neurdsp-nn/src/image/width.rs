//! A matrix over the width of an image, the same for every row and channel.

use super::gemm::{Panel, Place, Source, multiply, pack};
use super::norm::{Affine, Moments, RowSums, sum_rows};
use super::pixels::{Image, LANES};
use super::work::Work;
use neurdsp_simd::{AlignedBuf, Isa};

/// Rows that are multiplied together.
const ROWS: usize = 8;

/// `y[.., f'] = sum over f of weights[f'][f] * x[.., f]`.
pub struct WidthLinear {
    /// `[inputs / 16][outputs][16]`. To the product the outputs are pixels, and a row of sixteen channels is a block of
    /// sixteen outputs, since both lie in memory like that.
    weights: AlignedBuf,
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
        let mut packed = AlignedBuf::zeroed(inputs.div_ceil(LANES) * outputs * LANES);
        pack(outputs, inputs, &mut packed, |input, output| weights[output * inputs + input]);
        Self { weights: packed, inputs, outputs, isa }
    }

    /// Multiplies `before(input)`.
    ///
    /// # Panics
    /// If the image has another width.
    #[must_use]
    pub fn run(&self, input: &Image, before: &Affine, work: &Work) -> (Image, Moments) {
        let mut output = work.image(input.channels(), input.height(), self.outputs);
        let moments = self.multiply(input, before, false, &mut output, work);
        (output, moments)
    }

    /// Adds the product of `before(input)` to an image: the moments of the sum.
    ///
    /// # Panics
    /// If an image has another size.
    pub fn add(&self, input: &Image, before: &Affine, to: &mut Image, work: &Work) -> Moments {
        self.multiply(input, before, true, to, work)
    }

    fn multiply(&self, input: &Image, before: &Affine, adds: bool, to: &mut Image, work: &Work) -> Moments {
        assert_eq!(input.width(), self.inputs, "the width of the input");
        let size = (to.channels(), to.height(), to.width());
        assert_eq!(size, (input.channels(), input.height(), self.outputs), "the size of the output");
        let height = to.height();
        let mut sums = RowSums::new(to.channels(), height);
        if height * self.outputs == 0 {
            return sums.moments(height, self.outputs);
        }
        let (row, out_row) = (self.inputs * LANES, self.outputs * LANES);
        let bands = to.bands_mut(ROWS).into_iter().zip(sums.bands_mut(height, ROWS)).collect();
        work.for_each(bands, |scratch, ((band, rows), sums)| {
            for ((block, rows), sums) in rows.into_iter().enumerate().zip(sums) {
                let [normed] = scratch.take([rows.len() / out_row * row]);
                let from = &input.block(block)[band * ROWS * row..][..normed.len()];
                before.apply(self.isa, block, from, normed);
                let panel = Panel { weights: normed, block_stride: row, inputs: self.inputs };
                let from = Source { data: &self.weights, block_stride: self.outputs * LANES };
                let place = Place { first: 0, step: LANES, adds };
                let mut each: Vec<_> = rows.chunks_exact_mut(out_row).collect();
                multiply(self.isa, panel, from, &mut each, place, self.outputs);
                sum_rows(self.isa, rows, self.outputs, sums);
            }
        });
        sums.moments(height, self.outputs)
    }
}
