//! The networks: from noise and a condition to latents in one step, from latents to codes, and to what they will measure.
//!
//! Latents of one kick go through the layers together; kicks do not, so that a kick does not depend on how many there are.
//! W. Peebles, S. Xie, "Scalable diffusion models with transformers", arXiv 2212.09748, has the norm with a condition.

use std::collections::BTreeSet;

use neurdsp_nn::dense::{Dense, padded};
use neurdsp_nn::exact::functions::{cos_turns, exp, sin_turns};
use neurdsp_nn::exact::{counted, mixed, silu};
use neurdsp_simd::Isa;

use super::code::{KickCode, PACKED_SIZE};
use super::config::{HybridConfig, STRENGTHS};
use crate::container::tensor::{Tensors, expect_floats};
use crate::error::{Error, Result};

/// Added to variances.
const NORM_EPS: f64 = 1e-5;
/// Most features of an inner layer.
const MAX_INNER: usize = 8192;
/// Residual blocks of a decoder.
const DECODER_BLOCKS: usize = 2;
/// Most that one margin counts.
const MARGIN: f32 = 1.0;

/// The latents of one kick, and the one that is chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// The noise that they were made of, `[candidates][latent]`.
    pub noise: Vec<f32>,
    /// The latents, `[candidates][latent]`.
    pub latents: Vec<f32>,
    /// What they will measure, in standard deviations, `[candidates][quantities]`.
    pub quantities: Vec<f32>,
    /// The one that fits what was asked for best.
    pub best: usize,
}

/// The weights.
#[derive(Debug)]
pub(super) struct Network {
    time: [Linear; 2],
    condition: [Linear; 2],
    input: Linear,
    blocks: Vec<Block>,
    output: Linear,
    decoder: Vec<Decoder>,
    probe: [Linear; 3],
    isa: Isa,
}

/// A residual block; its norm is modulated by the condition.
#[derive(Debug)]
struct Block {
    modulation: Linear,
    up: Linear,
    down: Linear,
}

#[derive(Debug)]
struct Decoder {
    input: Linear,
    blocks: Vec<(Norm, Linear, Linear)>,
    norm: Norm,
    output: Linear,
}

#[derive(Debug)]
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// A matrix and a bias, and their sizes.
#[derive(Debug)]
struct Linear {
    layer: Dense,
    inputs: usize,
    outputs: usize,
}

/// Takes tensors and remembers their names.
struct Source<'a> {
    tensors: &'a Tensors,
    taken: BTreeSet<String>,
    isa: Isa,
}

impl Source<'_> {
    fn values(&mut self, name: String, shape: &[usize]) -> Result<Vec<f32>> {
        let values = expect_floats(self.tensors, &name, shape)?.into_owned();
        self.taken.insert(name);
        Ok(values)
    }

    fn linear(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<Linear> {
        let weight = self.values(format!("{name}.weight"), &[outputs, inputs])?;
        let bias = self.values(format!("{name}.bias"), &[outputs])?;
        Ok(Linear { layer: Dense::new(&weight, &bias, inputs, self.isa)?.exact(), inputs, outputs })
    }

    /// Two layers with as many features between them as the file has.
    fn pair(&mut self, up: &str, down: &str, width: usize) -> Result<(Linear, Linear)> {
        let name = format!("{up}.bias");
        let Some(inner) = self.tensors.get(&name).map(|tensor| tensor.data.len()) else {
            return Err(Error::MissingTensor { name, expected: vec![2 * width] });
        };
        if !(1..=MAX_INNER).contains(&inner) {
            let (limit, got) = (MAX_INNER as u64, inner as u64);
            return Err(Error::TooLarge { what: format!("the length of {name}"), limit, got });
        }
        Ok((self.linear(up, inner, width)?, self.linear(down, width, inner)?))
    }

    fn norm(&mut self, name: &str, width: usize) -> Result<Norm> {
        let weight = self.values(format!("{name}.weight"), &[width])?;
        Ok(Norm { weight, bias: self.values(format!("{name}.bias"), &[width])? })
    }
}

