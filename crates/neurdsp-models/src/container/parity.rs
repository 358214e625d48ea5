//! The proof that a model file carries: an input, and the output that the trained model gave for it.

use crate::container::tensor::{Tensors, expect_finite};
use crate::error::{Error, Result};
use crate::streaming::StreamingModel;

const INPUT: &str = "parity.input";
const OUTPUT: &str = "parity.output";
/// The most samples beyond four receptive fields, so that verifying takes no longer than the model deserves.
const MAX_EXTRA_SAMPLES: usize = 1 << 16;

/// An input and the output that the trained model gave for it, after silence for ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Parity {
    input: Vec<f32>,
    output: Vec<f32>,
    threshold_db: f64,
}

/// How well a model reproduces its parity vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verification {
    /// Energy of the error relative to the energy of the expected output, in dB; minus infinity if equal bit for bit.
    pub error_db: f64,
    /// What the file asks for: the error must not be above it.
    pub threshold_db: f64,
    /// The number of samples compared.
    pub n_samples: usize,
}

impl Verification {
    /// True if the error is at or below the threshold.
    pub fn passed(&self) -> bool {
        self.error_db <= self.threshold_db
    }
}

impl Parity {
    /// Takes `parity.input` and `parity.output` out of the tensors of a file.
    ///
    /// # Errors
    /// One is missing, not one-dimensional, empty, too long or not finite, or they differ in length.
    pub(crate) fn from_tensors(
        tensors: &Tensors,
        threshold_db: f64,
        receptive_field: usize,
    ) -> Result<Parity> {
        let take = |name: &str| -> Result<Vec<f32>> {
            let Some(tensor) = tensors.get(name) else {
                return Err(Error::MissingParity { name: name.to_owned() });
            };
            let &[length] = tensor.shape.as_slice() else {
                return Err(Error::malformed(
                    name,
                    format!("its shape is {:?}, but must be [samples]", tensor.shape),
                ));
            };
            let limit = receptive_field.saturating_mul(4).saturating_add(MAX_EXTRA_SAMPLES);
            if length == 0 || length > limit {
                return Err(Error::OutOfRange {
                    name: format!("the length of {name}"),
                    got: length.to_string(),
                    expected: format!("1 to {limit} samples"),
                });
            }
            let values = tensor.to_f32(name)?;
            expect_finite(name, &values)?;
            Ok(values.into_owned())
        };
        let (input, output) = (take(INPUT)?, take(OUTPUT)?);
        if input.len() != output.len() {
            return Err(Error::TensorShape {
                name: OUTPUT.to_owned(),
                got: vec![output.len()],
                expected: vec![input.len()],
            });
        }
        if let Some(name) =
            tensors.keys().find(|name| name.starts_with("parity.") && *name != INPUT && *name != OUTPUT)
        {
            return Err(Error::UnexpectedTensor {
                name: name.clone(),
                architecture: "the parity vectors".to_owned(),
            });
        }
        Ok(Parity { input, output, threshold_db })
    }

    /// Runs the input through a model and measures the error.
    pub fn verify(&self, model: &mut dyn StreamingModel) -> Verification {
        let mut output = vec![0.0; self.input.len()];
        model.reset();
        model.process(&self.input, &mut output);
        Verification {
            error_db: error_db(&self.output, &output),
            threshold_db: self.threshold_db,
            n_samples: self.input.len(),
        }
    }
}

/// Energy of the difference relative to the energy of the expected signal, in dB.
fn error_db(expected: &[f32], got: &[f32]) -> f64 {
    let energy = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let error = energy(&mut expected.iter().zip(got).map(|(&e, &g)| f64::from(e) - f64::from(g)));
    let reference = energy(&mut expected.iter().map(|&e| f64::from(e)));
    if error == 0.0 { f64::NEG_INFINITY } else { 10.0 * (error / reference).log10() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::tensor::Tensor;

    /// Adds an offset to each sample.
    struct Offset(f32);

    impl StreamingModel for Offset {
        fn reset(&mut self) {}
        fn prewarm(&mut self) {}
        fn receptive_field(&self) -> usize {
            1
        }
        fn latency(&self) -> usize {
            0
        }
        fn process(&mut self, input: &[f32], output: &mut [f32]) {
            for (y, x) in output.iter_mut().zip(input) {
                *y = x + self.0;
            }
        }
    }

    fn vector(values: &[f32]) -> Tensor {
        Tensor::new(vec![values.len()], values.to_vec()).unwrap()
    }

    fn tensors(input: &[f32], output: &[f32]) -> Tensors {
        Tensors::from([(INPUT.to_owned(), vector(input)), (OUTPUT.to_owned(), vector(output))])
    }

    #[test]
    fn the_error_is_measured_against_the_energy_of_the_output() {
        let parity = Parity::from_tensors(&tensors(&[1.0, -1.0], &[1.0, -1.0]), -60.0, 1).unwrap();
        let exact = parity.verify(&mut Offset(0.0));
        assert_eq!((exact.error_db, exact.n_samples, exact.passed()), (f64::NEG_INFINITY, 2, true));
        // 2 · 0.125² over 2 · 1² is −18.06 dB.
        let off = parity.verify(&mut Offset(0.125));
        assert!((off.error_db - -18.061_799_7).abs() < 1e-6 && !off.passed(), "{off:?}");
        assert!(!parity.verify(&mut Offset(f32::NAN)).passed());
    }

    #[test]
    fn silence_as_the_expected_output_is_met_only_exactly() {
        let parity = Parity::from_tensors(&tensors(&[0.0], &[0.0]), -60.0, 1).unwrap();
        assert!(parity.verify(&mut Offset(0.0)).passed());
        assert!(!parity.verify(&mut Offset(1e-9)).passed());
    }

    #[test]
    fn unusable_vectors_are_named() {
        let long = vec![0.0; MAX_EXTRA_SAMPLES + 5];
        let cases = [
            (tensors(&[0.0; 3], &[0.0; 2]), "the tensor parity.output has shape [2], but must have [3]"),
            (tensors(&[], &[]), "the length of parity.input is 0, but must be 1 to 65540 samples"),
            (tensors(&long, &long), "the length of parity.input is 65541"),
            (tensors(&[0.0], &[f32::INFINITY]), "parity.output holds inf at index 0"),
            (Tensors::new(), "the file carries no parity.input"),
        ];
        for (tensors, message) in cases {
            let error = Parity::from_tensors(&tensors, -60.0, 1).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
