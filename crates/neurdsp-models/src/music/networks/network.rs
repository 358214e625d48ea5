//! The weights of a music network, whichever it is.

use std::fmt;

use neurdsp_nn::dense::padded;
use neurdsp_simd::{FlushDenormals, Isa};

use super::config::{Config, Shapes};
use super::dense::DenseNetwork;
use super::emotion::Emotion;
use super::melody::Melody;
use super::part::MusicPart;
use super::source::{SCALE, Source};
use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::container::json::one_line;
use crate::container::tensor::Tensors;
use crate::container::values::DType;
use crate::error::{Error, Result};

/// The names of tensors that are no weights begin with this.
const PARITY_PREFIX: &str = "parity.";

/// How the matrices of a network are stored and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MusicPrecision {
    /// Single precision.
    Float32,
    /// 8-bit integers, with a scale for each row.
    Int8,
}

impl MusicPrecision {
    /// The name, `float32` or `int8`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MusicPrecision::Float32 => "float32",
            MusicPrecision::Int8 => "int8",
        }
    }
}

/// The weights of one of the five networks; any number of runs share them.
///
/// See [`MusicRun`](super::MusicRun) for an example.
pub struct MusicNetwork {
    part: MusicPart,
    precision: MusicPrecision,
    config: Config,
    layers: Layers,
    n_parameters: usize,
    n_bytes: usize,
}

#[derive(Debug)]
enum Layers {
    Emotion(Emotion),
    Melody(Melody),
    Dense(DenseNetwork),
}

impl MusicNetwork {
    /// Takes a network out of a model file, after checking its config and every tensor.
    ///
    /// # Errors
    /// What is wrong with the file, by the name of the value or the tensor.
    pub fn from_file(file: &ModelFile, header: &Header) -> Result<MusicNetwork> {
        MusicNetwork::for_isa(file, header, Isa::detect())
    }

    /// As [`from_file`](Self::from_file), for a given instruction set.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file).
    pub fn for_isa(file: &ModelFile, header: &Header, isa: Isa) -> Result<MusicNetwork> {
        let part = MusicPart::from_architecture(&header.architecture)
            .ok_or_else(|| header.unknown_architecture(&MusicPart::ARCHITECTURES))?;
        let config = Config::from_header(part, header)?;
        let shapes = config.shapes(part);
        let tensors = &file.tensors;
        let n_bytes = check_names(part, &shapes, tensors)?;
        let int8 = tensors.get("output.weight").or_else(|| tensors.get("head.weight"));
        let int8 = int8.is_some_and(|tensor| tensor.dtype() == DType::I8);
        let source = Source { tensors, int8, isa };
        let layers = match &config {
            Config::Emotion(config) => Layers::Emotion(Emotion::new(config, &source)?),
            Config::Melody(config) => Layers::Melody(Melody::new(config, &source)?),
            Config::Dense(config) => Layers::Dense(DenseNetwork::new(part, config, &source)?),
        };
        Ok(MusicNetwork {
            part,
            precision: if int8 { MusicPrecision::Int8 } else { MusicPrecision::Float32 },
            n_parameters: shapes.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum(),
            n_bytes,
            config,
            layers,
        })
    }

    /// Which of the five it is.
    #[must_use]
    pub fn part(&self) -> MusicPart {
        self.part
    }

    /// How its matrices are stored.
    #[must_use]
    pub fn precision(&self) -> MusicPrecision {
        self.precision
    }

    /// Values that a step takes; of the melody the token, then the condition.
    #[must_use]
    pub fn n_inputs(&self) -> usize {
        self.config.n_inputs()
    }

    /// Values that a step gives.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        self.config.n_outputs()
    }

    /// The number of trained values.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    /// Bytes of the weights in the file, scales included.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Values of the memory of a run, a multiple of 16; all zeros at its first step.
    #[must_use]
    pub(super) fn memory(&self) -> usize {
        padded(match &self.layers {
            Layers::Emotion(network) => network.memory(),
            Layers::Melody(network) => network.memory(),
            Layers::Dense(network) => network.memory(),
        })
    }

    /// Makes one step; the slices are as long as the network says.
    pub(super) fn step(&self, memory: &mut [f32], input: &[f32], output: &mut [f32]) {
        let _flush = FlushDenormals::new();
        match &self.layers {
            Layers::Emotion(network) => network.step(memory, input, output),
            Layers::Melody(network) => network.step(memory, input, output),
            Layers::Dense(network) => network.step(memory, input, output),
        }
    }

    /// Checks the inputs of a caller who does not know the network.
    pub(super) fn check(&self, rows: &[f32]) -> Result<()> {
        let Config::Melody(config) = &self.config else { return Ok(()) };
        let tokens = rows.iter().step_by(self.n_inputs());
        match tokens
            .copied()
            .find(|token| token.fract() != 0.0 || !(0.0..config.tokens as f32).contains(token))
        {
            None => Ok(()),
            Some(token) => Err(Error::OutOfRange {
                name: "the first value of a step, the token,".to_owned(),
                got: token.to_string(),
                expected: format!("a whole number from 0 to {}", config.tokens - 1),
            }),
        }
    }
}

impl fmt::Debug for MusicNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.precision.name();
        f.debug_struct("MusicNetwork")
            .field("config", &self.config)
            .field("precision", &name)
            .finish_non_exhaustive()
    }
}

/// Refuses tensors that the network does not have; gives the bytes of those that it has.
fn check_names(part: MusicPart, shapes: &Shapes, tensors: &Tensors) -> Result<usize> {
    let mut n_bytes = 0;
    for (name, tensor) in tensors.iter().filter(|(name, _)| !name.starts_with(PARITY_PREFIX)) {
        let is_known = |name: &str| shapes.iter().any(|(known, _)| known == name);
        let is_scale = || {
            let of = name.strip_suffix(SCALE).filter(|of| is_known(of));
            of.and_then(|of| tensors.get(of)).is_some_and(|of| of.dtype() == DType::I8)
        };
        if !is_known(name) && !is_scale() {
            let architecture = format!("a {} model of this shape", part.architecture());
            return Err(Error::UnexpectedTensor { name: one_line(name), architecture });
        }
        n_bytes += tensor.data.len() * tensor.dtype().size();
    }
    Ok(n_bytes)
}
