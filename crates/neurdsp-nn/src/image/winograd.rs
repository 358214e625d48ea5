//! Winograd's minimal filtering: the outputs of a tile of a 3x3 convolution with fewer products.
//!
//! Outputs are `A (G g Gᵗ ∘ Bᵗ d B) Aᵗ` of a filter `g` and a tile `d` of pixels. The matrices are those of polynomials
//! through some points and infinity. [`F4`] makes 4x4 outputs of 36 products instead of 144; its points 0, ±13/20, ±3/2
//! lose 7 dB less to rounding than 0, ±1, ±2. [`F2`] makes 2x2 outputs of 16 products instead of 36, and loses next to
//! nothing.
//!
//! A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural Networks, arXiv 1509.09308.
// Tiles are addressed within extents that `Conv3x3` has laid out; the caller vouches for the instruction set.
// Indices are rows and columns of a tile, which several arrays share.
#![allow(clippy::undocumented_unsafe_blocks, clippy::needless_range_loop)]

use super::pixels::LANES;
use neurdsp_simd::{Vector, prefetch};

/// The side of the largest tile.
pub(super) const MAX_SIDE: usize = 6;

/// Bytes that are fetched ahead of what is read or written.
const AHEAD: usize = 128;

/// A choice of points.
///
/// A transform of a tile is the transform of its columns, and then that of the rows of what comes out. Rows are made two by
/// two, as the points ±p share their even and odd parts: what is in flight then stays in the registers.
pub(super) trait Scheme {
    /// Outputs of a tile's side; it has two more pixels.
    const STEP: usize;
    /// Pixels of a tile's side.
    const SIDE: usize = Self::STEP + 2;
    /// Products of a tile.
    const PRODUCTS: usize = Self::SIDE * Self::SIDE;
    /// Rows of the transforms `Bᵗ` and `G` that are made together, and rows of `A`.
    const ROWS: [[usize; 2]; 3];
    const OUTPUT_ROWS: [[usize; 2]; 2];

    /// The rows `ROWS[pair]` of `G g`.
    unsafe fn filter<V: Vector<f32>>(pair: usize, g: [V; 3]) -> [V; 2];
    /// The rows `ROWS[pair]` of `Bᵗ d`.
    unsafe fn input<V: Vector<f32>>(pair: usize, d: [V; MAX_SIDE]) -> [V; 2];
    /// The rows `OUTPUT_ROWS[pair]` of `A m`.
    unsafe fn output<V: Vector<f32>>(pair: usize, m: [V; MAX_SIDE]) -> [V; 2];
}

/// How products are stored.
pub(super) trait Store<V> {
    /// Bytes of the product of one channel.
    const BYTES: usize;
    /// Writes the products of one register of channels; `to` is where those of its block of sixteen begin.
    unsafe fn input(value: V, to: *mut u8, lane: usize);
    /// Writes weights for one register of outputs and two inputs, likewise.
    unsafe fn weights(values: [V; 2], to: *mut u8, lane: usize);
}

/// In single precision.
pub(super) struct Single;

impl<V: Vector<f32>> Store<V> for Single {
    const BYTES: usize = 4;

    #[inline(always)]
    unsafe fn input(value: V, to: *mut u8, lane: usize) {
        unsafe { value.store(to.cast::<f32>().add(lane)) }
    }

    #[inline(always)]
    unsafe fn weights(values: [V; 2], to: *mut u8, lane: usize) {
        unsafe {
            values[0].store(to.cast::<f32>().add(lane));
            values[1].store(to.cast::<f32>().add(LANES + lane));
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
    /// `[products][...]`, and the distance of one product from the next in values of sixteen channels.
    pub(super) products: &'a mut [f32],
    pub(super) pitch: usize,
}

/// Filters of one block of outputs, `[inputs][9][16]`, and their products, `[products][...][inputs][16]`.
pub(super) struct FilterJob<'a> {
    pub(super) filters: &'a [f32],
    pub(super) products: &'a mut [f32],
    /// From one product to the next in values of sixteen outputs.
    pub(super) pitch: usize,
}

/// Outputs of one block of channels, `[rows][stride]` of sixteen values, and the products that they are made of.
pub(super) struct OutputJob<'a> {
    pub(super) products: &'a [f32],
    pub(super) product_stride: usize,
    pub(super) across: usize,
    pub(super) first: usize,
    pub(super) tiles: usize,
    pub(super) rows: &'a mut [f32],
    pub(super) width: usize,
    /// Whether the outputs are added to what is there.
    pub(super) adds: bool,
}

