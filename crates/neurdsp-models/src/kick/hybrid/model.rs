//! A hybrid generator as a model: from its file, and what it does.

use std::collections::BTreeMap;
use std::fmt;

use neurdsp_simd::Isa;

use super::code::KickCode;
use super::config::{HYBRID, HybridConfig, refuse};
use super::network::{Candidates, Network, Wishes};
use super::render::{KickRenderer, RenderSpec, kick_key};
use crate::container::file::ModelFile;
use crate::container::header::{AudioSpec, Header};
use crate::container::json::one_line;
use crate::container::parity::Parity;
use crate::container::tensor::{Tensor, Tensors, expect_floats};
use crate::error::{Error, Result};
use crate::kinds::{Generator, Model};

/// Values of a parity vector: a kick of ten seconds, and more.
const MAX_PARITY_VALUES: usize = 1 << 20;
const PARITY_PREFIX: &str = "parity.";
/// The guidance where none is given.
const GUIDANCE: f32 = 2.0;

/// A hybrid generator: keywords and a seed in, codes of kicks out.
///
/// # Example
/// ```no_run
/// use neurdsp_models::kick::{Hybrid, KickRenderer, RenderSpec, kick_key};
/// use neurdsp_models::{Header, ModelFile};
/// let file = ModelFile::read("default.safetensors")?;
/// let model = Hybrid::from_file(&file, &Header::from_metadata(&file.metadata)?)?;
/// let mut keywords = vec![0.0; model.config().keywords.len()];
/// keywords[0] = 1.0;
/// let none = vec![None; model.config().attributes.len()];
/// let key = kick_key(7, 0);
/// let candidates = model.candidates(&keywords, &none, 2.0, key)?;
/// let code = model.decode(model.chosen(&candidates))?;
/// let audio = KickRenderer::default().render(&code, key, &RenderSpec::default())?;
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
pub struct Hybrid {
    config: HybridConfig,
    network: Network,
    n_parameters: usize,
    metadata: BTreeMap<String, String>,
    /// None before the test vectors of a new file are made.
    parity: Option<Parity>,
    isa: Isa,
}

impl Hybrid {
    /// Takes a generator out of a model file, after checking its config and every tensor.
    ///
    /// # Errors
    /// What is wrong with the file, by the name of the value or the tensor.
    pub fn from_file(file: &ModelFile, header: &Header) -> Result<Self> {
        Hybrid::for_isa(file, header, Isa::detect())
    }

    /// As [`from_file`](Self::from_file), for a given instruction set; all of them give the same bytes.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file).
    pub fn for_isa(file: &ModelFile, header: &Header, isa: Isa) -> Result<Self> {
        let config: HybridConfig = header.typed_config()?;
        config.validate()?;
        let audio = AudioSpec { sample_rate: 44_100.0, channels: 1 };
        if audio != header.audio {
            let got = format!("{} Hz, {} channels", header.audio.sample_rate, header.audio.channels);
            return Err(refuse("neurdsp.audio", got, "44100 Hz, 1 channel".to_owned()));
        }
        let (network, taken) = Network::new(&config, &file.tensors, isa)?;
        let is_weight = |name: &&String| !name.starts_with(PARITY_PREFIX);
        if let Some(name) = file.tensors.keys().filter(is_weight).find(|name| !taken.contains(*name)) {
            let architecture =
                format!("a {HYBRID} model of {} blocks and {} decoders", config.blocks, config.decoder.len());
            return Err(Error::UnexpectedTensor { name: one_line(name), architecture });
        }
        let has_parity = taken.len() < file.tensors.len();
        let parity = || Parity::from_tensors(&file.tensors, header.parity_db, MAX_PARITY_VALUES);
        let parity = if has_parity { Some(parity()?) } else { None };
        let n_parameters = taken.iter().map(|name| file.tensors[name].data.len()).sum();
        Ok(Hybrid { config, network, n_parameters, metadata: file.metadata.clone(), parity, isa })
    }

    /// The shape of the network, and the words that it knows.
    #[must_use]
    pub fn config(&self) -> &HybridConfig {
        &self.config
    }

    /// The candidates of the kick of this key.
    ///
    /// # Parameters
    /// - `keywords`: for each of the config 1 (asked), −1 (not wanted) or 0
    /// - `attributes`: for each of the config a value in its units, or nothing
    /// - `guidance`: 1 to 8; 2 is as trained
    ///
    /// # Errors
    /// Other numbers of values, or values out of range.
    pub fn candidates(
        &self,
        keywords: &[f32],
        attributes: &[Option<f32>],
        guidance: f32,
        key: u64,
    ) -> Result<Candidates> {
        let wishes = self.wishes(keywords, attributes, guidance)?;
        Ok(self.network.candidates(&self.config, &wishes, guidance, key))
    }

