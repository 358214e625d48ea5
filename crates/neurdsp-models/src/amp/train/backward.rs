//! The backward pass over one crop: the adjoints of the forward stages, in reverse order.
//!
//! Signals are processed in tiles from their end to their beginning, so that a tile of the gradient is still in the cache
//! when the adjoint of the convolution reads it. Gradients are padded with zeros, so that no stage needs to know where
//! later ones began.

use neurdsp_nn::train::{Activation, BLOCK, Convolution, Element, Start, WeightGradient};
use neurdsp_nn::train::{accumulate, multiply};
use neurdsp_simd::Isa;

use super::geometry::{ArrayRows, Geometry, LayerRows, Matrix};
use super::plan::{Affine, Array, HeadFrom, Layer, Plan, Residual};
use super::scratch::{Grid, Scratch, Sums};
use super::tiles::{TILE, Tile, tiles};

/// The transposed weights in kernel order, shared by all crops of a step.
pub(super) struct Backward<'a, T> {
    plan: &'a Plan,
    weights: &'a [T],
    arrays: Vec<PackedArray<T>>,
    /// Whether the gradient with respect to the input is needed.
    input: bool,
    isa: Isa,
}

struct PackedArray<T> {
    rechannel: Convolution<T>,
    layers: Vec<PackedLayer<T>>,
    head: Convolution<T>,
}

struct PackedLayer<T> {
    conv: Convolution<T>,
    mixin: Option<Convolution<T>>,
    residual: Option<Convolution<T>>,
    head: Option<Convolution<T>>,
}

/// One layer with its plan, its rows and its weights.
struct Parts<'a, T> {
    array: &'a Array,
    layer: &'a Layer,
    packed: &'a PackedLayer<T>,
    rows: &'a LayerRows,
    /// Samples of the layer's residual output that a later stage reads.
    next_len: usize,
    sum_len: usize,
    tape: &'a [T],
}

