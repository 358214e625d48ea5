//! The shape of a residual network, with bounds that keep a hostile file from exhausting the memory.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The most channels of a layer.
const MAX_CHANNELS: usize = 1024;
/// The most layers.
const MAX_LAYERS: usize = 64;
/// The longest kernel, in taps.
const MAX_KERNEL: usize = 64;
/// The largest ratio between the dilations of two layers.
const MAX_DILATION_BASE: usize = 64;
/// The longest receptive field: 22 s at 48 kHz.
const MAX_RECEPTIVE_FIELD: usize = 1 << 20;
/// The most parameters: 64 MiB.
const MAX_PARAMETERS: usize = 1 << 24;
/// The most values in the histories of all layers together: 64 MiB.
const MAX_HISTORY: usize = 1 << 24;

/// The shape of a residual network.
///
/// # Example
/// ```
/// use neurdsp_models::amp::residual::ResidualConfig;
/// let config = ResidualConfig { channels: 16, num_layers: 6, kernel_size: 3, dilation_base: 2 };
/// config.validate()?;
/// assert_eq!(config.n_parameters(), 4753);
/// assert_eq!(config.receptive_field(), 127);
/// assert_eq!(config.dilations(), [1, 2, 4, 8, 16, 32]);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualConfig {
    /// Channels of each layer, 1 to 1024.
    pub channels: usize,
    /// Number of dilated layers, 1 to 64.
    pub num_layers: usize,
    /// Taps of each dilated convolution, 1 to 64.
    pub kernel_size: usize,
    /// The dilation of layer `i` is `dilation_base` to the power of `i`; 1 to 64.
    pub dilation_base: usize,
}

impl ResidualConfig {
    /// Checks every bound. All other methods and all constructors that take a config rely on it.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a single value, [`Error::TooLarge`] for the receptive field, the number of parameters
    /// or the size of the histories (`channels` × `receptive_field`).
    pub fn validate(&self) -> Result<()> {
        in_range("channels", self.channels, MAX_CHANNELS)?;
        in_range("num_layers", self.num_layers, MAX_LAYERS)?;
        in_range("kernel_size", self.kernel_size, MAX_KERNEL)?;
        in_range("dilation_base", self.dilation_base, MAX_DILATION_BASE)?;

        // The arithmetic below saturates, so that an overflow is over the bound as well.
        let receptive_field = self.receptive_field();
        at_most("the receptive field in samples", receptive_field, MAX_RECEPTIVE_FIELD)?;
        at_most("the number of parameters", self.n_parameters(), MAX_PARAMETERS)?;
        at_most(
            "the history of all layers in values",
            receptive_field.saturating_mul(self.channels),
            MAX_HISTORY,
        )
    }

    /// How many input samples, the current one included, an output sample depends on.
    ///
    /// Saturates at `usize::MAX` for a config that [`validate`](Self::validate) refuses.
    pub fn receptive_field(&self) -> usize {
        let mut reach = 1_usize;
        let mut dilation = 1_usize;
        for _ in 0..self.num_layers.min(MAX_LAYERS) {
            reach = reach.saturating_add(dilation.saturating_mul(self.kernel_size.saturating_sub(1)));
            dilation = dilation.saturating_mul(self.dilation_base);
        }
        reach
    }

    /// The number of trained values: weights and biases of all convolutions.
    ///
    /// Saturates at `usize::MAX` for a config that [`validate`](Self::validate) refuses.
    pub fn n_parameters(&self) -> usize {
        let c = self.channels;
        let layer = c.saturating_mul(c).saturating_mul(self.kernel_size).saturating_add(c);
        let ends = c.saturating_mul(3).saturating_add(1);
        self.num_layers.saturating_mul(layer).saturating_add(ends)
    }

    /// The dilation of each layer, in samples. The config must be valid.
    pub fn dilations(&self) -> Vec<usize> {
        let next = |d: &usize| Some(d.saturating_mul(self.dilation_base));
        std::iter::successors(Some(1), next).take(self.num_layers.min(MAX_LAYERS)).collect()
    }
}

fn in_range(name: &str, got: usize, max: usize) -> Result<()> {
    if (1..=max).contains(&got) {
        return Ok(());
    }
    Err(Error::OutOfRange { name: name.to_owned(), got: got.to_string(), expected: format!("1 to {max}") })
}

fn at_most(what: &str, got: usize, limit: usize) -> Result<()> {
    if got <= limit {
        return Ok(());
    }
    Err(Error::TooLarge { what: what.to_owned(), limit: limit as u64, got: got as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(
        channels: usize,
        num_layers: usize,
        kernel_size: usize,
        dilation_base: usize,
    ) -> ResidualConfig {
        ResidualConfig { channels, num_layers, kernel_size, dilation_base }
    }

    #[test]
    fn the_four_known_shapes_have_their_published_sizes() {
        for (channels, num_layers, parameters) in
            [(16, 6, 4753), (18, 9, 8965), (32, 10, 31137), (48, 12, 83665)]
        {
            let config = config(channels, num_layers, 3, 2);
            config.validate().unwrap();
            assert_eq!(config.n_parameters(), parameters);
            assert_eq!(config.receptive_field(), 1 + 2 * ((1 << num_layers) - 1));
        }
    }

    #[test]
    fn every_bound_is_named() {
        let cases = [
            (config(1_000_000_000, 6, 3, 2), "channels is 1000000000, but must be 1 to 1024"),
            (config(0, 6, 3, 2), "channels is 0, but must be 1 to 1024"),
            (config(16, 0, 3, 2), "num_layers is 0"),
            (config(16, 65, 3, 2), "num_layers is 65, but must be 1 to 64"),
            (config(16, 6, 65, 2), "kernel_size is 65, but must be 1 to 64"),
            (config(16, 6, 3, 0), "dilation_base is 0, but must be 1 to 64"),
            (config(16, 30, 3, 2), "the receptive field in samples is 2147483647"),
            (config(16, 64, 64, 64), "the receptive field in samples is 18446744073709551615"),
            (config(1024, 64, 3, 1), "the number of parameters is 201395201"),
            (
                config(512, 16, 3, 2),
                "the history of all layers in values is 67108352, over the limit of 16777216",
            ),
            (config(usize::MAX, usize::MAX, usize::MAX, usize::MAX), "channels is 18446744073709551615"),
        ];
        for (config, message) in cases {
            let error = config.validate().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
