//! Winograd's F(4x4, 3x3): sixteen outputs of a 3x3 convolution with 36 products instead of 144.
//!
//! Outputs are `A (G g Gᵗ ∘ Bᵗ d B) Aᵗ` of a filter `g` and a tile `d` of 6x6 pixels. The matrices are those of polynomials
//! through the points 0, ±13/20, ±3/2 and infinity. These points lose 7 dB less to rounding than 0, ±1, ±2.
//!
//! A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural Networks, arXiv 1509.09308.
// Tiles are addressed within extents that `Conv3x3` has laid out; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::pixels::LANES;
use neurdsp_simd::{Vector, dispatch};

/// Pixels of a tile's side, and outputs of it.
pub(super) const SIDE: usize = 6;
pub(super) const STEP: usize = 4;
/// Products of a tile.
pub(super) const PRODUCTS: usize = SIDE * SIDE;

const P: f64 = 13.0 / 20.0;
const Q: f64 = 3.0 / 2.0;

/// The filter transform of one 3x3 filter.
pub(super) fn transform_filter(filter: &[f32], to: &mut [f64; PRODUCTS]) {
    let row = |point: f64, weight: f64| [weight, weight * point, weight * point * point];
    let (near, far) = (0.5 / (P * P * (P * P - Q * Q)), 0.5 / (Q * Q * (Q * Q - P * P)));
    let g = [
        row(0.0, 1.0 / (P * P * Q * Q)),
        row(P, near),
        row(-P, near),
        row(Q, far),
        row(-Q, far),
        [0.0, 0.0, 1.0],
    ];
    let mut half = [[0.0; 3]; SIDE];
    for (half, g) in half.iter_mut().zip(&g) {
        for (column, value) in half.iter_mut().enumerate() {
            *value = (0..3).map(|k| g[k] * f64::from(filter[k * 3 + column])).sum();
        }
    }
    for (i, half) in half.iter().enumerate() {
        for (j, g) in g.iter().enumerate() {
            to[i * SIDE + j] = (0..3).map(|k| half[k] * g[k]).sum();
        }
    }
}

/// Padded rows of one block of channels, `[rows][stride]` of sixteen values, and the products of its tiles.
pub(super) struct InputJob<'a> {
    pub(super) rows: &'a [f32],
    /// Values of a padded row.
    pub(super) stride: usize,
    /// Tiles in a row of tiles.
    pub(super) across: usize,
    /// The first tile, counted over the rows of tiles, and their number.
    pub(super) first: usize,
    pub(super) tiles: usize,
    /// `[36][...]`: this block's place in the first product, and the values of a product.
    pub(super) products: &'a mut [f32],
    pub(super) product_stride: usize,
}

/// Outputs of one block of channels, `[rows][stride]` of sixteen values, and the products that they are made of.
pub(super) struct OutputJob<'a> {
    pub(super) products: &'a [f32],
    pub(super) product_stride: usize,
    pub(super) across: usize,
    pub(super) first: usize,
    pub(super) tiles: usize,
    pub(super) rows: &'a mut [f32],
    /// What is added, laid out like `rows`.
    pub(super) base: Option<&'a [f32]>,
    pub(super) width: usize,
}

