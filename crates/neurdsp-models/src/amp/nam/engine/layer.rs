//! One layer of a WaveNet: from the residual signal and the condition to the next residual signal and the head's sum.

use neurdsp_nn::planar::{
    self, Affine, AffineShape, Base, Input, PlainLayer, PlainWeights, PlanarBlock, PlanarRing, Rows, RowsMut,
    accumulate, blend, multiply,
};
use neurdsp_simd::Isa;

use super::film::{PreparedFilm, affine};
use super::mixin::MixinApart;
use super::pass::Pass;
use crate::amp::nam::conventions::Conventions;
use crate::amp::nam::{Activation, Film, Films, Gating, Layer};
use crate::error::Result;

/// A layer with its weights prepared.
#[derive(Debug)]
pub(super) struct PreparedLayer {
    channels: usize,
    bottleneck: usize,
    /// The whole layer in one kernel, if it is plain and narrow.
    whole: Option<PlainLayer>,
    /// With the mixin as its second input, unless a modulation acts on one of them alone.
    conv: Affine,
    apart: Option<MixinApart>,
    activation: planar::Activation,
    gate: Gate,
    layer1x1: Option<Affine>,
    /// Whether the activation is added to the residual signal if there is no `layer1x1`.
    adds_activation: bool,
    head1x1: Option<Affine>,
    conv_pre: Option<PreparedFilm>,
    activation_pre: Option<PreparedFilm>,
    activation_post: Option<PreparedFilm>,
    layer1x1_post: Option<PreparedFilm>,
    head1x1_post: Option<PreparedFilm>,
    isa: Isa,
}

#[derive(Debug)]
enum Gate {
    None,
    Gated(planar::Activation),
    Blended(planar::Activation),
}

/// The past of a layer.
#[derive(Debug)]
pub(super) struct LayerState {
    /// The input of the convolution.
    ring: PlanarRing,
    /// The residual signal itself, if the input of the convolution is modulated.
    plain: Option<PlanarBlock>,
}

/// Rows that the layers share.
#[derive(Debug)]
pub(super) struct Scratch {
    /// The layer's channels before and after the activation.
    z: PlanarBlock,
    /// A second set of them.
    other: PlanarBlock,
    film: PlanarBlock,
    condition: PlanarBlock,
}

/// How many rows each part of a [`Scratch`] needs.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ScratchSize {
    z: usize,
    other: usize,
    film: usize,
    condition: usize,
}

impl PreparedLayer {
    pub(super) fn new(
        layer: &Layer,
        bottleneck: usize,
        conventions: Conventions,
        isa: Isa,
    ) -> Result<PreparedLayer> {
        let film = |film: &Option<Film>| film.as_ref().map(|film| PreparedFilm::new(film, isa)).transpose();
        let Films { conv_post, input_mixin_pre, input_mixin_post, .. } = &layer.films;
        let is_apart = [conv_post, input_mixin_pre, input_mixin_post].iter().any(|film| film.is_some());
        let (conv, apart) = if is_apart {
            (affine(&layer.conv, isa)?, Some(MixinApart::new(layer, isa)?))
        } else {
            let conv = &layer.conv;
            let shape = AffineShape {
                inputs: conv.inputs,
                outputs: conv.outputs,
                taps: conv.kernel_size,
                dilation: conv.dilation,
                groups: conv.groups,
                mix: layer.mixin.inputs,
            };
            let bias = conv.bias.as_deref().unwrap_or(&[]);
            (Affine::new(&shape, &conv.weight, bias, &layer.mixin.dense_weight(), isa)?, None)
        };
        let function = |activation: &Activation| activation.planar(bottleneck);
        let gate = match &layer.gating {
            Gating::None => Gate::None,
            Gating::Gated(gate) => Gate::Gated(function(gate)),
            Gating::Blended(blend) => Gate::Blended(function(blend)),
        };
        let whole = PreparedLayer::whole(layer, bottleneck, &function(&layer.activation), isa)?;
        let trainer = conventions == Conventions::Trainer;
        let modulates_1x1 = layer.layer1x1.is_some() && (trainer || matches!(gate, Gate::Blended(_)));
        Ok(PreparedLayer {
            channels: layer.conv.inputs,
            bottleneck,
            whole,
            conv,
            apart,
            activation: function(&layer.activation),
            gate,
            layer1x1: layer.layer1x1.as_ref().map(|conv| affine(conv, isa)).transpose()?,
            adds_activation: trainer && bottleneck == layer.conv.inputs,
            head1x1: layer.head1x1.as_ref().map(|conv| affine(conv, isa)).transpose()?,
            conv_pre: film(&layer.films.conv_pre)?,
            activation_pre: film(&layer.films.activation_pre)?,
            activation_post: film(&layer.films.activation_post)?,
            layer1x1_post: if modulates_1x1 { film(&layer.films.layer1x1_post)? } else { None },
            head1x1_post: film(&layer.films.head1x1_post)?,
            isa,
        })
    }

