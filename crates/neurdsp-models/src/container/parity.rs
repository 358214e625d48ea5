//! The proof that a model file carries: inputs, and the outputs that the trained model gave for them.
//!
//! One input is the tensor `parity.input`, several are `parity.input.NAME`; likewise the outputs. Their shapes are those
//! that the model takes and gives.

use crate::container::json::one_line;
use crate::container::tensor::{Tensor, Tensors, expect_finite, expect_tensor};
use crate::container::values::DType;
use crate::error::{Error, Result};

const PREFIX: &str = "parity.";
/// The name of an input that is the only one.
pub(crate) const INPUT: &str = "input";
/// The name of an output that is the only one.
pub(crate) const OUTPUT: &str = "output";
/// The most inputs, and the most outputs.
const MAX_VECTORS: usize = 64;

/// Inputs, and the outputs that the trained model gave for them in its first state.
///
/// # Example
/// ```
/// use neurdsp_models::{Parity, Tensor, Tensors};
/// let vector = |values: &[f32]| Tensor::new(vec![values.len()], values.to_vec());
/// let file = Tensors::from([
///     ("parity.input.left".to_owned(), vector(&[1.0, 2.0])?),
///     ("parity.input.right".to_owned(), vector(&[3.0, 4.0])?),
///     ("parity.output".to_owned(), vector(&[4.0, 6.0])?),
/// ]);
/// let parity = Parity::from_tensors(&file, -100.0, 1000)?;
/// let (left, right) = (&parity.inputs()["left"], &parity.inputs()["right"]);
/// let sum = left.to_f32("left")?.iter().zip(right.to_f32("right")?.iter()).map(|(l, r)| l + r).collect();
/// let outputs = Tensors::from([("output".to_owned(), Tensor::new(vec![2], sum)?)]);
/// assert!(parity.measure(&outputs)?.passed());
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Parity {
    inputs: Tensors,
    outputs: Tensors,
    threshold_db: f64,
}

/// How well a model reproduces its parity vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verification {
    /// Energy of the error relative to the energy of the expected output, in dB; minus infinity if equal bit for bit. Of
    /// several outputs the worst counts.
    pub error_db: f64,
    /// What the file asks for: the error must not be above it.
    pub threshold_db: f64,
    /// The number of samples compared, or of other values, in all outputs together.
    pub n_samples: usize,
}

impl Verification {
    /// True if the error is at or below the threshold.
    pub fn passed(&self) -> bool {
        self.error_db <= self.threshold_db
    }
}

impl Parity {
    /// Takes the parity vectors out of the tensors of a file. `max_values` bounds each of them, so that verifying does not
    /// take longer than a model of its size should.
    ///
    /// # Errors
    /// No input or no output; a tensor that is empty, too long or not finite; a name in `parity.` that is neither an input
    /// nor an output, or a single vector beside named ones.
    pub fn from_tensors(tensors: &Tensors, threshold_db: f64, max_values: usize) -> Result<Parity> {
        let inputs = take(tensors, INPUT, max_values)?;
        let outputs = take(tensors, OUTPUT, max_values)?;
        let is_known = |name: &str| {
            let of = |vectors: &Tensors, kind| vectors.keys().any(|key| full_name(kind, key) == name);
            of(&inputs, INPUT) || of(&outputs, OUTPUT)
        };
        match tensors.keys().find(|name| name.starts_with(PREFIX) && !is_known(name)) {
            None => Ok(Parity { inputs, outputs, threshold_db }),
            Some(name) => Err(Error::UnexpectedTensor {
                name: one_line(name),
                architecture: "the parity vectors".to_owned(),
            }),
        }
    }

    /// The inputs by name; a single one is called `input`.
    pub fn inputs(&self) -> &Tensors {
        &self.inputs
    }

    /// The outputs by name; a single one is called `output`.
    pub fn outputs(&self) -> &Tensors {
        &self.outputs
    }

    /// The single input.
    ///
    /// # Errors
    /// [`Error::MissingParity`] if the inputs have names.
    pub fn input(&self) -> Result<&Tensor> {
        single(&self.inputs, INPUT)
    }

    /// The single output.
    ///
    /// # Errors
    /// [`Error::MissingParity`] if the outputs have names.
    pub fn output(&self) -> Result<&Tensor> {
        single(&self.outputs, OUTPUT)
    }

