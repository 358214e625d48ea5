//! The harmony, dynamics and groove networks: three layers.

use neurdsp_nn::dense::{LayerNorm, relu, sigmoid, softmax_row, tanh};
use neurdsp_simd::Isa;

use super::config::DenseConfig;
use super::layers::Linear;
use super::memory::{Memory, fill, rows};
use super::part::MusicPart;
use super::source::Source;
use crate::error::Result;

/// Added to the variance of what is normed.
const NORM_EPS: f32 = 1e-5;

/// The layers.
#[derive(Debug)]
pub(super) struct DenseNetwork {
    part: MusicPart,
    input: Linear,
    hidden: Linear,
    output: Linear,
    /// Behind the first two layers of the groove network.
    norms: Option<[LayerNorm; 2]>,
    config: DenseConfig,
    isa: Isa,
}

impl DenseNetwork {
    pub(super) fn new(part: MusicPart, config: &DenseConfig, source: &Source<'_>) -> Result<DenseNetwork> {
        let DenseConfig { inputs, first, second, outputs } = *config;
        let has_norms = part == MusicPart::Groove;
        let norm = |name: &str, width: usize| -> Result<LayerNorm> {
            let weight = source.floats(&format!("{name}.weight"), &[width])?;
            let bias = source.floats(&format!("{name}.bias"), &[width])?;
            Ok(LayerNorm::new(&weight, &bias, NORM_EPS, source.isa)?)
        };
        Ok(DenseNetwork {
            part,
            input: source.linear("input", first, inputs, true)?,
            hidden: source.linear("hidden", second, first, has_norms)?,
            output: source.linear("output", outputs, second, true)?,
            norms: if has_norms {
                Some([norm("input_norm", first)?, norm("hidden_norm", second)?])
            } else {
                None
            },
            config: config.clone(),
            isa: source.isa,
        })
    }

    pub(super) fn memory(&self) -> usize {
        let DenseConfig { inputs, first, second, outputs } = self.config;
        rows([inputs, first, first, second, second, outputs])
    }

    pub(super) fn step(&self, memory: &mut [f32], input: &[f32], output: &mut [f32]) {
        let DenseConfig { inputs, first, second, outputs } = self.config;
        let mut memory = Memory::new(memory);
        let from = memory.row(inputs);
        fill(from, input);
        let first = [memory.row(first), memory.row(first)];
        let first = self.layer(&self.input, from, first, 0);
        let second = [memory.row(second), memory.row(second)];
        let second = self.layer(&self.hidden, first, second, 1);
        let last = memory.row(outputs);
        self.output.run(second, last, false);
        match self.part {
            MusicPart::Harmony => softmax_row(self.isa, last, outputs, 1.0),
            MusicPart::Dynamics => sigmoid(self.isa, last),
            _ => tanh(self.isa, last),
        }
        output.copy_from_slice(&last[..output.len()]);
    }

    /// A layer, its norm if it has one, and its activation.
    #[inline]
    fn layer<'a>(
        &self,
        layer: &Linear,
        from: &[f32],
        [plain, normed]: [&'a mut [f32]; 2],
        norm: usize,
    ) -> &'a [f32] {
        layer.run(from, plain, false);
        let row = match &self.norms {
            None => plain,
            Some(norms) => {
                norms[norm].run(plain, normed);
                normed
            }
        };
        match self.part {
            MusicPart::Dynamics => relu(self.isa, row),
            _ => tanh(self.isa, row),
        }
        row
    }
}
