//! Activation functions on rows.
// Each block is vector arithmetic within rows whose numbers the entry points check.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::affine::Base;
use super::rows::RowsMut;
use crate::activation::Activation;
use crate::bounds::MAX_FRAMES;
use neurdsp_simd::math::{self, Tanh, fma};
use neurdsp_simd::{Isa, Vector, dispatch};

/// Vectors that are evaluated at a time: most functions are one chain of dependent operations.
const CHAINS: usize = 4;

impl Activation {
    /// Replaces `frames` frames of `rows` by the function's values; `sum` becomes its base plus these values.
    ///
    /// # Panics
    ///
    /// If `sum` or its base has another number of channels, slopes are not one a channel, or `frames` exceeds
    /// [`MAX_FRAMES`].
    #[inline]
    pub fn run(
        &self,
        isa: Isa,
        rows: &mut RowsMut<'_>,
        sum: Option<(Base<'_>, &mut RowsMut<'_>)>,
        frames: usize,
    ) {
        assert!(frames <= MAX_FRAMES);
        let channels = rows.channels();
        if let Activation::PRelu { slopes } = self {
            assert_eq!(slopes.len(), channels);
        }
        let mut place = Place {
            data: rows.as_mut_ptr(),
            stride: rows.stride(),
            channels,
            sum: std::ptr::null_mut(),
            sum_stride: 0,
            base: std::ptr::null(),
            base_stride: 0,
            frames,
        };
        if let Some((base, sum)) = sum {
            assert_eq!(sum.channels(), channels);
            (place.sum, place.sum_stride) = (sum.as_mut_ptr(), sum.stride());
            match base {
                Base::Zero => {}
                Base::Output => (place.base, place.base_stride) = (place.sum, place.sum_stride),
                Base::Rows(base) => {
                    assert_eq!(base.channels(), channels);
                    (place.base, place.base_stride) = (base.as_ptr(), base.stride());
                }
            }
        }
        apply(isa, self, &place);
    }
}

/// Where values are read and written.
struct Place {
    data: *mut f32,
    stride: usize,
    channels: usize,
    /// Null if there is none.
    sum: *mut f32,
    sum_stride: usize,
    /// Null if there is none.
    base: *const f32,
    base_stride: usize,
    frames: usize,
}

/// A function of one vector, or of several side by side.
trait Function<V: Vector<f32>>: Copy {
    unsafe fn one(self, x: V) -> V;

    #[inline(always)]
    unsafe fn several(self, mut x: [V; CHAINS]) -> [V; CHAINS] {
        for x in &mut x {
            *x = unsafe { self.one(*x) };
        }
        x
    }
}

dispatch! {
    fn apply(activation: &Activation, place: &Place) = apply_generic
}

#[inline(always)]
unsafe fn apply_generic<V: Vector<f32>>(activation: &Activation, place: &Place) {
    unsafe {
        let every = 0..place.channels;
        match *activation {
            Activation::Identity => rows::<V, _>(place, every, Identity),
            Activation::Tanh => rows::<V, _>(place, every, TanhFunction),
            Activation::FastTanh => rows::<V, _>(place, every, FastTanh),
            Activation::HardTanh => rows::<V, _>(place, every, HardTanh),
            Activation::Relu => rows::<V, _>(place, every, Relu),
            Activation::LeakyRelu { slope } => leaky::<V>(place, every, slope),
            Activation::PRelu { ref slopes } => {
                for (channel, &slope) in slopes.iter().enumerate() {
                    leaky::<V>(place, channel..channel + 1, slope);
                }
            }
            Activation::Sigmoid => rows::<V, _>(place, every, Sigmoid),
            Activation::Silu => rows::<V, _>(place, every, Silu),
            Activation::HardSwish => rows::<V, _>(place, every, HardSwish),
            Activation::LeakyHardTanh { min, max, min_slope, max_slope } => {
                rows::<V, _>(place, every, LeakyHardTanh([min, max, min_slope, max_slope]));
            }
            Activation::Softsign => rows::<V, _>(place, every, Softsign),
        }
    }
}

#[inline(always)]
unsafe fn leaky<V: Vector<f32>>(place: &Place, channels: std::ops::Range<usize>, slope: f32) {
    unsafe {
        if slope <= 1.0 {
            rows::<V, _>(place, channels, LeakyRelu(slope));
        } else {
            rows::<V, _>(place, channels, SteepRelu(slope));
        }
    }
}

#[inline(always)]
unsafe fn rows<V: Vector<f32>, F: Function<V>>(place: &Place, channels: std::ops::Range<usize>, function: F) {
    unsafe {
        for channel in channels {
            let row = Row {
                data: place.data.add(channel * place.stride),
                sum: place.sum.wrapping_add(channel * place.sum_stride),
                base: place.base.wrapping_add(channel * place.base_stride),
                has_sum: !place.sum.is_null(),
                has_base: !place.base.is_null(),
            };
            let mut at = 0;
            while at + (CHAINS - 1) * V::LANES < place.frames {
                let mut x = [V::splat(0.0); CHAINS];
                for (i, x) in x.iter_mut().enumerate() {
                    *x = V::load(row.data.add(at + i * V::LANES));
                }
                for (i, y) in function.several(x).into_iter().enumerate() {
                    row.put(y, at + i * V::LANES);
                }
                at += CHAINS * V::LANES;
            }
            while at < place.frames {
                row.put(function.one(V::load(row.data.add(at))), at);
                at += V::LANES;
            }
        }
    }
}

