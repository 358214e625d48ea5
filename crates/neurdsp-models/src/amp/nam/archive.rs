//! `.nam` models inside neurdsp's own model file, with parity vectors.
//!
//! The config of the file is the `.nam` document with empty lists of weights; the tensor `weights` holds the values of all
//! lists, joined in the order in which they are read: those of models inside a model before its own.

use std::sync::Arc;

use super::file::{NamFile, Network};
use super::metadata::NamMetadata;
use super::model::NamModel;
use super::options::NamOptions;
use crate::amp::playable::Playable;
use crate::container::file::ModelFile;
use crate::container::header::{AudioSpec, Header};
use crate::container::tensor::{Tensor, Tensors, expect_tensor};
use crate::container::values::Values;
use crate::error::{Error, Result};

/// The name of the tensor that holds all weights.
const WEIGHTS: &str = "weights";
/// The metadata key of the description of the capture, which is the metadata of a `.nam` file.
pub(crate) const CAPTURE: &str = "neurdsp.capture";
/// The metadata key of the model's name.
const NAME: &str = "neurdsp.name";
/// The largest error of a copy against the parity vectors, in dB.
const PARITY_DB: f64 = -100.0;
/// Samples of the parity vectors beyond one receptive field, which counts up to a bound.
const PARITY_EXTRA: usize = 4096;
const MAX_PARITY_FIELD: usize = 1 << 16;

impl NamFile {
    /// The name of the architecture in a model file.
    pub fn architecture(&self) -> &'static str {
        match self.network() {
            Network::Wavenet(_) => "nam.wavenet",
            Network::Lstm(_) => "nam.lstm",
            Network::ConvNet(_) => "nam.convnet",
            Network::Linear(_) => "nam.linear",
            Network::Slimmable(_) => "nam.container",
        }
    }

    /// The model file of this model. Its parity output is what this engine makes of a test signal.
    ///
    /// # Errors
    /// A model that cannot be played, such as one that is not mono.
    pub fn to_model_file(&self, producer: &str) -> Result<ModelFile> {
        let (config, weights) = self.to_parts()?;
        let model = NamModel::new(Arc::new(self.clone()), &NamOptions::default())?;
        let mut stream = Arc::new(model).build_stream()?;
        let input = parity_input(self.receptive_field().min(MAX_PARITY_FIELD) + PARITY_EXTRA);
        let mut output = vec![0.0; input.len()];
        stream.process(&input, &mut output);
        let mut metadata = Header {
            architecture: self.architecture().to_owned(),
            config,
            audio: AudioSpec { sample_rate: self.sample_rate(), channels: 1 },
            producer: producer.to_owned(),
            metrics: self
                .metadata()
                .validation_esr()
                .map(|esr| ("esr".to_owned(), esr.into()))
                .into_iter()
                .collect(),
            parity_db: PARITY_DB,
        }
        .to_metadata();
        metadata.extend(self.metadata().to_text());
        let tensor = |values: Vec<f32>| Tensor { shape: vec![values.len()], data: Values::F32(values) };
        let tensors = Tensors::from([
            (WEIGHTS.to_owned(), tensor(weights)),
            ("parity.input".to_owned(), tensor(input)),
            ("parity.output".to_owned(), tensor(output)),
        ]);
        Ok(ModelFile { metadata, tensors })
    }

    /// The model in a model file of one of the `nam.` architectures.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes); a header that contradicts the config; tensors that are missing or unknown to the
    /// architecture.
    pub fn from_model_file(file: &ModelFile) -> Result<NamFile> {
        let header = Header::from_metadata(&file.metadata)?;
        let length = file.tensors.get(WEIGHTS).map_or(0, |tensor| tensor.data.len());
        let weights = expect_tensor(&file.tensors, WEIGHTS, &[length])?;
        let model = NamFile::from_parts(&header.config, &weights.to_f32(WEIGHTS)?)?;
        let unexpected = file.tensors.keys().find(|name| *name != WEIGHTS && !name.starts_with("parity."));
        if let Some(name) = unexpected {
            let architecture = model.architecture().to_owned();
            return Err(Error::UnexpectedTensor { name: name.clone(), architecture });
        }
        let says = (header.architecture.as_str(), header.audio.sample_rate, header.audio.channels);
        let is = (model.architecture(), model.sample_rate(), 1);
        if says != is {
            return Err(Error::OutOfRange {
                name: "the header's architecture, sample rate and channels".to_owned(),
                got: crate::container::json::one_line(&format!("{says:?}")),
                expected: format!("{is:?}, as in its config"),
            });
        }
        Ok(model)
    }
}

impl NamMetadata {
    /// The same as metadata keys of a model file.
    pub(crate) fn to_text(&self) -> Vec<(String, String)> {
        let mut text = Vec::new();
        if !self.0.is_empty() {
            text.push((CAPTURE.to_owned(), self.to_json()));
        }
        if let Some(name) = self.text("name") {
            text.push((NAME.to_owned(), name.to_owned()));
        }
        text
    }
}

/// Noise at changing levels, with silence in between; the same samples each time.
fn parity_input(samples: usize) -> Vec<f32> {
    const LEVELS: [f32; 8] = [0.1, 0.4, 0.025, 0.8, 0.005, 0.2, 0.001, 0.0];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 40) as f32 / (1 << 23) as f32) - 1.0
    };
    (0..samples).map(|i| LEVELS[i / 256 % LEVELS.len()] * noise()).collect()
}
