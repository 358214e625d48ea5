//! An amp model that is ready to play, of whatever kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::amp::nam::{CAPTURE, NamFile, NamMetadata, NamModel, NamOptions};
use crate::amp::parametric::{AMP_PARAMETRIC, Knob, Parametric};
use crate::amp::residual::{PreparedResidual, ResidualConfig, ResidualStream, ResidualWeights};
use crate::amp::seed_json::SeedModel;
use crate::container::file::ModelFile;
use crate::container::header::{AudioSpec, Header};
use crate::container::json::one_line;
use crate::container::parity::{Parity, Verification};
use crate::error::{Error, Result};
use crate::streaming::StreamingModel;

/// The name of the amp model in a file.
pub const AMP_WAVENET: &str = "amp.wavenet";
/// The names of `.nam` models in a file.
const NAM_ARCHITECTURES: [&str; 5] =
    ["nam.wavenet", "nam.lstm", "nam.convnet", "nam.linear", "nam.container"];
/// The metadata key of the version of a `.nam` file.
const NAM_VERSION: &str = "nam.version";

/// A model with its weights prepared, ready to play any number of streams.
///
/// Cloning is cheap: the weights are shared, between clones and between streams.
///
/// # Example
/// ```no_run
/// let model = neurdsp_models::load("amp.safetensors")?;
/// let mut stream = model.build_stream()?;
/// let mut block = [0.0; 64];
/// stream.process(&[0.0; 64], &mut block);
/// assert!(model.verify()?.passed());
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LoadedModel {
    model: Model,
    audio: AudioSpec,
    metadata: Arc<BTreeMap<String, String>>,
    parity: Option<Arc<Parity>>,
    knobs: Option<Knobs>,
}

/// What a model with knobs has besides the network at their positions.
#[derive(Debug, Clone)]
struct Knobs {
    parametric: Arc<Parametric>,
    positions: Vec<f32>,
    options: NamOptions,
}

/// One arm for each architecture.
#[derive(Debug, Clone)]
enum Model {
    Residual(Arc<PreparedResidual>),
    Nam(NamModel),
}

impl LoadedModel {
    /// Takes the model out of a model file, after checking every key and tensor.
    ///
    /// # Errors
    /// See [`Header::from_metadata`] and [`ResidualWeights::from_tensors`]; [`Error::UnknownArchitecture`]; parity
    /// vectors that are missing, of different lengths, too long or not finite.
    pub fn from_file(file: &ModelFile) -> Result<LoadedModel> {
        LoadedModel::from_file_with(file, &NamOptions::default())
    }

    pub(crate) fn from_file_with(file: &ModelFile, options: &NamOptions) -> Result<LoadedModel> {
        let header = Header::from_metadata(&file.metadata)?;
        if header.architecture == AMP_PARAMETRIC {
            let parametric = Arc::new(Parametric::from_file(file, &header)?);
            let positions = parametric.defaults();
            let at_defaults = LoadedModel::from_file_with(&parametric.fold(&positions)?, options)?;
            return Ok(LoadedModel {
                knobs: Some(Knobs { parametric, positions, options: *options }),
                metadata: Arc::new(file.metadata.clone()),
                ..at_defaults
            });
        }
        let model = match header.architecture.as_str() {
            AMP_WAVENET => {
                let config: ResidualConfig = header.typed_config()?;
                if header.audio.channels != 1 {
                    return Err(Error::OutOfRange {
                        name: "channels in neurdsp.audio".to_owned(),
                        got: header.audio.channels.to_string(),
                        expected: format!("1, because {AMP_WAVENET} is mono"),
                    });
                }
                let weights = ResidualWeights::from_tensors(&config, &file.tensors)?;
                Model::Residual(Arc::new(PreparedResidual::new(&config, &weights)?))
            }
            name if NAM_ARCHITECTURES.contains(&name) => {
                Model::Nam(NamModel::new(NamFile::from_model_file(file)?, options)?)
            }
            other => {
                let known = format!("{AMP_WAVENET}, {AMP_PARAMETRIC}, {}", NAM_ARCHITECTURES.join(", "));
                return Err(Error::UnknownArchitecture { name: one_line(other), known });
            }
        };
        let parity = Parity::from_tensors(&file.tensors, header.parity_db, model.receptive_field())?;
        Ok(LoadedModel {
            model,
            audio: header.audio,
            metadata: Arc::new(file.metadata.clone()),
            parity: Some(Arc::new(parity)),
            knobs: None,
        })
    }

    /// Takes over a model that came as JSON. It carries no parity vectors.
    ///
    /// # Errors
    /// The weights do not fit the config.
    pub fn from_seed(seed: SeedModel) -> Result<LoadedModel> {
        let prepared = PreparedResidual::new(&seed.config, &seed.weights)?;
        let name = ("neurdsp.name".to_owned(), seed.name);
        Ok(LoadedModel {
            model: Model::Residual(Arc::new(prepared)),
            audio: AudioSpec { sample_rate: seed.sample_rate, channels: 1 },
            metadata: Arc::new(BTreeMap::from([name])),
            parity: None,
            knobs: None,
        })
    }

