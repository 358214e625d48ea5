//! The forward pass over one crop, which records on the tape what the backward pass reads.

use neurdsp_nn::train::{Convolution, Element, Start, accumulate, multiply};
use neurdsp_simd::Isa;

use super::geometry::{ArrayRows, GAP, Geometry, LayerRows, Matrix};
use super::plan::{Affine, Array, HeadFrom, Layer, Plan, Residual};
use super::tiles::{Tile, tiles};

/// The weights in kernel order, shared by all crops of a step.
pub(super) struct Forward<'a, T> {
    plan: &'a Plan,
    weights: &'a [T],
    arrays: Vec<PackedArray<T>>,
    isa: Isa,
}

struct PackedArray<T> {
    rechannel: Convolution<T>,
    layers: Vec<PackedLayer<T>>,
    head: Convolution<T>,
}

struct PackedLayer<T> {
    conv: Convolution<T>,
    residual: Option<Convolution<T>>,
    head: Option<Convolution<T>>,
}

impl<'a, T: Element> Forward<'a, T> {
    pub(super) fn new(plan: &'a Plan, weights: &'a [T], isa: Isa) -> Self {
        let pack = |affine: &Affine| {
            let weight = &weights[affine.weight.clone()];
            Convolution::new(weight, affine.outputs, affine.inputs, affine.taps, affine.dilation, isa)
        };
        let layer = |layer: &Layer| PackedLayer {
            conv: pack(&layer.conv),
            residual: match &layer.residual {
                Residual::Affine(affine) => Some(pack(affine)),
                Residual::Activation | Residual::Nothing => None,
            },
            head: layer.head.as_ref().map(pack),
        };
        let array = |array: &Array| PackedArray {
            rechannel: pack(&array.rechannel),
            layers: array.layers.iter().map(layer).collect(),
            head: pack(&array.head),
        };
        Self { plan, weights, arrays: plan.arrays.iter().map(array).collect(), isa }
    }

