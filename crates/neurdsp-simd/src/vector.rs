//! The operations that kernels are written in.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The scalar under a vector: `f32` or `f64`, and no other.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + sealed::Sealed
    + 'static
{
    /// An integer as wide as the number.
    type Bits: Copy + Ord;
    /// Nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// The same value in double precision.
    fn to_f64(self) -> f64;
    /// The square root.
    fn sqrt(self) -> Self;
    /// `self` to the power `exponent`.
    fn powf(self, exponent: Self) -> Self;
    /// `self * factor + term`, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The larger; the other where one is NaN.
    fn max(self, other: Self) -> Self;
    /// The bits without the sign: integers in the order of the magnitudes, with infinity and then NaN above all numbers.
    fn magnitude_bits(self) -> Self::Bits;
}

macro_rules! real {
    ($t:ty, $bits:ty) => {
        impl Real for $t {
            type Bits = $bits;
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                self.powf(exponent)
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                self.mul_add(factor, term)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                self.max(other)
            }
            #[inline(always)]
            fn magnitude_bits(self) -> $bits {
                (self.to_bits() << 1 >> 1) as $bits
            }
        }
    };
}

real!(f32, i32);
real!(f64, i64);

/// `LANES` values of type `T` in one register.
///
/// Every method compiles to one or two instructions. `fma` is fused in all implementations, so a kernel made of these
/// operations gives the same bits at every width, unless it sums across lanes.
///
/// # Safety
///
/// All methods need the instruction set of the type: call them only from a function with the matching `#[target_feature]`,
/// as [`dispatch!`](crate::dispatch) makes. `load` and `store` touch `LANES` values at any alignment.
#[allow(clippy::missing_safety_doc)]
pub trait Vector<T: Real>: Copy {
    /// How many values one register holds.
    const LANES: usize;
    /// All lanes `value`.
    unsafe fn splat(value: T) -> Self;
    /// All lanes those of lane `lane`, which must be one.
    unsafe fn broadcast(self, lane: usize) -> Self;
    /// Reads `LANES` values.
    unsafe fn load(from: *const T) -> Self;
    /// Writes `LANES` values.
    unsafe fn store(self, to: *mut T);
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self - other`.
    unsafe fn sub(self, other: Self) -> Self;
    /// `self * other`.
    unsafe fn mul(self, other: Self) -> Self;
    /// `self / other`.
    unsafe fn div(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once.
    unsafe fn fma(self, factor: Self, term: Self) -> Self;
    /// `self * factor - term`, rounded once.
    unsafe fn fms(self, factor: Self, term: Self) -> Self;
    /// `term - self * factor`, rounded once.
    unsafe fn fnma(self, factor: Self, term: Self) -> Self;
    /// The smaller; `other` where either is NaN.
    unsafe fn min(self, other: Self) -> Self;
    /// The larger; `other` where either is NaN.
    unsafe fn max(self, other: Self) -> Self;
    /// The sign flipped.
    unsafe fn neg(self) -> Self;
    /// The magnitude.
    unsafe fn abs(self) -> Self;
    /// The square root.
    unsafe fn sqrt(self) -> Self;
    /// The largest lane.
    unsafe fn max_lane(self) -> T;
    /// The sum of the lanes, pairwise.
    unsafe fn sum_lanes(self) -> T;
}
