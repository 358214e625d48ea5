//! The trained values of a residual network, and their names in a model file.

use crate::amp::residual::ResidualConfig;
use crate::container::tensor::{Tensor, Tensors, expect_finite, expect_floats};
use crate::container::values::Values;
use crate::error::{Error, Result};

/// Prefix of the parity vectors, which are not part of the model.
const PARITY_PREFIX: &str = "parity.";

/// One dilated convolution.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights {
    /// Shape `[channels out][channels in][kernel_size]`, row-major as in PyTorch; the last tap multiplies the current sample.
    pub weight: Vec<f32>,
    /// Shape `[channels]`.
    pub bias: Vec<f32>,
}

/// The trained values of a residual network.
#[derive(Debug, Clone, PartialEq)]
pub struct ResidualWeights {
    /// Shape `[channels]`.
    pub input_weight: Vec<f32>,
    /// Shape `[channels]`.
    pub input_bias: Vec<f32>,
    /// One for each layer, the first with dilation 1.
    pub layers: Vec<LayerWeights>,
    /// Shape `[channels]`.
    pub output_weight: Vec<f32>,
    /// Added to each output sample.
    pub output_bias: f32,
}

impl ResidualWeights {
    /// Takes the weights out of the tensors of a model file.
    ///
    /// The names are `input_conv.weight` `[C, 1, 1]`, `input_conv.bias` `[C]`, `layers.{i}.conv.weight` `[C, C, k]`,
    /// `layers.{i}.conv.bias` `[C]`, `output_conv.weight` `[1, C, 1]` and `output_conv.bias` `[1]`. Tensors named
    /// `parity.…` are ignored.
    ///
    /// # Errors
    /// An invalid config, a tensor that is missing, misshaped, not finite or not part of the model; the message has
    /// its full name.
    pub fn from_tensors(config: &ResidualConfig, tensors: &Tensors) -> Result<ResidualWeights> {
        config.validate()?;
        let c = config.channels;
        let take = |name: &str, shape: &[usize]| -> Result<Vec<f32>> {
            Ok(expect_floats(tensors, name, shape)?.into_owned())
        };

        let mut layers = Vec::with_capacity(config.num_layers);
        for i in 0..config.num_layers {
            layers.push(LayerWeights {
                weight: take(&format!("layers.{i}.conv.weight"), &[c, c, config.kernel_size])?,
                bias: take(&format!("layers.{i}.conv.bias"), &[c])?,
            });
        }
        let weights = ResidualWeights {
            input_weight: take("input_conv.weight", &[c, 1, 1])?,
            input_bias: take("input_conv.bias", &[c])?,
            layers,
            output_weight: take("output_conv.weight", &[1, c, 1])?,
            output_bias: take("output_conv.bias", &[1])?[0],
        };
        match tensors.keys().find(|name| !is_known(name, config.num_layers)) {
            Some(name) => Err(Error::UnexpectedTensor {
                name: name.clone(),
                architecture: format!("an amp.wavenet model of {} layers", config.num_layers),
            }),
            None => Ok(weights),
        }
    }

    /// The weights as the tensors of a model file; the inverse of [`from_tensors`](Self::from_tensors).
    ///
    /// # Errors
    /// The weights do not fit the config: see [`check`](Self::check).
    pub fn to_tensors(&self, config: &ResidualConfig) -> Result<Tensors> {
        self.check(config)?;
        let c = config.channels;
        let mut tensors = Tensors::new();
        let mut put = |name: String, shape: &[usize], data: &[f32]| {
            tensors.insert(name, Tensor { shape: shape.to_vec(), data: Values::F32(data.to_vec()) });
        };
        put("input_conv.weight".to_owned(), &[c, 1, 1], &self.input_weight);
        put("input_conv.bias".to_owned(), &[c], &self.input_bias);
        for (i, layer) in self.layers.iter().enumerate() {
            put(format!("layers.{i}.conv.weight"), &[c, c, config.kernel_size], &layer.weight);
            put(format!("layers.{i}.conv.bias"), &[c], &layer.bias);
        }
        put("output_conv.weight".to_owned(), &[1, c, 1], &self.output_weight);
        put("output_conv.bias".to_owned(), &[1], &[self.output_bias]);
        Ok(tensors)
    }

