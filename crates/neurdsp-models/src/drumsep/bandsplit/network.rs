//! The layers of a band-split network, from the spectra of a few frames to the values of their masks.

use std::ops::Range;

use neurdsp_nn::dense::{Dense, RmsNorm, padded, power, silu};
use neurdsp_simd::{AlignedBuf, Isa};

use super::block::{Block, BlockScratch, NORM_EPS};
use super::config::BandSplitConfig;
use super::masks::MaskPlan;
use crate::container::tensor::{Tensors, expect_floats};
use crate::error::Result;

/// Most frames that go through the layers together.
pub(super) const MAX_FRAMES: usize = 8;
/// Channels of the audio.
pub(super) const CHANNELS: usize = 2;

/// Exponent that compresses magnitudes, and what is added to them.
const COMPRESSION: f32 = 0.3;
const FLOOR: f32 = 1e-5;

/// The weights of a network; any number of streams share them.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) config: BandSplitConfig,
    pub(super) masks: MaskPlan,
    bands: Vec<Band>,
    blocks: Vec<Block>,
    head_norm: RmsNorm,
    isa: Isa,
    /// Values of a band, features of a row, and the longest row of a decoder, all padded.
    width: usize,
    n_features: usize,
    n_decoded: usize,
}

/// The layers of a band alone.
#[derive(Debug)]
struct Band {
    bins: Range<usize>,
    has_phase: bool,
    first_feature: usize,
    encoder: Dense,
    head: Dense,
    decoder: Dense,
}

/// The recurrences of one channel, `[blocks][bands][hidden]`.
pub(super) type State = AlignedBuf;

/// Memory for the rows that go through the layers together.
#[derive(Debug)]
pub(super) struct Workspace {
    /// Real and imaginary parts, `[rows][bins]`; rows of bins are padded.
    pub(super) re: AlignedBuf,
    pub(super) im: AlignedBuf,
    /// What the masks are made of, `[rows][values of a row]`; see [`MaskPlan`].
    pub(super) masks: AlignedBuf,
    /// Compressed magnitudes, `[rows][bins]`.
    compressed: AlignedBuf,
    features: AlignedBuf,
    /// `[rows][bands][width]`, both.
    x: AlignedBuf,
    normed: AlignedBuf,
    head: AlignedBuf,
    decoded: AlignedBuf,
    block: BlockScratch,
}

impl Network {
    /// Takes the weights out of the tensors of a file. The config is valid.
    pub(super) fn new(config: &BandSplitConfig, tensors: &Tensors, isa: Isa) -> Result<Network> {
        let take = |name: &str, shape: &[usize]| {
            expect_floats(tensors, name, shape).map(|values| values.into_owned())
        };
        let (n_bands, width, head) = (config.bands.len(), config.width, config.head);
        let head_weight = take("head.weight", &[n_bands, head, width])?;
        let head_bias = take("head.bias", &[n_bands, head])?;
        let (mut bands, mut first_feature, mut n_decoded) = (Vec::with_capacity(n_bands), 0, 0);
        for (index, bins) in config.band_ranges().enumerate() {
            let (inputs, rows) = (config.n_inputs(&bins), config.n_rows(&bins));
            let layer = |name: &str, outputs: usize, inputs: usize| -> Result<Dense> {
                let weight = take(&format!("{name}.{index}.weight"), &[outputs, inputs])?;
                let bias = take(&format!("{name}.{index}.bias"), &[outputs])?;
                Ok(Dense::new(&weight, &bias, inputs, isa)?)
            };
            let (encoder, decoder) = (layer("encoders", width, inputs)?, layer("decoders", rows, head)?);
            let weight = &head_weight[index * head * width..][..head * width];
            let head = Dense::new(weight, &head_bias[index * head..][..head], width, isa)?;
            n_decoded = n_decoded.max(decoder.stride());
            let has_phase = config.has_phase(&bins);
            bands.push(Band { bins, has_phase, first_feature, encoder, head, decoder });
            first_feature += inputs;
        }
        Ok(Network {
            masks: MaskPlan::new(config),
            bands,
            blocks: (0..config.n_blocks)
                .map(|index| Block::new(config, tensors, index, isa))
                .collect::<Result<_>>()?,
            head_norm: RmsNorm::new(&take("head_norm.weight", &[width])?, NORM_EPS, isa)?,
            isa,
            width: padded(width),
            n_features: padded(first_feature),
            n_decoded,
            config: config.clone(),
        })
    }

    /// Bins of a spectrum, padded.
    pub(super) fn bins_step(&self) -> usize {
        padded(self.config.n_bins())
    }

    /// The instruction set that the weights are arranged for.
    pub(super) fn isa(&self) -> Isa {
        self.isa
    }

    /// How far a frame reaches back, and what the recurrences remember of earlier ones: they never forget entirely, but
    /// begin their training with memories of at most 256 frames.
    pub(super) fn receptive_field(&self) -> usize {
        self.config.n_fft + 512 * self.config.hop_length
    }