    /// The layer in one kernel, if that is possible.
    fn whole(
        layer: &Layer,
        bottleneck: usize,
        activation: &planar::Activation,
        isa: Isa,
    ) -> Result<Option<PlainLayer>> {
        let Layer { conv, mixin, layer1x1: Some(matrix), head1x1: None, gating: Gating::None, films, .. } =
            layer
        else {
            return Ok(None);
        };
        let dense = [conv, mixin, matrix].iter().all(|conv| conv.groups == 1);
        let square = bottleneck == conv.inputs && mixin.inputs == 1;
        if !dense || !square || films.all().iter().any(|(_, film)| film.is_some()) {
            return Ok(None);
        }
        let (bias, matrix_bias) = (conv.dense_bias(), matrix.dense_bias());
        let weights = PlainWeights {
            conv: &conv.weight,
            bias: &bias,
            mix: &mixin.weight,
            matrix: &matrix.weight,
            matrix_bias: &matrix_bias,
        };
        let size = (conv.kernel_size, conv.dilation);
        Ok(PlainLayer::new(bottleneck, size, &weights, activation, isa)?)
    }

    /// The state of one stream.
    pub(super) fn state(&self) -> Result<LayerState> {
        let ring = PlanarRing::new(self.channels, self.conv.shape().history())?;
        let plain = self.conv_pre.as_ref().map(|_| PlanarBlock::new(self.channels));
        Ok(LayerState { ring, plain })
    }

    /// Enlarges the scratch to what this layer needs.
    pub(super) fn enlarge(&self, size: &mut ScratchSize) {
        let films = [&self.conv_pre, &self.activation_pre, &self.activation_post];
        let films = films.into_iter().chain([&self.layer1x1_post, &self.head1x1_post]);
        let film = films.flatten().map(PreparedFilm::scratch).max().unwrap_or(0);
        let film = film.max(self.apart.as_ref().map_or(0, MixinApart::film_scratch));
        let head = self.head1x1.as_ref().map_or(0, |head| head.shape().outputs);
        let width = self.conv.shape().outputs;
        size.z = size.z.max(width);
        size.other = size.other.max(width).max(self.channels).max(head);
        size.film = size.film.max(film);
        size.condition = size.condition.max(self.apart.as_ref().map_or(0, MixinApart::condition_size));
    }

