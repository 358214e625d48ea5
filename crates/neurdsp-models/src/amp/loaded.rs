//! An amp model that is ready to play, of whatever architecture.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::amp::architectures::{ARCHITECTURES, NAMES};
use crate::amp::knobs::{AMP_PARAMETRIC, Knob, Parametric};
use crate::amp::nam::{CAPTURE, NamFile, NamMetadata, NamModel, NamOptions};
use crate::amp::playable::Playable;
use crate::amp::probe::probe;
use crate::amp::residual::PreparedResidual;
use crate::amp::seed_json::SeedModel;
use crate::container::file::ModelFile;
use crate::container::header::{AudioSpec, Header};
use crate::container::parity::{Parity, Verification};
use crate::error::{Error, Result};
use crate::kinds::{AnyModel, Model, StreamSource, StreamingModel};

/// The metadata key of the version of a `.nam` file.
const NAM_VERSION: &str = "nam.version";
/// The metadata key of the format of another player, such as `AIDA-X JSON`.
const SOURCE_FORMAT: &str = "source.format";
/// The most samples of a parity vector beyond four receptive fields.
const MAX_EXTRA_PARITY_SAMPLES: usize = 1 << 16;

/// An amp model with its weights prepared, ready to play any number of streams.
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
    network: Arc<dyn Playable>,
    /// What the network was prepared for.
    options: NamOptions,
    audio: AudioSpec,
    metadata: Arc<BTreeMap<String, String>>,
    parity: Option<Arc<Parity>>,
    knobs: Option<Knobs>,
}

/// The knobs of a model, and the positions that its network was folded at.
#[derive(Debug, Clone)]
struct Knobs {
    parametric: Arc<Parametric>,
    positions: Vec<f32>,
}

impl LoadedModel {
    /// Takes the model out of a model file, after checking every key and tensor.
    ///
    /// # Errors
    /// See [`Header::from_metadata`]; [`Error::UnknownArchitecture`]; what is wrong with the tensors; parity vectors that
    /// are missing, of different lengths, too long or not finite; an output that is not finite, or over 120 dB.
    pub fn from_file(file: &ModelFile) -> Result<LoadedModel> {
        LoadedModel::from_file_with(file, &NamOptions::default())
    }

    /// As [`from_file`](Self::from_file), with options for a `.nam` model in the file.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file), and a size outside 0 to 1.
    pub fn from_file_with(file: &ModelFile, options: &NamOptions) -> Result<LoadedModel> {
        let header = Header::from_metadata(&file.metadata)?;
        if header.architecture == AMP_PARAMETRIC {
            let parametric = Arc::new(Parametric::from_file(file, &header)?);
            let positions = parametric.defaults();
            let metadata = Arc::new(file.metadata.clone());
            return LoadedModel::folded(Knobs { parametric, positions }, options, metadata);
        }
        let Some(architecture) = ARCHITECTURES.iter().find(|known| known.name == header.architecture) else {
            return Err(header.unknown_architecture(&NAMES));
        };
        let network = (architecture.read)(file, &header, options)?;
        probe(&network)?;
        let parity = mono_parity(file, header.parity_db, network.receptive_field())?;
        Ok(LoadedModel {
            network,
            options: *options,
            audio: header.audio,
            metadata: Arc::new(file.metadata.clone()),
            parity: Some(Arc::new(parity)),
            knobs: None,
        })
    }

    /// The model at the positions of its knobs. The parity vectors of its file hold where the knobs begin.
    fn folded(
        knobs: Knobs,
        options: &NamOptions,
        metadata: Arc<BTreeMap<String, String>>,
    ) -> Result<LoadedModel> {
        let model = LoadedModel::from_file_with(&knobs.parametric.fold(&knobs.positions)?, options)?;
        let parity = model.parity.filter(|_| knobs.positions == knobs.parametric.defaults());
        Ok(LoadedModel { knobs: Some(knobs), metadata, parity, ..model })
    }

