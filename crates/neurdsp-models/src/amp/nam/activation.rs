//! The activations of the format, with their parameters.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::bounds::MAX_CHANNELS;
use crate::amp::fields::{Fields, is_text, value};
use crate::container::json::{elements, one_line};
use crate::container::tensor::expect_finite;
use crate::error::{Error, Result};

const NAMES: &str =
    "Tanh, Hardtanh, Fasttanh, ReLU, LeakyReLU, PReLU, Sigmoid, SiLU, Hardswish, LeakyHardtanh, Softsign";
/// The slope where the format gives none.
const SLOPE: f32 = 0.01;

/// An activation, applied to each value by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Activation {
    /// The hyperbolic tangent.
    Tanh,
    /// `x` clamped to −1…1.
    Hardtanh,
    /// The rational function that NAM Core calls its fast tanh; it differs from [`Activation::Tanh`] by up to 4.4e-4.
    Fasttanh,
    /// `max(x, 0)`.
    Relu,
    /// `x` above 0, `negative_slope · x` below.
    LeakyRelu {
        /// The slope below 0.
        negative_slope: f32,
    },
    /// `x` above 0, `negative_slopes[c % n] · x` below, for channel `c` and `n` slopes; `n` divides the channels.
    Prelu {
        /// The slopes below 0: one for all channels, or one for each.
        negative_slopes: Vec<f32>,
    },
    /// `1 / (1 + exp(−x))`.
    Sigmoid,
    /// `x · sigmoid(x)`.
    Silu,
    /// `x · clamp(x + 3, 0, 6) / 6`.
    Hardswish,
    /// `x` between two bounds, and straight lines with other slopes beyond them.
    LeakyHardtanh {
        /// The lower bound.
        min_val: f32,
        /// The upper bound.
        max_val: f32,
        /// The slope below the lower bound.
        min_slope: f32,
        /// The slope above the upper bound.
        max_slope: f32,
    },
    /// `x / (1 + |x|)`.
    Softsign,
}

impl Activation {
    /// The value for `x` in a channel, in double precision: what kernels are tested against.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::amp::nam::Activation;
    /// let leaky = Activation::LeakyRelu { negative_slope: 0.25 };
    /// assert_eq!(leaky.evaluate(-2.0, 0), -0.5);
    /// ```
    pub fn evaluate(&self, x: f64, channel: usize) -> f64 {
        let leaky = |slope: f32| if x > 0.0 { x } else { f64::from(slope) * x };
        let sigmoid = 1.0 / (1.0 + (-x).exp());
        match self {
            Activation::Tanh => x.tanh(),
            Activation::Hardtanh => x.clamp(-1.0, 1.0),
            Activation::Fasttanh => fast_tanh(x),
            Activation::Relu => x.max(0.0),
            Activation::LeakyRelu { negative_slope } => leaky(*negative_slope),
            Activation::Prelu { negative_slopes } => leaky(negative_slopes[channel % negative_slopes.len()]),
            Activation::Sigmoid => sigmoid,
            Activation::Silu => x * sigmoid,
            Activation::Hardswish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Activation::LeakyHardtanh { min_val, max_val, min_slope, max_slope } => {
                let (min, max) = (f64::from(*min_val), f64::from(*max_val));
                if x < min {
                    (x - min) * f64::from(*min_slope) + min
                } else if x > max {
                    (x - max) * f64::from(*max_slope) + max
                } else {
                    x
                }
            }
            Activation::Softsign => x / (1.0 + x.abs()),
        }
    }

    /// Reads a name or an object with a `type`, for `width` channels.
    pub(super) fn read(path: &str, json: &RawValue, width: usize) -> Result<Activation> {
        if is_text(json) {
            return Activation::named(path, value(path, json)?);
        }
        let fields = Fields::new(path, json)?;
        let activation = Activation::named(&fields.at("type"), fields.value("type")?)?;
        Ok(match activation {
            Activation::LeakyRelu { .. } => {
                Activation::LeakyRelu { negative_slope: fields.float_or("negative_slope", SLOPE)? }
            }
            Activation::Prelu { .. } => Activation::Prelu { negative_slopes: read_slopes(&fields, width)? },
            Activation::LeakyHardtanh { .. } => Activation::LeakyHardtanh {
                min_val: fields.float_or("min_val", -1.0)?,
                max_val: fields.float_or("max_val", 1.0)?,
                min_slope: fields.float_or("min_slope", SLOPE)?,
                max_slope: fields.float_or("max_slope", SLOPE)?,
            },
            other => other,
        })
    }

