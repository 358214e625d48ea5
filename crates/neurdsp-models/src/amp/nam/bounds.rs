//! Bounds on the parts of a `.nam` model: far above every real model, and far below what would exhaust the memory.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// The largest file, in bytes.
pub(crate) const MAX_NAM_BYTES: u64 = 128 << 20;
/// The most bytes of a config or of metadata, without the models nested in it.
pub(super) const MAX_CONFIG_BYTES: usize = 1 << 20;
/// How deep models may be nested.
pub(super) const MAX_DEPTH: usize = 4;
/// The most models of a container.
pub(super) const MAX_SUBMODELS: usize = 64;
/// The most layer arrays of a WaveNet.
pub(super) const MAX_ARRAYS: usize = 16;
/// The most layers of one array, of an LSTM, or of a ConvNet.
pub(crate) const MAX_LAYERS: usize = 256;
/// The most channels of any part; twice as many where a gate doubles them.
pub(crate) const MAX_CHANNELS: usize = neurdsp_nn::MAX_CHANNELS;
/// The longest kernel of a convolution, in taps.
pub(super) const MAX_KERNEL: usize = 1024;
/// The longest dilation, in samples.
pub(super) const MAX_DILATION: usize = 1 << 20;
/// The longest receptive field: 22 s at 48 kHz.
pub(super) const MAX_RECEPTIVE_FIELD: usize = 1 << 20;
/// The most weights of one network with its groups expanded: 64 MiB.
pub(super) const MAX_DENSE_WEIGHTS: usize = 1 << 24;
/// The most weights of an LSTM, which processes half a second of silence when it is prepared.
pub(crate) const MAX_LSTM_WEIGHTS: usize = 1 << 20;
/// The most values in all histories of one network together: 64 MiB.
pub(super) const MAX_HISTORY: usize = 1 << 24;

/// Refuses a value outside a range.
pub(crate) fn in_range(path: &str, got: usize, range: RangeInclusive<usize>) -> Result<()> {
    if range.contains(&got) {
        return Ok(());
    }
    let expected = format!("{} to {}", range.start(), range.end());
    Err(Error::OutOfRange { name: path.to_owned(), got: got.to_string(), expected })
}

/// Refuses a value that differs from what another part of the model requires.
pub(super) fn equal(path: &str, got: usize, expected: usize, because: &str) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::OutOfRange {
        name: path.to_owned(),
        got: got.to_string(),
        expected: format!("{expected}, {because}"),
    })
}

/// Refuses a quantity over its bound.
pub(crate) fn at_most(what: &str, got: usize, limit: usize) -> Result<()> {
    if got <= limit {
        return Ok(());
    }
    Err(Error::TooLarge { what: what.to_owned(), limit: limit as u64, got: got as u64 })
}

/// The reach, dense weights and history of a network, summed as it is read.
#[derive(Debug, Default)]
pub(super) struct Totals {
    receptive_field: usize,
    dense_weights: usize,
    history: usize,
}

impl Totals {
    /// Counts one convolution of `inputs` channels.
    pub(super) fn add(&mut self, inputs: usize, outputs: usize, kernel_size: usize, dilation: usize) {
        let reach = dilation.saturating_mul(kernel_size.saturating_sub(1));
        self.receptive_field = self.receptive_field.saturating_add(reach);
        self.history = self.history.saturating_add(reach.saturating_mul(inputs));
        let weights = inputs.saturating_mul(outputs).saturating_mul(kernel_size);
        self.dense_weights = self.dense_weights.saturating_add(weights);
    }

    /// Refuses a network whose sums are over their bounds.
    pub(super) fn check(&self, path: &str) -> Result<()> {
        at_most(
            &format!("the receptive field of {path} in samples"),
            self.receptive_field,
            MAX_RECEPTIVE_FIELD,
        )?;
        at_most(&format!("the number of weights of {path}"), self.dense_weights, MAX_DENSE_WEIGHTS)?;
        at_most(&format!("the history of all layers of {path} in values"), self.history, MAX_HISTORY)
    }
}

/// Refuses a size of a slimmable model that is not from 0 to 1.
pub(super) fn check_size(size: f64) -> Result<()> {
    if (0.0..=1.0).contains(&size) {
        return Ok(());
    }
    Err(Error::OutOfRange {
        name: "size".to_owned(),
        got: size.to_string(),
        expected: "0 (smallest) to 1 (full)".to_owned(),
    })
}
