//! HiFi-GAN: from log-mel spectrograms to audio.
//!
//! The mean of a stage's residual blocks is their sum, with the divisor in the weights of the layer that follows: a leaky
//! ReLU is proportional.

use neurdsp_nn::exact::functions::tanh;
use neurdsp_nn::image::{Conv1d, Image, Work};

use super::config::MelDiffusionConfig;
use super::layers::Source;
use crate::error::Result;

const SLOPE: f32 = 0.1;
const LAST_SLOPE: f32 = 0.01;

/// The generator.
pub(super) struct Vocoder {
    input: Conv1d,
    stages: Vec<Stage>,
    output: Conv1d,
    n_mels: usize,
}

struct Stage {
    enlarge: Conv1d,
    /// Pairs of a dilated and a plain convolution.
    blocks: Vec<Vec<(Conv1d, Conv1d)>>,
}

impl Vocoder {
    pub(super) fn new(source: &mut Source<'_>, config: &MelDiffusionConfig) -> Result<Vocoder> {
        let (shape, n_mels) = (&config.vocoder, config.mel.n_mels);
        let mut channels = shape.channels;
        let input = source.signal("vocoder.conv_pre", (n_mels, channels), (7, 1), (1.0, 1.0))?;
        let mean = 1.0 / shape.resblock_kernels.len() as f32;
        let (mut stages, mut gain) = (Vec::new(), 1.0);
        for (index, (rate, taps)) in shape.upsample_rates.iter().zip(&shape.upsample_kernels).enumerate() {
            let name = format!("vocoder.ups.{index}");
            let enlarge = source.enlarging(&name, (channels, channels / 2), (*taps, *rate), (SLOPE, gain))?;
            channels /= 2;
            gain = mean;
            let mut blocks = Vec::new();
            for (which, taps) in shape.resblock_kernels.iter().enumerate() {
                let block = index * shape.resblock_kernels.len() + which;
                let mut pairs = Vec::new();
                for (layer, dilation) in shape.resblock_dilations.iter().enumerate() {
                    let name = |part: &str| format!("vocoder.resblocks.{block}.{part}.{layer}");
                    let size = (channels, channels);
                    pairs.push((
                        source.signal(&name("convs1"), size, (*taps, *dilation), (SLOPE, 1.0))?,
                        source.signal(&name("convs2"), size, (*taps, 1), (SLOPE, 1.0))?,
                    ));
                }
                blocks.push(pairs);
            }
            stages.push(Stage { enlarge, blocks });
        }
        let output = source.signal("vocoder.conv_post", (channels, 1), (7, 1), (LAST_SLOPE, gain))?;
        Ok(Vocoder { input, stages, output, n_mels })
    }

    /// Audio of a spectrogram `[n_mels][frames]`: a hop of samples for each frame, the first half hop before the kick.
    pub(super) fn run(&self, mel: &[f32], work: &Work) -> Vec<f32> {
        let mel = Image::from_planes(mel, self.n_mels, 1, mel.len() / self.n_mels);
        let mut signal = self.input.run(&mel, &[], work);
        for stage in &self.stages {
            let longer = stage.enlarge.run(&signal, &[], work);
            work.keep(signal);
            let mut sum: Option<Image> = None;
            for pairs in &stage.blocks {
                let mut own: Option<Image> = None;
                for (index, (dilated, plain)) in pairs.iter().enumerate() {
                    let x = own.as_ref().unwrap_or(&longer);
                    let inner = dilated.run(x, &[], work);
                    let is_last = index + 1 == pairs.len();
                    let added = match &sum {
                        Some(sum) if is_last => vec![x, sum],
                        _ => vec![x],
                    };
                    let next = plain.run(&inner, &added, work);
                    work.keep(inner);
                    if let Some(before) = own.replace(next) {
                        work.keep(before);
                    }
                }
                if let Some(before) = std::mem::replace(&mut sum, own) {
                    work.keep(before);
                }
            }
            signal = match sum {
                Some(sum) => {
                    work.keep(longer);
                    sum
                }
                None => longer,
            };
        }
        let audio = self.output.run(&signal, &[], work).to_planes();
        work.keep(signal);
        audio.into_iter().map(|sample| tanh(f64::from(sample)) as f32).collect()
    }
}
