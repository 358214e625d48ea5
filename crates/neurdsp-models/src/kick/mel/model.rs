//! Latent diffusion of mel spectrograms as a model: from its file, and what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use neurdsp_nn::exact::functions::{cos_turns, ln};
use neurdsp_nn::exact::{mixed, split};
use neurdsp_nn::image::Work;
use neurdsp_simd::Isa;

use super::config::{MEL_DIFFUSION, MelDiffusionConfig, refuse};
use super::layers::Source;
use super::sampler::Sampler;
use super::unet::{Keywords, Unet};
use super::vae::Vae;
use super::vocoder::Vocoder;
use crate::container::file::ModelFile;
use crate::container::header::{AudioSpec, Header};
use crate::container::json::one_line;
use crate::container::parity::{Parity, Verification};
use crate::container::tensor::{Tensor, Tensors, expect_finite, expect_floats};
use crate::error::{Error, Result};
use crate::kinds::{Generator, Model};

const MAX_PARITY_VALUES: usize = 1 << 20;
const PARITY_PREFIX: &str = "parity.";

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct MelRequest {
    /// Numbers of words.
    pub keywords: Vec<usize>,
    /// Numbers of words that are not wanted.
    pub negative: Vec<usize>,
    /// How much the words count: 1 as trained, more exaggerates.
    pub guidance: f32,
    /// Steps of the sampler.
    pub steps: usize,
    /// The sampler.
    pub sampler: Sampler,
    /// Threads for one kick.
    pub n_threads: usize,
}

impl Default for MelRequest {
    fn default() -> Self {
        Self {
            keywords: Vec::new(),
            negative: Vec::new(),
            guidance: 3.0,
            steps: 20,
            sampler: Sampler::default(),
            n_threads: 1,
        }
    }
}

/// The networks of the preset `seed`.
pub struct MelDiffusion {
    config: MelDiffusionConfig,
    vae: Vae,
    unet: Unet,
    keywords: Keywords,
    vocoder: Vocoder,
    n_parameters: usize,
    metadata: BTreeMap<String, String>,
    /// None before the test vectors of a new file are made.
    parity: Option<Parity>,
}

impl MelDiffusion {
    /// Takes the networks out of a model file, after checking the config and every tensor.
    ///
    /// # Errors
    /// What is wrong with the file, by the name of the value or the tensor.
    pub fn from_file(file: &ModelFile, header: &Header) -> Result<Self> {
        MelDiffusion::for_isa(file, header, Isa::detect())
    }

    /// As [`from_file`](Self::from_file), for a given instruction set.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file).
    pub fn for_isa(file: &ModelFile, header: &Header, isa: Isa) -> Result<Self> {
        let config: MelDiffusionConfig = header.typed_config()?;
        config.validate()?;
        let audio = AudioSpec { sample_rate: f64::from(config.mel.sample_rate), channels: 1 };
        if audio != header.audio {
            let got = format!("{} Hz, {} channels", header.audio.sample_rate, header.audio.channels);
            let expected = format!("{} Hz as the config has it, 1 channel", audio.sample_rate);
            return Err(refuse("neurdsp.audio", got, expected));
        }
        let mut source = Source { tensors: &file.tensors, taken: BTreeSet::new(), isa };
        let vae = Vae::new(&mut source, &config)?;
        let unet = Unet::new(&mut source, &config)?;
        let keywords = Keywords::new(&mut source, &config)?;
        let vocoder = Vocoder::new(&mut source, &config)?;
        let taken = source.taken;
        let is_weight = |name: &&String| !name.starts_with(PARITY_PREFIX);
        if let Some(name) = file.tensors.keys().filter(is_weight).find(|name| !taken.contains(*name)) {
            let architecture = format!("a {MEL_DIFFUSION} model of this config");
            return Err(Error::UnexpectedTensor { name: one_line(name), architecture });
        }
        let has_parity = taken.len() < file.tensors.len();
        let parity = || Parity::from_tensors(&file.tensors, header.parity_db, MAX_PARITY_VALUES);
        let parity = if has_parity { Some(parity()?) } else { None };
        // Mean and deviation of latents are measured, not trained.
        let trained = taken.iter().filter(|name| !name.starts_with("vae.latent_"));
        let n_parameters = trained.map(|name| file.tensors[name].data.len()).sum();
        let metadata = file.metadata.clone();
        Ok(MelDiffusion { config, vae, unet, keywords, vocoder, n_parameters, metadata, parity })
    }

    /// The shapes of the networks, and the vocabulary.
    #[must_use]
    pub fn config(&self) -> &MelDiffusionConfig {
        &self.config
    }

    /// The kick of a seed.
    ///
    /// # Errors
    /// A word that there is not, or a value out of range.
    pub fn kick(&self, request: &MelRequest, seed: u64) -> Result<Vec<f32>> {
        let work = Work::new(request.n_threads);
        let latent = self.latent(request, seed, &work)?;
        let mel = self.vae.decode(&latent, self.config.latent_shape(), &work);
        Ok(self.trimmed(self.vocoder.run(&mel, &work)))
    }