impl Linear {
    /// Rows of `inputs` values, padded, to rows of `outputs` values, padded.
    fn run(&self, from: &[f32], rows: usize) -> Vec<f32> {
        let mut to = vec![0.0; rows * self.layer.stride()];
        let step = padded(self.inputs);
        self.layer.run(from, step, &mut to, self.layer.stride(), rows, false);
        to
    }

    /// Adds the rows to `to`, with a factor for each column if there is one.
    fn add(&self, from: &[f32], to: &mut [f32], rows: usize, factor: Option<&[f32]>) {
        let made = self.run(from, rows);
        let step = self.layer.stride();
        for (to, made) in to.chunks_exact_mut(step).zip(made.chunks_exact(step)) {
            match factor {
                Some(factor) => {
                    for ((to, made), factor) in to.iter_mut().zip(made).zip(factor) {
                        *to += made * factor;
                    }
                }
                None => to.iter_mut().zip(made).for_each(|(to, made)| *to += made),
            }
        }
    }
}

/// Rows of mean 0 and variance 1, times `scale(column)` plus `shift(column)`.
fn normed(
    from: &[f32],
    width: usize,
    scale: impl Fn(usize) -> f32,
    shift: impl Fn(usize) -> f32,
) -> Vec<f32> {
    let step = padded(width);
    let mut to = vec![0.0; from.len()];
    for (from, to) in from.chunks_exact(step).zip(to.chunks_exact_mut(step)) {
        let from = &from[..width];
        let mean = from.iter().map(|value| f64::from(*value)).sum::<f64>() / width as f64;
        let square = |value: &f32| {
            let distance = f64::from(*value) - mean;
            distance * distance
        };
        let variance = from.iter().map(square).sum::<f64>() / width as f64;
        let (mean, factor) = (mean as f32, (1.0 / (variance + NORM_EPS).sqrt()) as f32);
        for (column, (from, to)) in from.iter().zip(to).enumerate() {
            *to = (from - mean) * factor * scale(column) + shift(column);
        }
    }
    to
}

impl Norm {
    fn run(&self, from: &[f32]) -> Vec<f32> {
        normed(from, self.weight.len(), |column| self.weight[column], |column| self.bias[column])
    }
}

