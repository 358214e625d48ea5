//! A block: a gated recurrence over time in each band, and a mixer of the bands.

use neurdsp_nn::dense::{Dense, Mixer, RmsNorm, gated_step, padded, silu};
use neurdsp_simd::{AlignedBuf, Isa};

use super::config::BandSplitConfig;
use crate::container::tensor::{Tensors, expect_floats};
use crate::error::Result;

/// Added to the mean square of what is normed.
pub(super) const NORM_EPS: f32 = 1e-5;

/// The layers of a block.
#[derive(Debug)]
pub(super) struct Block {
    time_norm: RmsNorm,
    /// Three gates, each padded to whole registers.
    time_in: Dense,
    time_out: Dense,
    band_norm: RmsNorm,
    band_in: Mixer,
    band_out: Mixer,
    /// Features of a band, and the same and units padded.
    features: usize,
    width: usize,
    hidden: usize,
    isa: Isa,
}

/// Memory for one row in a block.
#[derive(Debug)]
pub(super) struct BlockScratch {
    /// `[bands][width]`.
    normed: AlignedBuf,
    /// `[bands][3 · hidden]`.
    gates: AlignedBuf,
    /// `[bands][hidden]`, both.
    gated: AlignedBuf,
    before: AlignedBuf,
    /// `[mixer][width]`.
    mixed: AlignedBuf,
}

impl BlockScratch {
    pub(super) fn new(config: &BandSplitConfig) -> BlockScratch {
        let (n_bands, width, hidden) = (config.bands.len(), padded(config.width), padded(config.hidden));
        BlockScratch {
            normed: AlignedBuf::zeroed(n_bands * width),
            gates: AlignedBuf::zeroed(n_bands * 3 * hidden),
            gated: AlignedBuf::zeroed(n_bands * hidden),
            before: AlignedBuf::zeroed(n_bands * hidden),
            mixed: AlignedBuf::zeroed(config.mixer * width),
        }
    }
}

impl Block {
    /// Block `index` of a network.
    pub(super) fn new(config: &BandSplitConfig, tensors: &Tensors, index: usize, isa: Isa) -> Result<Block> {
        let (n_bands, width, hidden, mixer) = (config.bands.len(), config.width, config.hidden, config.mixer);
        let take = |name: &str, shape: &[usize]| {
            expect_floats(tensors, &format!("blocks.{index}.{name}"), shape).map(|values| values.into_owned())
        };
        // A gate begins with a whole register.
        let units = padded(hidden);
        let spread = |values: &[f32], row: usize| {
            let mut to = vec![0.0; 3 * units * row];
            for (to, from) in to.chunks_exact_mut(units * row).zip(values.chunks_exact(hidden * row)) {
                to[..from.len()].copy_from_slice(from);
            }
            to
        };
        let weight = spread(&take("time_in.weight", &[3 * hidden, width])?, width);
        let bias = spread(&take("time_in.bias", &[3 * hidden])?, 1);
        let out = (take("time_out.weight", &[width, hidden])?, take("time_out.bias", &[width])?);
        let band_in = (take("band_in.weight", &[mixer, n_bands])?, take("band_in.bias", &[mixer])?);
        Ok(Block {
            time_norm: RmsNorm::new(&take("time_norm.weight", &[width])?, NORM_EPS, isa)?,
            time_in: Dense::new(&weight, &bias, width, isa)?,
            time_out: Dense::new(&out.0, &out.1, hidden, isa)?,
            band_norm: RmsNorm::new(&take("band_norm.weight", &[width])?, NORM_EPS, isa)?,
            band_in: Mixer::new(&band_in.0, Some(&band_in.1), n_bands, isa)?,
            band_out: Mixer::new(&take("band_out.weight", &[n_bands, mixer])?, None, mixer, isa)?,
            features: width,
            width: padded(width),
            hidden: units,
            isa,
        })
    }

    /// Runs one row `x`, `[bands][width]`, in place; `state` is that of its channel, `[bands][hidden]`.
    ///
    /// With `watches` it tells whether any bit of the state has changed.
    pub(super) fn run(
        &self,
        x: &mut [f32],
        state: &mut [f32],
        scratch: &mut BlockScratch,
        watches: bool,
    ) -> bool {
        let BlockScratch { normed, gates, gated, before, mixed } = scratch;
        let n_bands = self.band_in.inputs();
        self.time_norm.run(x, normed);
        self.time_in.run(normed, self.width, gates, 3 * self.hidden, n_bands, false);
        if watches {
            before.copy_from_slice(state);
        }
        gated_step(self.isa, gates, state, gated, self.hidden);
        let changed = watches && before.iter().zip(state.iter()).any(|(a, b)| a.to_bits() != b.to_bits());
        self.time_out.run(gated, self.hidden, x, self.width, n_bands, true);
        self.band_norm.run(x, normed);
        self.band_in.run(normed, mixed, self.width, false);
        silu(self.isa, mixed);
        self.band_out.run(mixed, x, self.width, true);
        if self.features < self.width {
            // The bias of the mixer has filled the padding, which a norm would count.
            x.chunks_exact_mut(self.width).for_each(|band| band[self.features..].fill(0.0));
        }
        changed
    }
}
