//! From a recording to the image that the network sees, and from its outputs to stems.

use neurdsp_dsp::{Complex, Istft, IstftConfig, PadMode, Stft, StftConfig};
use neurdsp_nn::image::{Image, LANES};
use neurdsp_simd::parallel::{Idle, for_each};

use super::config::TfcTdfConfig;
use crate::error::{Error, Result};

/// Frames that are moved together: their values of a bin fill a cache line of the spectrum.
const FRAMES: usize = 8;

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
        let bands = image.bands_mut(FRAMES);
        for_each(
            n_threads,
            bands,
            &Idle::default(),
            || (),
            |(), (band, mut blocks)| {
                let frames = band * FRAMES..n_frames.min((band + 1) * FRAMES);
                for (x, subband) in self.columns() {
                    for (channel, spectrum) in spectra.iter().enumerate() {
                        let row = &spectrum[(subband * width + x) * n_frames..][frames.clone()];
                        for part in 0..2 {
                            let plane = (2 * channel + part) * self.n_subbands + subband;
                            let to = blocks[plane / LANES][x * LANES + plane % LANES..].iter_mut();
                            for (to, value) in to.step_by(width * LANES).zip(row) {
                                *to = if part == 0 { value.re } else { value.im };
                            }
                        }
                    }
                }
            },
        );
        Ok(image)
    }

    /// Pixels of a row, and for each the sub-bands that share it.
    fn columns(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let n_subbands = self.n_subbands;
        (0..self.n_bins / n_subbands).flat_map(move |x| (0..n_subbands).map(move |subband| (x, subband)))
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
        let mut signals = vec![(vec![0.0; n_samples], Ok(())); n_stems * audio_channels];
        let each = signals.iter_mut().enumerate().collect();
        // A spectrum for each thread: those of all signals would take a tenth of the memory of a pass.
        for_each(n_threads, each, &Idle::default(), Vec::new, |spectrum, (signal, (samples, result))| {
            spectrum.resize(self.forward.n_bins() * n_frames, Complex::default());
            for first in (0..n_frames).step_by(FRAMES) {
                for (x, subband) in self.columns() {
                    let part = |part: usize| {
                        let plane = signal * planes + part * self.n_subbands + subband;
                        let from = &image.block(plane / LANES)[(first * width + x) * LANES + plane % LANES..];
                        from.iter().step_by(width * LANES).take(FRAMES)
                    };
                    let row = &mut spectrum[(subband * width + x) * n_frames..][first..n_frames];
                    for ((to, re), im) in row.iter_mut().zip(part(0)).zip(part(1)) {
                        *to = Complex::new(*re, *im);
                    }
                }
            }
            *result = self.inverse.process_batch(vec![(&spectrum[..], &mut samples[..])], 1);
        });
        let signals: neurdsp_dsp::Result<Vec<_>> =
            signals.into_iter().map(|(samples, result)| result.map(|()| samples)).collect();
        let mut signals = signals.map_err(of_dsp)?.into_iter();
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
