//! Which instruction set to use, decided once at run time.

use crate::vector::Real;
use std::sync::OnceLock;

/// An instruction set that the kernels are compiled for.
///
/// Ordered by speed: `Isa::Scalar < Isa::Avx2 < Isa::Avx512`. A value of `Avx2` or `Avx512` proves that this machine has
/// the features, since [`Isa::detect`] and [`Isa::available`] are the only sources of such values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Scalar,
    Avx2,
    Avx512,
}

#[allow(non_upper_case_globals)]
impl Isa {
    /// Portable code with one lane.
    pub const Scalar: Isa = Isa(Kind::Scalar);

    /// The best instruction set of this machine.
    ///
    /// The environment variable `NEURDSP_ISA` (`scalar`, `avx2`, `avx512`), read once, lowers the choice; it never raises
    /// it above what the machine has.
    #[must_use]
    pub fn detect() -> Isa {
        static DETECTED: OnceLock<Isa> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let limit = match std::env::var("NEURDSP_ISA").as_deref() {
                Ok("scalar") => Kind::Scalar,
                Ok("avx2") => Kind::Avx2,
                _ => Kind::Avx512,
            };
            Isa::available().into_iter().rfind(|isa| isa.0 <= limit).unwrap_or(Isa::Scalar)
        })
    }

    /// Every instruction set that this machine can run, the slowest first.
    #[must_use]
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut)]
        let mut all = vec![Isa::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Isa(Kind::Avx2));
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                {
                    all.push(Isa(Kind::Avx512));
                }
            }
        }
        all
    }

    /// The name that `NEURDSP_ISA` and the benches use: `scalar`, `avx2` or `avx512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
            Kind::Avx2 => "avx2",
            Kind::Avx512 => "avx512",
        }
    }

    /// Values of type `T` in the widest register: one in the portable code.
    ///
    /// ```
    /// use neurdsp_simd::Isa;
    ///
    /// let isa = Isa::detect();
    /// assert_eq!(Isa::Scalar.lanes::<f32>(), 1);
    /// assert!(isa == Isa::Scalar || isa.lanes::<f32>() == 2 * isa.lanes::<f64>());
    /// ```
    #[must_use]
    pub const fn lanes<T: Real>(self) -> usize {
        let register_bytes = match self.0 {
            Kind::Scalar => size_of::<T>(),
            Kind::Avx2 => 32,
            Kind::Avx512 => 64,
        };
        register_bytes / size_of::<T>()
    }

    /// Whether AVX2 and FMA may be used.
    #[must_use]
    pub fn has_avx2(self) -> bool {
        self.0 >= Kind::Avx2
    }

    /// Whether AVX-512's products of bfloat16 may be used, too.
    #[must_use]
    pub fn has_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let has = self.has_avx512() && is_x86_feature_detected!("avx512bf16");
        #[cfg(not(target_arch = "x86_64"))]
        let has = false;
        has
    }

    /// Whether AVX-512 F, VL, DQ and BW may be used.
    #[must_use]
    pub fn has_avx512(self) -> bool {
        self.0 >= Kind::Avx512
    }
}