    fn named(path: &str, name: String) -> Result<Activation> {
        Ok(match name.as_str() {
            "Tanh" => Activation::Tanh,
            "Hardtanh" => Activation::Hardtanh,
            "Fasttanh" => Activation::Fasttanh,
            "ReLU" => Activation::Relu,
            "LeakyReLU" => Activation::LeakyRelu { negative_slope: SLOPE },
            "PReLU" => Activation::Prelu { negative_slopes: vec![SLOPE] },
            "Sigmoid" => Activation::Sigmoid,
            "SiLU" => Activation::Silu,
            "Hardswish" => Activation::Hardswish,
            "LeakyHardtanh" | "LeakyHardTanh" => {
                Activation::LeakyHardtanh { min_val: -1.0, max_val: 1.0, min_slope: SLOPE, max_slope: SLOPE }
            }
            "Softsign" => Activation::Softsign,
            _ => {
                return Err(Error::Unsupported {
                    what: format!("{path} {:?}", one_line(&name)),
                    reason: format!("the format knows {NAMES}; train the model with one of these"),
                });
            }
        })
    }

    /// The activation as the format writes it.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Activation::Tanh => "Tanh".into(),
            Activation::Hardtanh => "Hardtanh".into(),
            Activation::Fasttanh => "Fasttanh".into(),
            Activation::Relu => "ReLU".into(),
            Activation::LeakyRelu { negative_slope } if *negative_slope == SLOPE => "LeakyReLU".into(),
            Activation::LeakyRelu { negative_slope } => {
                json!({ "type": "LeakyReLU", "negative_slope": negative_slope })
            }
            Activation::Prelu { negative_slopes } => {
                json!({ "type": "PReLU", "negative_slopes": negative_slopes })
            }
            Activation::Sigmoid => "Sigmoid".into(),
            Activation::Silu => "SiLU".into(),
            Activation::Hardswish => "Hardswish".into(),
            Activation::LeakyHardtanh { min_val, max_val, min_slope, max_slope } => json!({
                "type": "LeakyHardtanh", "min_val": min_val, "max_val": max_val,
                "min_slope": min_slope, "max_slope": max_slope,
            }),
            Activation::Softsign => "Softsign".into(),
        }
    }

    /// The activation of the first `width` channels of `full`.
    pub(super) fn slim(&self, path: &str, full: usize, width: usize) -> Result<Activation> {
        let mut slim = self.clone();
        if let Activation::Prelu { negative_slopes } = &mut slim {
            if negative_slopes.len() == full {
                negative_slopes.truncate(width);
            }
            check_slopes(path, negative_slopes.len(), width)?;
        }
        Ok(slim)
    }
}

fn read_slopes(fields: &Fields, width: usize) -> Result<Vec<f32>> {
    if fields.get("negative_slope").is_some() {
        return Ok(vec![fields.float_or("negative_slope", SLOPE)?]);
    }
    let Some(json) = fields.get("negative_slopes") else { return Ok(vec![SLOPE]) };
    let path = fields.at("negative_slopes");
    let items = elements(&path, json, 0..=MAX_CHANNELS)?;
    let slopes = items.into_iter().map(|item| value(&path, item)).collect::<Result<Vec<f32>>>()?;
    expect_finite(&path, &slopes)?;
    check_slopes(&path, slopes.len(), width)?;
    Ok(slopes)
}

fn check_slopes(path: &str, slopes: usize, width: usize) -> Result<()> {
    if slopes > 0 && width.is_multiple_of(slopes) {
        return Ok(());
    }
    Err(Error::OutOfRange {
        name: format!("the length of {path}"),
        got: slopes.to_string(),
        expected: format!("1 or {width}, as many as channels"),
    })
}

/// The rational approximation behind the format's `Fasttanh`, with the constants of NAM Core's `activations.h`.
fn fast_tanh(x: f64) -> f64 {
    let (magnitude, square) = (x.abs(), x * x);
    let numerator = x
        * (2.455_507_507_029_56
            + 2.455_507_507_029_56 * magnitude
            + (0.893_229_853_513_558 + 0.821_226_666_969_744 * magnitude) * square);
    let denominator = 2.445_066_346_522_99
        + (2.445_066_346_522_99 + square) * (x + 0.814_642_734_961_073 * x * magnitude).abs();
    numerator / denominator
}
