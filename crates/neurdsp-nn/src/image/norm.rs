//! Instance norm and the activation after it, as a scale and a shift for each channel.

use super::pixels::{Image, LANES};
use neurdsp_simd::{Isa, Lanes, Vector, dispatch, exp};

/// Sums of the values and of their squares, for each channel: `[channels / 16][16]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    sum: Vec<f64>,
    squares: Vec<f64>,
    count: usize,
}

impl Moments {
    /// The moments of an image.
    #[must_use]
    pub fn of(image: &Image) -> Self {
        let mut sums = RowSums::new(image.channels(), image.height());
        let row = image.width() * LANES;
        for (block, sums) in sums.0.chunks_exact_mut((image.height() * SUMS).max(1)).enumerate() {
            for (row, sums) in image.block(block).chunks_exact(row.max(1)).zip(sums.chunks_exact_mut(SUMS)) {
                sum_row(Isa::detect(), row, sums);
            }
        }
        sums.moments(image.height(), image.width())
    }

    /// The moments of the channels of one image, and behind them those of another of its size.
    ///
    /// # Panics
    /// If the sizes differ.
    #[must_use]
    pub fn both(&self, other: &Self) -> Self {
        assert_eq!(self.count, other.count, "images of one size");
        let chain = |a: &[f64], b: &[f64]| [a, b].concat();
        Self {
            sum: chain(&self.sum, &other.sum),
            squares: chain(&self.squares, &other.squares),
            count: self.count,
        }
    }
}

/// Values of the sums of a row: those of sixteen channels, and those of their squares.
const SUMS: usize = 2 * LANES;

/// Sums over each row of an image: `[channels / 16][height][2][16]`.
///
/// Rows are summed in single precision, which is exact enough, and added in double precision from the first to the last,
/// whichever thread has made them.
pub(super) struct RowSums(Vec<f32>);

impl RowSums {
    pub(super) fn new(channels: usize, height: usize) -> Self {
        Self(vec![0.0; channels.div_ceil(LANES) * height * SUMS])
    }

    /// The sums of each band of rows, for every block.
    pub(super) fn bands_mut(&mut self, height: usize, rows: usize) -> Vec<Vec<&mut [f32]>> {
        let mut bands: Vec<_> = (0..height.div_ceil(rows)).map(|_| Vec::new()).collect();
        for block in self.0.chunks_exact_mut((height * SUMS).max(1)) {
            for (part, band) in block.chunks_mut(rows * SUMS).zip(&mut bands) {
                band.push(part);
            }
        }
        bands
    }

    pub(super) fn moments(&self, height: usize, width: usize) -> Moments {
        let mut moments = Moments { count: height * width, ..Moments::default() };
        for block in self.0.chunks_exact((height * SUMS).max(1)) {
            let mut totals = [0.0_f64; SUMS];
            for row in block.chunks_exact(SUMS) {
                totals.iter_mut().zip(row).for_each(|(total, value)| *total += f64::from(*value));
            }
            moments.sum.extend(&totals[..LANES]);
            moments.squares.extend(&totals[LANES..]);
        }
        moments
    }
}

/// Sums the rows of one block of channels.
pub(super) fn sum_rows(isa: Isa, rows: &[f32], width: usize, sums: &mut [f32]) {
    for (row, sums) in rows.chunks_exact((width * LANES).max(1)).zip(sums.chunks_exact_mut(SUMS)) {
        sum_row(isa, row, sums);
    }
}

dispatch! {
    fn sum_row(row: &[f32], sums: &mut [f32]) = sum_row_generic
}

// Pixels are `LANES` values, which every vector divides; the caller vouches for the instruction set.
#[allow(clippy::undocumented_unsafe_blocks)]
#[inline(always)]
unsafe fn sum_row_generic<V: Vector<f32>>(row: &[f32], sums: &mut [f32]) {
    unsafe {
        assert!(sums.len() >= SUMS, "room for the sums");
        for lane in (0..LANES).step_by(V::LANES) {
            // Four pixels at a time, so that no addition waits for the one before.
            let (mut sum, mut squares) = ([V::splat(0.0); 4], [V::splat(0.0); 4]);
            let mut groups = row.chunks_exact(4 * LANES);
            for group in &mut groups {
                for i in 0..4 {
                    let x = V::load(group.as_ptr().add(i * LANES + lane));
                    (sum[i], squares[i]) = (sum[i].add(x), x.fma(x, squares[i]));
                }
            }
            for pixel in groups.remainder().chunks_exact(LANES) {
                let x = V::load(pixel.as_ptr().add(lane));
                (sum[0], squares[0]) = (sum[0].add(x), x.fma(x, squares[0]));
            }
            let sum = sum[0].add(sum[1]).add(sum[2].add(sum[3]));
            let squares = squares[0].add(squares[1]).add(squares[2].add(squares[3]));
            sum.store(sums.as_mut_ptr().add(lane));
            squares.store(sums.as_mut_ptr().add(LANES + lane));
        }
    }
}

