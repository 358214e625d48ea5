//! A dilated convolution over channels that lie one after the other, with time along the vectors.
//!
//! A tile holds up to eight output channels of two or four vectors of time in registers, and sums over taps and input
//! channels there: each input vector is loaded once for all of the tile's outputs, each weight broadcast once for all of
//! its vectors. Tiles of fewer outputs are longer, so that enough sums are under way to hide the latency of an addition.
// Every access stays within rows whose extent `Convolution::run` has checked; the caller vouches for the instruction
// set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::element::Element;
use super::{BLOCK, Rows, RowsMut};
use neurdsp_simd::{Isa, Lanes, Real};

/// The weights of a convolution, in the order in which its tiles read them.
///
/// `output[o][t] = start + sum over j, i of weight[o][i][j] * input[i][t + j * dilation]`: no tap looks before the
/// beginning of the input's rows.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::train::{BLOCK, Convolution, Rows, RowsMut, Start};
/// use neurdsp_simd::Isa;
///
/// // Two taps three samples apart: y[t] = 2 x[t] + x[t + 3].
/// let conv = Convolution::new(&[2.0, 1.0], 1, 1, 2, 3, Isa::detect());
/// let input: Vec<f64> = (0..BLOCK + 3).map(|t| t as f64).collect();
/// let mut output = vec![0.0; BLOCK];
/// conv.run(Rows::new(&input, 0), Start::Zero, None, &mut RowsMut::new(&mut output, 0), BLOCK);
/// assert_eq!(output[5], 2.0 * 5.0 + 8.0);
/// ```
#[derive(Clone, Debug)]
pub struct Convolution<T> {
    /// For each group of outputs, each tap and each input: one weight for each output of the group.
    weight: Vec<T>,
    /// Outputs of each group.
    groups: Vec<usize>,
    outputs: usize,
    inputs: usize,
    taps: usize,
    dilation: usize,
    isa: Isa,
}

/// What the sums of a convolution begin with.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a, T> {
    /// Nothing.
    Zero,
    /// One value for each output.
    Bias(&'a [T]),
    /// What the output holds already, and a value for each output.
    Output(Option<&'a [T]>),
    /// Other rows, and a value for each output.
    Rows(Rows<'a, T>, Option<&'a [T]>),
}

/// What one call of the kernel works on.
#[derive(Debug)]
pub struct Job<'a, T> {
    weight: &'a [T],
    groups: &'a [usize],
    inputs: usize,
    taps: usize,
    dilation: usize,
    input: *const T,
    input_stride: usize,
    base: Option<(*const T, usize)>,
    bias: Option<&'a [T]>,
    mixin: Option<(&'a [T], &'a [T])>,
    output: *mut T,
    output_stride: usize,
    len: usize,
}

impl<T: Element> Convolution<T> {
    /// A convolution with the weights `[outputs][inputs][taps]`.
    ///
    /// # Panics
    ///
    /// If `weight` has another length.
    #[must_use]
    pub fn new(weight: &[T], outputs: usize, inputs: usize, taps: usize, dilation: usize, isa: Isa) -> Self {
        assert_eq!(weight.len(), outputs * inputs * taps);
        Self::pack(outputs, inputs, taps, dilation, isa, |o, i, j| weight[(o * inputs + i) * taps + j])
    }

    /// The adjoint of [`new`](Self::new): from gradients over the outputs to those over the inputs.
    ///
    /// With `g` the gradient behind as many zeros as the convolution reaches, its output at `t` is the gradient over
    /// `input[t]`, if its rows begin at `g[t - (taps - 1) * dilation]`.
    ///
    /// # Panics
    ///
    /// If `weight` has another length.
    #[must_use]
    pub fn adjoint(
        weight: &[T],
        outputs: usize,
        inputs: usize,
        taps: usize,
        dilation: usize,
        isa: Isa,
    ) -> Self {
        assert_eq!(weight.len(), outputs * inputs * taps);
        Self::pack(inputs, outputs, taps, dilation, isa, |i, o, j| {
            weight[(o * inputs + i) * taps + taps - 1 - j]
        })
    }

    fn pack(
        outputs: usize,
        inputs: usize,
        taps: usize,
        dilation: usize,
        isa: Isa,
        weight: impl Fn(usize, usize, usize) -> T,
    ) -> Self {
        let groups = groups(outputs, if isa.has_avx512() { 8 } else { 6 });
        let mut packed = Vec::with_capacity(outputs * inputs * taps);
        let mut first = 0;
        for &size in &groups {
            for tap in 0..taps {
                for input in 0..inputs {
                    packed.extend((first..first + size).map(|output| weight(output, input, tap)));
                }
            }
            first += size;
        }
        Self { weight: packed, groups, outputs, inputs, taps, dilation, isa }
    }

    /// Samples that the last tap looks ahead of the first.
    #[must_use]
    pub fn reach(&self) -> usize {
        self.taps.saturating_sub(1) * self.dilation
    }