    /// Takes over a `.nam` model. It carries no parity vectors.
    ///
    /// # Errors
    /// A model that is not mono; a size outside 0 to 1.
    pub fn from_nam(file: NamFile, options: &NamOptions) -> Result<LoadedModel> {
        let mut metadata: BTreeMap<String, String> = file.metadata().to_text().into_iter().collect();
        metadata.insert(NAM_VERSION.to_owned(), file.version().to_owned());
        Ok(LoadedModel {
            audio: AudioSpec { sample_rate: file.sample_rate(), channels: 1 },
            model: Model::Nam(NamModel::new(file, options)?),
            metadata: Arc::new(metadata),
            parity: None,
            knobs: None,
        })
    }

    /// The `.nam` model, if it is one.
    pub fn nam(&self) -> Option<&NamFile> {
        match &self.model {
            Model::Nam(model) => Some(&model.file),
            Model::Residual(_) => None,
        }
    }

    /// The same model at another size, from 0 (smallest) to 1 (full), with the default conventions; a model without
    /// sizes is the same at all.
    ///
    /// # Errors
    /// A size outside 0 to 1.
    pub fn at_size(&self, size: f64) -> Result<LoadedModel> {
        let mut resized = self.clone();
        if let Model::Nam(model) = &self.model {
            let options = NamOptions { size: Some(size), ..NamOptions::default() };
            resized.model = Model::Nam(NamModel::new(model.file.as_ref().clone(), &options)?);
        }
        Ok(resized)
    }

    /// What the file says about the device and the capture: loudness, gain, levels in dBu, make and model.
    pub fn capture(&self) -> NamMetadata {
        let text = self.metadata.get(CAPTURE);
        NamMetadata(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
    }

    /// The knobs of the model; most have none.
    pub fn knobs(&self) -> &[Knob] {
        self.knobs.as_ref().map_or(&[], |knobs| knobs.parametric.knobs())
    }

    /// Where the knobs stand, from 0 to 1, in their order.
    pub fn positions(&self) -> &[f32] {
        self.knobs.as_ref().map_or(&[], |knobs| &knobs.positions)
    }

    /// The model with its knobs at other positions, one for each, from 0 to 1. It costs what every model of its size does;
    /// making it takes milliseconds and allocates, so it is not for the audio thread.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for another number of positions than of knobs, or a position outside 0 to 1; weights that are
    /// not finite there.
    pub fn with_knobs(&self, positions: &[f32]) -> Result<LoadedModel> {
        let Some(Knobs { parametric, options, .. }) = &self.knobs else {
            return match positions {
                [] => Ok(self.clone()),
                _ => Err(Error::OutOfRange {
                    name: "the number of knob positions".to_owned(),
                    got: positions.len().to_string(),
                    expected: "0: this model has no knobs".to_owned(),
                }),
            };
        };
        let moved = LoadedModel::from_file_with(&parametric.fold(positions)?, options)?;
        let at_defaults = parametric.defaults() == positions;
        let (parametric, options, positions) = (Arc::clone(parametric), *options, positions.to_vec());
        Ok(LoadedModel {
            knobs: Some(Knobs { parametric, positions, options }),
            metadata: Arc::clone(&self.metadata),
            parity: if at_defaults { moved.parity.clone() } else { None },
            ..moved
        })
    }

    /// Family and kind, such as `amp.wavenet`.
    pub fn architecture(&self) -> &'static str {
        if self.knobs.is_some() {
            return AMP_PARAMETRIC;
        }
        match &self.model {
            Model::Residual(_) => AMP_WAVENET,
            Model::Nam(model) => model.file.architecture(),
        }
    }

    /// The sample rate that the model was trained at, in Hz.
    pub fn sample_rate(&self) -> f64 {
        self.audio.sample_rate
    }

    /// How many input samples, the current one included, an output sample depends on.
    pub fn receptive_field(&self) -> usize {
        self.model.receptive_field()
    }

    /// The number of trained values; of a model of several sizes, those of the size that plays.
    pub fn n_parameters(&self) -> usize {
        match &self.model {
            Model::Residual(prepared) => prepared.config().n_parameters(),
            Model::Nam(model) => model.n_parameters,
        }
    }

    /// A new stream through the model, in the state after silence for ever.
    ///
    /// # Errors
    /// The state cannot be addressed; the bounds of the configs exclude it.
    pub fn build_stream(&self) -> Result<Box<dyn StreamingModel>> {
        match &self.model {
            Model::Residual(prepared) => Ok(Box::new(ResidualStream::from_prepared(Arc::clone(prepared))?)),
            Model::Nam(model) => model.stream(),
        }
    }

    /// Runs the parity vectors of the file through the engine, and measures how far the output is from the one that
    /// the trained model gave.
    ///
    /// # Errors
    /// [`Error::MissingParity`] if the file carries none, as JSON does, or none for where the knobs stand.
    pub fn verify(&self) -> Result<Verification> {
        match &self.parity {
            Some(parity) => Ok(parity.verify(self.build_stream()?.as_mut())),
            None => Err(Error::MissingParity { name: "parity vectors".to_owned() }),
        }
    }

    /// The metadata of the file; for JSON its name only, for `.nam` also `neurdsp.capture`, its metadata as JSON.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}

impl Model {
    fn receptive_field(&self) -> usize {
        match self {
            Model::Residual(prepared) => prepared.config().receptive_field(),
            Model::Nam(model) => model.receptive_field,
        }
    }
}