    /// Measures the error of what a model made of the inputs, by the names of the outputs.
    ///
    /// # Errors
    /// An output is missing, or has another shape than its vector.
    pub fn measure(&self, outputs: &Tensors) -> Result<Verification> {
        let mut worst = f64::NEG_INFINITY;
        let mut n_samples = 0;
        for (name, expected) in &self.outputs {
            let got = expect_tensor(outputs, name, &expected.shape)?;
            let error = error_db(&expected.to_f32(name)?, &got.to_f32(name)?);
            // Once an output is NaN nothing is worse.
            if error.is_nan() || error > worst {
                worst = error;
            }
            n_samples += expected.data.len();
        }
        Ok(Verification { error_db: worst, threshold_db: self.threshold_db, n_samples })
    }
}

/// The vectors of a kind, `input` or `output`.
fn take(tensors: &Tensors, kind: &str, max_values: usize) -> Result<Tensors> {
    let only = full_name(kind, kind);
    let named = format!("{only}.");
    let mut vectors = Tensors::new();
    match tensors.get(&only) {
        Some(tensor) => drop(vectors.insert(kind.to_owned(), checked(&only, tensor, max_values)?)),
        None => {
            let all = tensors.range(named.clone()..).take_while(|(name, _)| name.starts_with(&named));
            for (full, tensor) in all.filter(|(name, _)| name.len() > named.len()) {
                if vectors.len() == MAX_VECTORS {
                    let what = format!("the number of tensors {named}…");
                    let limit = MAX_VECTORS as u64;
                    return Err(Error::TooLarge { what, limit, got: limit + 1 });
                }
                let name = full[named.len()..].to_owned();
                if name == kind {
                    return Err(Error::malformed(
                        one_line(full),
                        format!("its name must not end in .{kind}"),
                    ));
                }
                vectors.insert(name, checked(full, tensor, max_values)?);
            }
        }
    }
    if vectors.is_empty() {
        return Err(Error::MissingParity { name: only });
    }
    Ok(vectors)
}

/// A tensor widened to F32 that is neither empty, nor too long, nor without a number.
fn checked(name: &str, tensor: &Tensor, max_values: usize) -> Result<Tensor> {
    let length = tensor.data.len();
    if length == 0 || length > max_values {
        return Err(Error::OutOfRange {
            name: format!("the length of {}", one_line(name)),
            got: length.to_string(),
            expected: format!("1 to {max_values} samples"),
        });
    }
    tensor.check(name)?;
    let wide = tensor.cast(name, DType::F32)?;
    expect_finite(name, &wide.to_f32(name)?)?;
    Ok(wide)
}

/// The name of a vector in a file.
fn full_name(kind: &str, name: &str) -> String {
    if name == kind { format!("{PREFIX}{kind}") } else { format!("{PREFIX}{kind}.{name}") }
}

