//! The models of the family.

use std::borrow::Cow;
use std::collections::BTreeMap;

use neurdsp_models::{
    AudioSpec, Error, Generator, Header, Model, Parity, Prediction, Predictor, Result, Separator,
    StreamSource, StreamingModel, Tensor, Tensors,
};

/// What was read from a file.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    pub(crate) header: Header,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) values: Vec<f32>,
    pub(crate) parity: Parity,
}

#[derive(Debug)]
pub(crate) struct TinyPredictor(pub(crate) Weights);
#[derive(Debug)]
pub(crate) struct TinySeparator(pub(crate) Weights);
#[derive(Debug)]
pub(crate) struct TinyGenerator(pub(crate) Weights);
#[derive(Debug)]
pub(crate) struct TinyStream(pub(crate) Weights);

macro_rules! model {
    ($($name:ident),*) => {$(
        impl Model for $name {
            fn architecture(&self) -> &str {
                &self.0.header.architecture
            }
            fn audio(&self) -> AudioSpec {
                self.0.header.audio
            }
            fn n_parameters(&self) -> usize {
                self.0.values.len()
            }
            fn metadata(&self) -> &BTreeMap<String, String> {
                &self.0.metadata
            }
            fn parity(&self) -> Option<&Parity> {
                Some(&self.0.parity)
            }
        }
    )*};
}
model!(TinyPredictor, TinySeparator, TinyGenerator, TinyStream);

/// The values of a tensor of this name and shape.
fn take<'a>(tensors: &'a Tensors, name: &str, shape: &[usize]) -> Result<Cow<'a, [f32]>> {
    match tensors.get(name) {
        Some(tensor) if tensor.shape == shape => tensor.to_f32(name),
        Some(tensor) => Err(Error::TensorShape {
            name: name.to_owned(),
            got: tensor.shape.clone(),
            expected: shape.to_vec(),
        }),
        None => Err(Error::MissingTensor { name: name.to_owned(), expected: shape.to_vec() }),
    }
}

impl Predictor for TinyPredictor {
    fn build(&self) -> Result<Box<dyn Prediction>> {
        Ok(Box::new(Run { matrix: self.0.values.clone(), before: [0.0; 2] }))
    }
}

/// One run, and what its last step put out.
struct Run {
    matrix: Vec<f32>,
    before: [f32; 2],
}

impl Prediction for Run {
    fn reset(&mut self) {
        self.before = [0.0; 2];
    }

    fn step(&mut self, inputs: &Tensors) -> Result<Tensors> {
        let (x, bias) = (take(inputs, "x", &[2])?, take(inputs, "bias", &[1])?[0]);
        let row = |row: usize| self.matrix[2 * row] * x[0] + self.matrix[2 * row + 1] * x[1] + bias;
        let now = [row(0), row(1)];
        let values = [now, self.before].concat();
        self.before = now;
        Ok(Tensors::from([("output".to_owned(), Tensor::new(vec![2, 2], values)?)]))
    }
}

impl Separator for TinySeparator {
    fn stems(&self) -> Vec<String> {
        ["even", "odd"].map(str::to_owned).into()
    }

    fn separate(&self, recording: &Tensor) -> Result<Tensors> {
        let &[2, _] = recording.shape.as_slice() else {
            let expected = vec![2, recording.data.len()];
            return Err(Error::TensorShape {
                name: "parity.input".to_owned(),
                got: recording.shape.clone(),
                expected,
            });
        };
        let stem = |share: f32| {
            let samples = recording.to_f32("parity.input")?;
            Tensor::new(recording.shape.clone(), samples.iter().map(|x| share * x).collect())
        };
        let share = self.0.values[0];
        Ok(Tensors::from([("even".to_owned(), stem(share)?), ("odd".to_owned(), stem(1.0 - share)?)]))
    }
}

impl Generator for TinyGenerator {
    fn generate(&self, condition: &Tensors, seed: u64) -> Result<Tensor> {
        let level = take(condition, "level", &[1])?[0];
        let sample = |i: u64| self.0.values[0] * level * (seed + i) as f32;
        Tensor::new(vec![1, 10], (0..10).map(sample).collect())
    }
}

impl StreamSource for TinyStream {
    fn receptive_field(&self) -> usize {
        1
    }

    fn latency(&self) -> usize {
        0
    }

    fn build_stream(&self) -> Result<Box<dyn StreamingModel>> {
        Ok(Box::new(Crossed([self.0.values[0], self.0.values[1]])))
    }
}

/// Each channel is the other one times its gain.
struct Crossed([f32; 2]);

impl StreamingModel for Crossed {
    fn reset(&mut self) {}

    fn prewarm(&mut self) {}

    fn receptive_field(&self) -> usize {
        1
    }

    fn latency(&self) -> usize {
        0
    }

    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        // A mono signal is played on both channels; the first is given out.
        output.iter_mut().zip(input).for_each(|(y, x)| *y = self.0[0] * x);
    }

    fn in_channels(&self) -> usize {
        2
    }

    fn out_channels(&self) -> usize {
        2
    }

    fn process_channels(&mut self, input: &[&[f32]], output: &mut [&mut [f32]]) {
        let ([left, right, ..], [a, b, ..]) = (input, output) else { return };
        let samples = left.len().min(right.len()).min(a.len()).min(b.len());
        for i in 0..samples {
            (a[i], b[i]) = (self.0[0] * right[i], self.0[1] * left[i]);
        }
    }
}
