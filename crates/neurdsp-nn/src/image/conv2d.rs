//! Convolutions of any small kernel, stride or scale, on stacks of small images.
//!
//! A stack is an [`Image`] of several images of one size, one below another, that share the weights: the two sides of a
//! guided step, say. The pixels that a filter sees are laid side by side and multiplied with all filters at once, so that
//! small images fill the registers too. Large images with 3x3 filters are faster by [`Conv3x3`](super::Conv3x3).

use super::gemm::{Panel, Place, Source, multiply, pack};
use super::pixels::{Image, LANES};
use super::work::{Scratch, Work};
use neurdsp_simd::{AlignedBuf, Isa};

/// Pixels that are multiplied together, about.
const PIXELS: usize = 96;

/// Which pixels a [`Conv2d`] sees: rows and columns of the kernel, the distance of its places, and zeros on each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of a filter.
    pub kernel: (usize, usize),
    /// Pixels from one place of the filter to the next, or the factor by which a transposed convolution enlarges.
    pub stride: usize,
    /// Zeros on each side.
    pub padding: usize,
}

impl Window {
    /// A square kernel.
    #[must_use]
    pub const fn square(kernel: usize, stride: usize, padding: usize) -> Self {
        Self { kernel: (kernel, kernel), stride, padding }
    }
}

/// A convolution, or a transposed one, with a bias.
pub struct Conv2d {
    /// One, or those of each place within an enlarged pixel.
    phases: Vec<Phase>,
    /// `[outputs / 16][16]`.
    bias: AlignedBuf,
    inputs: usize,
    outputs: usize,
    window: Window,
    transposed: bool,
    isa: Isa,
}

/// The filters for some of the output pixels: all, or every second of every second row.
struct Phase {
    /// Row and column of the first output pixel.
    first: (usize, usize),
    /// Rows and columns from `place · stride` to each pixel that is seen.
    taps: Vec<(isize, isize)>,
    /// `[outputs / 16][taps][inputs][16]`; the inputs fill blocks of sixteen.
    panel: AlignedBuf,
}

/// Sizes of one call.
struct Job<'a> {
    input: &'a Image,
    /// Rows of an image of the stack, before and after.
    height: usize,
    out_height: usize,
    out_width: usize,
    /// Output pixels of a phase from one to the next, in both directions.
    step: usize,
}

impl Conv2d {
    /// A convolution with `weights[outputs][inputs][rows][columns]`.
    ///
    /// # Panics
    /// If there are not so many weights, or the stride is 0.
    #[must_use]
    pub fn new(weights: &[f32], bias: &[f32], inputs: usize, window: Window, isa: Isa) -> Self {
        let ((rows, columns), outputs) = (window.kernel, bias.len());
        assert_eq!(weights.len(), outputs * inputs * rows * columns, "a filter for each pair of channels");
        assert!(window.stride > 0, "a stride");
        let weight = |output: usize, input: usize, tap: usize| {
            weights[(output * inputs + input) * rows * columns + tap]
        };
        let places = (0..rows * columns).map(|tap| {
            let offset = |place: usize| place as isize - window.padding as isize;
            (tap, (offset(tap / columns), offset(tap % columns)))
        });
        let phase = Phase::new((0, 0), &places.collect::<Vec<_>>(), inputs, outputs, weight);
        Self { phases: vec![phase], bias: padded(bias), inputs, outputs, window, transposed: false, isa }
    }

    /// A transposed convolution with `weights[inputs][outputs][rows][columns]`, which enlarges by the stride.
    ///
    /// # Panics
    /// If there are not so many weights, or the kernel is not square and `stride + 2 · padding` long.
    #[must_use]
    pub fn transposed(weights: &[f32], bias: &[f32], inputs: usize, window: Window, isa: Isa) -> Self {
        let (outputs, side, stride) = (bias.len(), window.kernel.0, window.stride);
        assert_eq!(weights.len(), outputs * inputs * side * side, "a filter for each pair of channels");
        assert!(
            stride > 0 && window.kernel == (stride + 2 * window.padding, side),
            "a kernel that enlarges exactly"
        );
        let weight =
            |output: usize, input: usize, tap: usize| weights[(input * outputs + output) * side * side + tap];
        let phases = (0..stride * stride).map(|phase| {
            let first = (phase / stride, phase % stride);
            let rows = transposed_taps(side, stride, window.padding, first.0);
            let columns = transposed_taps(side, stride, window.padding, first.1);
            let taps: Vec<_> = rows
                .iter()
                .flat_map(|(row, y)| columns.iter().map(move |(column, x)| (row * side + column, (*y, *x))))
                .collect();
            Phase::new(first, &taps, inputs, outputs, weight)
        });
        let phases = phases.collect();
        Self { phases, bias: padded(bias), inputs, outputs, window, transposed: true, isa }
    }