/// What the products of some tiles are made of: filters and inputs of some channels.
pub(super) struct Factors<'a> {
    /// `[blocks of outputs][products][inputs][16]`: values from block to block, and units from product to product.
    pub(super) filters: &'a [f32],
    pub(super) filter_stride: usize,
    pub(super) filter_pitch: usize,
    pub(super) n_inputs: usize,
    /// `[blocks of inputs][products][tiles][16]`, likewise.
    pub(super) inputs: &'a [f32],
    pub(super) input_stride: usize,
    pub(super) input_pitch: usize,
    pub(super) tiles: usize,
    /// Whether the products are added to those that are there.
    pub(super) adds: bool,
}

/// Transforms the tiles of one block of channels.
#[inline(always)]
pub(super) unsafe fn transform_input<V: Vector<f32>, S: Scheme, P: Store<V>>(job: &mut InputJob<'_>) {
    unsafe {
        let last = (S::SIDE - 1) * (job.stride + LANES) + LANES;
        assert!(((S::PRODUCTS - 1) * job.pitch + job.tiles) * LANES * P::BYTES / 4 <= job.products.len());
        let step = job.pitch * LANES * P::BYTES;
        for tile in 0..job.tiles {
            let (row, column) = ((job.first + tile) / job.across, (job.first + tile) % job.across);
            let corner = row * S::STEP * job.stride + column * S::STEP * LANES;
            assert!(corner + last <= job.rows.len());
            for lane in (0..LANES).step_by(V::LANES) {
                let from = job.rows.as_ptr().add(corner + lane);
                let to = job.products.as_mut_ptr().cast::<u8>().add(tile * LANES * P::BYTES);
                input_rows::<V, S, P, 0>(from, job.stride, to, step, lane);
                input_rows::<V, S, P, 1>(from, job.stride, to, step, lane);
                if S::SIDE > 4 {
                    input_rows::<V, S, P, 2>(from, job.stride, to, step, lane);
                }
            }
        }
    }
}

/// Two rows of a tile's products.
#[inline(always)]
unsafe fn input_rows<V: Vector<f32>, S: Scheme, P: Store<V>, const PAIR: usize>(
    from: *const f32,
    stride: usize,
    to: *mut u8,
    step: usize,
    lane: usize,
) {
    unsafe {
        let mut half = [[V::splat(0.0); MAX_SIDE]; 2];
        for j in 0..S::SIDE {
            let mut d = [V::splat(0.0); MAX_SIDE];
            for i in 0..S::SIDE {
                d[i] = V::load(from.add(i * stride + j * LANES));
            }
            [half[0][j], half[1][j]] = S::input(PAIR, d);
        }
        for r in 0..2 {
            let row = to.add(S::ROWS[PAIR][r] * S::SIDE * step);
            for pair in 0..S::SIDE / 2 {
                let values = S::input(pair, half[r]);
                for k in 0..2 {
                    let place = row.add(S::ROWS[pair][k] * step);
                    // Stores that miss the first cache wait for one another.
                    prefetch(place.wrapping_add(AHEAD));
                    P::input(values[k], place, lane);
                }
            }
        }
    }
}

/// Transforms the filters of one block of outputs; the number of inputs is even.
#[inline(always)]
pub(super) unsafe fn transform_filters<V: Vector<f32>, S: Scheme, P: Store<V>>(job: &mut FilterJob<'_>) {
    unsafe {
        let inputs = job.filters.len() / (9 * LANES);
        assert!(((S::PRODUCTS - 1) * job.pitch + inputs) * LANES * P::BYTES / 4 <= job.products.len());
        assert!(inputs.is_multiple_of(2), "pairs of inputs");
        let step = job.pitch * LANES * P::BYTES;
        for input in (0..inputs).step_by(2) {
            for lane in (0..LANES).step_by(V::LANES) {
                let from = job.filters.as_ptr().add(input * 9 * LANES + lane);
                let to = job.products.as_mut_ptr().cast::<u8>().add(input * LANES * P::BYTES);
                filter_rows::<V, S, P, 0>(from, to, step, lane);
                filter_rows::<V, S, P, 1>(from, to, step, lane);
                if S::SIDE > 4 {
                    filter_rows::<V, S, P, 2>(from, to, step, lane);
                }
            }
        }
    }
}

