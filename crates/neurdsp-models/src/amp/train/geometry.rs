//! Which samples of each signal a crop needs, and where they are on the tape.
//!
//! All signals end together. Counted from that end, a layer computes as many samples as later layers read, rounded up to
//! whole blocks; the surplus at the start is computed from zeros before the input and never read.

use neurdsp_nn::train::{BLOCK, Rows, RowsMut};

use super::plan::{Array, HeadFrom, Layer, Plan};

/// Padding after each row, so that rows are not a power of two apart, where they would compete for the same cache sets.
pub(super) const GAP: usize = 16;

/// Rows on the tape.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Matrix {
    pub(super) offset: usize,
    pub(super) rows: usize,
    /// Samples of a row.
    pub(super) len: usize,
}

impl Matrix {
    pub(super) fn stride(&self) -> usize {
        self.len + GAP
    }

    pub(super) fn end(&self) -> usize {
        self.offset + self.rows * self.stride()
    }

    /// The last `tail` samples of the rows, in memory that begins at `base` of the tape.
    pub(super) fn tail<'a, T>(&self, memory: &'a [T], base: usize, tail: usize) -> Rows<'a, T> {
        Rows::new(&memory[self.offset - base + self.len - tail..self.end() - base], self.stride())
    }

    /// As [`tail`](Self::tail), for writing.
    pub(super) fn tail_mut<'a, T>(&self, memory: &'a mut [T], base: usize, tail: usize) -> RowsMut<'a, T> {
        RowsMut::new(&mut memory[self.offset - base + self.len - tail..self.end() - base], self.stride())
    }
}

/// The signals of one layer.
#[derive(Debug, Clone)]
pub(super) struct LayerRows {
    /// The input: `channels` rows.
    pub(super) hidden: Matrix,
    /// The arguments of the activations, if a derivative needs them: as many rows as the convolution has outputs.
    pub(super) arguments: Option<Matrix>,
    /// The activations: as many rows as the convolution has outputs.
    pub(super) values: Matrix,
    /// The product with the gate.
    pub(super) product: Option<Matrix>,
}

impl LayerRows {
    /// The output of the layer.
    pub(super) fn output(&self) -> &Matrix {
        self.product.as_ref().unwrap_or(&self.values)
    }
}

/// The signals of one array.
#[derive(Debug, Clone)]
pub(super) struct ArrayRows {
    pub(super) layers: Vec<LayerRows>,
    /// The residual signal after the last layer, which may be empty.
    pub(super) residual: Matrix,
    /// The input of the head: its sum, or the residual signal.
    pub(super) sum: Matrix,
    /// Samples that the head computes.
    pub(super) head_len: usize,
}

/// The signals of one crop.
#[derive(Debug, Clone)]
pub(super) struct Geometry {
    /// The input, preceded by zeros: one row.
    pub(super) input: Matrix,
    pub(super) arrays: Vec<ArrayRows>,
    /// The last head's output before the scale: one row.
    pub(super) head: Matrix,
    pub(super) n_samples: usize,
    pub(super) n_outputs: usize,
}

/// How long the signals of an array must be.
struct Needs {
    hidden: Vec<usize>,
    values: Vec<usize>,
    residual: usize,
    sum: usize,
    head: usize,
}

impl Needs {
    /// For `head` samples of the head output and `residual` of the residual signal.
    fn of(array: &Array, head: usize, residual: usize) -> Needs {
        let sum = (head + array.head.reach()).next_multiple_of(BLOCK);
        let reads_residual = array.head_from == HeadFrom::Residual;
        let residual = if reads_residual { residual.max(sum) } else { residual };
        let (mut hidden, mut values) = (Vec::new(), Vec::new());
        let mut next = residual;
        for layer in array.layers.iter().rev() {
            let len = if reads_residual { next } else { next.max(sum) };
            next = (len + layer.conv.reach()).next_multiple_of(BLOCK);
            values.push(len);
            hidden.push(next);
        }
        hidden.reverse();
        values.reverse();
        Needs { hidden, values, residual, sum, head }
    }
}

impl Geometry {
    /// For a crop of `n_samples`, at least a receptive field.
    pub(super) fn new(plan: &Plan, n_samples: usize) -> Geometry {
        let n_outputs = n_samples + 1 - plan.receptive_field;
        let mut needs = Vec::new();
        let (mut head, mut residual) = (n_outputs.next_multiple_of(BLOCK), 0);
        for array in plan.arrays.iter().rev() {
            let need = Needs::of(array, head, residual);
            (head, residual) = (need.sum, need.hidden[0]);
            needs.push(need);
        }
        let mut layout = Layout(0);
        let input = layout.matrix(1, residual);
        let needs = plan.arrays.iter().zip(needs.into_iter().rev());
        let arrays = needs.map(|(array, needs)| layout.array(array, &needs)).collect();
        let head = layout.matrix(1, n_outputs.next_multiple_of(BLOCK));
        Geometry { input, arrays, head, n_samples, n_outputs }
    }

    /// Values on the tape of one crop.
    pub(super) fn tape_len(&self) -> usize {
        self.head.end()
    }

    /// Every matrix of the tape.
    pub(super) fn matrices(&self) -> impl Iterator<Item = &Matrix> {
        let arrays = self.arrays.iter().flat_map(|array| {
            let layers = array.layers.iter().flat_map(|layer| {
                [Some(&layer.hidden), layer.arguments.as_ref(), Some(&layer.values), layer.product.as_ref()]
            });
            layers.flatten().chain([&array.residual, &array.sum])
        });
        std::iter::once(&self.input).chain(arrays).chain([&self.head])
    }
}

/// Allocates the tape from its start.
struct Layout(usize);

impl Layout {
    fn matrix(&mut self, rows: usize, len: usize) -> Matrix {
        let matrix = Matrix { offset: self.0, rows, len };
        self.0 = matrix.end();
        matrix
    }

    fn array(&mut self, array: &Array, needs: &Needs) -> ArrayRows {
        let lengths = needs.hidden.iter().zip(&needs.values);
        let layers = array.layers.iter().zip(lengths).map(|(layer, (&hidden, &values))| LayerRows {
            hidden: self.matrix(array.channels, hidden),
            arguments: keeps_arguments(layer).then(|| self.matrix(layer.conv.outputs, values)),
            values: self.matrix(layer.conv.outputs, values),
            product: layer.gate.is_some().then(|| self.matrix(layer.width, values)),
        });
        let layers = layers.collect();
        let residual = self.matrix(if needs.residual > 0 { array.channels } else { 0 }, needs.residual);
        let sum = match array.head_from {
            HeadFrom::Sum => self.matrix(array.head.inputs, needs.sum),
            HeadFrom::Residual => residual,
        };
        ArrayRows { layers, residual, sum, head_len: needs.head }
    }
}

fn keeps_arguments(layer: &Layer) -> bool {
    layer.activation.keeps_argument() || layer.gate.as_ref().is_some_and(|gate| gate.keeps_argument())
}