    /// The latent that was chosen among candidates.
    #[must_use]
    pub fn chosen<'a>(&self, candidates: &'a Candidates) -> &'a [f32] {
        &candidates.latents[candidates.best * self.config.latent..][..self.config.latent]
    }

    /// The noise of `rows` latents of a kick, `[rows][latent]`.
    #[must_use]
    pub fn noise(&self, key: u64, rows: usize) -> Vec<f32> {
        self.network.noise(key, rows)
    }

    /// Latents of noise, `[rows][latent]` both.
    ///
    /// # Errors
    /// As [`candidates`](Self::candidates), or noise that is not whole rows of finite numbers.
    pub fn latents(
        &self,
        noise: &[f32],
        keywords: &[f32],
        attributes: &[Option<f32>],
        guidance: f32,
    ) -> Result<Vec<f32>> {
        let wishes = self.wishes(keywords, attributes, guidance)?;
        self.check_rows("the noise", noise)?;
        Ok(self.network.step(noise, wishes.condition(), guidance))
    }

    /// What latents, `[rows][latent]`, will measure: `[rows][quantities]`, in standard deviations.
    ///
    /// # Errors
    /// Latents that are not whole rows of finite numbers.
    pub fn probe(&self, latents: &[f32]) -> Result<Vec<f32>> {
        self.check_rows("the latents", latents)?;
        Ok(self.network.probe(latents))
    }

    /// The code of a latent.
    ///
    /// # Errors
    /// A latent of another length, or one that is not finite.
    pub fn decode(&self, latent: &[f32]) -> Result<KickCode> {
        if latent.len() != self.config.latent {
            return Err(refuse("the length of a latent", latent.len(), self.config.latent.to_string()));
        }
        self.check_rows("the latent", latent)?;
        Ok(self.code_of(latent))
    }

    fn code_of(&self, latent: &[f32]) -> KickCode {
        let mut code = self.network.decode(latent);
        if let Some(from_s) = self.config.settle_s {
            code.settle(f64::from(from_s));
        }
        code
    }

    fn check_rows(&self, name: &str, values: &[f32]) -> Result<()> {
        if !values.len().is_multiple_of(self.config.latent) {
            let expected = format!("rows of {}", self.config.latent);
            return Err(refuse(&format!("the length of {name}"), values.len(), expected));
        }
        crate::container::tensor::expect_finite(name, values)
    }

    fn wishes(&self, keywords: &[f32], attributes: &[Option<f32>], guidance: f32) -> Result<Wishes> {
        let (n_keywords, n_attributes) = (self.config.keywords.len(), self.config.attributes.len());
        if keywords.len() != n_keywords {
            return Err(refuse("the number of keywords", keywords.len(), n_keywords.to_string()));
        }
        if attributes.len() != n_attributes {
            return Err(refuse("the number of attributes", attributes.len(), n_attributes.to_string()));
        }
        for (word, value) in self.config.keywords.iter().zip(keywords) {
            if ![-1.0, 0.0, 1.0].contains(value) {
                let name = format!("the keyword {}", one_line(&word.name));
                return Err(refuse(&name, value, "1 (asked), -1 (not wanted) or 0".to_owned()));
            }
        }
        for (attribute, value) in self.config.attributes.iter().zip(attributes) {
            // With room for the rounding of values at the ends.
            let room = 1e-4 * (attribute.high - attribute.low);
            let range = attribute.low - room..=attribute.high + room;
            if let Some(value) = value.filter(|value| !range.contains(value)) {
                let name = format!("the attribute {}", one_line(&attribute.name));
                return Err(refuse(&name, value, format!("from {} to {}", attribute.low, attribute.high)));
            }
        }
        if !(1.0..=8.0).contains(&guidance) {
            return Err(refuse("guidance", guidance, "from 1 to 8".to_owned()));
        }
        Wishes::new(&self.config, keywords, attributes)
    }
}

impl fmt::Debug for Hybrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hybrid").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Model for Hybrid {
    fn architecture(&self) -> &str {
        HYBRID
    }

    fn audio(&self) -> AudioSpec {
        AudioSpec { sample_rate: 44_100.0, channels: 1 }
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

impl Generator for Hybrid {
    /// Kick 0 of the seed, two seconds at 44,100 Hz. The condition has `keywords`, and may have `attributes`, with the flags
    /// `given`, and `guidance`.
    fn generate(&self, condition: &Tensors, seed: u64) -> Result<Tensor> {
        const KNOWN: [&str; 4] = ["keywords", "attributes", "given", "guidance"];
        if let Some(name) = condition.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            let architecture = format!("the condition ({})", KNOWN.join(", "));
            return Err(Error::UnexpectedTensor { name: one_line(name), architecture });
        }
        let keywords = expect_floats(condition, KNOWN[0], &[self.config.keywords.len()])?;
        let shape = [self.config.attributes.len()];
        let attributes = if condition.contains_key(KNOWN[1]) {
            let values = expect_floats(condition, KNOWN[1], &shape)?;
            let given = expect_floats(condition, KNOWN[2], &shape)?;
            values.iter().zip(given.iter()).map(|(value, given)| (*given != 0.0).then_some(*value)).collect()
        } else {
            vec![None; self.config.attributes.len()]
        };
        let guidance = match condition.contains_key(KNOWN[3]) {
            true => expect_floats(condition, KNOWN[3], &[1])?[0],
            false => GUIDANCE,
        };
        let key = kick_key(seed, 0);
        let candidates = self.candidates(&keywords, &attributes, guidance, key)?;
        let code = self.code_of(self.chosen(&candidates));
        let spec = RenderSpec::default();
        let audio = KickRenderer::new(self.isa).render(&code, key, &spec)?;
        Tensor::new(vec![1, spec.length], audio)
    }
}
