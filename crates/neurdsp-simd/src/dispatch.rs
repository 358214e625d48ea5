//! Entry points: from an [`Isa`](crate::Isa) to the kernel that is compiled for it.

/// Defines `fn name(isa: Isa, …)`, which calls `generic::<V>(…)` with the widest vector of `isa`.
///
/// `generic` must be an `#[inline(always)] unsafe fn` whose first type parameter is the vector. The macro's function is
/// safe, because an [`Isa`](crate::Isa) proves that its features are there. [`kernels!`](crate::kernels) does the same for
/// both precisions at once.
#[macro_export]
macro_rules! dispatch {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $generic:ident) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(isa: $crate::Isa, $($arg: $ty),*) $(-> $ret)? {
            $crate::dispatch!(@body isa ($($arg: $ty),*) ($($ret)?) [$generic] F32x8 F32x16 f32)
        }
    };
    (@body $isa:ident ($($arg:ident: $ty:ty),*) ($($ret:ty)?) [$($generic:ident)::+] $avx2:ident $avx512:ident $t:ty) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            unsafe fn avx512($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: this function has the features of the vector type.
                unsafe { $($generic)::+::<$crate::$avx512>($($arg),*) }
            }
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            unsafe fn avx2($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: this function has the features of the vector type.
                unsafe { $($generic)::+::<$crate::$avx2>($($arg),*) }
            }
            if $isa.has_avx512() {
                // SAFETY: `Isa` proves that the features are there.
                return unsafe { avx512($($arg),*) };
            }
            if $isa.has_avx2() {
                // SAFETY: `Isa` proves that the features are there.
                return unsafe { avx2($($arg),*) };
            }
        }
        let _ = $isa;
        // SAFETY: the scalar vector needs no feature.
        unsafe { $($generic)::+::<$crate::Scalar<$t>>($($arg),*) }
    }};
}

/// Defines a trait with one function for each kernel, and implements it for `f32` and for `f64`.
///
/// `fn name(args) = generic;` becomes `fn name(isa: Isa, args)`, which calls `generic::<V>(args)` as
/// [`dispatch!`](crate::dispatch) does. The trait's parameter names the precision in the signatures: `f32` implements
/// `Kernels<f32>`, and `f64` implements `Kernels<f64>`. `generic` takes any [`Lanes`](crate::Lanes) as its vector.
///
/// ```
/// use neurdsp_simd::{Isa, Lanes, Real, Vector};
///
/// neurdsp_simd::kernels! {
///     /// The kernels of one precision.
///     trait Kernels<T> {
///         /// The largest value, at least `least`; a whole number of vectors.
///         fn largest(values: &[T], least: T) -> T = largest;
///     }
/// }
///
/// #[inline(always)]
/// unsafe fn largest<V: Lanes>(values: &[V::Element], least: V::Element) -> V::Element {
///     // SAFETY: a block holds `LANES` values; the caller vouches for the instruction set.
///     unsafe {
///         let mut largest = V::splat(least);
///         for block in values.chunks_exact(V::LANES) {
///             largest = largest.max(V::load(block.as_ptr()));
///         }
///         largest.max_lane()
///     }
/// }
///
/// fn peak<T: Real + Kernels<T>>(values: &[T]) -> T {
///     T::largest(Isa::detect(), values, T::from_f64(0.0))
/// }
///
/// assert_eq!(peak(&[1.0_f32; 32]), 1.0);
/// assert_eq!(peak(&[3.0_f64; 32]), 3.0);
/// ```
#[macro_export]
macro_rules! kernels {
    (
        $(#[$meta:meta])*
        $vis:vis trait $name:ident<$t:ident> {
            $(
                $(#[$kernel_meta:meta])*
                fn $kernel:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $($generic:ident)::+;
            )*
        }
    ) => {
        $(#[$meta])*
        $vis trait $name<$t> {
            $(
                $(#[$kernel_meta])*
                #[allow(clippy::too_many_arguments)]
                fn $kernel(isa: $crate::Isa, $($arg: $ty),*) $(-> $ret)?;
            )*
        }
        $crate::kernels! { @impl $name $t f32 F32x8 F32x16 $([$kernel ($($arg: $ty),*) ($($ret)?) $($generic)::+])* }
        $crate::kernels! { @impl $name $t f64 F64x4 F64x8 $([$kernel ($($arg: $ty),*) ($($ret)?) $($generic)::+])* }
    };
    (
        @impl $name:ident $t:ident $real:ident $avx2:ident $avx512:ident
        $([$kernel:ident ($($arg:ident: $ty:ty),*) ($($ret:ty)?) $($generic:ident)::+])*
    ) => {
        const _: () = {
            type $t = $real;
            impl $name<$real> for $real {
                $(
                    fn $kernel(isa: $crate::Isa, $($arg: $ty),*) $(-> $ret)? {
                        $crate::dispatch!(@body isa ($($arg: $ty),*) ($($ret)?) [$($generic)::+] $avx2 $avx512 $real)
                    }
                )*
            }
        };
    };
}