    /// Runs the layer on the rows in `state`'s [`incoming`](LayerState::incoming).
    ///
    /// `head` takes `head_base` plus the head signal, `next` the next residual signal.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn run(
        &self,
        state: &mut LayerState,
        condition: Rows<'_>,
        (head_base, head): (Base<'_>, &mut RowsMut<'_>),
        next: Option<&mut RowsMut<'_>>,
        scratch: &mut Scratch,
        pass: Pass,
    ) {
        let (isa, frames) = (self.isa, pass.frames());
        if let (Some(film), Some(plain)) = (&self.conv_pre, &state.plain) {
            let mut modulated = state.ring.incoming();
            modulated.copy_from(plain.rows(), frames);
            film.run(&mut modulated, condition, &mut scratch.film, frames);
        }
        pass.commit(&mut state.ring);
        if let Some(whole) = &self.whole {
            let begins = matches!(head_base, Base::Zero);
            whole.run(&state.ring, condition, head, begins, next, frames);
            state.ring.advance(frames);
            return;
        }

        let Scratch { z, other, .. } = scratch;
        let mut z = z.first_mut(self.conv.shape().outputs);
        match &self.apart {
            None => self.conv.run(Input::Ring(&state.ring), Some(condition), Base::Zero, &mut z, frames),
            Some(apart) => {
                self.conv.run(Input::Ring(&state.ring), None, Base::Zero, &mut z, frames);
                apart.run(&mut z, condition, other, &mut scratch.film, &mut scratch.condition, frames, isa);
            }
        }
        if let Some(film) = &self.activation_pre {
            film.run(&mut z, condition, &mut scratch.film, frames);
        }

        // The activation goes straight to the head if nothing comes between.
        let plain_head =
            self.head1x1.is_none() && self.activation_post.is_none() && matches!(self.gate, Gate::None);
        if plain_head {
            self.activation.run(isa, &mut z, Some((head_base, head)), frames);
        } else {
            self.activate(&mut scratch.z, other, frames);
            let mut z = scratch.z.first_mut(self.bottleneck);
            if let Some(film) = &self.activation_post {
                film.run(&mut z, condition, &mut scratch.film, frames);
            }
            self.add_to_head(z.as_rows(), condition, head_base, head, other, &mut scratch.film, frames);
        }

        if let Some(next) = next {
            let residual = match &state.plain {
                Some(plain) => plain.rows(),
                None => state.ring.present(),
            };
            let z = scratch.z.first(self.bottleneck);
            match (&self.layer1x1, &self.layer1x1_post) {
                (Some(conv), None) => {
                    conv.run(Input::Rows(z), None, Base::Rows(residual), next, frames);
                }
                (Some(conv), Some(film)) => {
                    let mut out = scratch.other.first_mut(self.channels);
                    conv.run(Input::Rows(z), None, Base::Zero, &mut out, frames);
                    film.run(&mut out, condition, &mut scratch.film, frames);
                    next.copy_from(residual, frames);
                    accumulate(isa, next, out.as_rows(), 1.0, frames);
                }
                (None, _) => {
                    next.copy_from(residual, frames);
                    if self.adds_activation {
                        accumulate(isa, next, z, 1.0, frames);
                    }
                }
            }
        }
        state.ring.advance(frames);
    }

    /// The activation and the gate, on all channels of the convolution; the result is the first `bottleneck` rows.
    fn activate(&self, z: &mut PlanarBlock, other: &mut PlanarBlock, frames: usize) {
        let isa = self.isa;
        let (mut top, mut rest) = z.split_mut(self.bottleneck);
        match &self.gate {
            Gate::None => self.activation.run(isa, &mut top, None, frames),
            Gate::Gated(gate) => {
                let mut bottom = rest.first_mut(self.bottleneck);
                self.activation.run(isa, &mut top, None, frames);
                gate.run(isa, &mut bottom, None, frames);
                multiply(isa, &mut top, bottom.as_rows(), frames);
            }
            Gate::Blended(share) => {
                let mut bottom = rest.first_mut(self.bottleneck);
                let mut before = other.first_mut(self.bottleneck);
                before.copy_from(top.as_rows(), frames);
                self.activation.run(isa, &mut top, None, frames);
                share.run(isa, &mut bottom, None, frames);
                blend(isa, &mut top, before.as_rows(), bottom.as_rows(), frames);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn add_to_head(
        &self,
        z: Rows<'_>,
        condition: Rows<'_>,
        base: Base<'_>,
        head: &mut RowsMut<'_>,
        other: &mut PlanarBlock,
        film_scratch: &mut PlanarBlock,
        frames: usize,
    ) {
        let add = |head: &mut RowsMut<'_>, rows: Rows<'_>| match base {
            Base::Zero => head.copy_from(rows, frames),
            _ => accumulate(self.isa, head, rows, 1.0, frames),
        };
        match (&self.head1x1, &self.head1x1_post) {
            (None, _) => add(head, z),
            (Some(conv), None) => conv.run(Input::Rows(z), None, base, head, frames),
            (Some(conv), Some(film)) => {
                let mut out = other.first_mut(conv.shape().outputs);
                conv.run(Input::Rows(z), None, Base::Zero, &mut out, frames);
                film.run(&mut out, condition, film_scratch, frames);
                add(head, out.as_rows());
            }
        }
    }
}

impl LayerState {
    /// The destination of the residual signal before the layer.
    #[inline]
    pub(super) fn incoming(&mut self) -> RowsMut<'_> {
        match &mut self.plain {
            Some(plain) => plain.rows_mut(),
            None => self.ring.incoming(),
        }
    }
}

impl Scratch {
    pub(super) fn new(size: ScratchSize) -> Scratch {
        Scratch {
            z: PlanarBlock::new(size.z),
            other: PlanarBlock::new(size.other),
            film: PlanarBlock::new(size.film),
            condition: PlanarBlock::new(size.condition),
        }
    }
}

impl Activation {
    /// The kernel of this function, for `channels` channels.
    pub(in crate::amp::nam) fn planar(&self, channels: usize) -> planar::Activation {
        match self {
            Activation::Tanh => planar::Activation::Tanh,
            Activation::Hardtanh => planar::Activation::HardTanh,
            Activation::Fasttanh => planar::Activation::FastTanh,
            Activation::Relu => planar::Activation::Relu,
            Activation::LeakyRelu { negative_slope } => {
                planar::Activation::LeakyRelu { slope: *negative_slope }
            }
            Activation::Prelu { negative_slopes } => planar::Activation::PRelu {
                slopes: negative_slopes.iter().copied().cycle().take(channels).collect(),
            },
            Activation::Sigmoid => planar::Activation::Sigmoid,
            Activation::Silu => planar::Activation::Silu,
            Activation::Hardswish => planar::Activation::HardSwish,
            Activation::LeakyHardtanh { min_val, max_val, min_slope, max_slope } => {
                planar::Activation::LeakyHardTanh {
                    min: *min_val,
                    max: *max_val,
                    min_slope: *min_slope,
                    max_slope: *max_slope,
                }
            }
            Activation::Softsign => planar::Activation::Softsign,
        }
    }
}