/// Two rows of the products of two inputs' filters.
#[inline(always)]
unsafe fn filter_rows<V: Vector<f32>, S: Scheme, P: Store<V>, const PAIR: usize>(
    from: *const f32,
    to: *mut u8,
    step: usize,
    lane: usize,
) {
    unsafe {
        let mut half = [[[V::splat(0.0); 3]; 2]; 2];
        for k in 0..2 {
            for j in 0..3 {
                let mut g = [V::splat(0.0); 3];
                for i in 0..3 {
                    g[i] = V::load(from.add((k * 9 + i * 3 + j) * LANES));
                }
                [half[0][k][j], half[1][k][j]] = S::filter(PAIR, g);
            }
        }
        for r in 0..2 {
            let row = to.add(S::ROWS[PAIR][r] * S::SIDE * step);
            for pair in 0..S::SIDE / 2 {
                let (first, second) = (S::filter(pair, half[r][0]), S::filter(pair, half[r][1]));
                for k in 0..2 {
                    let place = row.add(S::ROWS[pair][k] * step);
                    prefetch(place.wrapping_add(AHEAD));
                    prefetch(place.wrapping_add(AHEAD + 64));
                    P::weights([first[k], second[k]], place, lane);
                }
            }
        }
    }
}

/// Makes the outputs of the tiles of one block of channels; those past the image are left out.
#[inline(always)]
pub(super) unsafe fn transform_output<V: Vector<f32>, S: Scheme>(job: &mut OutputJob<'_>) {
    unsafe {
        let (stride, height) = (job.width * LANES, job.rows.len() / (job.width * LANES));
        assert!((S::PRODUCTS - 1) * job.product_stride + job.tiles * LANES <= job.products.len());
        for tile in 0..job.tiles {
            let (row, column) = ((job.first + tile) / job.across, (job.first + tile) % job.across);
            let (y, x) = (row * S::STEP, column * S::STEP);
            let inside = [height.saturating_sub(y), job.width.saturating_sub(x)];
            for lane in (0..LANES).step_by(V::LANES) {
                let from = job.products.as_ptr().add(tile * LANES + lane);
                let to = job.rows.as_mut_ptr().add(y * stride + x * LANES + lane);
                output_rows::<V, S, 0>(from, job.product_stride, to, stride, inside, job.adds);
                if S::STEP > 2 {
                    output_rows::<V, S, 1>(from, job.product_stride, to, stride, inside, job.adds);
                }
            }
        }
    }
}

/// Two rows of a tile's outputs; `inside` has the rows and columns from the tile's first to the end of the image.
#[inline(always)]
unsafe fn output_rows<V: Vector<f32>, S: Scheme, const PAIR: usize>(
    from: *const f32,
    product_stride: usize,
    to: *mut f32,
    stride: usize,
    inside: [usize; 2],
    adds: bool,
) {
    unsafe {
        let mut half = [[V::splat(0.0); MAX_SIDE]; 2];
        for j in 0..S::SIDE {
            let mut m = [V::splat(0.0); MAX_SIDE];
            for i in 0..S::SIDE {
                let place = from.add((i * S::SIDE + j) * product_stride);
                if PAIR == 0 {
                    prefetch(place.wrapping_add(AHEAD / 4));
                }
                m[i] = V::load(place);
            }
            [half[0][j], half[1][j]] = S::output(PAIR, m);
        }
        for r in 0..2 {
            let y = S::OUTPUT_ROWS[PAIR][r];
            for pair in 0..S::STEP / 2 {
                let values = S::output(pair, half[r]);
                for k in 0..2 {
                    let x = S::OUTPUT_ROWS[pair][k];
                    if y < inside[0] && x < inside[1] {
                        let place = to.add(y * stride + x * LANES);
                        let value = if adds { values[k].add(V::load(place)) } else { values[k] };
                        value.store(place);
                    }
                }
            }
        }
    }
}

/// F(4x4, 3x3).
pub(super) struct F4;

const P: f64 = 13.0 / 20.0;
const Q: f64 = 3.0 / 2.0;