impl<'a, T: Element> Backward<'a, T> {
    pub(super) fn new(plan: &'a Plan, weights: &'a [T], input: bool, isa: Isa) -> Self {
        let pack = |affine: &Affine| {
            let weight = &weights[affine.weight.clone()];
            Convolution::adjoint(weight, affine.outputs, affine.inputs, affine.taps, affine.dilation, isa)
        };
        let layer = |layer: &Layer| PackedLayer {
            conv: pack(&layer.conv),
            mixin: layer.mixin.clone().filter(|_| input).map(|mixin| {
                let outputs = mixin.len();
                Convolution::adjoint(&weights[mixin], outputs, 1, 1, 1, isa)
            }),
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
        Self { plan, weights, arrays: plan.arrays.iter().map(array).collect(), input, isa }
    }

    /// Adds the gradient of a crop with respect to the weights to `gradient`, and writes the one with respect to its input.
    pub(super) fn run(
        &self,
        geometry: &Geometry,
        tape: &[T],
        output_gradient: &[T],
        gradient: &mut [T],
        input_gradient: &mut [T],
        scratch: &mut Scratch<T>,
    ) {
        let n_input = geometry.input.len;
        scratch.pair.reshape(2, n_input);
        let mut pair = scratch.pair.tail_mut(n_input);
        pair.row(0, n_input).copy_from_slice(&tape[..n_input]);
        pair.row(1, n_input).fill(T::from_f64(1.0));
        if self.input {
            scratch.input.zeros(1, n_input);
        }
        for (i, rows) in geometry.arrays.iter().enumerate().rev() {
            let array = &self.plan.arrays[i];
            if i + 1 == geometry.arrays.len() {
                self.seed(geometry, array, rows, tape, output_gradient, gradient, scratch);
                scratch.hidden.zeros(array.channels, rows.layers[0].hidden.len);
            } else {
                // The sum of the next array starts from this head output.
                let Scratch { sum, outputs, .. } = scratch;
                place(&array.head, rows, outputs, |row, samples| {
                    samples.copy_from_slice(sum.tail(rows.head_len).row(row, rows.head_len));
                });
            }
            self.head(i, rows, tape, gradient, scratch);
            for l in (0..rows.layers.len()).rev() {
                self.layer(i, l, rows, tape, gradient, scratch);
            }
            let before = i.checked_sub(1).map(|before| &geometry.arrays[before]);
            self.rechannel(i, rows, before, tape, gradient, scratch);
        }
        if self.input {
            let len = geometry.n_samples;
            input_gradient.copy_from_slice(scratch.input.tail(len).row(0, len));
        }
    }

    /// The gradient with respect to the last head's output, and to the factor that follows it.
    #[allow(clippy::too_many_arguments)]
    fn seed(
        &self,
        geometry: &Geometry,
        array: &Array,
        rows: &ArrayRows,
        tape: &[T],
        output_gradient: &[T],
        gradient: &mut [T],
        scratch: &mut Scratch<T>,
    ) {
        let len = geometry.n_outputs;
        let scale = self.plan.head_scale.map_or(T::from_f64(1.0), |at| self.weights[at]);
        place(&array.head, rows, &mut scratch.outputs, |_, samples| {
            let (before, samples) = samples.split_at_mut(samples.len() - len);
            before.fill(T::default());
            for (target, &value) in samples.iter_mut().zip(output_gradient) {
                *target = scale * value;
            }
        });
        if let Some(at) = self.plan.head_scale {
            let head = geometry.head.tail(tape, 0, len).row(0, len);
            let products = head.iter().zip(output_gradient).map(|(a, b)| a.to_f64() * b.to_f64());
            gradient[at] += T::from_f64(products.sum());
        }
    }

    /// From the gradient of the head output of array `i` to the gradient of the head's input.
    fn head(&self, i: usize, rows: &ArrayRows, tape: &[T], gradient: &mut [T], scratch: &mut Scratch<T>) {
        let (array, adjoint) = (&self.plan.arrays[i], &self.arrays[i].head);
        let Scratch { pair, hidden, sum, outputs, sums, .. } = scratch;
        let affine = &array.head;
        let ahead = affine.reach().next_multiple_of(BLOCK);
        sums.start_affine(affine);
        for Tile { tail, len } in tiles(rows.head_len) {
            let own = outputs.tail(ahead + tail);
            sums.conv.add(rows.sum.tail(tape, 0, tail + affine.reach()), own, len);
            sums.head_bias.add(pair.tail(tail).from_row(1), own, len);
        }
        finish(affine, &sums.conv, &sums.head_bias, gradient);
        let from = outputs.tail(ahead + rows.sum.len);
        match array.head_from {
            HeadFrom::Sum => {
                let longest = rows.layers.iter().map(|layer| layer.values.len).max().unwrap_or(0);
                sum.zeros(affine.inputs, longest.max(rows.sum.len));
                adjoint.run(from, Start::Zero, None, &mut sum.tail_mut(rows.sum.len), rows.sum.len);
            }
            HeadFrom::Residual => {
                let mut target = hidden.tail_mut(rows.sum.len);
                adjoint.run(from, Start::Output(None), None, &mut target, rows.sum.len);
            }
        }
    }

    /// From the gradients of the outputs of layer `l` of array `i` to the gradient of its input.
    fn layer(
        &self,
        i: usize,
        l: usize,
        rows: &ArrayRows,
        tape: &[T],
        gradient: &mut [T],
        scratch: &mut Scratch<T>,
    ) {
        let array = &self.plan.arrays[i];
        let next_len = rows.layers.get(l + 1).map_or(rows.residual.len, |next| next.hidden.len);
        let (layer, packed) = (&array.layers[l], &self.arrays[i].layers[l]);
        let sum_len = rows.sum.len;
        let parts = Parts { array, layer, packed, rows: &rows.layers[l], next_len, sum_len, tape };
        let Scratch { pair, hidden, sum, outputs, gated, input, sums, .. } = scratch;

        let (values, taken) = (parts.rows.values.len, parts.rows.hidden.len);
        let ahead = layer.conv.reach().next_multiple_of(BLOCK);
        outputs.reshape(layer.conv.outputs, taken + ahead);
        for row in 0..layer.conv.outputs {
            outputs.tail_mut(taken + ahead).row(row, taken - values).fill(T::default());
            outputs.tail_mut(ahead).row(row, ahead).fill(T::default());
        }
        if layer.gate.is_some() {
            gated.reshape(layer.width, TILE);
        }
        sums.start_layer(layer);
        for tile in tiles(values).rev() {
            self.activation(&parts, tile, ahead, hidden, sum, outputs, gated);
            sums.add(&parts, tile, ahead, pair, hidden, sum, outputs);
            let Tile { tail, len } = tile;
            let own = outputs.tail(ahead + tail);
            packed.conv.run(own, Start::Output(None), None, &mut hidden.tail_mut(tail), len);
            if let Some(mixin) = &packed.mixin {
                mixin.run(own, Start::Output(None), None, &mut input.tail_mut(tail), len);
            }
        }
        let (own, len) = (outputs.tail(ahead + taken), taken - values);
        packed.conv.run(own, Start::Output(None), None, &mut hidden.tail_mut(taken), len);
        sums.finish(layer, next_len, gradient);
    }

    /// The gradient of the outputs of a layer's convolution in one tile.
    #[allow(clippy::too_many_arguments)]
    fn activation(
        &self,
        parts: &Parts<'_, T>,
        Tile { tail, len }: Tile,
        ahead: usize,
        hidden: &Grid<T>,
        sum: &Grid<T>,
        outputs: &mut Grid<T>,
        gated: &mut Grid<T>,
    ) {
        let Parts { array, layer, packed, rows, next_len, tape, .. } = *parts;
        // The gradient of the layer's outputs: from the head signal, and from the residual signal.
        {
            let mut target =
                if layer.gate.is_some() { gated.tail_mut(TILE) } else { outputs.tail_mut(ahead + tail) };
            let start = match (&packed.head, array.head_from) {
                (Some(adjoint), _) => {
                    adjoint.run(sum.tail(tail), Start::Zero, None, &mut target, len);
                    Start::Output(None)
                }
                (None, HeadFrom::Sum) => Start::Rows(sum.tail(tail), None),
                (None, HeadFrom::Residual) => Start::Zero,
            };
            match &packed.residual {
                Some(adjoint) if next_len > 0 => {
                    adjoint.run(hidden.tail(tail), start, None, &mut target, len);
                }
                _ => {
                    for row in 0..layer.width {
                        let samples = target.row(row, len);
                        match start {
                            Start::Rows(from, _) => samples.copy_from_slice(from.row(row, len)),
                            Start::Zero | Start::Bias(_) => samples.fill(T::default()),
                            Start::Output(_) => {}
                        }
                        if matches!(layer.residual, Residual::Activation) && next_len > 0 {
                            accumulate(hidden.tail(tail).row(row, len), samples, self.isa);
                        }
                    }
                }
            }
        }
        let mut target = outputs.tail_mut(ahead + tail);
        let values = rows.values.tail(tape, 0, tail);
        let arguments = rows.arguments.map_or(values, |arguments| arguments.tail(tape, 0, tail));
        let kept = |activation: &Activation| if activation.keeps_argument() { arguments } else { values };
        for row in 0..layer.width {
            if let Some(gate) = &layer.gate {
                let (from, second) = (gated.tail(TILE).row(row, len), layer.width + row);
                multiply(from, values.row(row, len), target.row(second, len), self.isa);
                gate.differentiate(row, kept(gate).row(second, len), target.row(second, len), self.isa);
                multiply(from, values.row(second, len), target.row(row, len), self.isa);
            }
            let argument = kept(&layer.activation).row(row, len);
            layer.activation.differentiate(row, argument, target.row(row, len), self.isa);
        }
    }

    /// From the gradient of the residual signal at the start of array `i` to the gradient of the input, or of the residual
    /// signal of the array before.
    fn rechannel(
        &self,
        i: usize,
        rows: &ArrayRows,
        before: Option<&ArrayRows>,
        tape: &[T],
        gradient: &mut [T],
        scratch: &mut Scratch<T>,
    ) {
        let Scratch { pair, hidden, other, input, sums, .. } = scratch;
        let (affine, adjoint) = (&self.plan.arrays[i].rechannel, &self.arrays[i].rechannel);
        let taken = rows.layers[0].hidden.len;
        let from: Option<Matrix> = before.map(|before| before.residual);
        sums.start_affine(affine);
        for Tile { tail, len } in tiles(taken) {
            let own = hidden.tail(tail);
            let signal = from.map_or(pair.tail(tail), |from| from.tail(tape, 0, tail));
            sums.conv.add(signal, own, len);
            sums.head_bias.add(pair.tail(tail).from_row(1), own, len);
        }
        finish(affine, &sums.conv, &sums.head_bias, gradient);
        if let Some(before) = before {
            other.zeros(affine.inputs, before.layers[0].hidden.len);
            adjoint.run(hidden.tail(taken), Start::Zero, None, &mut other.tail_mut(taken), taken);
            std::mem::swap(hidden, other);
        } else if self.input {
            adjoint.run(hidden.tail(taken), Start::Output(None), None, &mut input.tail_mut(taken), taken);
        }
    }
}

impl<T: Element> Sums<T> {
    /// Starts the sums of a convolution that stands alone, in `conv` and `head_bias`.
    fn start_affine(&mut self, affine: &Affine) {
        self.conv.start(affine.outputs, affine.inputs, affine.taps, affine.dilation);
        self.head_bias.start(affine.outputs, 1, 1, 1);
    }