    /// Its latent, as the VAE takes it.
    fn latent(&self, request: &MelRequest, seed: u64, work: &Work) -> Result<Vec<f32>> {
        let words = self.config.keywords.words.len();
        if let Some(number) = request.keywords.iter().chain(&request.negative).find(|word| **word >= words) {
            return Err(refuse("the number of a keyword", number, format!("below {words}")));
        }
        if !(0.0..=20.0).contains(&request.guidance) {
            return Err(refuse("guidance", request.guidance, "from 0 to 20".to_owned()));
        }
        if !(1..=self.config.noise.n_steps).contains(&request.steps) {
            return Err(refuse("steps", request.steps, format!("from 1 to {}", self.config.noise.n_steps)));
        }
        let shape = self.config.latent_shape();
        let len: usize = shape.iter().product();
        let mut stream = 0;
        let mut draw = || {
            stream += 1;
            normal(split(seed), stream, len)
        };
        let start = draw();
        let mut conditions = vec![self.keywords.encode(&request.keywords)];
        let is_guided = request.guidance != 1.0;
        if is_guided {
            conditions.push(self.keywords.encode(&request.negative));
        }
        let noise_in = |latent: &[f32], step: usize| {
            let mut found = self.unet.noise(latent, shape, step, &conditions, work).into_iter();
            match (found.next(), found.next()) {
                (Some(asked), Some(other)) => {
                    let guided = asked.iter().zip(other);
                    guided.map(|(asked, other)| other + request.guidance * (asked - other)).collect()
                }
                (asked, _) => asked.unwrap_or_default(),
            }
        };
        let mut latent = request.sampler.run(&self.config.noise, request.steps, start, noise_in, draw);
        self.vae.unscale(&mut latent);
        Ok(latent)
    }

    /// What belongs to the kick: the first half hop lies before it.
    fn trimmed(&self, audio: Vec<f32>) -> Vec<f32> {
        let lead = self.config.mel.hop_length / 2;
        let mut kick: Vec<f32> = audio.into_iter().skip(lead).take(self.config.mel.n_samples).collect();
        kick.resize(self.config.mel.n_samples, 0.0);
        kick
    }

    /// The condition of words.
    ///
    /// # Errors
    /// A word that there is not.
    pub fn condition(&self, keywords: &[usize]) -> Result<Vec<f32>> {
        let words = self.config.keywords.words.len();
        match keywords.iter().find(|word| **word >= words) {
            Some(number) => Err(refuse("the number of a keyword", number, format!("below {words}"))),
            None => Ok(self.keywords.encode(keywords)),
        }
    }

    /// The noise in a latent of unit variance, `[channels][bands][frames]`, at a step, under each of some conditions.
    ///
    /// # Errors
    /// Values of another number, or a step that there is not.
    pub fn noise(
        &self,
        latent: &[f32],
        step: usize,
        conditions: &[Vec<f32>],
        n_threads: usize,
    ) -> Result<Vec<Vec<f32>>> {
        let shape = self.config.latent_shape();
        check_len("a latent", latent, shape.iter().product())?;
        for condition in conditions {
            check_len("a condition", condition, self.config.unet.condition_dim)?;
        }
        if step >= self.config.noise.n_steps {
            return Err(refuse("the step", step, format!("below {}", self.config.noise.n_steps)));
        }
        if conditions.is_empty() || conditions.len() > 64 {
            return Err(refuse("the number of conditions", conditions.len(), "from 1 to 64".to_owned()));
        }
        Ok(self.unet.noise(latent, shape, step, conditions, &Work::new(n_threads)))
    }

    /// The spectrogram `[n_mels][n_frames]` of a latent of unit variance.
    ///
    /// # Errors
    /// Another number of values.
    pub fn mel(&self, latent: &[f32], n_threads: usize) -> Result<Vec<f32>> {
        let shape = self.config.latent_shape();
        check_len("a latent", latent, shape.iter().product())?;
        let mut latent = latent.to_vec();
        self.vae.unscale(&mut latent);
        Ok(self.vae.decode(&latent, shape, &Work::new(n_threads)))
    }

    /// The audio of a spectrogram `[n_mels][n_frames]`.
    ///
    /// # Errors
    /// Another number of values.
    pub fn audio_of(&self, mel: &[f32], n_threads: usize) -> Result<Vec<f32>> {
        check_len("a spectrogram", mel, self.config.mel.n_mels * self.config.mel.n_frames())?;
        Ok(self.trimmed(self.vocoder.run(mel, &Work::new(n_threads))))
    }
}

fn check_len(what: &str, values: &[f32], expected: usize) -> Result<()> {
    if values.len() != expected {
        return Err(refuse(&format!("the length of {what}"), values.len(), expected.to_string()));
    }
    expect_finite(what, values)
}

