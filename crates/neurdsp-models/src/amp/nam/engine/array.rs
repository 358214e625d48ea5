//! A stack of layers of the same width, and the head over their sum.

use neurdsp_nn::planar::{Affine, AffineShape, Base, Input, PlanarBlock, PlanarRing, Rows, RowsMut};
use neurdsp_simd::Isa;

use super::film::affine;
use super::layer::{LayerState, PreparedLayer, Scratch, ScratchSize};
use super::pass::Pass;
use crate::amp::nam::LayerArray;
use crate::amp::nam::conventions::Conventions;
use crate::error::Result;

/// A layer array with its weights prepared.
#[derive(Debug)]
pub(super) struct PreparedArray {
    rechannel: Affine,
    layers: Vec<PreparedLayer>,
    head: Affine,
    channels: usize,
    /// Whether another array follows, which needs the last residual signal.
    goes_on: bool,
}

/// The past of an array.
#[derive(Debug)]
pub(super) struct ArrayState {
    layers: Vec<LayerState>,
    /// The sums of the head signals.
    head: PlanarRing,
    /// The residual signal after the last layer, for the next array.
    residual: PlanarBlock,
}

impl PreparedArray {
    /// `scale` scales the head output; `goes_on` says whether another array follows.
    pub(super) fn new(
        array: &LayerArray,
        scale: f32,
        goes_on: bool,
        conventions: Conventions,
        isa: Isa,
    ) -> Result<PreparedArray> {
        let layers = array.layers.iter();
        let layers = layers.map(|layer| PreparedLayer::new(layer, array.bottleneck, conventions, isa));
        let mut head = array.head.clone();
        head.weight.iter_mut().chain(head.bias.iter_mut().flatten()).for_each(|value| *value *= scale);
        Ok(PreparedArray {
            rechannel: affine(&array.rechannel, isa)?,
            layers: layers.collect::<Result<_>>()?,
            head: affine(&head, isa)?,
            channels: array.channels,
            goes_on,
        })
    }

    pub(super) fn enlarge(&self, size: &mut ScratchSize) {
        self.layers.iter().for_each(|layer| layer.enlarge(size));
    }

    pub(super) fn state(&self) -> Result<ArrayState> {
        let head: &AffineShape = self.head.shape();
        Ok(ArrayState {
            layers: self.layers.iter().map(PreparedLayer::state).collect::<Result<_>>()?,
            head: PlanarRing::new(head.inputs, head.history())?,
            residual: PlanarBlock::new(if self.goes_on { self.channels } else { 0 }),
        })
    }

    /// Runs the array on `input`. `is_first` is whether no array came before, which would have written to
    /// [`head_incoming`](ArrayState::head_incoming).
    #[allow(clippy::too_many_arguments)]
    pub(super) fn run(
        &self,
        state: &mut ArrayState,
        input: Rows<'_>,
        condition: Rows<'_>,
        is_first: bool,
        output: &mut RowsMut<'_>,
        scratch: &mut Scratch,
        pass: Pass,
    ) {
        let frames = pass.frames();
        if let Some(first) = state.layers.first_mut() {
            self.rechannel.run(Input::Rows(input), None, Base::Zero, &mut first.incoming(), frames);
        }
        let mut head_base = if is_first { Base::Zero } else { Base::Output };
        let mut head = state.head.incoming();
        let mut states = &mut state.layers[..];
        for layer in &self.layers {
            let Some((now, later)) = states.split_first_mut() else { break };
            let mut next = match later.first_mut() {
                Some(next) => Some(next.incoming()),
                None if self.goes_on => Some(state.residual.rows_mut()),
                None => None,
            };
            layer.run(now, condition, (head_base, &mut head), next.as_mut(), scratch, pass);
            head_base = Base::Output;
            states = later;
        }
        pass.commit(&mut state.head);
        self.head.run(Input::Ring(&state.head), None, Base::Zero, output, frames);
        state.head.advance(frames);
    }
}

impl ArrayState {
    /// The destination of the previous array's head output.
    pub(super) fn head_incoming(&mut self) -> RowsMut<'_> {
        self.head.incoming()
    }

    /// The residual signal after the last layer.
    pub(super) fn residual(&self) -> Rows<'_> {
        self.residual.rows()
    }
}
