//! The memory that a backward pass works in.

use neurdsp_nn::train::{Element, Rows, RowsMut, WeightGradient};
use neurdsp_simd::Isa;

use super::geometry::Matrix;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Rows whose shape changes from use to use. Their memory only grows, and starts on a cache line.
#[derive(Debug, Default)]
pub(super) struct Grid<T> {
    memory: Vec<T>,
    first: usize,
    matrix: Matrix,
}

impl<T: Element> Grid<T> {
    /// Sets the shape; the contents are arbitrary.
    pub(super) fn reshape(&mut self, rows: usize, len: usize) {
        self.matrix = Matrix { offset: 0, rows, len };
        let slack = LINE / size_of::<T>();
        if self.memory.len() < self.matrix.end() + slack {
            self.memory.resize(self.matrix.end() + slack, T::default());
            self.first = self.memory.as_ptr().align_offset(LINE).min(slack);
        }
    }

    /// Sets the shape and fills the rows with zeros.
    pub(super) fn zeros(&mut self, rows: usize, len: usize) {
        self.reshape(rows, len);
        self.memory[self.first..self.first + self.matrix.end()].fill(T::default());
    }

    /// The last `tail` samples of the rows.
    pub(super) fn tail(&self, tail: usize) -> Rows<'_, T> {
        self.matrix.tail(&self.memory[self.first..], 0, tail)
    }

    /// As [`tail`](Self::tail), for writing.
    pub(super) fn tail_mut(&mut self, tail: usize) -> RowsMut<'_, T> {
        self.matrix.tail_mut(&mut self.memory[self.first..], 0, tail)
    }
}

/// The scratch of one thread, kept from step to step.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    /// The input, and ones: the inputs of mixins and of biases.
    pub(super) pair: Grid<T>,
    /// The gradient of the residual signal.
    pub(super) hidden: Grid<T>,
    /// The gradient of the previous array's residual signal, while both are needed.
    pub(super) other: Grid<T>,
    /// The gradient of the head signal.
    pub(super) sum: Grid<T>,
    /// The gradient of the outputs of a convolution, padded with zeros.
    pub(super) outputs: Grid<T>,
    /// The gradient of the output of a gate.
    pub(super) gated: Grid<T>,
    /// The gradient of the input.
    pub(super) input: Grid<T>,
    pub(super) sums: Sums<T>,
}

/// The running gradient sums of one layer's convolutions.
#[derive(Debug)]
pub(super) struct Sums<T> {
    pub(super) conv: WeightGradient<T>,
    /// The mixin and the bias.
    pub(super) pair: WeightGradient<T>,
    pub(super) residual: WeightGradient<T>,
    pub(super) residual_bias: WeightGradient<T>,
    pub(super) head: WeightGradient<T>,
    pub(super) head_bias: WeightGradient<T>,
}

impl<T: Element> Scratch<T> {
    pub(super) fn new(isa: Isa) -> Self {
        let new = || WeightGradient::new(isa);
        let sums = Sums {
            conv: new(),
            pair: new(),
            residual: new(),
            residual_bias: new(),
            head: new(),
            head_bias: new(),
        };
        Self {
            pair: Grid::default(),
            hidden: Grid::default(),
            other: Grid::default(),
            sum: Grid::default(),
            outputs: Grid::default(),
            gated: Grid::default(),
            input: Grid::default(),
            sums,
        }
    }
}