/// Normal numbers of a key (G. Box, M. Muller, "A note on the generation of random normal deviates", 1958).
fn normal(key: u64, stream: u64, len: usize) -> Vec<f32> {
    let [low, high] = mixed(key, stream);
    let key = u64::from(high) << 32 | u64::from(low);
    let uniform = |i: u64| (split(key.wrapping_add(i)) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64);
    let number = |i: u64| (-2.0 * ln(1.0 - uniform(2 * i))).max(0.0).sqrt() * cos_turns(uniform(2 * i + 1));
    (0..len as u64).map(|i| number(i) as f32).collect()
}

/// The numbers of words in a tensor.
fn numbers(tensors: &Tensors, name: &str, words: usize) -> Result<Vec<usize>> {
    let Some(tensor) = tensors.get(name) else { return Ok(Vec::new()) };
    let values = expect_floats(tensors, name, &[tensor.data.len()])?;
    let number = |value: &f32| {
        let is_word = value.fract() == 0.0 && *value >= 0.0 && (*value as usize) < words;
        is_word
            .then_some(*value as usize)
            .ok_or_else(|| refuse(name, value, format!("whole, from 0 to {}", words - 1)))
    };
    values.iter().map(number).collect()
}

impl fmt::Debug for MelDiffusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MelDiffusion").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Model for MelDiffusion {
    fn architecture(&self) -> &str {
        MEL_DIFFUSION
    }

    fn audio(&self) -> AudioSpec {
        AudioSpec { sample_rate: f64::from(self.config.mel.sample_rate), channels: 1 }
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

impl Generator for MelDiffusion {
    /// The kick of a seed. The condition may have `keywords` and `negative`, numbers of words, `guidance` and `steps`.
    fn generate(&self, condition: &Tensors, seed: u64) -> Result<Tensor> {
        const KNOWN: [&str; 4] = ["keywords", "negative", "guidance", "steps"];
        if let Some(name) = condition.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            let architecture = format!("the condition ({})", KNOWN.join(", "));
            return Err(Error::UnexpectedTensor { name: one_line(name), architecture });
        }
        let words = self.config.keywords.words.len();
        let mut request = MelRequest {
            keywords: numbers(condition, KNOWN[0], words)?,
            negative: numbers(condition, KNOWN[1], words)?,
            ..MelRequest::default()
        };
        if condition.contains_key(KNOWN[2]) {
            request.guidance = expect_floats(condition, KNOWN[2], &[1])?[0];
        }
        if condition.contains_key(KNOWN[3]) {
            request.steps = expect_floats(condition, KNOWN[3], &[1])?[0] as usize;
        }
        let audio = self.kick(&request, seed)?;
        Tensor::new(vec![1, audio.len()], audio)
    }

    /// Runs each part on the inputs `latent`, `step`, `keywords` and `mel`, and compares what it makes.
    fn prove(&self, parity: &Parity) -> Result<Verification> {
        let (work, inputs) = (Work::new(1), parity.inputs());
        let shape = self.config.latent_shape();
        let latent = expect_floats(inputs, "latent", &shape)?;
        let step = expect_floats(inputs, "step", &[1])?[0];
        let (n_mels, n_frames) = (self.config.mel.n_mels, self.config.mel.n_frames());
        let mel = expect_floats(inputs, "mel", &[n_mels, n_frames])?;
        let words = numbers(inputs, "keywords", self.config.keywords.words.len())?;
        if !(step.fract() == 0.0 && (0.0..self.config.noise.n_steps as f32).contains(&step)) {
            let expected = format!("whole, from 0 to {}", self.config.noise.n_steps - 1);
            return Err(refuse("parity.input.step", step, expected));
        }
        let conditions = [self.keywords.encode(&words), self.keywords.encode(&[])];
        let noise = self.unet.noise(&latent, shape, step as usize, &conditions[..1], &work);
        // As many frames as the expected audio has.
        let hop = self.config.mel.hop_length;
        let samples = parity.outputs().get("audio").map_or(0, |audio| audio.data.len());
        let frames = (samples / hop).min(n_frames);
        let some: Vec<f32> = mel.chunks_exact(n_frames).flat_map(|band| &band[..frames]).copied().collect();
        let [some_condition, null_condition] = conditions;
        let vector = |values: Vec<f32>| Tensor::new(vec![values.len()], values);
        let mut outputs = Tensors::from([
            ("condition".to_owned(), vector(some_condition)?),
            ("null_condition".to_owned(), vector(null_condition)?),
            ("mel".to_owned(), Tensor::new(vec![n_mels, n_frames], self.vae.decode(&latent, shape, &work))?),
            ("latent".to_owned(), Tensor::new(shape.to_vec(), self.vae.encode(&mel, &work))?),
            ("audio".to_owned(), vector(self.vocoder.run(&some, &work))?),
        ]);
        for noise in noise {
            outputs.insert("noise".to_owned(), Tensor::new(shape.to_vec(), noise)?);
        }
        parity.measure(&outputs)
    }
}