/// What stands before a convolution: `activation(scale * x + shift)` with a scale and a shift for each channel.
#[derive(Clone, Debug)]
pub struct Affine {
    /// `[channels / 16][16]` each.
    scale: Vec<f32>,
    shift: Vec<f32>,
    function: Function,
}

/// The activation of an [`Affine`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    None,
    Relu,
    Gelu,
    Silu,
    /// The larger of `x` and this times `x`; at most 1.
    Leaky(f32),
}

impl Function {
    fn gelu_or_relu(gelu: bool) -> Self {
        if gelu { Self::Gelu } else { Self::Relu }
    }
}

/// Mean and variance of the groups of channels of one image.
pub(super) struct GroupMoments {
    groups: Vec<(f64, f64)>,
}

impl GroupMoments {
    /// The moments of `blocks`, the pixels of sixteen channels each, in rows of `row` values.
    pub(super) fn new<'a>(
        isa: Isa,
        blocks: impl Iterator<Item = &'a [f32]>,
        row: usize,
        groups: usize,
        channels: usize,
    ) -> Self {
        let size = channels / groups;
        let mut totals = vec![(0.0_f64, 0.0_f64); groups];
        let (mut row_sums, mut pixels) = ([0.0; SUMS], 0);
        for (block, values) in blocks.enumerate() {
            pixels = values.len() / LANES;
            let mut sums = [0.0_f64; SUMS];
            for row in values.chunks_exact(row) {
                sum_row(isa, row, &mut row_sums);
                sums.iter_mut().zip(row_sums).for_each(|(total, value)| *total += f64::from(value));
            }
            for lane in 0..LANES.min(channels - block * LANES) {
                let total = &mut totals[(block * LANES + lane) / size];
                *total = (total.0 + sums[lane], total.1 + sums[LANES + lane]);
            }
        }
        let count = (pixels * size).max(1) as f64;
        let moments = |(sum, squares): (f64, f64)| {
            let mean = sum / count;
            (mean, (squares / count - mean * mean).max(0.0))
        };
        Self { groups: totals.into_iter().map(moments).collect() }
    }
}

impl Affine {
    /// Instance norm (`(x - mean) / sqrt(variance + 1e-5) * weight + bias` over all pixels of a channel), then GELU or ReLU.
    ///
    /// # Panics
    /// If weights and bias do not have one value for each channel.
    #[must_use]
    pub fn instance_norm(moments: &Moments, weight: &[f32], bias: &[f32], gelu: bool) -> Self {
        assert_eq!(weight.len(), bias.len(), "a weight and a bias for each channel");
        let lanes = moments.sum.len();
        let (mut scale, mut shift) = (vec![0.0; lanes], vec![0.0; lanes]);
        for (channel, (weight, bias)) in weight.iter().zip(bias).enumerate() {
            let count = moments.count.max(1) as f64;
            let mean = moments.sum[channel] / count;
            let variance = (moments.squares[channel] / count - mean * mean).max(0.0);
            let factor = f64::from(*weight) / (variance + 1e-5).sqrt();
            scale[channel] = factor as f32;
            shift[channel] = (f64::from(*bias) - mean * factor) as f32;
        }
        Self { scale, shift, function: Function::gelu_or_relu(gelu) }
    }

    /// Group norm with the moments of one image, then an activation.
    pub(super) fn group_norm(
        moments: &GroupMoments,
        weight: &[f32],
        bias: &[f32],
        eps: f32,
        function: Function,
    ) -> Self {
        let lanes = weight.len().div_ceil(LANES) * LANES;
        let (mut scale, mut shift) = (vec![0.0; lanes], vec![0.0; lanes]);
        let size = weight.len() / moments.groups.len();
        for (channel, (weight, bias)) in weight.iter().zip(bias).enumerate() {
            let (mean, variance) = moments.groups[channel / size];
            let factor = f64::from(*weight) / (variance + f64::from(eps)).sqrt();
            scale[channel] = factor as f32;
            shift[channel] = (f64::from(*bias) - mean * factor) as f32;
        }
        Self { scale, shift, function }
    }

