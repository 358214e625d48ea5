//! A family with a model of each kind, small enough to work out by hand.
//!
//! | architecture | weights | what it computes |
//! |---|---|---|
//! | `tiny.predictor` | `matrix [2, 2]` | `matrix · x + bias` in the first row, that of the previous step in the second |
//! | `tiny.separator` | `shares [1]` | stem `even`: the share of the recording; stem `odd`: the rest |
//! | `tiny.generator` | `scale [1]` | `level` · scale · a ramp that starts at the seed |
//! | `tiny.stream` | `gains [2]` | each channel is the other one times its gain |

mod models;

use std::sync::Arc;

use neurdsp_models::{
    AnyModel, AudioSpec, Error, Family, Header, ModelFile, Parity, Result, Tensor, Tensors,
};

use models::{TinyGenerator, TinyPredictor, TinySeparator, TinyStream, Weights};

/// The line of the registry.
pub(crate) const FAMILY: Tiny = Tiny;

/// See [`FAMILY`].
pub(crate) struct Tiny;

/// The longest parity vector.
const MAX_PARITY_VALUES: usize = 100;

impl Family for Tiny {
    fn name(&self) -> &'static str {
        "tiny"
    }

    fn architectures(&self) -> &'static [&'static str] {
        &["tiny.predictor", "tiny.separator", "tiny.generator", "tiny.stream"]
    }

    fn load(&self, file: &ModelFile, header: &Header) -> Result<AnyModel> {
        let read = |name: &str, shape: &[usize]| -> Result<Weights> {
            let Some(tensor) = file.tensors.get(name) else {
                return Err(Error::MissingTensor { name: name.to_owned(), expected: shape.to_vec() });
            };
            if tensor.shape != shape {
                let (name, got, expected) = (name.to_owned(), tensor.shape.clone(), shape.to_vec());
                return Err(Error::TensorShape { name, got, expected });
            }
            let values = tensor.to_f32(name)?.into_owned();
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Err(Error::NonFinite { name: name.to_owned(), index, value: values[index] });
            }
            Ok(Weights {
                header: header.clone(),
                metadata: file.metadata.clone(),
                values,
                parity: Parity::from_tensors(&file.tensors, header.parity_db, MAX_PARITY_VALUES)?,
            })
        };
        Ok(match header.architecture.as_str() {
            "tiny.predictor" => AnyModel::Predictor(Arc::new(TinyPredictor(read("matrix", &[2, 2])?))),
            "tiny.separator" => AnyModel::Separator(Arc::new(TinySeparator(read("shares", &[1])?))),
            "tiny.generator" => AnyModel::Generator(Arc::new(TinyGenerator(read("scale", &[1])?))),
            _ => AnyModel::Stream(Arc::new(TinyStream(read("gains", &[2])?))),
        })
    }
}

fn file(architecture: &str, channels: usize, tensors: &[(&str, &[usize], &[f32])]) -> ModelFile {
    let header = Header {
        architecture: architecture.to_owned(),
        config: "{}".to_owned(),
        audio: AudioSpec { sample_rate: 48_000.0, channels },
        producer: "a test".to_owned(),
        metrics: serde_json::Map::new(),
        parity_db: -100.0,
    };
    let tensor = |&(name, shape, values): &(&str, &[usize], &[f32])| {
        (name.to_owned(), Tensor::new(shape.to_vec(), values.to_vec()).unwrap())
    };
    ModelFile { metadata: header.to_metadata(), tensors: tensors.iter().map(tensor).collect::<Tensors>() }
}

pub(crate) fn predictor_file() -> ModelFile {
    file(
        "tiny.predictor",
        2,
        &[
            ("matrix", &[2, 2], &[1.0, 2.0, 3.0, 4.0]),
            ("parity.input.x", &[2], &[0.5, 0.25]),
            ("parity.input.bias", &[1], &[0.125]),
            ("parity.output", &[2, 2], &[1.125, 2.625, 0.0, 0.0]),
        ],
    )
}

pub(crate) fn separator_file() -> ModelFile {
    let recording = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    file(
        "tiny.separator",
        2,
        &[
            ("shares", &[1], &[0.75]),
            ("parity.input", &[2, 3], &recording),
            ("parity.output.even", &[2, 3], &recording.map(|x| 0.75 * x)),
            ("parity.output.odd", &[2, 3], &recording.map(|x| 0.25 * x)),
        ],
    )
}

pub(crate) fn generator_file() -> ModelFile {
    let ramp: Vec<f32> = (7..17).map(|i| 0.5 * 0.25 * i as f32).collect();
    file(
        "tiny.generator",
        1,
        &[
            ("scale", &[1], &[0.5]),
            ("parity.input.seed", &[1], &[7.0]),
            ("parity.input.level", &[1], &[0.25]),
            ("parity.output", &[1, 10], &ramp),
        ],
    )
}

pub(crate) fn stream_file() -> ModelFile {
    let (left, right) = ([1.0, -1.0, 0.5, 0.25, 0.0], [2.0, 4.0, 8.0, -2.0, 1.0]);
    file(
        "tiny.stream",
        2,
        &[
            ("gains", &[2], &[2.0, 4.0]),
            ("parity.input", &[2, 5], &[left, right].concat()),
            ("parity.output", &[2, 5], &[right.map(|x| 2.0 * x), left.map(|x| 4.0 * x)].concat()),
        ],
    )
}
