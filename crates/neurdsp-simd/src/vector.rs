//! The operations that kernels are written in.

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The scalar under a vector: `f32` or `f64`, and no other.
pub trait Real: Copy + Send + Sync + PartialOrd + std::fmt::Debug + sealed::Sealed + 'static {
    /// Nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// The same value in double precision.
    fn to_f64(self) -> f64;
}

impl Real for f32 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

/// `LANES` values of type `T` in one register.
///
/// Every method compiles to one instruction or two. `fma` is fused in all implementations, so a kernel made of these
/// operations gives the same bits at every width wherever no sum runs across lanes.
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
