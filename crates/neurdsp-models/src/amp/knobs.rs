//! Models with knobs: the weights of a network as a function of knob positions, folded before it plays.
//!
//! ```text
//! u = 2 · position − 1                                  K knobs, positions 0 to 1
//! c = tanh(W₂ · tanh(W₁ · u + b₁) + b₂)                 K → H → R
//! w = w₀ + Σ_r c_r · B_r                                for every tensor w of the network that has a basis B
//! ```
//!
//! Modulation of each channel by scale and shift (E. Perez et al., "FiLM: Visual Reasoning with a General Conditioning
//! Layer", 2018) is of this form, and so are biases that follow the knobs. The folded network is an ordinary one with
//! fixed weights, at its usual cost: turning a knob makes another, off the audio thread, and the chain fades to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::container::json::one_line;
use crate::container::tensor::{Tensor, Tensors, expect_floats};
use crate::container::values::DType;
use crate::error::{Error, Result};

/// The name of a model with knobs in a file.
pub const AMP_PARAMETRIC: &str = "amp.parametric";
/// The most knobs.
const MAX_KNOBS: usize = 8;
/// The most units of each layer of the map from knobs to weights.
const MAX_UNITS: usize = 256;
/// The longest name of a knob, in characters.
const MAX_NAME: usize = 32;
/// Prefix of the tensors that are not part of the network.
const PREFIX: &str = "knobs.";
const BASIS: &str = "knobs.basis.";
const ARCHITECTURE: &str = "neurdsp.architecture";
const CONFIG: &str = "neurdsp.config";

/// A knob of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knob {
    /// 1 to 32 lower-case letters, digits and `_`.
    pub name: String,
    /// Its initial position, from 0 (fully left) to 1 (fully right).
    pub default: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    knobs: Vec<Knob>,
    hidden: usize,
    rank: usize,
    model: Inner,
}

/// The network whose weights follow the knobs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    architecture: String,
    config: Box<RawValue>,
}

/// A dense layer with tanh.
#[derive(Debug)]
struct Dense {
    /// `[outputs][inputs]`
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Dense {
    fn from_tensors(tensors: &Tensors, name: &str, outputs: usize, inputs: usize) -> Result<Dense> {
        let take = |part: &str, shape: &[usize]| -> Result<Vec<f32>> {
            let name = format!("{PREFIX}{name}.{part}");
            Ok(expect_floats(tensors, &name, shape)?.into_owned())
        };
        Ok(Dense { weight: take("weight", &[outputs, inputs])?, bias: take("bias", &[outputs])? })
    }

    fn run(&self, input: &[f64]) -> Vec<f64> {
        let rows = self.weight.chunks_exact(input.len().max(1)).zip(&self.bias);
        let unit = |(row, &bias): (&[f32], &f32)| {
            let sum: f64 = row.iter().zip(input).map(|(&w, x)| f64::from(w) * x).sum();
            (sum + f64::from(bias)).tanh()
        };
        rows.map(unit).collect()
    }
}

/// A model with knobs: a network of fixed weights for every set of positions.
#[derive(Debug)]
pub(crate) struct Parametric {
    knobs: Vec<Knob>,
    hidden: Dense,
    output: Dense,
    /// Metadata and tensors of the network, before the knobs add to them.
    base: ModelFile,
    /// `[rank][values]` of a tensor of the network, by its name.
    basis: BTreeMap<String, Vec<f32>>,
}

impl Parametric {
    /// Takes a model with knobs out of a model file.
    ///
    /// # Errors
    /// A config out of bounds; knobs of the same name; a network that is itself one with knobs; a tensor that is missing,
    /// misshaped, not finite or without a counterpart in the network.
    pub(crate) fn from_file(file: &ModelFile, header: &Header) -> Result<Parametric> {
        let config: Config = header.typed_config()?;
        check(&config)?;
        let (n_knobs, rank) = (config.knobs.len(), config.rank);
        let hidden = Dense::from_tensors(&file.tensors, "hidden", config.hidden, n_knobs)?;
        let output = Dense::from_tensors(&file.tensors, "output", rank, config.hidden)?;
        let maps = ["hidden.weight", "hidden.bias", "output.weight", "output.bias"];
        let mut basis = BTreeMap::new();
        let mut base = Tensors::new();
        for (name, tensor) in &file.tensors {
            if let Some(target) = name.strip_prefix(BASIS) {
                let shape = match file.tensors.get(target) {
                    Some(of) if !target.starts_with(PREFIX) => of.shape.as_slice(),
                    _ => return Err(unexpected(name)),
                };
                let expected: Vec<usize> = std::iter::once(rank).chain(shape.iter().copied()).collect();
                let values = expect_floats(&file.tensors, name, &expected)?;
                basis.insert(target.to_owned(), values.into_owned());
            } else if let Some(part) = name.strip_prefix(PREFIX) {
                if !maps.contains(&part) {
                    return Err(unexpected(name));
                }
            } else {
                base.insert(name.clone(), tensor.cast(name, DType::F32)?);
            }
        }
        let mut metadata = file.metadata.clone();
        metadata.insert(ARCHITECTURE.to_owned(), config.model.architecture);
        metadata.insert(CONFIG.to_owned(), config.model.config.get().to_owned());
        let base = ModelFile { metadata, tensors: base };
        Ok(Parametric { knobs: config.knobs, hidden, output, base, basis })
    }