    /// Number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Convolves each of `images` images of a stack, and adds `added` of the size of the output.
    ///
    /// # Panics
    /// If the images have other channels or sizes.
    #[must_use]
    pub fn run(&self, input: &Image, images: usize, added: Option<&Image>, work: &Work) -> Image {
        assert_eq!(input.channels(), self.inputs, "channels of the input");
        assert!(images > 0 && input.height().is_multiple_of(images), "a stack of images");
        let (height, width) = (input.height() / images, input.width());
        let Window { kernel, stride, padding } = self.window;
        let (out_height, out_width, step) = if self.transposed {
            (height * stride, width * stride, stride)
        } else {
            let size = |length: usize, kernel: usize| {
                (length + 2 * padding).checked_sub(kernel).map_or(0, |rest| rest / stride + 1)
            };
            (size(height, kernel.0), size(width, kernel.1), 1)
        };
        let mut output = work.image(self.outputs, images * out_height, out_width);
        self.begin(&mut output, added);
        let job = Job { input, height, out_height, out_width, step };
        for phase in &self.phases {
            let (rows, columns) = (out_height / step, out_width / step);
            if rows * columns == 0 {
                continue;
            }
            if step == 1 {
                // Bands of pixels lie as rows of one pixel do.
                let pixels = images * rows * columns;
                let count = pixels.div_ceil(PIXELS).max(1);
                let band = pixels.div_ceil(count);
                let mut flat = output.flat_mut();
                let bands = bands(&mut flat, band);
                work.for_each(bands, |scratch, (number, mut to)| {
                    let pixels = to[0].len() / LANES;
                    self.multiply(&job, phase, number * band, pixels, &mut to, scratch);
                });
            } else {
                let mut scratch = Scratch::default();
                for row in 0..images * rows {
                    self.scatter(&job, phase, row, &mut output, &mut scratch);
                }
            }
        }
        output
    }

    /// The bias, and what is added.
    fn begin(&self, output: &mut Image, added: Option<&Image>) {
        for block in 0..output.blocks() {
            let bias = &self.bias[block * LANES..][..LANES];
            let to = output.block_mut(block);
            match added {
                Some(added) => {
                    let from = added.block(block);
                    assert_eq!(to.len(), from.len(), "the size of what is added");
                    for (to, from) in to.chunks_exact_mut(LANES).zip(from.chunks_exact(LANES)) {
                        to.iter_mut().zip(from).zip(bias).for_each(|((to, from), bias)| *to = from + bias);
                    }
                }
                None => to.chunks_exact_mut(LANES).for_each(|to| to.copy_from_slice(bias)),
            }
        }
    }

    /// Adds the products of some pixels of a phase to rows of pixels.
    fn multiply(
        &self,
        job: &Job<'_>,
        phase: &Phase,
        first: usize,
        pixels: usize,
        to: &mut [&mut [f32]],
        scratch: &mut Scratch,
    ) {
        let blocks = job.input.blocks();
        let inputs = phase.taps.len() * blocks * LANES;
        let [taken] = scratch.take([inputs * pixels]);
        for (tap, offset) in phase.taps.iter().enumerate() {
            for block in 0..blocks {
                let to = &mut taken[(tap * blocks + block) * pixels * LANES..][..pixels * LANES];
                self.take(job, *offset, first, job.input.block(block), to);
            }
        }
        let panel = Panel { weights: &phase.panel, block_stride: inputs * LANES, inputs };
        let from = Source { data: taken, block_stride: pixels * LANES };
        multiply(self.isa, panel, from, to, Place { first: 0, step: LANES, adds: true }, pixels);
    }

