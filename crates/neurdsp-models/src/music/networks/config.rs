//! The shapes of the five networks, as model files hold them.

use serde::Deserialize;

use super::part::MusicPart;
use crate::container::header::Header;
use crate::error::{Error, Result};

/// Most values of a layer.
const MAX_WIDTH: usize = 1024;
/// Most values of a ring of keys, of which a run has two for each block.
const MAX_RING: usize = 1 << 20;

/// Names and shapes of tensors.
pub(super) type Shapes = Vec<(String, Vec<usize>)>;

/// The shape of a network, whichever it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Config {
    Emotion(EmotionConfig),
    Melody(MelodyConfig),
    Dense(DenseConfig),
}

/// The shape of the emotion network: two layers, an LSTM and a layer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmotionConfig {
    /// Bands of a mel frame.
    pub mels: usize,
    /// Units of the first layer.
    pub first: usize,
    /// Units of the second layer.
    pub second: usize,
    /// Units of the LSTM.
    pub hidden: usize,
    /// Values that come out; the first two are valence and arousal.
    pub outputs: usize,
    /// Rate of the audio of the frames, in Hz.
    pub sample_rate: usize,
    /// Samples of a frame.
    pub n_fft: usize,
    /// Distance of frames in samples.
    pub hop_length: usize,
    /// Where the bands begin, in Hz.
    pub f_min_hz: f64,
    /// Where the bands end, in Hz.
    pub f_max_hz: f64,
}

/// The shape of the melody network: a transformer that sees a sliding window.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MelodyConfig {
    /// Number of tokens: 0 is a rest, 1 a note that goes on, others are MIDI pitches.
    pub tokens: usize,
    /// Values that come with each token.
    pub condition: usize,
    /// Features of a step.
    pub width: usize,
    /// Heads of the attention.
    pub heads: usize,
    /// Features of a head.
    pub head_width: usize,
    /// Units of the layer between two blocks.
    pub hidden: usize,
    /// Blocks of attention and layers.
    pub blocks: usize,
    /// Steps that a step sees, itself included.
    pub window: usize,
}

/// The shape of the harmony, dynamics and groove networks: three layers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseConfig {
    /// Values that go in.
    pub inputs: usize,
    /// Units of the first layer.
    pub first: usize,
    /// Units of the second layer.
    pub second: usize,
    /// Values that come out.
    pub outputs: usize,
}

