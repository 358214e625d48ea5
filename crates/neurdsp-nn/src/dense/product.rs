//! The product at the bottom of [`Dense`](super::Dense) and [`Mixer`](super::Mixer): rows times columns.
//!
//! A step of the inner loop broadcasts one value of a few rows and multiplies it with a few registers of columns. With many
//! rows the tiles are square, with one or two they are wide: then enough sums are under way to hide the latency of a
//! multiplication, and the columns, which come from far, are read once. Every sum begins with its bias and runs over the
//! inputs in ascending order, whatever the tile.
// Tiles stay within the extents that `multiply` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::LANES;
use neurdsp_simd::math::fma;
use neurdsp_simd::{Isa, Vector, dispatch};

/// Most columns of a product; wider ones are cut.
pub(super) const MAX_COLUMNS: usize = 64;

/// What a sum begins with.
#[derive(Clone, Copy)]
pub(super) enum Bias<'a> {
    /// Zero.
    None,
    /// A value for each column.
    Columns(&'a [f32]),
    /// A value for each row.
    Rows(&'a [f32]),
}

/// Values in rows that are `step` values apart.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) data: &'a [f32],
    pub(super) step: usize,
}

/// Where the product goes; it is added to what is there if `adds`.
pub(super) struct Target<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) step: usize,
    pub(super) adds: bool,
}

/// The lengths of a product: `rows × inputs` times `inputs × columns`.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) inputs: usize,
    /// A multiple of [`LANES`], at most [`MAX_COLUMNS`].
    pub(super) columns: usize,
    /// Whether products are rounded before they are added, so that the bits do not depend on the processor.
    pub(super) exact: bool,
}

/// Multiplies rows `a` by columns `b`.
pub(super) fn multiply(
    isa: Isa,
    size: Size,
    a: Matrix<'_>,
    b: Matrix<'_>,
    bias: Bias<'_>,
    to: &mut Target<'_>,
) {
    let Size { rows, inputs, columns, exact } = size;
    if rows == 0 || inputs == 0 {
        return;
    }
    assert!(columns.is_multiple_of(LANES) && columns <= MAX_COLUMNS, "columns of whole registers");
    assert!(a.data.len() >= (rows - 1) * a.step + inputs, "rows to read");
    assert!(b.data.len() >= (inputs - 1) * b.step + columns, "columns to read");
    assert!(to.data.len() >= (rows - 1) * to.step + columns, "room for the product");
    let has_bias = match bias {
        Bias::None => true,
        Bias::Columns(values) => values.len() >= columns,
        Bias::Rows(values) => values.len() >= rows,
    };
    assert!(has_bias, "a bias for each sum");
    if exact {
        run_exact(isa, size, a, b, bias, to);
    } else {
        run(isa, size, a, b, bias, to);
    }
}

dispatch! {
    fn run_exact(size: Size, a: Matrix<'_>, b: Matrix<'_>, bias: Bias<'_>, to: &mut Target<'_>) = run_exact_generic
}

#[inline(always)]
unsafe fn run_exact_generic<V: Vector<f32>>(
    size: Size,
    a: Matrix<'_>,
    b: Matrix<'_>,
    bias: Bias<'_>,
    to: &mut Target<'_>,
) {
    unsafe { strips::<V, true>(size, a, b, bias, to) }
}

dispatch! {
    fn run(size: Size, a: Matrix<'_>, b: Matrix<'_>, bias: Bias<'_>, to: &mut Target<'_>) = run_generic
}

#[inline(always)]
unsafe fn run_generic<V: Vector<f32>>(
    size: Size,
    a: Matrix<'_>,
    b: Matrix<'_>,
    bias: Bias<'_>,
    to: &mut Target<'_>,
) {
    unsafe { strips::<V, false>(size, a, b, bias, to) }
}

#[inline(always)]
unsafe fn strips<V: Vector<f32>, const EXACT: bool>(
    size: Size,
    a: Matrix<'_>,
    b: Matrix<'_>,
    bias: Bias<'_>,
    to: &mut Target<'_>,
) {
    unsafe {
        let mut job = Job { size, a, b, bias, to, column: 0 };
        while job.column < size.columns {
            let left = size.columns - job.column;
            let registers = match (V::LANES, left / LANES) {
                (16, 4..) => job.strip::<V, EXACT, 6, 4>(),
                (16, 3) => job.strip::<V, EXACT, 6, 3>(),
                (16, 2) => job.strip::<V, EXACT, 8, 2>(),
                (16, _) => job.strip::<V, EXACT, 8, 1>(),
                // One row alone needs as many sums as hide the latency of a multiplication.
                (8, 4..) if size.rows == 1 => job.strip::<V, EXACT, 1, 8>(),
                (8, 2..) if size.rows <= 3 => job.strip::<V, EXACT, 2, 4>(),
                (8, _) => job.strip::<V, EXACT, 6, 2>(),
                // Compilers make one register of four lanes.
                _ => job.strip::<V, EXACT, 4, 4>(),
            };
            job.column += registers * V::LANES;
        }
    }
}

struct Job<'a, 'b> {
    size: Size,
    a: Matrix<'a>,
    b: Matrix<'a>,
    bias: Bias<'a>,
    to: &'a mut Target<'b>,
    column: usize,
}

impl Job<'_, '_> {
    /// All rows of `R` registers of columns, `M` at a time; gives `R`.
    #[inline(always)]
    unsafe fn strip<V: Vector<f32>, const EXACT: bool, const M: usize, const R: usize>(&mut self) -> usize {
        unsafe {
            let (mut row, rows) = (0, self.size.rows);
            while row + M <= rows {
                self.tile::<V, EXACT, M, R>(row);
                row += M;
            }
            while row + 2 <= rows {
                self.tile::<V, EXACT, 2, R>(row);
                row += 2;
            }
            if row < rows {
                self.tile::<V, EXACT, 1, R>(row);
            }
            R
        }
    }

    #[inline(always)]
    unsafe fn tile<V: Vector<f32>, const EXACT: bool, const M: usize, const R: usize>(&mut self, row: usize) {
        unsafe {
            let mut sums = [[V::splat(0.0); R]; M];
            match self.bias {
                Bias::None => {}
                Bias::Columns(bias) => {
                    for r in 0..R {
                        let bias = V::load(bias.as_ptr().add(self.column + r * V::LANES));
                        sums.iter_mut().for_each(|sums| sums[r] = bias);
                    }
                }
                Bias::Rows(bias) => {
                    for (m, sums) in sums.iter_mut().enumerate() {
                        *sums = [V::splat(*bias.as_ptr().add(row + m)); R];
                    }
                }
            }
            let a = self.a.data.as_ptr().add(row * self.a.step);
            let mut b = self.b.data.as_ptr().add(self.column);
            for input in 0..self.size.inputs {
                let mut columns = [V::splat(0.0); R];
                for (r, column) in columns.iter_mut().enumerate() {
                    *column = V::load(b.add(r * V::LANES));
                }
                for (m, sums) in sums.iter_mut().enumerate() {
                    let value = V::splat(a.add(m * self.a.step + input).read());
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = if EXACT { sum.add(value.mul(column)) } else { fma(value, column, *sum) };
                    }
                }
                b = b.wrapping_add(self.b.step);
            }
            for (m, sums) in sums.into_iter().enumerate() {
                let to = self.to.data.as_mut_ptr().add((row + m) * self.to.step + self.column);
                for (r, sum) in sums.into_iter().enumerate() {
                    let place = to.add(r * V::LANES);
                    let sum = if self.to.adds { sum.add(V::load(place)) } else { sum };
                    sum.store(place);
                }
            }
        }
    }
}