    /// Checks that the config is valid, that every list has the length that it requires and that all values are finite.
    ///
    /// # Errors
    /// An invalid config, or the first list that does not fit, by the name of its tensor.
    pub fn check(&self, config: &ResidualConfig) -> Result<()> {
        config.validate()?;
        let c = config.channels;
        let check = |name: &str, data: &[f32], length: usize| -> Result<()> {
            if data.len() != length {
                return Err(Error::TensorShape {
                    name: name.to_owned(),
                    got: vec![data.len()],
                    expected: vec![length],
                });
            }
            expect_finite(name, data)
        };

        if self.layers.len() != config.num_layers {
            return Err(Error::OutOfRange {
                name: "the number of layers with weights".to_owned(),
                got: self.layers.len().to_string(),
                expected: format!("num_layers = {}", config.num_layers),
            });
        }
        check("input_conv.weight", &self.input_weight, c)?;
        check("input_conv.bias", &self.input_bias, c)?;
        for (i, layer) in self.layers.iter().enumerate() {
            check(&format!("layers.{i}.conv.weight"), &layer.weight, c * c * config.kernel_size)?;
            check(&format!("layers.{i}.conv.bias"), &layer.bias, c)?;
        }
        check("output_conv.weight", &self.output_weight, c)?;
        check("output_conv.bias", &[self.output_bias], 1)
    }
}

fn is_known(name: &str, num_layers: usize) -> bool {
    if name.starts_with(PARITY_PREFIX) {
        return true;
    }
    match name {
        "input_conv.weight" | "input_conv.bias" | "output_conv.weight" | "output_conv.bias" => true,
        _ => (0..num_layers)
            .any(|i| name == format!("layers.{i}.conv.weight") || name == format!("layers.{i}.conv.bias")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: ResidualConfig =
        ResidualConfig { channels: 2, num_layers: 2, kernel_size: 3, dilation_base: 2 };

    fn weights() -> ResidualWeights {
        let ramp = |n: usize, start: f32| (0..n).map(|i| start + i as f32 * 0.125).collect::<Vec<f32>>();
        ResidualWeights {
            input_weight: ramp(2, 1.0),
            input_bias: ramp(2, 2.0),
            layers: vec![
                LayerWeights { weight: ramp(12, 3.0), bias: ramp(2, 4.0) },
                LayerWeights { weight: ramp(12, 5.0), bias: ramp(2, 6.0) },
            ],
            output_weight: ramp(2, 7.0),
            output_bias: 8.0,
        }
    }

    #[test]
    fn tensors_and_back_give_the_same_weights() {
        let tensors = weights().to_tensors(&CONFIG).unwrap();
        assert_eq!(tensors.values().map(|t| t.data.len()).sum::<usize>(), CONFIG.n_parameters());
        assert_eq!(ResidualWeights::from_tensors(&CONFIG, &tensors).unwrap(), weights());
    }

    #[test]
    fn a_wrong_tensor_is_named_by_its_full_path() {
        let refuse = |change: &dyn Fn(&mut Tensors)| {
            let mut tensors = weights().to_tensors(&CONFIG).unwrap();
            change(&mut tensors);
            ResidualWeights::from_tensors(&CONFIG, &tensors).unwrap_err().to_string()
        };
        let name = "layers.1.conv.weight";
        assert_eq!(
            refuse(&|t| drop(t.remove(name))),
            "the tensor layers.1.conv.weight is missing; its shape must be [2, 2, 3]"
        );
        assert_eq!(
            refuse(&|t| drop(t.insert(name.to_owned(), Tensor::new(vec![2, 3, 2], vec![0.0; 12]).unwrap()))),
            "the tensor layers.1.conv.weight has shape [2, 3, 2], but must have [2, 2, 3]"
        );
        let extra = refuse(&|t| {
            t.insert("layers.2.conv.bias".to_owned(), Tensor::new(vec![2], vec![0.0; 2]).unwrap());
        });
        assert!(extra.starts_with("the tensor layers.2.conv.bias is not part of"), "{extra}");
        let nan = refuse(&|t| t.get_mut(name).unwrap().as_f32_mut().unwrap()[5] = f32::NAN);
        assert!(nan.starts_with("layers.1.conv.weight holds NaN at index 5"), "{nan}");
    }

    #[test]
    fn weights_that_do_not_fit_their_config_are_refused() {
        let mut short = weights();
        short.layers[0].bias.pop();
        let error = short.check(&CONFIG).unwrap_err().to_string();
        assert_eq!(error, "the tensor layers.0.conv.bias has shape [1], but must have [2]");
        let mut few = weights();
        few.layers.pop();
        assert!(few.check(&CONFIG).unwrap_err().to_string().contains("num_layers = 2"));
    }
}