    /// Takes over a model that came as JSON. It carries no parity vectors.
    ///
    /// # Errors
    /// The weights do not fit the config; an output that is not finite, or over 120 dB.
    pub fn from_seed(seed: SeedModel) -> Result<LoadedModel> {
        let name = ("neurdsp.name".to_owned(), seed.name);
        let network: Arc<dyn Playable> = Arc::new(PreparedResidual::new(&seed.config, &seed.weights)?);
        probe(&network)?;
        Ok(LoadedModel {
            network,
            options: NamOptions::default(),
            audio: AudioSpec { sample_rate: seed.sample_rate, channels: 1 },
            metadata: Arc::new(BTreeMap::from([name])),
            parity: None,
            knobs: None,
        })
    }

    /// Takes over a `.nam` model. It carries no parity vectors.
    ///
    /// # Errors
    /// A model that is not mono; a size outside 0 to 1; an output that is not finite, or over 120 dB.
    pub fn from_nam(file: NamFile, options: &NamOptions) -> Result<LoadedModel> {
        let mut metadata: BTreeMap<String, String> = file.metadata().to_text().into_iter().collect();
        metadata.insert(NAM_VERSION.to_owned(), file.version().to_owned());
        let audio = AudioSpec { sample_rate: file.sample_rate(), channels: 1 };
        let network: Arc<dyn Playable> = Arc::new(NamModel::new(Arc::new(file), options)?);
        probe(&network)?;
        Ok(LoadedModel {
            audio,
            network,
            options: *options,
            metadata: Arc::new(metadata),
            parity: None,
            knobs: None,
        })
    }

    /// Takes over a model of another player's format, as the `.nam` model that computes the same.
    pub(crate) fn from_foreign(file: NamFile, format: &str, options: &NamOptions) -> Result<LoadedModel> {
        let mut model = LoadedModel::from_nam(file, options)?;
        let metadata = Arc::make_mut(&mut model.metadata);
        metadata.remove(NAM_VERSION);
        metadata.insert(SOURCE_FORMAT.to_owned(), format.to_owned());
        Ok(model)
    }

    /// The same model prepared for other options, with its knobs where they are.
    fn prepared(&self, options: &NamOptions) -> Result<LoadedModel> {
        if let Some(knobs) = &self.knobs {
            return LoadedModel::folded(knobs.clone(), options, Arc::clone(&self.metadata));
        }
        let network = match self.network.prepared(options)? {
            Some(network) => {
                probe(&network)?;
                network
            }
            None => Arc::clone(&self.network),
        };
        Ok(LoadedModel { network, options: *options, ..self.clone() })
    }

    /// The `.nam` model, if it is one.
    pub fn nam(&self) -> Option<&NamFile> {
        self.network.nam()
    }

    /// The same model at another size, from 0 (smallest) to 1 (full). Conventions and knobs stay as they are. A model
    /// without sizes plays the same at every size.
    ///
    /// # Errors
    /// A size outside 0 to 1.
    pub fn at_size(&self, size: f64) -> Result<LoadedModel> {
        self.prepared(&NamOptions { size: Some(size), ..self.options })
    }

    /// What the file says about the device and the capture: loudness, gain, levels in dBu, make and model. Of a model of
    /// several sizes, the levels are those of the size that plays.
    pub fn capture(&self) -> NamMetadata {
        let text = self.metadata.get(CAPTURE);
        let whole = NamMetadata(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default());
        match self.nam() {
            Some(file) => file.facts_at(self.options.size, whole),
            None => whole,
        }
        .with_numbers()
    }

    /// The knobs of the model; most have none.
    pub fn knobs(&self) -> &[Knob] {
        self.knobs.as_ref().map_or(&[], |knobs| knobs.parametric.knobs())
    }

    /// The positions of the knobs, from 0 to 1, in their order.
    pub fn positions(&self) -> &[f32] {
        self.knobs.as_ref().map_or(&[], |knobs| &knobs.positions)
    }