    /// The pixels of one tap.
    fn take(&self, job: &Job<'_>, (down, right): (isize, isize), first: usize, from: &[f32], to: &mut [f32]) {
        let (rows, columns) = (job.out_height / job.step, job.out_width / job.step);
        let stride = if self.transposed { 1 } else { self.window.stride };
        let width = job.input.width();
        for (at, to) in (first..).zip(to.chunks_exact_mut(LANES)) {
            let (image, y, x) = (at / columns / rows, at / columns % rows, at % columns);
            let (y, x) = ((y * stride) as isize + down, (x * stride) as isize + right);
            let inside = (0..job.height as isize).contains(&y) && (0..width as isize).contains(&x);
            if inside {
                let place = (image * job.height + y as usize) * width + x as usize;
                to.copy_from_slice(&from[place * LANES..][..LANES]);
            } else {
                to.fill(0.0);
            }
        }
    }

    /// One row of a phase whose pixels lie apart.
    fn scatter(&self, job: &Job<'_>, phase: &Phase, row: usize, output: &mut Image, scratch: &mut Scratch) {
        let (rows, columns) = (job.out_height / job.step, job.out_width / job.step);
        let top = row / rows * job.out_height + row % rows * job.step + phase.first.0;
        let blocks = job.input.blocks();
        let inputs = phase.taps.len() * blocks * LANES;
        let [taken] = scratch.take([inputs * columns]);
        for (tap, offset) in phase.taps.iter().enumerate() {
            for block in 0..blocks {
                let to = &mut taken[(tap * blocks + block) * columns * LANES..][..columns * LANES];
                self.take(job, *offset, row * columns, job.input.block(block), to);
            }
        }
        let panel = Panel { weights: &phase.panel, block_stride: inputs * LANES, inputs };
        let from = Source { data: taken, block_stride: columns * LANES };
        let first = (top * job.out_width + phase.first.1) * LANES;
        let place = Place { first, step: job.step * LANES, adds: true };
        multiply(self.isa, panel, from, &mut output.flat_mut(), place, columns);
    }
}

impl Phase {
    /// Packs the filters' places `(tap, (down, right))`.
    fn new(
        first: (usize, usize),
        places: &[(usize, (isize, isize))],
        inputs: usize,
        outputs: usize,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let padded = inputs.div_ceil(LANES) * LANES;
        let rows = places.len() * padded;
        let mut panel = AlignedBuf::zeroed(outputs.div_ceil(LANES) * rows * LANES);
        pack(rows, outputs, &mut panel, |output, row| match row % padded {
            input if input < inputs => weight(output, input, places[row / padded].0),
            _ => 0.0,
        });
        Self { first, taps: places.iter().map(|(_, offset)| *offset).collect(), panel }
    }
}

/// The taps of a transposed filter that reach output `first` of each enlarged pixel, and the input that each sees, counted
/// from that pixel.
pub(super) fn transposed_taps(
    kernel: usize,
    stride: usize,
    padding: usize,
    first: usize,
) -> Vec<(usize, isize)> {
    let (ahead, rest) = ((first + padding) / stride, (first + padding) % stride);
    let taps = (rest..kernel).step_by(stride).enumerate();
    taps.map(|(back, tap)| (tap, ahead as isize - back as isize)).collect()
}

/// Values that fill blocks of sixteen.
pub(super) fn padded(values: &[f32]) -> AlignedBuf {
    let mut padded = AlignedBuf::zeroed(values.len().div_ceil(LANES) * LANES);
    padded[..values.len()].copy_from_slice(values);
    padded
}

/// Cuts every block into bands of pixels.
pub(super) fn bands<'a>(blocks: &'a mut [&mut [f32]], pixels: usize) -> Vec<(usize, Vec<&'a mut [f32]>)> {
    let count = blocks.first().map_or(0, |block| block.len().div_ceil(pixels * LANES));
    let mut bands: Vec<_> = (0..count).map(|number| (number, Vec::with_capacity(blocks.len()))).collect();
    for block in blocks {
        for (part, (_, band)) in block.chunks_mut(pixels * LANES).zip(&mut bands) {
            band.push(part);
        }
    }
    bands
}