/// One channel.
struct Row {
    data: *mut f32,
    sum: *mut f32,
    base: *const f32,
    has_sum: bool,
    has_base: bool,
}

impl Row {
    #[inline(always)]
    unsafe fn put<V: Vector<f32>>(&self, y: V, at: usize) {
        unsafe {
            y.store(self.data.add(at));
            if self.has_sum {
                let y = if self.has_base { V::load(self.base.add(at)).add(y) } else { y };
                y.store(self.sum.add(at));
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Identity;
#[derive(Clone, Copy)]
struct TanhFunction;
#[derive(Clone, Copy)]
struct FastTanh;
#[derive(Clone, Copy)]
struct HardTanh;
#[derive(Clone, Copy)]
struct Relu;
/// For slopes up to 1: the larger of the two lines.
#[derive(Clone, Copy)]
struct LeakyRelu(f32);
/// For slopes above 1: the smaller of the two lines.
#[derive(Clone, Copy)]
struct SteepRelu(f32);
#[derive(Clone, Copy)]
struct Sigmoid;
#[derive(Clone, Copy)]
struct Silu;
#[derive(Clone, Copy)]
struct HardSwish;
/// Lower bound, upper bound, slope below, slope above.
#[derive(Clone, Copy)]
struct LeakyHardTanh([f32; 4]);
#[derive(Clone, Copy)]
struct Softsign;

impl<V: Vector<f32>> Function<V> for Identity {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        x
    }
}

impl<V: Vector<f32>> Function<V> for TanhFunction {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe { math::tanh(x) }
    }
    #[inline(always)]
    unsafe fn several(self, x: [V; CHAINS]) -> [V; CHAINS] {
        unsafe {
            let mut chains = [Tanh::begin(x[0]); CHAINS];
            for (chain, x) in chains.iter_mut().zip(x) {
                *chain = Tanh::begin(x);
            }
            for chain in &mut chains {
                *chain = chain.high_powers();
            }
            for chain in &mut chains {
                *chain = chain.low_powers();
            }
            let mut y = x;
            for (y, chain) in y.iter_mut().zip(chains) {
                *y = chain.end();
            }
            y
        }
    }
}

impl<V: Vector<f32>> Function<V> for FastTanh {
    #[inline(always)]
    #[allow(clippy::excessive_precision)]
    unsafe fn one(self, x: V) -> V {
        unsafe {
            let (magnitude, square) = (x.abs(), x.mul(x));
            let (a, b) = (V::splat(2.455_507_507_029_56), V::splat(2.445_066_346_522_99));
            let high = fma(V::splat(0.821_226_666_969_744), magnitude, V::splat(0.893_229_853_513_558));
            let numerator = x.mul(fma(high, square, fma(a, magnitude, a)));
            let inner = fma(V::splat(0.814_642_734_961_073).mul(x), magnitude, x).abs();
            numerator.div(fma(b.add(square), inner, b))
        }
    }
}

impl<V: Vector<f32>> Function<V> for HardTanh {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe { V::splat(1.0).min(V::splat(-1.0).max(x)) }
    }
}

impl<V: Vector<f32>> Function<V> for Relu {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe { V::splat(0.0).max(x) }
    }
}

impl<V: Vector<f32>> Function<V> for LeakyRelu {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe { x.max(x.mul(V::splat(self.0))) }
    }
}

impl<V: Vector<f32>> Function<V> for SteepRelu {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe { x.min(x.mul(V::splat(self.0))) }
    }
}

impl<V: Vector<f32>> Function<V> for Sigmoid {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe { math::sigmoid(x) }
    }
}

impl<V: Vector<f32>> Function<V> for Silu {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe { x.mul(math::sigmoid(x)) }
    }
}

impl<V: Vector<f32>> Function<V> for HardSwish {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe {
            let ramp = V::splat(6.0).min(V::splat(0.0).max(x.add(V::splat(3.0))));
            x.mul(ramp).mul(V::splat(1.0 / 6.0))
        }
    }
}

impl<V: Vector<f32>> Function<V> for LeakyHardTanh {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe {
            let [min, max, min_slope, max_slope] = self.0;
            let (min, max) = (V::splat(min), V::splat(max));
            let inside = max.min(min.max(x));
            let below = min.min(x).sub(min);
            let above = max.max(x).sub(max);
            fma(above, V::splat(max_slope), fma(below, V::splat(min_slope), inside))
        }
    }
}

impl<V: Vector<f32>> Function<V> for Softsign {
    #[inline(always)]
    unsafe fn one(self, x: V) -> V {
        unsafe { x.div(V::splat(1.0).add(x.abs())) }
    }
}