    /// Only an activation.
    pub(super) fn function(channels: usize, function: Function) -> Self {
        let lanes = channels.div_ceil(LANES) * LANES;
        Self { scale: vec![1.0; lanes], shift: vec![0.0; lanes], function }
    }

    /// Only the activation.
    #[must_use]
    pub fn activation(channels: usize, gelu: bool) -> Self {
        Self::function(channels, Function::gelu_or_relu(gelu))
    }

    /// Applies it to pixels of a block of channels.
    pub(super) fn apply(&self, isa: Isa, block: usize, from: &[f32], to: &mut [f32]) {
        let lanes = block * LANES..(block + 1) * LANES;
        apply(isa, &self.scale[lanes.clone()], &self.shift[lanes], self.function, from, to);
    }
}

dispatch! {
    fn apply(scale: &[f32], shift: &[f32], function: Function, from: &[f32], to: &mut [f32]) = apply_generic
}

// Pixels are `LANES` values, which every vector divides; the caller vouches for the instruction set.
#[allow(clippy::undocumented_unsafe_blocks)]
#[inline(always)]
unsafe fn apply_generic<V: Lanes<Element = f32>>(
    scale: &[f32],
    shift: &[f32],
    function: Function,
    from: &[f32],
    to: &mut [f32],
) {
    unsafe {
        let zero = V::splat(0.0);
        match function {
            Function::None => map(scale, shift, from, to, |x: V| x),
            Function::Relu => map(scale, shift, from, to, |x: V| x.max(zero)),
            Function::Gelu => map(scale, shift, from, to, |x: V| gelu(x)),
            Function::Silu => {
                map(scale, shift, from, to, |x: V| x.div(V::splat(1.0).add(exp(x.neg()))));
            }
            Function::Leaky(slope) => {
                let slope = V::splat(slope);
                map(scale, shift, from, to, |x: V| x.max(x.mul(slope)));
            }
        }
    }
}

// As `apply_generic`.
#[allow(clippy::undocumented_unsafe_blocks)]
#[inline(always)]
unsafe fn map<V: Vector<f32>>(
    scale: &[f32],
    shift: &[f32],
    from: &[f32],
    to: &mut [f32],
    function: impl Fn(V) -> V,
) {
    unsafe {
        for (from, to) in from.chunks_exact(LANES).zip(to.chunks_exact_mut(LANES)) {
            for lane in (0..LANES).step_by(V::LANES) {
                let x = V::load(from.as_ptr().add(lane))
                    .fma(V::load(scale.as_ptr().add(lane)), V::load(shift.as_ptr().add(lane)));
                function(x).store(to.as_mut_ptr().add(lane));
            }
        }
    }
}

/// `x * (1 + erf(x / sqrt 2)) / 2`, within 1e-6 of double precision.
///
/// erf is a quotient of polynomials in the square, fitted to a relative error of 7e-8 up to 4, where it is one.
#[allow(clippy::undocumented_unsafe_blocks)]
#[inline(always)]
unsafe fn gelu<V: Vector<f32>>(x: V) -> V {
    const ABOVE: [f32; 7] = [
        1.910_093_7e-8,
        -1.942_313_7e-6,
        1.472_862_4e-4,
        3.990_562e-3,
        5.152_485_5e-2,
        2.071_250_2e-1,
        std::f32::consts::FRAC_2_SQRT_PI,
    ];
    const BELOW: [f32; 5] = [1.021_110_1e-3, 1.495_805e-2, 1.179_706_5e-1, 5.168_91e-1, 1.0];
    unsafe {
        let z = x.mul(V::splat(std::f32::consts::FRAC_1_SQRT_2)).max(V::splat(-4.0)).min(V::splat(4.0));
        let square = z.mul(z);
        let polynomial = |terms: &[f32]| {
            terms[1..].iter().fold(V::splat(terms[0]), |sum, term| sum.fma(square, V::splat(*term)))
        };
        let erf = z.mul(polynomial(&ABOVE)).div(polynomial(&BELOW));
        let half = x.mul(V::splat(0.5));
        half.mul(erf.add(V::splat(1.0)).max(V::splat(0.0)))
    }
}
