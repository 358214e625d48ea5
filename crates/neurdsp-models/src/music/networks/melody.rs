//! The melody network: a transformer whose attention sees a ring of steps.

use neurdsp_nn::dense::{RingAttention, RmsNorm, gelu, padded};
use neurdsp_simd::{AlignedBuf, Isa};

use super::config::MelodyConfig;
use super::layers::Linear;
use super::memory::{Memory, fill, rows};
use super::source::Source;
use crate::error::Result;

/// Added to the mean square of what is normed.
const NORM_EPS: f32 = 1e-6;

/// The layers.
#[derive(Debug)]
pub(super) struct Melody {
    token: Table,
    position: Table,
    condition: Linear,
    blocks: Vec<Block>,
    norm: RmsNorm,
    head: Linear,
    config: MelodyConfig,
    isa: Isa,
}

/// Rows that are looked up.
#[derive(Debug)]
struct Table {
    /// Rows are padded.
    values: AlignedBuf,
    stride: usize,
}

impl Table {
    fn new(source: &Source<'_>, name: &str, rows: usize, width: usize) -> Result<Table> {
        let (from, stride) = (source.table(name, rows, width)?, padded(width));
        let mut values = AlignedBuf::zeroed(rows * stride);
        for (to, from) in values.chunks_exact_mut(stride).zip(from.chunks_exact(width)) {
            to[..width].copy_from_slice(from);
        }
        Ok(Table { values, stride })
    }

    fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.stride..][..self.stride]
    }
}

#[derive(Debug)]
struct Block {
    attention_norm: RmsNorm,
    /// Queries, keys and values, one after another.
    looks: Linear,
    attention: RingAttention,
    out: Linear,
    feed_forward_norm: RmsNorm,
    up: Linear,
    down: Linear,
}

impl Block {
    fn new(config: &MelodyConfig, source: &Source<'_>, index: usize) -> Result<Block> {
        let MelodyConfig { width, heads, head_width, hidden, window, .. } = *config;
        let inner = heads * head_width;
        let name = |layer: &str| format!("blocks.{index}.{layer}");
        let norm = |layer: &str| -> Result<RmsNorm> {
            let weight = source.floats(&name(&format!("{layer}.weight")), &[width])?;
            Ok(RmsNorm::new(&weight, NORM_EPS, source.isa)?)
        };
        Ok(Block {
            attention_norm: norm("attention_norm")?,
            looks: source.stacked(&["query", "key", "value"].map(name), inner, width)?,
            attention: RingAttention::new(heads, head_width, window, source.isa)?,
            out: source.linear(&name("out"), width, inner, true)?,
            feed_forward_norm: norm("feed_forward_norm")?,
            up: source.linear(&name("up"), hidden, width, true)?,
            down: source.linear(&name("down"), width, hidden, true)?,
        })
    }
}

impl Melody {
    pub(super) fn new(config: &MelodyConfig, source: &Source<'_>) -> Result<Melody> {
        let MelodyConfig { tokens, condition, width, window, .. } = *config;
        Ok(Melody {
            token: Table::new(source, "token.weight", tokens, width)?,
            position: Table::new(source, "position.weight", window, width)?,
            condition: source.linear("condition", width, condition, true)?,
            blocks: (0..config.blocks)
                .map(|index| Block::new(config, source, index))
                .collect::<Result<_>>()?,
            norm: RmsNorm::new(&source.floats("norm.weight", &[width])?, NORM_EPS, source.isa)?,
            head: source.linear("head", tokens, width, true)?,
            config: config.clone(),
            isa: source.isa,
        })
    }

    /// Lengths of the rows that a step works in.
    fn rows(&self) -> [usize; 8] {
        let MelodyConfig { tokens, condition, width, heads, head_width, hidden, .. } = self.config;
        let inner = heads * head_width;
        [1, condition, width, width, 3 * inner, inner, hidden, tokens]
    }

    pub(super) fn memory(&self) -> usize {
        let rings: usize = self.blocks.iter().map(|block| padded(block.attention.memory())).sum();
        rings + rows(self.rows())
    }

    pub(super) fn step(&self, memory: &mut [f32], input: &[f32], output: &mut [f32]) {
        let MelodyConfig { tokens, window, heads, head_width, .. } = self.config;
        let inner = heads * head_width;
        let mut memory = Memory::new(memory);
        let [count, condition, x, normed, looks, seen, up, last] =
            self.rows().map(|values| memory.row(values));
        // Once the ring is full, the number of the step goes back by the window, so that it stays exact.
        let step = count[0] as usize;
        count[0] = if step + 1 == 2 * window { window } else { step + 1 } as f32;

        let Some((token, given)) = input.split_first() else { return };
        fill(condition, given);
        self.condition.run(condition, x, false);
        // What is no token counts as the nearest, or as the first.
        let token = (token.round() as usize).min(tokens - 1);
        let rows = self.token.row(token).iter().zip(self.position.row(step % window));
        for (x, (token, position)) in x.iter_mut().zip(rows) {
            *x += token + position;
        }
        for block in &self.blocks {
            let ring = memory.row(block.attention.memory());
            block.attention_norm.run(x, normed);
            block.looks.run(normed, looks, false);
            let (query, rest) = looks.split_at(inner);
            let (key, value) = rest.split_at(inner);
            block.attention.step(query, key, value, step, ring, seen);
            block.out.run(seen, x, true);
            block.feed_forward_norm.run(x, normed);
            block.up.run(normed, up, false);
            gelu(self.isa, up);
            block.down.run(up, x, true);
        }
        self.norm.run(x, normed);
        self.head.run(normed, last, false);
        output.copy_from_slice(&last[..output.len()]);
    }
}