impl Config {
    /// Reads and checks the config of a file.
    pub(super) fn from_header(part: MusicPart, header: &Header) -> Result<Config> {
        let config = match part {
            MusicPart::Emotion => Config::Emotion(header.typed_config()?),
            MusicPart::Melody => Config::Melody(header.typed_config()?),
            MusicPart::Harmony | MusicPart::Dynamics | MusicPart::Groove => {
                Config::Dense(header.typed_config()?)
            }
        };
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<()> {
        match self {
            Config::Emotion(config) => {
                let EmotionConfig { mels, first, second, hidden, outputs, .. } = *config;
                widths(&[("mels", mels), ("first", first), ("second", second), ("hidden", hidden)])?;
                within("outputs", outputs, 2, MAX_WIDTH)?;
                within("sample_rate", config.sample_rate, 8_000, 192_000)?;
                within("n_fft", config.n_fft, 64, 1 << 15)?;
                within("hop_length", config.hop_length, 16, 1 << 15)?;
                for (name, hz) in [("f_min_hz", config.f_min_hz), ("f_max_hz", config.f_max_hz)] {
                    if !(0.0..=96_000.0).contains(&hz) {
                        return Err(refuse(name, hz, "from 0 to 96000".to_owned()));
                    }
                }
                Ok(())
            }
            Config::Melody(config) => {
                let MelodyConfig { tokens, condition, width, heads, head_width, hidden, blocks, window } =
                    *config;
                within("tokens", tokens, 2, MAX_WIDTH)?;
                widths(&[
                    ("condition", condition),
                    ("width", width),
                    ("hidden", hidden),
                    ("window", window),
                ])?;
                within("heads", heads, 1, 64)?;
                within("head_width", head_width, 1, 256)?;
                within("heads times head_width", heads * head_width, 1, MAX_WIDTH)?;
                within("blocks", blocks, 1, 16)?;
                within("heads times head_width times window", heads * head_width * window, 1, MAX_RING)
            }
            Config::Dense(DenseConfig { inputs, first, second, outputs }) => {
                widths(&[("inputs", *inputs), ("first", *first), ("second", *second), ("outputs", *outputs)])
            }
        }
    }

    /// Values that a step takes; of the melody the token, then the condition.
    pub(super) fn n_inputs(&self) -> usize {
        match self {
            Config::Emotion(config) => config.mels,
            Config::Melody(config) => 1 + config.condition,
            Config::Dense(config) => config.inputs,
        }
    }

    /// Values that a step gives.
    pub(super) fn n_outputs(&self) -> usize {
        match self {
            Config::Emotion(config) => config.outputs,
            Config::Melody(config) => config.tokens,
            Config::Dense(config) => config.outputs,
        }
    }

    /// Name and shape of each tensor.
    pub(super) fn shapes(&self, part: MusicPart) -> Shapes {
        match self {
            Config::Emotion(config) => config.shapes(),
            Config::Melody(config) => config.shapes(),
            Config::Dense(config) => config.shapes(part),
        }
    }
}

impl EmotionConfig {
    fn shapes(&self) -> Shapes {
        let gates = 4 * self.hidden;
        named(&[
            ("input.weight", &[self.first, self.mels]),
            ("hidden.weight", &[self.second, self.first]),
            ("lstm.weight_ih_l0", &[gates, self.second]),
            ("lstm.weight_hh_l0", &[gates, self.hidden]),
            ("lstm.bias_ih_l0", &[gates]),
            ("lstm.bias_hh_l0", &[gates]),
            ("output.weight", &[self.outputs, self.hidden]),
        ])
    }
}

impl MelodyConfig {
    fn shapes(&self) -> Shapes {
        let (width, inner) = (self.width, self.heads * self.head_width);
        let mut shapes = named(&[
            ("token.weight", &[self.tokens, width]),
            ("position.weight", &[self.window, width]),
            ("condition.weight", &[width, self.condition]),
            ("condition.bias", &[width]),
            ("norm.weight", &[width]),
            ("head.weight", &[self.tokens, width]),
            ("head.bias", &[self.tokens]),
        ]);
        let block = named(&[
            ("attention_norm.weight", &[width]),
            ("query.weight", &[inner, width]),
            ("query.bias", &[inner]),
            ("key.weight", &[inner, width]),
            ("key.bias", &[inner]),
            ("value.weight", &[inner, width]),
            ("value.bias", &[inner]),
            ("out.weight", &[width, inner]),
            ("out.bias", &[width]),
            ("feed_forward_norm.weight", &[width]),
            ("up.weight", &[self.hidden, width]),
            ("up.bias", &[self.hidden]),
            ("down.weight", &[width, self.hidden]),
            ("down.bias", &[width]),
        ]);
        for index in 0..self.blocks {
            shapes
                .extend(block.iter().map(|(name, shape)| (format!("blocks.{index}.{name}"), shape.clone())));
        }
        shapes
    }
}

impl DenseConfig {
    fn shapes(&self, part: MusicPart) -> Shapes {
        let DenseConfig { inputs, first, second, outputs } = *self;
        let mut shapes = named(&[
            ("input.weight", &[first, inputs]),
            ("input.bias", &[first]),
            ("hidden.weight", &[second, first]),
            ("output.weight", &[outputs, second]),
            ("output.bias", &[outputs]),
        ]);
        if part == MusicPart::Groove {
            shapes.extend(named(&[
                ("hidden.bias", &[second]),
                ("input_norm.weight", &[first]),
                ("input_norm.bias", &[first]),
                ("hidden_norm.weight", &[second]),
                ("hidden_norm.bias", &[second]),
            ]));
        }
        shapes
    }
}

fn named(shapes: &[(&str, &[usize])]) -> Shapes {
    shapes.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
}

fn widths(values: &[(&str, usize)]) -> Result<()> {
    values.iter().try_for_each(|(name, got)| within(name, *got, 1, MAX_WIDTH))
}

fn within(name: &str, got: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&got) {
        return Ok(());
    }
    Err(refuse(name, got, format!("from {least} to {most}")))
}

fn refuse(name: &str, got: impl ToString, expected: String) -> Error {
    Error::OutOfRange { name: name.to_owned(), got: got.to_string(), expected }
}
