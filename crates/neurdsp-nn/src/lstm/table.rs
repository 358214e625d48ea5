//! tanh in pieces: polynomials over the quarters of octaves, which begin at zero after a shift of 1/32.
//!
//! The highest bits of a shifted number say which piece it is in, and where that begins.

use std::sync::LazyLock;

/// Bits of the mantissa that choose the piece within an octave.
pub(super) const MANTISSA_BITS: u32 = 2;
/// Pieces in all, those of eight octaves.
pub(super) const SEGMENTS: usize = 8 << MANTISSA_BITS;
/// Of the polynomials.
pub(super) const DEGREE: usize = 5;
/// What is added to a number before its bits are read, so that the first piece begins at zero.
pub(super) const SHIFT: f32 = 1.0 / 32.0;
/// Shifted, it is still below 8, where the pieces end; its tanh is within 2.5e-7 of one.
pub(super) const LIMIT: f32 = 7.968_749;

type Table = [[f32; SEGMENTS]; DEGREE + 1];

/// Coefficients of each power in the distance from the start of the piece; pieces in the order of the bits that choose
/// them, which is that of the numbers, rotated.
pub(super) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        let mut table = [[0.0; SEGMENTS]; DEGREE + 1];
        for piece in 0..SEGMENTS {
            let bits = SHIFT.to_bits() + ((piece as u32) << (23 - MANTISSA_BITS));
            let edge = |bits| f64::from(f32::from_bits(bits) - SHIFT);
            let (start, end) = (edge(bits), edge(bits + (1 << (23 - MANTISSA_BITS))));
            let place = (bits >> (23 - MANTISSA_BITS)) as usize % SEGMENTS;
            for (row, value) in table.iter_mut().zip(polynomial(start, end)) {
                row[place] = value as f32;
            }
            // To the last bit, so that what is zero stays zero.
            table[0][place] = start.tanh() as f32;
        }
        table
    });
    &TABLE
}

/// The polynomial in `x - start` that meets tanh in the Chebyshev nodes between `start` and `end`.
fn polynomial(start: f64, end: f64) -> [f64; DEGREE + 1] {
    const NODES: usize = DEGREE + 1;
    let node = |k: usize| {
        let angle = std::f64::consts::PI * (k as f64 + 0.5) / NODES as f64;
        0.5 * (end - start) * (1.0 + angle.cos())
    };
    let nodes: [f64; NODES] = std::array::from_fn(node);
    // Newton's divided differences, then from the innermost bracket outwards.
    let mut differences = nodes.map(|x| (x + start).tanh());
    for order in 1..NODES {
        for k in (order..NODES).rev() {
            differences[k] = (differences[k] - differences[k - 1]) / (nodes[k] - nodes[k - order]);
        }
    }
    let mut coefficients = [0.0; NODES];
    for k in (0..NODES).rev() {
        for power in (0..NODES).rev() {
            let below = if power > 0 { coefficients[power - 1] } else { differences[k] };
            coefficients[power] = below - nodes[k] * coefficients[power];
        }
    }
    coefficients
}
