//! The emotion network: two layers, an LSTM and a layer, each followed by tanh.

use neurdsp_nn::dense::tanh;
use neurdsp_simd::Isa;

use super::config::EmotionConfig;
use super::layers::{Linear, Recurrent};
use super::memory::{Memory, fill, rows};
use super::source::Source;
use crate::error::Result;

/// The layers.
#[derive(Debug)]
pub(super) struct Emotion {
    input: Linear,
    hidden: Linear,
    lstm: Recurrent,
    output: Linear,
    config: EmotionConfig,
    isa: Isa,
}

impl Emotion {
    pub(super) fn new(config: &EmotionConfig, source: &Source<'_>) -> Result<Emotion> {
        let EmotionConfig { mels, first, second, hidden, outputs, .. } = *config;
        Ok(Emotion {
            input: source.linear("input", first, mels, false)?,
            hidden: source.linear("hidden", second, first, false)?,
            lstm: source.lstm("lstm", second, hidden)?,
            output: source.linear("output", outputs, hidden, false)?,
            config: config.clone(),
            isa: source.isa,
        })
    }

    pub(super) fn memory(&self) -> usize {
        let EmotionConfig { mels, first, second, outputs, .. } = self.config;
        self.lstm.memory().into_iter().sum::<usize>() + rows([mels, first, second, outputs])
    }

    pub(super) fn step(&self, memory: &mut [f32], input: &[f32], output: &mut [f32]) {
        let [state, scratch] = self.lstm.memory();
        let mut memory = Memory::new(memory);
        let (state, scratch) = (memory.row(state), memory.row(scratch));
        let mut row = |values| memory.row(values);
        let (mel, first) = (row(self.config.mels), row(self.config.first));
        let (second, last) = (row(self.config.second), row(self.config.outputs));
        fill(mel, input);
        self.input.run(mel, first, false);
        tanh(self.isa, first);
        self.hidden.run(first, second, false);
        tanh(self.isa, second);
        self.lstm.step(second, state, scratch);
        self.output.run(&state[..state.len() / 2], last, false);
        tanh(self.isa, last);
        output.copy_from_slice(&last[..output.len()]);
    }
}
