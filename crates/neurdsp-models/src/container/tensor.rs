//! A named array of 32-bit floats, the unit that model files are made of.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// Tensors by name, in the order of their names.
pub type Tensors = BTreeMap<String, Tensor>;

/// An array of 32-bit floats with a shape, row-major (the last axis is contiguous).
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The length of each axis; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, as many as the product of the shape.
    pub data: Vec<f32>,
}

impl Tensor {
    /// Makes a tensor of the shape and the row-major values.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the number of values is not the product of the shape.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::Tensor;
    /// let t = Tensor::new(vec![2, 3], vec![0.0; 6])?;
    /// assert_eq!(t.shape, [2, 3]);
    /// assert!(Tensor::new(vec![2, 3], vec![0.0; 5]).is_err());
    /// # Ok::<(), neurdsp_models::Error>(())
    /// ```
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Result<Tensor> {
        let tensor = Tensor { shape, data };
        tensor.check("tensor")?;
        Ok(tensor)
    }

    /// Checks that the number of values is the product of the shape; `name` is for the message.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        match element_count(&self.shape) {
            Some(count) if count == self.data.len() => Ok(()),
            _ => Err(Error::malformed(
                name,
                format!("shape {:?} does not hold {} values", self.shape, self.data.len()),
            )),
        }
    }
}

/// The product of the axes, or `None` if it overflows.
pub(crate) fn element_count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |count, &axis| count.checked_mul(axis))
}

/// Finds a tensor of this name and shape.
///
/// # Errors
/// [`Error::MissingTensor`] or [`Error::TensorShape`], naming the tensor.
pub(crate) fn expect_tensor<'a>(tensors: &'a Tensors, name: &str, shape: &[usize]) -> Result<&'a Tensor> {
    let Some(tensor) = tensors.get(name) else {
        return Err(Error::MissingTensor { name: name.to_owned(), expected: shape.to_vec() });
    };
    if tensor.shape != shape {
        return Err(Error::TensorShape {
            name: name.to_owned(),
            got: tensor.shape.clone(),
            expected: shape.to_vec(),
        });
    }
    tensor.check(name)?;
    Ok(tensor)
}

/// Refuses NaN and infinity, naming the first.
pub(crate) fn expect_finite(name: &str, data: &[f32]) -> Result<()> {
    match data.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NonFinite { name: name.to_owned(), index, value: data[index] }),
        None => Ok(()),
    }
}
