//! A TFC-TDF network as a model: from its file, and what it does.

use std::collections::BTreeMap;
use std::fmt;

use neurdsp_nn::image::{Memory, Precision, Work};
use neurdsp_simd::Isa;
use neurdsp_simd::parallel::Idle;

use super::config::{TFC_TDF, TfcTdfConfig};
use super::network::Network;
use super::spectrum::Spectra;
use crate::container::file::ModelFile;
use crate::container::header::{AudioSpec, Header};
use crate::container::parity::{Parity, Verification};
use crate::container::tensor::{Tensor, Tensors};
use crate::error::{Error, Result};
use crate::kinds::{Model, Separator};

/// Values of a parity vector: verifying must not take longer than separating some seconds.
const MAX_PARITY_VALUES: usize = 1 << 20;
const PARITY_PREFIX: &str = "parity.";

/// A TFC-TDF network.
pub struct TfcTdfSeparator {
    config: TfcTdfConfig,
    network: Network,
    spectra: Spectra,
    metadata: BTreeMap<String, String>,
    /// None before the test vectors of a new file are made.
    parity: Option<Parity>,
    n_parameters: usize,
    n_threads: usize,
    /// What the images of a pass took, for the next one: the system would clear it again.
    memory: Idle<Memory>,
}

impl TfcTdfSeparator {
    /// Takes a network out of a model file, after checking its config and every tensor.
    ///
    /// # Errors
    /// What is wrong with the file, by the name of the value or the tensor.
    pub fn from_file(file: &ModelFile, header: &Header) -> Result<Self> {
        Self::with_precision(file, header, Precision::Float32)
    }

    /// The same, with the products of its 3x3 convolutions, nine tenths of the work, in another precision.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file).
    pub fn with_precision(file: &ModelFile, header: &Header, precision: Precision) -> Result<Self> {
        let config: TfcTdfConfig = header.typed_config()?;
        config.validate()?;
        let audio = AudioSpec { sample_rate: f64::from(config.sample_rate), channels: config.audio_channels };
        if audio != header.audio {
            return Err(Error::OutOfRange {
                name: "neurdsp.audio".to_owned(),
                got: format!("{} Hz, {} channels", header.audio.sample_rate, header.audio.channels),
                expected: format!(
                    "{} Hz, {} channels, as the config has it",
                    audio.sample_rate, audio.channels
                ),
            });
        }
        let network = Network::new(&config, &file.tensors, Isa::detect(), precision)?;
        let shapes: BTreeMap<_, _> = config.parameter_shapes().into_iter().collect();
        let unknown =
            file.tensors.keys().find(|name| !name.starts_with(PARITY_PREFIX) && !shapes.contains_key(*name));
        if let Some(name) = unknown {
            return Err(Error::UnexpectedTensor {
                name: crate::container::json::one_line(name),
                architecture: format!("a {TFC_TDF} model of {} stems", config.stems.len()),
            });
        }
        let n_parameters = shapes.values().map(|shape| shape.iter().product::<usize>()).sum();
        let has_parity = file.tensors.keys().any(|name| name.starts_with(PARITY_PREFIX));
        let parity = || Parity::from_tensors(&file.tensors, header.parity_db, MAX_PARITY_VALUES);
        let parity = if has_parity { Some(parity()?) } else { None };
        let (spectra, metadata) = (Spectra::new(&config)?, file.metadata.clone());
        let memory = Idle::default();
        Ok(Self { config, network, spectra, metadata, parity, n_parameters, n_threads: 1, memory })
    }

    /// The shape of the network.
    #[must_use]
    pub fn config(&self) -> &TfcTdfConfig {
        &self.config
    }

    /// Gives the memory that passes keep for one another back to the system: hundreds of MiB for chunks of twelve seconds.
    /// Call it when a recording is over.
    pub fn release(&self) {
        while self.memory.take().is_some() {}
    }

    /// One pass of the network over a chunk of any length that gives a multiple of
    /// [`frame_multiple`](TfcTdfConfig::frame_multiple) frames: `[stems][channels][samples]`.
    ///
    /// # Errors
    /// A chunk of another length, with other channels, or with samples that are not finite.
    pub fn forward(&self, chunk: &[&[f32]], n_threads: usize) -> Result<Vec<Vec<Vec<f32>>>> {
        let (config, n_samples) = (&self.config, chunk.first().map_or(0, |channel| channel.len()));
        if chunk.len() != config.audio_channels || chunk.iter().any(|channel| channel.len() != n_samples) {
            return Err(Error::OutOfRange {
                name: "the number of channels".to_owned(),
                got: chunk.len().to_string(),
                expected: format!("{} of one length", config.audio_channels),
            });
        }
        let n_frames = n_samples / config.hop_length + 1;
        if n_samples < config.n_fft || !n_frames.is_multiple_of(config.frame_multiple()) {
            return Err(Error::OutOfRange {
                name: "the length of a chunk".to_owned(),
                got: format!("{n_samples} samples, {n_frames} frames"),
                expected: format!("a multiple of {} frames", config.frame_multiple()),
            });
        }
        let mix = self.spectra.analyse(chunk, n_threads)?;
        let work = Work::with_memory(n_threads, self.memory.take().unwrap_or_default());
        let spectra = self.network.run(&mix, &work);
        self.memory.give_back(work.into_memory());
        self.spectra.synthesise(&spectra, config.audio_channels, n_samples, n_threads)
    }
}

impl fmt::Debug for TfcTdfSeparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TfcTdfSeparator").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Model for TfcTdfSeparator {
    fn architecture(&self) -> &str {
        TFC_TDF
    }

    fn audio(&self) -> AudioSpec {
        AudioSpec { sample_rate: f64::from(self.config.sample_rate), channels: self.config.audio_channels }
    }

    fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    fn parity(&self) -> Option<&Parity> {
        self.parity.as_ref()
    }
}

impl Separator for TfcTdfSeparator {
    fn stems(&self) -> Vec<String> {
        let mut stems = self.config.stems.clone();
        stems.sort();
        stems
    }

    fn separate(&self, recording: &Tensor) -> Result<Tensors> {
        let [channels, n_samples] = recording.shape[..] else {
            return Err(Error::TensorShape {
                name: "the recording".to_owned(),
                got: recording.shape.clone(),
                expected: vec![self.config.audio_channels, self.config.chunk_samples],
            });
        };
        let values = recording.to_f32("the recording")?;
        let chunk: Vec<&[f32]> = (0..channels).map(|c| &values[c * n_samples..][..n_samples]).collect();
        let stems = self.forward(&chunk, self.n_threads)?;
        let tensor = |stem: Vec<Vec<f32>>| Tensor::new(vec![channels, n_samples], stem.concat());
        self.config.stems.iter().cloned().zip(stems).map(|(name, stem)| Ok((name, tensor(stem)?))).collect()
    }

    fn prove(&self, parity: &Parity) -> Result<Verification> {
        parity.measure(&self.separate(parity.input()?)?)
    }
}