dispatch! {
    /// Transforms the tiles of one block of channels.
    pub(super) fn transform_input(job: &mut InputJob<'_>) = transform_input_generic
}

dispatch! {
    /// Makes the outputs of the tiles of one block of channels; those past the image are left out.
    pub(super) fn transform_output(job: &mut OutputJob<'_>) = transform_output_generic
}

#[inline(always)]
unsafe fn transform_input_generic<V: Vector<f32>>(job: &mut InputJob<'_>) {
    unsafe {
        for tile in 0..job.tiles {
            let (row, column) = ((job.first + tile) / job.across, (job.first + tile) % job.across);
            let corner = row * STEP * job.stride + column * STEP * LANES;
            assert!(corner + (SIDE - 1) * (job.stride + LANES) + LANES <= job.rows.len());
            assert!((PRODUCTS - 1) * job.product_stride + (tile + 1) * LANES <= job.products.len());
            for lane in (0..LANES).step_by(V::LANES) {
                let from = job.rows.as_ptr().add(corner + lane);
                // Columns first: `half[j]` is column j.
                let mut half = [[V::splat(0.0); SIDE]; SIDE];
                for (j, column) in half.iter_mut().enumerate() {
                    let mut d = [V::splat(0.0); SIDE];
                    for (i, d) in d.iter_mut().enumerate() {
                        *d = V::load(from.add(i * job.stride + j * LANES));
                    }
                    *column = input_points(d);
                }
                let to = job.products.as_mut_ptr().add(tile * LANES + lane);
                for i in 0..SIDE {
                    for (j, value) in input_points(half.map(|column| column[i])).into_iter().enumerate() {
                        value.store(to.add((i * SIDE + j) * job.product_stride));
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn transform_output_generic<V: Vector<f32>>(job: &mut OutputJob<'_>) {
    unsafe {
        let (stride, height) = (job.width * LANES, job.rows.len() / (job.width * LANES));
        for tile in 0..job.tiles {
            let (row, column) = ((job.first + tile) / job.across, (job.first + tile) % job.across);
            assert!((PRODUCTS - 1) * job.product_stride + (tile + 1) * LANES <= job.products.len());
            for lane in (0..LANES).step_by(V::LANES) {
                let from = job.products.as_ptr().add(tile * LANES + lane);
                let mut half = [[V::splat(0.0); STEP]; SIDE];
                for (j, column) in half.iter_mut().enumerate() {
                    let mut m = [V::splat(0.0); SIDE];
                    for (i, m) in m.iter_mut().enumerate() {
                        *m = V::load(from.add((i * SIDE + j) * job.product_stride));
                    }
                    *column = output_points(m);
                }
                for i in 0..STEP {
                    let y = row * STEP + i;
                    for (j, value) in output_points(half.map(|column| column[i])).into_iter().enumerate() {
                        let x = column * STEP + j;
                        if y >= height || x >= job.width {
                            continue;
                        }
                        let place = y * stride + x * LANES + lane;
                        let value = match job.base {
                            Some(base) => value.add(V::load(base[place..place + V::LANES].as_ptr())),
                            None => value,
                        };
                        value.store(job.rows[place..place + V::LANES].as_mut_ptr());
                    }
                }
            }
        }
    }
}

/// `Bᵗ d`: the coefficients of the products of `x - a` over all points but one.
#[inline(always)]
unsafe fn input_points<V: Vector<f32>>(d: [V; SIDE]) -> [V; SIDE] {
    unsafe {
        let constant = |value: f64| V::splat(value as f32);
        let (p, q, pp, qq) = (constant(P), constant(Q), constant(P * P), constant(Q * Q));
        let (sum, product) = (constant(P * P + Q * Q), constant(P * P * Q * Q));
        let even = [qq.fnma(d[2], d[4]), pp.fnma(d[2], d[4])];
        let odd = [p.mul(qq.fnma(d[1], d[3])), q.mul(pp.fnma(d[1], d[3]))];
        [
            product.fma(d[0], sum.fnma(d[2], d[4])),
            even[0].add(odd[0]),
            even[0].sub(odd[0]),
            even[1].add(odd[1]),
            even[1].sub(odd[1]),
            product.fma(d[1], sum.fnma(d[3], d[5])),
        ]
    }
}

/// `A m`: the products at the points, times the powers of each.
#[inline(always)]
unsafe fn output_points<V: Vector<f32>>(m: [V; SIDE]) -> [V; STEP] {
    unsafe {
        let constant = |value: f64| V::splat(value as f32);
        let (near, far) = (m[1].add(m[2]), m[3].add(m[4]));
        let (near_odd, far_odd) = (m[1].sub(m[2]), m[3].sub(m[4]));
        [
            m[0].add(near).add(far),
            constant(P).fma(near_odd, constant(Q).mul(far_odd)),
            constant(P * P).fma(near, constant(Q * Q).mul(far)),
            constant(P * P * P).fma(near_odd, constant(Q * Q * Q).fma(far_odd, m[5])),
        ]
    }
}