    fn bias(&self, affine: &Affine) -> Option<&'a [T]> {
        affine.bias.clone().map(|bias| &self.weights[bias])
    }

    fn start(&self, affine: &Affine) -> Start<'a, T> {
        self.bias(affine).map_or(Start::Zero, Start::Bias)
    }

    /// Computes the outputs of a crop, and everything on its tape.
    pub(super) fn run(&self, geometry: &Geometry, input: &[T], output: &mut [T], tape: &mut [T]) {
        for matrix in geometry.matrices() {
            for row in 0..matrix.rows {
                tape[matrix.offset + row * matrix.stride() + matrix.len..][..GAP].fill(T::default());
            }
        }
        let (x, _) = tape.split_at_mut(geometry.input.len);
        let before = x.len() - input.len();
        x[..before].fill(T::default());
        x[before..].copy_from_slice(input);
        let mut previous = geometry.input;
        for (i, rows) in geometry.arrays.iter().enumerate() {
            let (array, packed) = (&self.plan.arrays[i], &self.arrays[i]);
            self.connect(&packed.rechannel, &array.rechannel, previous, rows.layers[0].hidden, tape);
            if i > 0 {
                self.head(i - 1, &geometry.arrays[i - 1], rows.sum, tape);
            } else if array.head_from == HeadFrom::Sum {
                tape[rows.sum.offset..rows.sum.end()].fill(T::default());
            }
            self.array(array, packed, rows, geometry.input, tape);
            previous = rows.residual;
        }
        if let Some(last) = geometry.arrays.last() {
            self.head(geometry.arrays.len() - 1, last, geometry.head, tape);
        }
        let scale = self.plan.head_scale.map_or(T::from_f64(1.0), |at| self.weights[at]);
        let head = geometry.head.tail(tape, 0, geometry.n_outputs).row(0, geometry.n_outputs);
        for (output, &head) in output.iter_mut().zip(head) {
            *output = scale * head;
        }
    }

    /// Runs a convolution of one tap from rows to later rows.
    fn connect(&self, conv: &Convolution<T>, affine: &Affine, from: Matrix, to: Matrix, tape: &mut [T]) {
        let (before, after) = tape.split_at_mut(to.offset);
        let mut output = to.tail_mut(after, to.offset, to.len);
        conv.run(from.tail(before, 0, to.len), self.start(affine), None, &mut output, to.len);
    }

    /// Writes the head output of array `i`.
    fn head(&self, i: usize, rows: &ArrayRows, to: Matrix, tape: &mut [T]) {
        let affine = &self.plan.arrays[i].head;
        let (before, after) = tape.split_at_mut(to.offset);
        let input = rows.sum.tail(before, 0, rows.head_len + affine.reach());
        let mut output = to.tail_mut(after, to.offset, rows.head_len);
        self.arrays[i].head.run(input, self.start(affine), None, &mut output, rows.head_len);
    }

    fn array(&self, array: &Array, packed: &PackedArray<T>, rows: &ArrayRows, input: Matrix, tape: &mut [T]) {
        for (l, layer) in array.layers.iter().enumerate() {
            let (packed, own) = (&packed.layers[l], &rows.layers[l]);
            let next = rows.layers.get(l + 1).map_or(rows.residual, |next| next.hidden);
            for tile in tiles(own.values.len) {
                self.activation(layer, packed, own, input, tile, tape);
                if array.head_from == HeadFrom::Sum
                    && let Some(tile) = tile.within(rows.sum.len)
                {
                    self.add_to_sum(layer, packed, own, rows.sum, tile, tape);
                }
                if let Some(tile) = tile.within(next.len) {
                    self.residual(layer, packed, own, next, tile, tape);
                }
            }
        }
    }

    /// Convolution, mixin, activation and gate.
    fn activation(
        &self,
        layer: &Layer,
        packed: &PackedLayer<T>,
        rows: &LayerRows,
        input: Matrix,
        tile: Tile,
        tape: &mut [T],
    ) {
        let Tile { tail, len } = tile;
        let target = rows.arguments.unwrap_or(rows.values);
        {
            let (before, after) = tape.split_at_mut(target.offset);
            let x = input.tail(before, 0, tail).row(0, len);
            let mixin = layer.mixin.clone().map(|mixin| (&self.weights[mixin], x));
            let hidden = rows.hidden.tail(before, 0, tail + layer.conv.reach());
            let mut output = target.tail_mut(after, target.offset, tail);
            packed.conv.run(hidden, self.start(&layer.conv), mixin, &mut output, len);
        }
        let (before, after) = tape.split_at_mut(rows.values.offset);
        let mut values = rows.values.tail_mut(after, rows.values.offset, tail);
        for row in 0..layer.conv.outputs {
            let samples = values.row(row, len);
            if let Some(arguments) = rows.arguments {
                samples.copy_from_slice(arguments.tail(before, 0, tail).row(row, len));
            }
            match &layer.gate {
                Some(gate) if row >= layer.width => gate.apply(row - layer.width, samples, self.isa),
                _ => layer.activation.apply(row, samples, self.isa),
            }
        }
        if let Some(product) = rows.product {
            let (before, after) = tape.split_at_mut(product.offset);
            let values = rows.values.tail(before, 0, tail);
            let mut output = product.tail_mut(after, product.offset, tail);
            for row in 0..layer.width {
                let gate = values.row(layer.width + row, len);
                multiply(values.row(row, len), gate, output.row(row, len), self.isa);
            }
        }
    }

    fn add_to_sum(
        &self,
        layer: &Layer,
        packed: &PackedLayer<T>,
        rows: &LayerRows,
        sum: Matrix,
        Tile { tail, len }: Tile,
        tape: &mut [T],
    ) {
        let (before, after) = tape.split_at_mut(sum.offset);
        let values = rows.output().tail(before, 0, tail);
        let mut sum_rows = sum.tail_mut(after, sum.offset, tail);
        match (&layer.head, &packed.head) {
            (Some(affine), Some(conv)) => {
                conv.run(values, Start::Output(self.bias(affine)), None, &mut sum_rows, len);
            }
            _ => {
                for row in 0..sum.rows {
                    accumulate(values.row(row, len), sum_rows.row(row, len), self.isa);
                }
            }
        }
    }

    fn residual(
        &self,
        layer: &Layer,
        packed: &PackedLayer<T>,
        rows: &LayerRows,
        next: Matrix,
        Tile { tail, len }: Tile,
        tape: &mut [T],
    ) {
        let (before, after) = tape.split_at_mut(next.offset);
        let hidden = rows.hidden.tail(before, 0, tail);
        let values = rows.output().tail(before, 0, tail);
        let mut next_rows = next.tail_mut(after, next.offset, tail);
        match (&layer.residual, &packed.residual) {
            (Residual::Affine(affine), Some(conv)) => {
                let start = Start::Rows(hidden, self.bias(affine));
                conv.run(values, start, None, &mut next_rows, len);
            }
            (kind, _) => {
                for row in 0..next.rows {
                    let output = next_rows.row(row, len);
                    output.copy_from_slice(hidden.row(row, len));
                    if matches!(kind, Residual::Activation) {
                        accumulate(values.row(row, len), output, self.isa);
                    }
                }
            }
        }
    }
}
