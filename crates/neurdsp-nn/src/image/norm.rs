//! Instance norm and the activation after it, as a scale and a shift for each channel.

use super::pixels::{Image, LANES};
use neurdsp_simd::{Vector, dispatch};

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
        let row = image.width() * LANES;
        let (mut sum, mut squares) = (Vec::new(), Vec::new());
        for block in 0..image.blocks() {
            let (mut first, mut second) = ([0.0_f64; LANES], [0.0_f64; LANES]);
            // Rows are summed in single precision and added in double: exact enough, and quick.
            for row in image.block(block).chunks_exact(row.max(1)) {
                let (mut a, mut b) = ([0.0_f32; LANES], [0.0_f32; LANES]);
                for pixel in row.chunks_exact(LANES) {
                    for lane in 0..LANES {
                        a[lane] += pixel[lane];
                        b[lane] = pixel[lane].mul_add(pixel[lane], b[lane]);
                    }
                }
                for lane in 0..LANES {
                    first[lane] += f64::from(a[lane]);
                    second[lane] += f64::from(b[lane]);
                }
            }
            sum.extend(first);
            squares.extend(second);
        }
        Self { sum, squares, count: image.height() * image.width() }
    }
}

/// What stands before a convolution: `activation(scale * x + shift)` with a scale and a shift for each channel.
#[derive(Clone, Debug)]
pub struct Affine {
    /// `[channels / 16][16]` each.
    scale: Vec<f32>,
    shift: Vec<f32>,
    gelu: bool,
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
        Self { scale, shift, gelu }
    }

    /// Only the activation.
    #[must_use]
    pub fn activation(channels: usize, gelu: bool) -> Self {
        let lanes = channels.div_ceil(LANES) * LANES;
        Self { scale: vec![1.0; lanes], shift: vec![0.0; lanes], gelu }
    }

    /// Applies it to pixels of a block of channels.
    pub(super) fn apply(&self, isa: neurdsp_simd::Isa, block: usize, from: &[f32], to: &mut [f32]) {
        let lanes = block * LANES..(block + 1) * LANES;
        apply(isa, &self.scale[lanes.clone()], &self.shift[lanes], self.gelu, from, to);
    }
}

dispatch! {
    fn apply(scale: &[f32], shift: &[f32], gelu: bool, from: &[f32], to: &mut [f32]) = apply_generic
}

// Pixels are `LANES` values, which every vector divides; the caller vouches for the instruction set.
#[allow(clippy::undocumented_unsafe_blocks)]
#[inline(always)]
unsafe fn apply_generic<V: Vector<f32>>(
    scale: &[f32],
    shift: &[f32],
    with_gelu: bool,
    from: &[f32],
    to: &mut [f32],
) {
    unsafe {
        let zero = V::splat(0.0);
        for (from, to) in from.chunks_exact(LANES).zip(to.chunks_exact_mut(LANES)) {
            for lane in (0..LANES).step_by(V::LANES) {
                let x = V::load(from.as_ptr().add(lane))
                    .fma(V::load(scale.as_ptr().add(lane)), V::load(shift.as_ptr().add(lane)));
                let y = if with_gelu { gelu(x) } else { x.max(zero) };
                y.store(to.as_mut_ptr().add(lane));
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