    /// The state of a channel at the start.
    pub(super) fn state(&self) -> State {
        let config = &self.config;
        AlignedBuf::zeroed(config.n_blocks * config.bands.len() * padded(config.hidden))
    }

    /// Memory for [`run`](Self::run).
    pub(super) fn workspace(&self) -> Workspace {
        let rows = MAX_FRAMES * CHANNELS;
        let of = |values: usize| AlignedBuf::zeroed(rows * values);
        let (bins, n_bands) = (self.bins_step(), self.bands.len());
        Workspace {
            re: of(bins),
            im: of(bins),
            masks: of(self.masks.row()),
            compressed: of(bins),
            features: of(self.n_features),
            x: of(n_bands * self.width),
            normed: of(n_bands * self.width),
            head: of(padded(self.config.head)),
            decoded: of(self.n_decoded),
            block: BlockScratch::new(&self.config),
        }
    }

    /// Runs the spectra in `work`, which hold `n_frames` frames of as many channels as there are states; one frame after
    /// another, each with its channels side by side.
    ///
    /// Without `masks`, only the states move on. With `watches` it tells whether the last frame has changed any bit of a
    /// state.
    pub(super) fn run(
        &self,
        states: &mut [State],
        n_frames: usize,
        work: &mut Workspace,
        masks: bool,
        watches: bool,
    ) -> bool {
        let (channels, n_bands) = (states.len(), self.bands.len());
        let (rows, row) = (n_frames * channels, n_bands * self.width);
        self.features(rows, channels, work);
        for (index, band) in self.bands.iter().enumerate() {
            let to = &mut work.x[index * self.width..];
            let from = &work.features[band.first_feature..];
            band.encoder.run(from, self.n_features, to, row, rows, false);
        }
        let mut changed = false;
        let state_row = n_bands * padded(self.config.hidden);
        for (index, block) in self.blocks.iter().enumerate() {
            for (at, x) in work.x.chunks_exact_mut(row).take(rows).enumerate() {
                let state = &mut states[at % channels][index * state_row..][..state_row];
                let watches = watches && at / channels + 1 == n_frames;
                changed |= block.run(x, state, &mut work.block, watches);
            }
        }
        if masks {
            self.decode(rows, work);
        }
        changed
    }

    /// What the bands see: magnitudes, their difference to the other channel, and real and imaginary parts.
    fn features(&self, rows: usize, channels: usize, work: &mut Workspace) {
        let Workspace { re, im, compressed, features, .. } = work;
        let bins = self.bins_step();
        let spectra = re.chunks_exact(bins).zip(im.chunks_exact(bins));
        for ((re, im), to) in spectra.zip(compressed.chunks_exact_mut(bins)).take(rows) {
            for ((to, re), im) in to.iter_mut().zip(re).zip(im) {
                *to = magnitude(*re, *im);
            }
            power(self.isa, to, COMPRESSION);
        }
        for (row, features) in features.chunks_exact_mut(self.n_features).take(rows).enumerate() {
            let own = &compressed[row * bins..][..bins];
            // Channels lie side by side.
            let other = if channels == 1 { row } else { row ^ 1 };
            let other = &compressed[other * bins..][..bins];
            let (re, im) = (&re[row * bins..][..bins], &im[row * bins..][..bins]);
            for band in &self.bands {
                let range = band.bins.clone();
                let n = range.len();
                let to = &mut features[band.first_feature..];
                to[..n].copy_from_slice(&own[range.clone()]);
                for (i, bin) in range.clone().enumerate() {
                    to[n + i] = other[bin] - own[bin];
                }
                if band.has_phase {
                    for (i, bin) in range.enumerate() {
                        let ratio = own[bin] / magnitude(re[bin], im[bin]);
                        (to[2 * n + i], to[3 * n + i]) = (re[bin] * ratio, im[bin] * ratio);
                    }
                }
            }
        }
    }

    /// From the last block to the values of the masks.
    fn decode(&self, rows: usize, work: &mut Workspace) {
        let row = self.bands.len() * self.width;
        self.head_norm.run(&work.x[..rows * row], &mut work.normed[..rows * row]);
        let (head, mask_row) = (padded(self.config.head), self.masks.row());
        for (index, band) in self.bands.iter().enumerate() {
            let hidden = &mut work.head[..rows * head];
            band.head.run(&work.normed[index * self.width..], row, hidden, head, rows, false);
            silu(self.isa, hidden);
            let stride = band.decoder.stride();
            band.decoder.run(hidden, head, &mut work.decoded, stride, rows, false);
            let decoded = work.decoded.chunks_exact(stride).take(rows);
            for (from, to) in decoded.zip(work.masks.chunks_exact_mut(mask_row)) {
                self.masks.place(index, from, to);
            }
        }
    }
}

fn magnitude(re: f32, im: f32) -> f32 {
    (re * re + im * im).sqrt() + FLOOR
}
