//! The number types that a tensor is stored in, and exact conversion between the floating ones.

use std::borrow::Cow;
use std::fmt;

use half::slice::HalfFloatSliceExt;
use half::vec::HalfFloatVecExt;
use half::{bf16, f16};

/// The number type that a tensor is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DType {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision: 11 significant bits, up to 65,504.
    F16,
    /// The upper half of an F32: 8 significant bits, the range of F32.
    BF16,
    /// Signed 8-bit integers. What they stand for (their scales, say) is up to the family of the model.
    I8,
}

impl DType {
    /// Every type, in the order of the declaration.
    pub const ALL: [DType; 4] = [DType::F32, DType::F16, DType::BF16, DType::I8];

    /// The name in a file: `F32`, `F16`, `BF16` or `I8`.
    pub const fn name(self) -> &'static str {
        match self {
            DType::F32 => "F32",
            DType::F16 => "F16",
            DType::BF16 => "BF16",
            DType::I8 => "I8",
        }
    }

    /// The type of this name in a file, or `None` if a model file cannot hold it.
    pub fn from_name(name: &str) -> Option<DType> {
        DType::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Bytes of a value.
    pub const fn size(self) -> usize {
        match self {
            DType::F32 => size_of::<f32>(),
            DType::F16 => size_of::<f16>(),
            DType::BF16 => size_of::<bf16>(),
            DType::I8 => size_of::<i8>(),
        }
    }

    /// The least magnitude that rounds to infinity in this type, or `None` if no F32 does.
    pub(crate) fn overflow(self) -> Option<f32> {
        match self {
            // Half a step beyond the largest finite value, where a tie goes to even: to infinity.
            DType::F16 => Some(65_520.0),
            DType::BF16 => Some(f32::from_bits(0x7F7F_8000)),
            DType::F32 | DType::I8 => None,
        }
    }

    /// True for the types that stand for real numbers by themselves: all but I8.
    pub const fn is_float(self) -> bool {
        !matches!(self, DType::I8)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The values of a tensor, row-major, in the type that the file stores.
///
/// # Example
/// ```
/// use neurdsp_models::{DType, Values, f16};
/// let values = Values::F16(vec![f16::ONE, f16::EPSILON]);
/// assert_eq!((values.dtype(), values.len()), (DType::F16, 2));
/// assert_eq!(values.to_f32().unwrap().as_ref(), [1.0, 1.0 / 1024.0]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Single precision.
    F32(Vec<f32>),
    /// Half precision.
    F16(Vec<f16>),
    /// The upper halves of single precision.
    BF16(Vec<bf16>),
    /// Signed 8-bit integers.
    I8(Vec<i8>),
}

impl Values {
    /// The type of the values.
    pub fn dtype(&self) -> DType {
        match self {
            Values::F32(_) => DType::F32,
            Values::F16(_) => DType::F16,
            Values::BF16(_) => DType::BF16,
            Values::I8(_) => DType::I8,
        }
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F16(values) => values.len(),
            Values::BF16(values) => values.len(),
            Values::I8(values) => values.len(),
        }
    }

    /// True if there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as F32, without rounding: borrowed if they are stored so. `None` for I8, which has no meaning without
    /// the scales of its family.
    pub fn to_f32(&self) -> Option<Cow<'_, [f32]>> {
        match self {
            Values::F32(values) => Some(Cow::Borrowed(values)),
            Values::F16(values) => Some(Cow::Owned(values.to_f32_vec())),
            Values::BF16(values) => Some(Cow::Owned(values.to_f32_vec())),
            Values::I8(_) => None,
        }
    }

    /// F32 values in another floating type, rounded to the nearest, ties to even; `None` for I8.
    pub(crate) fn from_f32(values: Cow<'_, [f32]>, dtype: DType) -> Option<Values> {
        match dtype {
            DType::F32 => Some(Values::F32(values.into_owned())),
            DType::F16 => Some(Values::F16(Vec::from_f32_slice(&values))),
            DType::BF16 => Some(Values::BF16(Vec::from_f32_slice(&values))),
            DType::I8 => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds to `digits` significant bits and to no finer a step than `smallest`, ties to even, by double-precision
    /// arithmetic alone.
    fn rounded(value: f32, digits: i32, smallest: f64) -> f64 {
        let value = f64::from(value);
        if value == 0.0 {
            return value;
        }
        let exponent = value.abs().log2().floor() as i32;
        let step = 2_f64.powi(exponent - digits + 1).max(smallest);
        (value / step).round_ties_even() * step
    }

    #[test]
    fn every_half_widens_and_narrows_to_itself() {
        let bits = || 0..=u16::MAX;
        let halves = Values::F16(bits().map(f16::from_bits).filter(|half| !half.is_nan()).collect());
        let brains = Values::BF16(bits().map(bf16::from_bits).filter(|brain| !brain.is_nan()).collect());
        for values in [halves, brains] {
            let wide = values.to_f32().unwrap();
            assert_eq!(Values::from_f32(wide, values.dtype()).unwrap(), values);
        }
    }

    #[test]
    fn narrowing_rounds_to_the_nearest_with_ties_to_even() {
        // Steps through the exponents of half precision, subnormals included, in a pattern that hits ties.
        let mut exact: Vec<f32> = (-25..15)
            .flat_map(|exponent| {
                (0..512).map(move |i| 2_f32.powi(exponent) * (1.0 + (i as f32 * 37.0 % 4096.0) / 4096.0))
            })
            .collect();
        exact.extend(exact.clone().iter().map(|value| -value));
        for (dtype, digits, smallest) in [(DType::F16, 11, 2_f64.powi(-24)), (DType::BF16, 8, 0.0)] {
            let narrow = Values::from_f32(Cow::Borrowed(&exact), dtype).unwrap();
            for (&value, &got) in exact.iter().zip(narrow.to_f32().unwrap().iter()) {
                assert_eq!(f64::from(got), rounded(value, digits, smallest), "{value} in {dtype}");
            }
        }
    }

    #[test]
    fn integers_are_no_floats() {
        assert_eq!(Values::I8(vec![1, -128]).to_f32(), None);
        assert_eq!(Values::from_f32(Cow::Borrowed(&[1.0]), DType::I8), None);
    }
}