    /// The model with its knobs at other positions, one for each, from 0 to 1. It plays at the cost of every model of its
    /// size. Making it takes milliseconds and allocates, so it is not for the audio thread.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for another number of positions than of knobs, or a position outside 0 to 1; weights that are
    /// not finite there.
    pub fn with_knobs(&self, positions: &[f32]) -> Result<LoadedModel> {
        let Some(Knobs { parametric, .. }) = &self.knobs else {
            return match positions {
                [] => Ok(self.clone()),
                _ => Err(Error::OutOfRange {
                    name: "the number of knob positions".to_owned(),
                    got: positions.len().to_string(),
                    expected: "0: this model has no knobs".to_owned(),
                }),
            };
        };
        let knobs = Knobs { parametric: Arc::clone(parametric), positions: positions.to_vec() };
        LoadedModel::folded(knobs, &self.options, Arc::clone(&self.metadata))
    }

    /// Family and architecture, such as `amp.wavenet`.
    pub fn architecture(&self) -> &'static str {
        if self.knobs.is_some() { AMP_PARAMETRIC } else { self.network.architecture() }
    }

    /// The sample rate that the model was trained at, in Hz.
    pub fn sample_rate(&self) -> f64 {
        self.audio.sample_rate
    }

    /// How many input samples, the current one included, an output sample depends on.
    pub fn receptive_field(&self) -> usize {
        self.network.receptive_field()
    }

    /// By how many samples the output of a stream lags behind its input: always 0, since amp models look at nothing ahead.
    pub fn latency(&self) -> usize {
        0
    }

    /// The number of trained values; of a model of several sizes, those of the size that plays.
    pub fn n_parameters(&self) -> usize {
        self.network.n_parameters()
    }

    /// A new stream through the model, in the state after silence for ever.
    ///
    /// # Errors
    /// The state cannot be addressed; the bounds of the configs exclude it.
    pub fn build_stream(&self) -> Result<Box<dyn StreamingModel>> {
        Arc::clone(&self.network).build_stream()
    }

    /// Runs the parity vectors of the file through the engine, and measures how far the output is from the one that
    /// the trained model gave.
    ///
    /// # Errors
    /// [`Error::MissingParity`] if the file carries none, as JSON does, or none for the positions of the knobs.
    pub fn verify(&self) -> Result<Verification> {
        AnyModel::from(self.clone()).verify()
    }

    /// The metadata of the file; for JSON its name only, for `.nam` also `neurdsp.capture`, its metadata as JSON.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}

impl Model for LoadedModel {
    fn architecture(&self) -> &str {
        self.architecture()
    }

    fn audio(&self) -> AudioSpec {
        self.audio
    }

    fn n_parameters(&self) -> usize {
        self.n_parameters()
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        self.metadata()
    }

    fn parity(&self) -> Option<&Parity> {
        self.parity.as_deref()
    }
}

impl StreamSource for LoadedModel {
    fn receptive_field(&self) -> usize {
        self.receptive_field()
    }

    fn latency(&self) -> usize {
        self.latency()
    }

    fn build_stream(&self) -> Result<Box<dyn StreamingModel>> {
        self.build_stream()
    }
}

impl From<LoadedModel> for AnyModel {
    fn from(model: LoadedModel) -> AnyModel {
        AnyModel::Stream(Arc::new(model))
    }
}

/// The parity vectors of a file: one input and one output, both `[samples]`.
fn mono_parity(file: &ModelFile, threshold_db: f64, receptive_field: usize) -> Result<Parity> {
    let limit = receptive_field.saturating_mul(4).saturating_add(MAX_EXTRA_PARITY_SAMPLES);
    let parity = Parity::from_tensors(&file.tensors, threshold_db, limit)?;
    let (input, output) = (parity.input()?, parity.output()?);
    for (name, vector) in [("parity.input", input), ("parity.output", output)] {
        if vector.shape.len() != 1 {
            let reason = format!("its shape is {:?}, but must be [samples]", vector.shape);
            return Err(Error::malformed(name, reason));
        }
    }
    if input.shape != output.shape {
        return Err(Error::TensorShape {
            name: "parity.output".to_owned(),
            got: output.shape.clone(),
            expected: input.shape.clone(),
        });
    }
    Ok(parity)
}