    /// Computes `len` samples of every output.
    ///
    /// `mixin` adds a signal times one weight for each output: a further input of one tap.
    ///
    /// # Panics
    ///
    /// If `len` is no multiple of [`BLOCK`], or if rows, biases or the mixin are too short.
    pub fn run(
        &self,
        input: Rows<'_, T>,
        start: Start<'_, T>,
        mixin: Option<(&[T], &[T])>,
        output: &mut RowsMut<'_, T>,
        len: usize,
    ) {
        assert!(len.is_multiple_of(BLOCK), "{len} samples");
        assert!(input.hold(self.inputs, len + self.reach()));
        assert!(output.as_rows().hold(self.outputs, len));
        let (base, bias) = match start {
            Start::Zero => (None, None),
            Start::Bias(bias) => (None, Some(bias)),
            Start::Output(bias) => (Some((output.samples.as_ptr(), output.stride)), bias),
            Start::Rows(rows, bias) => {
                assert!(rows.hold(self.outputs, len));
                (Some((rows.samples.as_ptr(), rows.stride)), bias)
            }
        };
        assert!(bias.is_none_or(|bias| bias.len() >= self.outputs));
        assert!(mixin.is_none_or(|(w, signal)| w.len() >= self.outputs && signal.len() >= len));
        let job = Job {
            weight: &self.weight,
            groups: &self.groups,
            inputs: self.inputs,
            taps: self.taps,
            dilation: self.dilation,
            input: input.samples.as_ptr(),
            input_stride: input.stride,
            base,
            bias,
            mixin,
            output: output.samples.as_mut_ptr(),
            output_stride: output.stride,
            len,
        };
        T::convolve(self.isa, &job);
    }
}

/// Cuts `count` into as few groups of at most `most` as will do, of sizes that differ by at most one.
pub(super) fn groups(count: usize, most: usize) -> Vec<usize> {
    let n = count.div_ceil(most).max(1);
    (0..n).map(|g| count / n + usize::from(g < count % n)).collect()
}

/// Runs `job`; with the outputs of a group and the vectors of a tile as constants of the code.
#[inline(always)]
pub(super) unsafe fn convolve<V: Lanes>(job: &Job<'_, V::Element>)
where
    V::Element: Element,
{
    unsafe {
        let (mut first, mut weight) = (0, job.weight.as_ptr());
        for &size in job.groups {
            match size {
                1 => group::<V, 1, 4>(job, first, weight),
                2 => group::<V, 2, 4>(job, first, weight),
                3 => group::<V, 3, 4>(job, first, weight),
                4 => group::<V, 4, 2>(job, first, weight),
                5 => group::<V, 5, 2>(job, first, weight),
                6 => group::<V, 6, 2>(job, first, weight),
                7 if size_of::<V>() == 64 => group::<V, 7, 2>(job, first, weight),
                8 if size_of::<V>() == 64 => group::<V, 8, 2>(job, first, weight),
                _ => {}
            }
            first += size;
            weight = weight.add(size * job.inputs * job.taps);
        }
    }
}

#[inline(always)]
unsafe fn group<V: Lanes, const OUTPUTS: usize, const VECTORS: usize>(
    job: &Job<'_, V::Element>,
    first: usize,
    weight: *const V::Element,
) where
    V::Element: Element,
{
    unsafe {
        let mut at = 0;
        while at + VECTORS * V::LANES <= job.len {
            tile::<V, OUTPUTS, VECTORS>(job, first, weight, at);
            at += VECTORS * V::LANES;
        }
        while at < job.len {
            tile::<V, OUTPUTS, 1>(job, first, weight, at);
            at += V::LANES;
        }
    }
}

#[inline(always)]
unsafe fn tile<V: Lanes, const OUTPUTS: usize, const VECTORS: usize>(
    job: &Job<'_, V::Element>,
    first: usize,
    mut weight: *const V::Element,
    at: usize,
) where
    V::Element: Element,
{
    unsafe {
        let mut sums = [[V::splat(V::Element::default()); VECTORS]; OUTPUTS];
        if let Some(bias) = job.bias {
            for (o, row) in sums.iter_mut().enumerate() {
                *row = [V::splat(*bias.as_ptr().add(first + o)); VECTORS];
            }
        }
        if let Some((base, stride)) = job.base {
            for (o, row) in sums.iter_mut().enumerate() {
                for (v, sum) in row.iter_mut().enumerate() {
                    *sum = sum.add(V::load(base.add((first + o) * stride + at + v * V::LANES)));
                }
            }
        }
        if let Some((mixin, signal)) = job.mixin {
            let x: [V; VECTORS] = load(signal.as_ptr().add(at));
            step(&mut sums, &x, mixin.as_ptr().add(first));
        }
        for tap in 0..job.taps {
            let mut input = job.input.add(at + tap * job.dilation);
            for _ in 0..job.inputs {
                let x: [V; VECTORS] = load(input);
                step(&mut sums, &x, weight);
                weight = weight.add(OUTPUTS);
                input = input.wrapping_add(job.input_stride);
            }
        }
        for (o, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                sum.store(job.output.add((first + o) * job.output_stride + at + v * V::LANES));
            }
        }
    }
}

/// Neighbouring vectors.
#[inline(always)]
pub(super) unsafe fn load<V: Lanes, const N: usize>(from: *const V::Element) -> [V; N] {
    unsafe {
        let mut vectors = [V::splat(V::Element::from_f64(0.0)); N];
        for (v, vector) in vectors.iter_mut().enumerate() {
            *vector = V::load(from.add(v * V::LANES));
        }
        vectors
    }
}

/// Adds one input, times the weight of each output.
#[inline(always)]
unsafe fn step<V: Lanes, const OUTPUTS: usize, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; OUTPUTS],
    x: &[V; VECTORS],
    weight: *const V::Element,
) {
    unsafe {
        for (o, row) in sums.iter_mut().enumerate() {
            let w = V::splat(*weight.add(o));
            for (sum, x) in row.iter_mut().zip(x) {
                *sum = fma(w, *x, *sum);
            }
        }
    }
}

/// `a * b + c`: fused in hardware vectors, two roundings in the portable code, which would call a function for each.
#[inline(always)]
pub(super) unsafe fn fma<V: Lanes>(a: V, b: V, c: V) -> V {
    unsafe { if V::LANES == 1 { a.mul(b).add(c) } else { a.fma(b, c) } }
}
