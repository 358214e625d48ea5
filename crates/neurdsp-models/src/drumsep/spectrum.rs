//! From a recording to the image that the network sees, and from its outputs to stems.

use neurdsp_dsp::{Complex, Istft, IstftConfig, PadMode, Stft, StftConfig};
use neurdsp_nn::image::{Image, LANES};

use super::config::TfcTdfConfig;
use crate::error::{Error, Result};

/// The transform of a network and its inverse.
pub(super) struct Spectra {
    forward: Stft<f32>,
    inverse: Istft<f32>,
    n_bins: usize,
    n_subbands: usize,
}

impl Spectra {
    /// Plans the transforms.
    pub(super) fn new(config: &TfcTdfConfig) -> Result<Self> {
        let stft = StftConfig {
            hop_length: config.hop_length,
            pad_mode: PadMode::Reflect,
            ..StftConfig::new(config.n_fft)
        };
        let inverse = Istft::new(IstftConfig::from(&stft)).map_err(of_dsp)?;
        let forward = Stft::new(stft).map_err(of_dsp)?;
        Ok(Self { forward, inverse, n_bins: config.n_bins, n_subbands: config.n_subbands })
    }

    /// The spectrum of a recording: real and imaginary parts of each channel, split into sub-bands, as channels of an image
    /// of frames by bins.
    pub(super) fn analyse(&self, audio: &[&[f32]], n_threads: usize) -> Result<Image> {
        let n_frames =
            self.forward.n_frames(audio.first().map_or(0, |channel| channel.len())).map_err(of_dsp)?;
        let mut spectra = vec![vec![Complex::default(); self.forward.n_bins() * n_frames]; audio.len()];
        let batch = audio.iter().zip(&mut spectra).map(|(samples, to)| (*samples, &mut to[..])).collect();
        self.forward.process_batch(batch, n_threads).map_err(of_dsp)?;
        let width = self.n_bins / self.n_subbands;
        let mut image = Image::new(2 * audio.len() * self.n_subbands, n_frames, width);
        for (channel, spectrum) in spectra.iter().enumerate() {
            for (bin, row) in spectrum.chunks_exact(n_frames).take(self.n_bins).enumerate() {
                for part in 0..2 {
                    let plane = (2 * channel + part) * self.n_subbands + bin / width;
                    let to = &mut image.block_mut(plane / LANES)[bin % width * LANES + plane % LANES..];
                    for (to, value) in to.iter_mut().step_by(width * LANES).zip(row) {
                        *to = if part == 0 { value.re } else { value.im };
                    }
                }
            }
        }
        Ok(image)
    }

    /// The recordings `[stems][channels][n_samples]` of an image of spectra.
    pub(super) fn synthesise(
        &self,
        image: &Image,
        audio_channels: usize,
        n_samples: usize,
        n_threads: usize,
    ) -> Result<Vec<Vec<Vec<f32>>>> {
        let (n_frames, width) = (image.height(), image.width());
        let planes = 2 * self.n_subbands;
        let n_stems = image.channels() / (planes * audio_channels);
        let mut spectra = Vec::new();
        for signal in 0..n_stems * audio_channels {
            let mut spectrum = vec![Complex::default(); self.forward.n_bins() * n_frames];
            for (bin, row) in spectrum.chunks_exact_mut(n_frames).take(self.n_bins).enumerate() {
                let part = |part: usize| {
                    let plane = signal * planes + part * self.n_subbands + bin / width;
                    image.block(plane / LANES)[bin % width * LANES + plane % LANES..]
                        .iter()
                        .step_by(width * LANES)
                };
                for ((to, re), im) in row.iter_mut().zip(part(0)).zip(part(1)) {
                    *to = Complex::new(*re, *im);
                }
            }
            spectra.push(spectrum);
        }
        let mut signals = vec![vec![0.0; n_samples]; spectra.len()];
        let batch = spectra.iter().zip(&mut signals).map(|(from, to)| (&from[..], &mut to[..])).collect();
        self.inverse.process_batch(batch, n_threads).map_err(of_dsp)?;
        let mut signals = signals.into_iter();
        Ok((0..n_stems).map(|_| signals.by_ref().take(audio_channels).collect()).collect())
    }
}

fn of_dsp(error: neurdsp_dsp::Error) -> Error {
    Error::OutOfRange {
        name: "the recording".to_owned(),
        got: error.to_string(),
        expected: "finite samples, as many as a frame needs".to_owned(),
    }
}
