//! A named array, the unit that model files are made of.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::container::values::{DType, Values};
use crate::error::{Error, Result};

/// Tensors by name, in the order of their names.
pub type Tensors = BTreeMap<String, Tensor>;

/// An array with a shape, row-major (the last axis is contiguous).
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The length of each axis; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, as many as the product of the shape.
    pub data: Values,
}

impl Tensor {
    /// Makes an F32 tensor of the shape and the row-major values.
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
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Result<Tensor> {
        Tensor::from_values(shape, Values::F32(values))
    }

    /// Makes a tensor of any type.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_values(shape: Vec<usize>, values: Values) -> Result<Tensor> {
        let tensor = Tensor { shape, data: values };
        tensor.check("tensor")?;
        Ok(tensor)
    }

    /// The type of the values.
    pub fn dtype(&self) -> DType {
        self.data.dtype()
    }

    /// The values as F32, without rounding: borrowed if they are stored so.
    ///
    /// # Errors
    /// [`Error::TensorType`] with the name for I8, which has no meaning without the scales of its family.
    pub fn to_f32(&self, name: &str) -> Result<Cow<'_, [f32]>> {
        self.data.to_f32().ok_or_else(|| not_float(name, self.dtype()))
    }

    /// The values, if they are stored as F32.
    pub fn as_f32_mut(&mut self) -> Option<&mut Vec<f32>> {
        match &mut self.data {
            Values::F32(values) => Some(values),
            _ => None,
        }
    }

    /// The tensor in another floating type, rounded to the nearest value, ties to even. Widening is exact.
    ///
    /// # Errors
    /// [`Error::TensorType`] if either type is I8; [`Error::OutOfRange`] for a value that is finite and too large for the
    /// type. Both name the tensor.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::{DType, Tensor};
    /// let exact = Tensor::new(vec![2], vec![0.5, -2048.0])?;
    /// let half = exact.cast("weight", DType::F16)?;
    /// assert_eq!(half.cast("weight", DType::F32)?, exact);
    /// assert!(Tensor::new(vec![1], vec![1e6])?.cast("weight", DType::F16).is_err());
    /// # Ok::<(), neurdsp_models::Error>(())
    /// ```
    pub fn cast(&self, name: &str, dtype: DType) -> Result<Tensor> {
        let wide = self.to_f32(name)?;
        if let Some(overflow) = dtype.overflow()
            && let Some(index) = wide.iter().position(|value| value.is_finite() && value.abs() >= overflow)
        {
            return Err(Error::OutOfRange {
                name: format!("the value at index {index} of the tensor {name}"),
                got: wide[index].to_string(),
                expected: format!("below {overflow} in magnitude to fit {dtype}; store it as F32"),
            });
        }
        let data = Values::from_f32(wide, dtype).ok_or_else(|| not_float(name, dtype))?;
        Ok(Tensor { shape: self.shape.clone(), data })
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

/// Finds the finite values of a tensor of this name and shape, widened to F32 if they are stored in fewer bits.
///
/// # Errors
/// [`Error::MissingTensor`], [`Error::TensorShape`], [`Error::TensorType`] for I8 or [`Error::NonFinite`], naming the
/// tensor.
pub(crate) fn expect_floats<'a>(tensors: &'a Tensors, name: &str, shape: &[usize]) -> Result<Cow<'a, [f32]>> {
    let values = expect_tensor(tensors, name, shape)?.to_f32(name)?;
    expect_finite(name, &values)?;
    Ok(values)
}

/// Refuses NaN and infinity, naming the first.
pub(crate) fn expect_finite(name: &str, values: &[f32]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NonFinite { name: name.to_owned(), index, value: values[index] }),
        None => Ok(()),
    }
}

fn not_float(name: &str, dtype: DType) -> Error {
    Error::TensorType {
        name: name.to_owned(),
        dtype: dtype.name().to_owned(),
        expected: "a floating type: F32, F16 or BF16",
    }
}