    pub(crate) fn knobs(&self) -> &[Knob] {
        &self.knobs
    }

    pub(crate) fn defaults(&self) -> Vec<f32> {
        self.knobs.iter().map(|knob| knob.default).collect()
    }

    /// The file of the network with its weights at `positions`. Its parity vectors hold for the default positions.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a number of positions that is not that of the knobs, or a position outside 0 to 1.
    pub(crate) fn fold(&self, positions: &[f32]) -> Result<ModelFile> {
        if positions.len() != self.knobs.len() {
            return Err(Error::OutOfRange {
                name: "the number of knob positions".to_owned(),
                got: positions.len().to_string(),
                expected: format!("{}: {}", self.knobs.len(), self.names()),
            });
        }
        for (knob, position) in self.knobs.iter().zip(positions) {
            in_unit(&format!("the position of {}", knob.name), *position)?;
        }
        let centred: Vec<f64> = positions.iter().map(|&position| 2.0 * f64::from(position) - 1.0).collect();
        let shares = self.output.run(&self.hidden.run(&centred));
        let mut file = self.base.clone();
        for (name, basis) in &self.basis {
            let Some(data) = file.tensors.get_mut(name).and_then(Tensor::as_f32_mut) else { continue };
            let length = data.len();
            for (i, value) in data.iter_mut().enumerate() {
                let rows = shares.iter().enumerate();
                let moved: f64 = rows.map(|(r, share)| share * f64::from(basis[r * length + i])).sum();
                *value = (f64::from(*value) + moved) as f32;
            }
        }
        Ok(file)
    }

    fn names(&self) -> String {
        self.knobs.iter().map(|knob| knob.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn check(config: &Config) -> Result<()> {
    let in_range = |name: &str, got: usize, max: usize| match got {
        got if (1..=max).contains(&got) => Ok(()),
        got => Err(Error::OutOfRange {
            name: name.to_owned(),
            got: got.to_string(),
            expected: format!("1 to {max}"),
        }),
    };
    in_range("the number of knobs", config.knobs.len(), MAX_KNOBS)?;
    in_range("hidden", config.hidden, MAX_UNITS)?;
    in_range("rank", config.rank, MAX_UNITS)?;
    for (index, knob) in config.knobs.iter().enumerate() {
        let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !(1..=MAX_NAME).contains(&knob.name.len()) || !knob.name.chars().all(small) {
            return Err(Error::OutOfRange {
                name: "the name of a knob".to_owned(),
                got: format!("{:?}", one_line(&knob.name)),
                expected: format!("1 to {MAX_NAME} lower-case letters, digits and _"),
            });
        }
        if config.knobs[..index].iter().any(|other| other.name == knob.name) {
            return Err(Error::Duplicate { name: format!("the knob {}", knob.name) });
        }
        in_unit(&format!("the default of {}", knob.name), knob.default)?;
    }
    if config.model.architecture == AMP_PARAMETRIC {
        return Err(Error::Unsupported {
            what: "a model with knobs inside another".to_owned(),
            reason: "give all knobs to one".to_owned(),
        });
    }
    Ok(())
}

fn in_unit(name: &str, got: f32) -> Result<()> {
    if (0.0..=1.0).contains(&got) {
        return Ok(());
    }
    Err(Error::OutOfRange { name: name.to_owned(), got: got.to_string(), expected: "0 to 1".to_owned() })
}

fn unexpected(name: &str) -> Error {
    Error::UnexpectedTensor { name: one_line(name), architecture: "a model with knobs".to_owned() }
}