    fn start_layer(&mut self, layer: &Layer) {
        let conv = &layer.conv;
        self.conv.start(conv.outputs, conv.inputs, conv.taps, conv.dilation);
        self.pair.start(conv.outputs, 2, 1, 1);
        if let Residual::Affine(affine) = &layer.residual {
            self.residual.start(affine.outputs, affine.inputs, 1, 1);
            self.residual_bias.start(affine.outputs, 1, 1, 1);
        }
        if let Some(affine) = &layer.head {
            self.head.start(affine.outputs, affine.inputs, 1, 1);
            self.head_bias.start(affine.outputs, 1, 1, 1);
        }
    }

    /// Adds one tile of a layer.
    #[allow(clippy::too_many_arguments)]
    fn add(
        &mut self,
        parts: &Parts<'_, T>,
        tile: Tile,
        ahead: usize,
        pair: &Grid<T>,
        hidden: &Grid<T>,
        sum: &Grid<T>,
        outputs: &Grid<T>,
    ) {
        let Parts { layer, rows, next_len, sum_len, tape, .. } = *parts;
        let Tile { tail, len } = tile;
        let own = outputs.tail(ahead + tail);
        self.conv.add(rows.hidden.tail(tape, 0, tail + layer.conv.reach()), own, len);
        self.pair.add(pair.tail(tail), own, len);
        if let (Residual::Affine(_), Some(Tile { tail, len })) = (&layer.residual, tile.within(next_len)) {
            self.residual.add(rows.output().tail(tape, 0, tail), hidden.tail(tail), len);
            self.residual_bias.add(pair.tail(tail).from_row(1), hidden.tail(tail), len);
        }
        if let (Some(_), Some(Tile { tail, len })) = (&layer.head, tile.within(sum_len)) {
            self.head.add(rows.output().tail(tape, 0, tail), sum.tail(tail), len);
            self.head_bias.add(pair.tail(tail).from_row(1), sum.tail(tail), len);
        }
    }