fn single<'a>(vectors: &'a Tensors, kind: &str) -> Result<&'a Tensor> {
    vectors.get(kind).ok_or_else(|| Error::MissingParity { name: full_name(kind, kind) })
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
    use crate::container::values::Values;

    const LIMIT: usize = 100;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor { shape: shape.to_vec(), data: Values::F32(values.to_vec()) }
    }

    fn vector(values: &[f32]) -> Tensor {
        tensor(&[values.len()], values)
    }

    fn tensors<const N: usize>(tensors: [(&str, Tensor); N]) -> Tensors {
        tensors.map(|(name, tensor)| (name.to_owned(), tensor)).into()
    }

    fn single(input: &[f32], output: &[f32]) -> Tensors {
        tensors([("parity.input", vector(input)), ("parity.output", vector(output))])
    }

    /// What a model that adds an offset to its input is measured at.
    fn offset(parity: &Parity, offset: f32) -> Verification {
        let output: Vec<f32> =
            parity.input().unwrap().to_f32("input").unwrap().iter().map(|x| x + offset).collect();
        parity.measure(&tensors([("output", vector(&output))])).unwrap()
    }

    #[test]
    fn the_error_is_measured_against_the_energy_of_the_output() {
        let parity = Parity::from_tensors(&single(&[1.0, -1.0], &[1.0, -1.0]), -60.0, LIMIT).unwrap();
        let exact = offset(&parity, 0.0);
        assert_eq!((exact.error_db, exact.n_samples, exact.passed()), (f64::NEG_INFINITY, 2, true));
        // 2 · 0.125² over 2 · 1² is −18.06 dB.
        let off = offset(&parity, 0.125);
        assert!((off.error_db - -18.061_799_7).abs() < 1e-6 && !off.passed(), "{off:?}");
        assert!(!offset(&parity, f32::NAN).passed());
    }

    #[test]
    fn silence_as_the_expected_output_is_met_only_exactly() {
        let parity = Parity::from_tensors(&single(&[0.0], &[0.0]), -60.0, LIMIT).unwrap();
        assert!(offset(&parity, 0.0).passed());
        assert!(!offset(&parity, 1e-9).passed());
    }

    #[test]
    fn of_several_outputs_the_worst_counts() {
        let file = tensors([
            ("parity.input.a", vector(&[0.5])),
            ("parity.input.b", tensor(&[1, 2], &[0.5, 0.25])),
            ("parity.output.loud", tensor(&[2, 2], &[100.0; 4])),
            ("parity.output.soft", vector(&[0.01])),
        ]);
        let parity = Parity::from_tensors(&file, -60.0, LIMIT).unwrap();
        assert_eq!(parity.inputs()["b"].shape, [1, 2]);
        let measure = |loud: f32, soft: f32| {
            let outputs = tensors([("loud", tensor(&[2, 2], &[loud; 4])), ("soft", vector(&[soft]))]);
            parity.measure(&outputs).unwrap()
        };
        let exact = measure(100.0, 0.01);
        assert_eq!((exact.error_db, exact.n_samples), (f64::NEG_INFINITY, 5));
        // As loud as the one is, it does not hide the other, which is wrong by a tenth.
        assert!((measure(100.0, 0.011).error_db - -20.0).abs() < 1e-3);
        for (loud, soft) in [(f32::NAN, 0.02), (100.0, f32::NAN)] {
            assert!(measure(loud, soft).error_db.is_nan() && !measure(loud, soft).passed());
        }
        let flat = tensors([("loud", vector(&[100.0; 4])), ("soft", vector(&[0.01]))]);
        let error = parity.measure(&flat).unwrap_err().to_string();
        assert_eq!(error, "the tensor loud has shape [4], but must have [2, 2]");
        assert!(parity.measure(&tensors([("soft", vector(&[0.01]))])).is_err());
        assert!(parity.input().is_err() && parity.output().is_err());
    }

    #[test]
    fn unusable_vectors_are_named() {
        let long = vec![0.0; LIMIT + 1];
        let with = |name: &str| {
            let mut file = single(&[0.0], &[0.0]);
            file.insert(name.to_owned(), vector(&[0.0]));
            file
        };
        let mut many = tensors([("parity.output", vector(&[0.0]))]);
        many.extend((0..=MAX_VECTORS).map(|i| (format!("parity.input.{i}"), vector(&[0.0]))));
        let torn = tensors([("parity.input", tensor(&[3], &[0.0])), ("parity.output", vector(&[0.0]))]);
        let twice = tensors([("parity.input.input", vector(&[0.0])), ("parity.output", vector(&[0.0]))]);
        let cases = [
            (single(&[], &[]), "the length of parity.input is 0, but must be 1 to 100 samples"),
            (single(&long, &long), "the length of parity.input is 101"),
            (single(&[0.0], &[f32::INFINITY]), "parity.output holds inf at index 0"),
            (Tensors::new(), "the file carries no parity.input"),
            (tensors([("parity.input", vector(&[0.0]))]), "the file carries no parity.output"),
            (with("parity.more"), "the tensor parity.more is not part of the parity vectors"),
            (with("parity.input.more"), "the tensor parity.input.more is not part of the parity vectors"),
            (with("parity.output."), "the tensor parity.output. is not part of the parity vectors"),
            (many, "the number of tensors parity.input.… is 65, over the limit of 64"),
            (torn, "parity.input is malformed: shape [3] does not hold 1 values"),
            (twice, "parity.input.input is malformed: its name must not end in .input"),
        ];
        for (tensors, message) in cases {
            let error = Parity::from_tensors(&tensors, -60.0, LIMIT).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
