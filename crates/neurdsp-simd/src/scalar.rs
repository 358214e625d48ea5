//! One lane: the portable fallback, and the tail of every loop.

use crate::vector::{Real, Vector};

/// A "vector" of one lane.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
pub struct Scalar<T: Real>(pub T);

macro_rules! scalar {
    ($t:ty) => {
        #[allow(clippy::undocumented_unsafe_blocks)]
        impl Vector<$t> for Scalar<$t> {
            const LANES: usize = 1;
            #[inline(always)]
            unsafe fn splat(value: $t) -> Self {
                Self(value)
            }
            #[inline(always)]
            unsafe fn broadcast(self, _lane: usize) -> Self {
                self
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                Self(unsafe { from.read() })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                unsafe { to.write(self.0) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                Self(self.0 * other.0)
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                Self(self.0 / other.0)
            }
            #[inline(always)]
            unsafe fn fma(self, factor: Self, term: Self) -> Self {
                Self(self.0.mul_add(factor.0, term.0))
            }
            #[inline(always)]
            unsafe fn fms(self, factor: Self, term: Self) -> Self {
                Self(self.0.mul_add(factor.0, -term.0))
            }
            #[inline(always)]
            unsafe fn fnma(self, factor: Self, term: Self) -> Self {
                Self((-self.0).mul_add(factor.0, term.0))
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                Self(if self.0 < other.0 { self.0 } else { other.0 })
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                Self(if self.0 > other.0 { self.0 } else { other.0 })
            }
            #[inline(always)]
            unsafe fn neg(self) -> Self {
                Self(-self.0)
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                Self(self.0.abs())
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                Self(self.0.sqrt())
            }
            #[inline(always)]
            unsafe fn max_lane(self) -> $t {
                self.0
            }
            #[inline(always)]
            unsafe fn sum_lanes(self) -> $t {
                self.0
            }
        }
    };
}

scalar!(f32);
scalar!(f64);
