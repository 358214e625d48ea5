//! Layers in single precision or in int8, for one row.

use neurdsp_nn::dense::Dense;
use neurdsp_nn::int8::{Int8Dense, Int8Lstm};
use neurdsp_nn::{Lstm, dense::padded};

/// A matrix and a bias.
#[derive(Debug)]
pub(super) enum Linear {
    Float(Dense),
    Int8(Int8Dense),
}

impl Linear {
    /// Maps a row to a row, both padded, or adds to what is there if `adds`.
    #[inline]
    pub(super) fn run(&self, from: &[f32], to: &mut [f32], adds: bool) {
        match self {
            Linear::Float(layer) => layer.run(from, from.len(), to, to.len(), 1, adds),
            Linear::Int8(layer) => layer.run(from, to, adds),
        }
    }
}

/// An LSTM layer.
#[derive(Debug)]
pub(super) enum Recurrent {
    /// With the values of a hidden frame.
    Float(Lstm, usize),
    Int8(Int8Lstm),
}

impl Recurrent {
    /// Values that a run remembers, then values that it works in, all padded.
    pub(super) fn memory(&self) -> [usize; 2] {
        match self {
            Recurrent::Float(_, stride) => [2 * padded(*stride), 2 * padded(*stride)],
            Recurrent::Int8(layer) => [2 * layer.stride(), layer.scratch()],
        }
    }

    /// Makes one step with a padded row of inputs. The state begins with the hidden values, which are a padded row too.
    #[inline]
    pub(super) fn step(&self, input: &[f32], state: &mut [f32], scratch: &mut [f32]) {
        let (hidden, cell) = state.split_at_mut(state.len() / 2);
        match self {
            Recurrent::Float(layer, stride) => {
                // The kernel reads the frame before and writes the next one behind it.
                let (frames, cell) = (&mut scratch[..2 * stride], &mut cell[..*stride]);
                frames[..*stride].copy_from_slice(&hidden[..*stride]);
                layer.run(input, input.len(), frames, cell);
                hidden[..*stride].copy_from_slice(&frames[*stride..]);
            }
            Recurrent::Int8(layer) => layer.step(input, hidden, cell, scratch),
        }
    }
}
