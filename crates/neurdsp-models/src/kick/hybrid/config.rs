//! The shape of a hybrid generator, as a model file holds it, and the words that it knows.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::code::PACKED_SIZE;
use crate::container::json::one_line;
use crate::error::{Error, Result};

/// The architecture of hybrid generators in model files.
pub const HYBRID: &str = "kick.hybrid";

/// Features of the strength.
pub(super) const STRENGTHS: usize = 64;

/// The shape of a hybrid generator.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HybridConfig {
    /// Numbers of a latent.
    pub latent: usize,
    /// Features of the generator.
    pub width: usize,
    /// Residual blocks of the generator.
    pub blocks: usize,
    /// Features of the condition.
    pub embedding: usize,
    /// Features of the probe.
    pub probe_width: usize,
    /// Latents of which the best is rendered.
    pub candidates: usize,
    /// The networks that make a code of parts of a latent.
    pub decoder: Vec<DecoderShape>,
    /// What is measured of a kick.
    pub quantities: Vec<Quantity>,
    /// Words that can be asked for.
    pub keywords: Vec<Keyword>,
    /// Quantities that can be asked for.
    pub attributes: Vec<Attribute>,
    /// The time in seconds from which on no level of a code rises again; none for levels as the networks give them.
    #[serde(default)]
    pub settle_s: Option<f32>,
}

/// One part of the decoder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderShape {
    /// Numbers of the latent that it sees.
    pub latent: usize,
    /// Features of its layers.
    pub width: usize,
    /// Numbers of the packed code that it gives.
    pub size: usize,
}

/// Something that is measured of a kick.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// Its name.
    pub name: String,
    /// Mean and standard deviation in training.
    pub mean: f32,
    /// See `mean`.
    pub sd: f32,
}

/// The side of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The quantity is larger.
    Above,
    /// The quantity is smaller.
    Below,
}

impl Side {
    /// 1 above, −1 below.
    #[must_use]
    pub fn sign(self) -> f32 {
        match self {
            Side::Above => 1.0,
            Side::Below => -1.0,
        }
    }
}

/// A word, and what a kick of this word measures.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyword {
    /// The word.
    pub name: String,
    /// Which quantity decides.
    pub quantity: String,
    /// On which side of the threshold.
    pub side: Side,
    /// In standard deviations from the mean.
    pub threshold: f32,
    /// What the word means, for people.
    pub meaning: String,
}

/// A quantity that can be asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// The quantity.
    pub quantity: String,
    /// The least and the largest sensible value, in the units of the quantity.
    pub low: f32,
    /// See `low`.
    pub high: f32,
    /// What it means, for people.
    pub meaning: String,
}

impl HybridConfig {
    /// Checks all bounds, so that nothing that follows from them overflows.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the name of the value.
    pub fn validate(&self) -> Result<()> {
        let within = |name: &str, got: usize, least: usize, most: usize| {
            if (least..=most).contains(&got) {
                return Ok(());
            }
            Err(refuse(name, got, format!("from {least} to {most}")))
        };
        within("latent", self.latent, 1, 512)?;
        within("width", self.width, 1, 2048)?;
        within("blocks", self.blocks, 1, 32)?;
        within("embedding", self.embedding, 1, 2048)?;
        within("probe_width", self.probe_width, 1, 2048)?;
        within("candidates", self.candidates, 1, 64)?;
        within("the parts of the decoder", self.decoder.len(), 1, 16)?;
        within("the number of quantities", self.quantities.len(), 1, 256)?;
        within("the number of keywords", self.keywords.len(), 1, 256)?;
        within("the number of attributes", self.attributes.len(), 0, 256)?;
        for part in &self.decoder {
            within("the latent of a decoder", part.latent, 1, self.latent)?;
            within("the width of a decoder", part.width, 1, 2048)?;
            within("the size of a decoder", part.size, 1, PACKED_SIZE)?;
        }
        if let Some(at) = self.settle_s.filter(|at| !(0.0..=2.0).contains(at)) {
            return Err(refuse("settle_s", at, "from 0 to 2".to_owned()));
        }
        let total = |of: fn(&DecoderShape) -> usize| self.decoder.iter().map(of).sum::<usize>();
        within("the latents of all decoders", total(|part| part.latent), self.latent, self.latent)?;
        within("the sizes of all decoders", total(|part| part.size), PACKED_SIZE, PACKED_SIZE)?;
        let names = |of: &mut dyn Iterator<Item = &String>, what: &str, count: usize| {
            let distinct = of.collect::<BTreeSet<_>>().len();
            within(&format!("the number of different names of {what}"), distinct, count, count)
        };
        names(&mut self.quantities.iter().map(|q| &q.name), "quantities", self.quantities.len())?;
        names(&mut self.keywords.iter().map(|k| &k.name), "keywords", self.keywords.len())?;
        names(&mut self.attributes.iter().map(|a| &a.name), "attributes", self.attributes.len())?;
        for quantity in &self.quantities {
            let is_sound = quantity.mean.is_finite() && quantity.sd.is_finite() && quantity.sd > 0.0;
            if !is_sound {
                let got = format!("{} and {}", quantity.mean, quantity.sd);
                let name = format!("mean and sd of the quantity {}", one_line(&quantity.name));
                return Err(refuse(&name, got, "finite, and the second above 0".to_owned()));
            }
        }
        for keyword in &self.keywords {
            self.quantity(&keyword.quantity)?;
            if !keyword.threshold.is_finite() {
                let name = format!("the threshold of the keyword {}", one_line(&keyword.name));
                return Err(refuse(&name, keyword.threshold, "a finite number".to_owned()));
            }
        }
        for attribute in &self.attributes {
            self.quantity(&attribute.quantity)?;
            if !(attribute.low.is_finite() && attribute.high.is_finite() && attribute.low < attribute.high) {
                let name = format!("low and high of the attribute {}", one_line(&attribute.name));
                let got = format!("{} and {}", attribute.low, attribute.high);
                return Err(refuse(&name, got, "finite, in ascending order".to_owned()));
            }
        }
        Ok(())
    }

    /// Numbers of a condition: keywords, attributes, flags of those given, the source, and whether there is no condition.
    #[must_use]
    pub fn n_conditions(&self) -> usize {
        self.keywords.len() + 2 * self.attributes.len() + 2
    }

    /// The index of a quantity.
    pub(super) fn quantity(&self, name: &str) -> Result<usize> {
        self.quantities.iter().position(|quantity| quantity.name == name).ok_or_else(|| {
            let known: Vec<_> = self.quantities.iter().map(|quantity| quantity.name.as_str()).collect();
            refuse("a quantity", one_line(name), format!("one of {}", one_line(&known.join(", "))))
        })
    }
}

pub(super) fn refuse(name: &str, got: impl ToString, expected: String) -> Error {
    Error::OutOfRange { name: name.to_owned(), got: got.to_string(), expected }
}
