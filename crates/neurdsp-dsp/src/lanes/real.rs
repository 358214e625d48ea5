//! `f32` and `f64`, each with its kernels.

use super::codelet::{self, Codelet};
use super::overlap::{self, Add, Emit};
use super::phases::{self, Fill};
use super::split::{self, BandSums, Join, Magnitudes, Parts, Pull, Split};
use neurdsp_simd::{Isa, Real};

/// A type that the transforms are compiled for.
pub(crate) trait LaneReal: Real {
    /// Frames side by side on this instruction set.
    fn lanes(isa: Isa) -> usize;
    #[doc(hidden)]
    fn codelet(length: usize) -> Option<Codelet<Self>>;
    #[doc(hidden)]
    fn fill(isa: Isa, fill: Fill<Self>);
    #[doc(hidden)]
    fn overlap_add(isa: Isa, add: Add<Self>);
    #[doc(hidden)]
    fn emit(isa: Isa, emit: Emit<Self>);
    #[doc(hidden)]
    fn split_magnitudes(isa: Isa, split: Split<Self>, out: Magnitudes<Self>);
    #[doc(hidden)]
    fn split_bands(isa: Isa, split: Split<Self>, out: BandSums<Self>);
    #[doc(hidden)]
    fn split_spectrum(isa: Isa, split: Split<Self>, out: Parts<Self>);
    #[doc(hidden)]
    fn pull(isa: Isa, pull: Pull<Self>);
    #[doc(hidden)]
    fn join(isa: Isa, join: Join<Self>);
}

macro_rules! lane_real {
    ($t:ty, $module:ident, $avx2:literal, $avx512:literal) => {
        impl LaneReal for $t {
            fn lanes(isa: Isa) -> usize {
                if isa.has_avx512() {
                    $avx512
                } else if isa.has_avx2() {
                    $avx2
                } else {
                    1
                }
            }
            fn codelet(length: usize) -> Option<Codelet<Self>> {
                codelet::$module::codelet_of(length)
            }
            fn fill(isa: Isa, fill: Fill<Self>) {
                phases::$module::fill(isa, fill);
            }
            fn overlap_add(isa: Isa, add: Add<Self>) {
                overlap::$module::add(isa, add);
            }
            fn emit(isa: Isa, emit: Emit<Self>) {
                overlap::$module::emit(isa, emit);
            }
            fn split_magnitudes(isa: Isa, split: Split<Self>, out: Magnitudes<Self>) {
                split::$module::magnitudes(isa, split, out);
            }
            fn split_bands(isa: Isa, split: Split<Self>, out: BandSums<Self>) {
                split::$module::bands(isa, split, out);
            }
            fn split_spectrum(isa: Isa, split: Split<Self>, out: Parts<Self>) {
                split::$module::spectrum(isa, split, out);
            }
            fn pull(isa: Isa, pull: Pull<Self>) {
                split::$module::pull(isa, pull);
            }
            fn join(isa: Isa, join: Join<Self>) {
                split::$module::join(isa, join);
            }
        }
    };
}

lane_real!(f32, single, 8, 16);
lane_real!(f64, double, 4, 8);