/// Rows with zeros behind each.
fn pad(values: &[f32], width: usize) -> Vec<f32> {
    let step = padded(width);
    let mut rows = vec![0.0; values.len() / width * step];
    for (to, from) in rows.chunks_exact_mut(step).zip(values.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
    rows
}

/// Rows without the zeros behind each.
fn unpad(rows: &[f32], width: usize) -> Vec<f32> {
    rows.chunks_exact(padded(width)).flat_map(|row| &row[..width]).copied().collect()
}

impl Network {
    /// Takes the weights out of the tensors of a file, and gives the names of those that were taken.
    pub(super) fn new(
        config: &HybridConfig,
        tensors: &Tensors,
        isa: Isa,
    ) -> Result<(Network, BTreeSet<String>)> {
        let mut source = Source { tensors, taken: BTreeSet::new(), isa };
        let (width, embedding) = (config.width, config.embedding);
        let time = [
            source.linear("generator.time.0", embedding, STRENGTHS)?,
            source.linear("generator.time.1", embedding, embedding)?,
        ];
        let condition = [
            source.linear("generator.condition.0", embedding, config.n_conditions())?,
            source.linear("generator.condition.1", embedding, embedding)?,
        ];
        let input = source.linear("generator.input", width, config.latent)?;
        let mut blocks = Vec::with_capacity(config.blocks);
        for index in 0..config.blocks {
            let name = |part: &str| format!("generator.blocks.{index}.{part}");
            let modulation = source.linear(&name("modulation"), 3 * width, embedding)?;
            let (up, down) = source.pair(&name("up"), &name("down"), width)?;
            blocks.push(Block { modulation, up, down });
        }
        let output = source.linear("generator.output", config.latent, width)?;
        let mut decoder = Vec::with_capacity(config.decoder.len());
        for (index, shape) in config.decoder.iter().enumerate() {
            let name = |part: &str| format!("decoder.{index}.{part}");
            let input = source.linear(&name("input"), shape.width, shape.latent)?;
            let mut blocks = Vec::with_capacity(DECODER_BLOCKS);
            for block in 0..DECODER_BLOCKS {
                let name = |part: &str| name(&format!("blocks.{block}.{part}"));
                let norm = source.norm(&name("norm"), shape.width)?;
                let (up, down) = source.pair(&name("up"), &name("down"), shape.width)?;
                blocks.push((norm, up, down));
            }
            let norm = source.norm(&name("norm"), shape.width)?;
            decoder.push(Decoder {
                input,
                blocks,
                norm,
                output: source.linear(&name("output"), shape.size, shape.width)?,
            });
        }
        let probe = [
            source.linear("probe.0", config.probe_width, config.latent)?,
            source.linear("probe.1", config.probe_width, config.probe_width)?,
            source.linear("probe.2", config.quantities.len(), config.probe_width)?,
        ];
        let network = Network { time, condition, input, blocks, output, decoder, probe, isa };
        Ok((network, source.taken))
    }

    fn latent(&self) -> usize {
        self.input.inputs
    }

    /// The noise of `rows` latents of a kick.
    pub(super) fn noise(&self, key: u64, rows: usize) -> Vec<f32> {
        let stream = mixed(key, 0);
        let number = |index: u32| counted(stream, index);
        let normal = |i: u32| {
            let first = 4 * i;
            0.5 * ((number(first) + number(first + 1)) + (number(first + 2) + number(first + 3)))
        };
        (0..(rows * self.latent()) as u32).map(normal).collect()
    }

    /// Latents of noise, `[rows][latent]`, all under one condition.
    pub(super) fn step(&self, noise: &[f32], condition: &[f32], guidance: f32) -> Vec<f32> {
        let rows = noise.len() / self.latent();
        let strength = 1.0 + 0.1 * (f64::from(guidance) - 2.0);
        let half = STRENGTHS / 2;
        let turns = |i: usize| {
            // 200 to the power of i / 31.
            let frequency = exp(5.298_317_366_548_036 * i as f64 / (half - 1) as f64);
            strength * frequency / std::f64::consts::TAU
        };
        let sines = (0..half).map(|i| sin_turns(turns(i)) as f32);
        let features: Vec<f32> = sines.chain((0..half).map(|i| cos_turns(turns(i)) as f32)).collect();
        let two = |[first, second]: &[Linear; 2], from: &[f32]| {
            let mut inner = first.run(from, 1);
            silu(self.isa, &mut inner);
            second.run(&inner, 1)
        };
        let mut embedded = two(&self.time, &features);
        let conditions = two(&self.condition, &pad(condition, condition.len()));
        embedded.iter_mut().zip(conditions).for_each(|(to, from)| *to += from);
        silu(self.isa, &mut embedded);
        let mut hidden = self.input.run(&pad(noise, self.latent()), rows);
        let width = self.input.outputs;
        for block in &self.blocks {
            let modulation = block.modulation.run(&embedded, 1);
            let (scale, rest) = modulation.split_at(width);
            let (shift, gate) = rest.split_at(width);
            let normed = normed(&hidden, width, |column| 1.0 + scale[column], |column| shift[column]);
            let mut inner = block.up.run(&normed, rows);
            silu(self.isa, &mut inner);
            block.down.add(&inner, &mut hidden, rows, Some(&gate[..width]));
        }
        let velocity = unpad(&self.output.run(&hidden, rows), self.latent());
        noise.iter().zip(velocity).map(|(noise, velocity)| noise - velocity).collect()
    }

    /// What latents will measure, `[rows][quantities]`, in standard deviations.
    pub(super) fn probe(&self, latents: &[f32]) -> Vec<f32> {
        let rows = latents.len() / self.latent();
        let mut hidden = pad(latents, self.latent());
        for layer in &self.probe[..2] {
            hidden = layer.run(&hidden, rows);
            silu(self.isa, &mut hidden);
        }
        unpad(&self.probe[2].run(&hidden, rows), self.probe[2].outputs)
    }

    /// The code of one latent.
    pub(super) fn decode(&self, latent: &[f32]) -> KickCode {
        let mut packed: Vec<f32> = Vec::with_capacity(PACKED_SIZE);
        let mut rest = latent;
        for part in &self.decoder {
            let (own, after) = rest.split_at(part.input.inputs);
            rest = after;
            let mut hidden = part.input.run(&pad(own, own.len()), 1);
            for (norm, up, down) in &part.blocks {
                let mut inner = up.run(&norm.run(&hidden), 1);
                silu(self.isa, &mut inner);
                down.add(&inner, &mut hidden, 1, None);
            }
            let made = part.output.run(&part.norm.run(&hidden), 1);
            packed.extend(&made[..part.output.outputs]);
        }
        // Weights are finite, but what they make of a strange latent may not be.
        packed.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
        KickCode::unpacked(&packed)
    }

    /// The candidates of a kick, and the first with the best score.
    pub(super) fn candidates(
        &self,
        config: &HybridConfig,
        wishes: &Wishes,
        guidance: f32,
        key: u64,
    ) -> Candidates {
        let noise = self.noise(key, config.candidates);
        let latents = self.step(&noise, &wishes.condition, guidance);
        let quantities = self.probe(&latents);
        let mut best = (0, f32::NEG_INFINITY);
        for (index, quantities) in quantities.chunks_exact(config.quantities.len()).enumerate() {
            let score = wishes.score(quantities);
            if score > best.1 {
                best = (index, score);
            }
        }
        Candidates { noise, latents, quantities, best: best.0 }
    }
}

/// What is asked of a kick.
#[derive(Debug, Clone)]
pub(super) struct Wishes {
    /// As the generator takes it.
    condition: Vec<f32>,
    /// Quantity, sign and threshold of each margin.
    margins: Vec<(usize, f32, f32)>,
    /// Quantity and value in standard deviations.
    values: Vec<(usize, f32)>,
}

impl Wishes {
    /// `keywords` are 1 (asked), −1 (not wanted) or 0, one for each of the config; `attributes` have a value where one is
    /// asked for.
    pub(super) fn new(config: &HybridConfig, keywords: &[f32], attributes: &[Option<f32>]) -> Result<Wishes> {
        let mut wishes = Wishes { condition: keywords.to_vec(), margins: Vec::new(), values: Vec::new() };
        for (keyword, asked) in config.keywords.iter().zip(keywords).filter(|(_, asked)| **asked != 0.0) {
            let quantity = config.quantity(&keyword.quantity)?;
            wishes.margins.push((quantity, asked * keyword.side.sign(), keyword.threshold));
        }
        for (attribute, value) in config.attributes.iter().zip(attributes) {
            let quantity = config.quantity(&attribute.quantity)?;
            let scale = &config.quantities[quantity];
            let value = value.map(|value| (value - scale.mean) / scale.sd);
            wishes.condition.push(value.unwrap_or(0.0));
            wishes.values.extend(value.map(|value| (quantity, value)));
        }
        wishes.condition.extend(attributes.iter().map(|value| if value.is_some() { 1.0 } else { 0.0 }));
        // The source, and that there is a condition.
        wishes.condition.extend([1.0, 0.0]);
        Ok(wishes)
    }

    pub(super) fn condition(&self) -> &[f32] {
        &self.condition
    }

    /// How well quantities fit: the least margin.
    fn score(&self, quantities: &[f32]) -> f32 {
        let margins = self
            .margins
            .iter()
            .map(|(quantity, sign, threshold)| (sign * (quantities[*quantity] - threshold)).min(MARGIN));
        let values =
            self.values.iter().map(|(quantity, value)| MARGIN - (quantities[*quantity] - value).abs());
        margins.chain(values).fold(MARGIN, f32::min)
    }
}