    /// Adds the sums of a layer to the gradient.
    fn finish(&self, layer: &Layer, next_len: usize, gradient: &mut [T]) {
        self.conv.finish(&mut gradient[layer.conv.weight.clone()]);
        let mut pair = vec![T::default(); 2 * layer.conv.outputs];
        self.pair.finish(&mut pair);
        for (column, range) in [&layer.mixin, &layer.conv.bias].into_iter().enumerate() {
            if let Some(range) = range.clone() {
                for (sum, pair) in gradient[range].iter_mut().zip(pair.chunks_exact(2)) {
                    *sum += pair[column];
                }
            }
        }
        if let (Residual::Affine(affine), true) = (&layer.residual, next_len > 0) {
            finish(affine, &self.residual, &self.residual_bias, gradient);
        }
        if let Some(affine) = &layer.head {
            finish(affine, &self.head, &self.head_bias, gradient);
        }
    }
}

/// Lets `fill` write the gradient of a head's output, padded with the zeros that the adjoint reads.
fn place<T: Element>(head: &Affine, rows: &ArrayRows, outputs: &mut Grid<T>, fill: impl Fn(usize, &mut [T])) {
    let ahead = head.reach().next_multiple_of(BLOCK);
    outputs.zeros(head.outputs, rows.sum.len + ahead);
    for row in 0..head.outputs {
        fill(row, outputs.tail_mut(ahead + rows.head_len).row(row, rows.head_len));
    }
}

/// Adds the sums of one convolution to the gradient.
fn finish<T: Element>(
    affine: &Affine,
    weight: &WeightGradient<T>,
    bias: &WeightGradient<T>,
    gradient: &mut [T],
) {
    weight.finish(&mut gradient[affine.weight.clone()]);
    if let Some(range) = affine.bias.clone() {
        bias.finish(&mut gradient[range]);
    }
}