#[inline(always)]
unsafe fn constant<V: Vector<f32>>(value: f64) -> V {
    unsafe { V::splat(value as f32) }
}

impl Scheme for F4 {
    const STEP: usize = 4;
    const ROWS: [[usize; 2]; 3] = [[1, 2], [3, 4], [0, 5]];
    const OUTPUT_ROWS: [[usize; 2]; 2] = [[0, 2], [1, 3]];

    #[inline(always)]
    unsafe fn filter<V: Vector<f32>>(pair: usize, g: [V; 3]) -> [V; 2] {
        const NEAR: f64 = 0.5 / (P * P * (P * P - Q * Q));
        const FAR: f64 = 0.5 / (Q * Q * (Q * Q - P * P));
        unsafe {
            if pair == 2 {
                return [constant::<V>(1.0 / (P * P * Q * Q)).mul(g[0]), g[2]];
            }
            let (weight, point) = if pair == 0 { (NEAR, P) } else { (FAR, Q) };
            let even = constant::<V>(weight * point * point).fma(g[2], constant::<V>(weight).mul(g[0]));
            let odd = constant::<V>(weight * point);
            [odd.fma(g[1], even), odd.fnma(g[1], even)]
        }
    }

    // The coefficients of the products of `x - a` over all points but one.
    #[inline(always)]
    unsafe fn input<V: Vector<f32>>(pair: usize, d: [V; MAX_SIDE]) -> [V; 2] {
        unsafe {
            if pair == 2 {
                let (sum, product) = (constant::<V>(P * P + Q * Q), constant::<V>(P * P * Q * Q));
                return [product.fma(d[0], sum.fnma(d[2], d[4])), product.fma(d[1], sum.fnma(d[3], d[5]))];
            }
            let (point, other) = if pair == 0 { (P, Q * Q) } else { (Q, P * P) };
            let (point, other) = (constant::<V>(point), constant::<V>(other));
            let (even, odd) = (other.fnma(d[2], d[4]), other.fnma(d[1], d[3]));
            [point.fma(odd, even), point.fnma(odd, even)]
        }
    }

    // The products at the points, times the powers of each.
    #[inline(always)]
    unsafe fn output<V: Vector<f32>>(pair: usize, m: [V; MAX_SIDE]) -> [V; 2] {
        unsafe {
            if pair == 0 {
                let (near, far) = (m[1].add(m[2]), m[3].add(m[4]));
                return [
                    m[0].add(near).add(far),
                    constant::<V>(P * P).fma(near, constant::<V>(Q * Q).mul(far)),
                ];
            }
            let (near, far) = (m[1].sub(m[2]), m[3].sub(m[4]));
            [
                constant::<V>(P).fma(near, constant::<V>(Q).mul(far)),
                constant::<V>(P * P * P).fma(near, constant::<V>(Q * Q * Q).fma(far, m[5])),
            ]
        }
    }
}

/// F(2x2, 3x3), with the points 0, ±1.
pub(super) struct F2;

impl Scheme for F2 {
    const STEP: usize = 2;
    const ROWS: [[usize; 2]; 3] = [[1, 2], [0, 3], [0, 0]];
    const OUTPUT_ROWS: [[usize; 2]; 2] = [[0, 1], [0, 0]];

    #[inline(always)]
    unsafe fn filter<V: Vector<f32>>(pair: usize, g: [V; 3]) -> [V; 2] {
        unsafe {
            if pair == 1 {
                return [g[0], g[2]];
            }
            let half = constant::<V>(0.5);
            let (even, odd) = (half.mul(g[0].add(g[2])), half.mul(g[1]));
            [even.add(odd), even.sub(odd)]
        }
    }

    #[inline(always)]
    unsafe fn input<V: Vector<f32>>(pair: usize, d: [V; MAX_SIDE]) -> [V; 2] {
        unsafe { if pair == 1 { [d[0].sub(d[2]), d[3].sub(d[1])] } else { [d[1].add(d[2]), d[2].sub(d[1])] } }
    }

    #[inline(always)]
    unsafe fn output<V: Vector<f32>>(_pair: usize, m: [V; MAX_SIDE]) -> [V; 2] {
        unsafe { [m[0].add(m[1]).add(m[2]), m[1].sub(m[2]).add(m[3])] }
    }
}
