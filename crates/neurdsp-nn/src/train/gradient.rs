//! The gradient of a convolution over its weights: every channel of one signal correlated with every one of another.
//!
//! A tile holds up to eight outputs by three inputs in registers and runs along time. It is wider in outputs because their
//! gradient lies on whole cache lines, while the inputs of a tap lie anywhere and cost two loads each. The sums stay
//! vectors until the very end, one for each pair and tap, so that cutting time into stretches that fit a cache costs a
//! load and a store, and a sum across lanes is taken once.
// Every access stays within rows whose extent `WeightGradient::add` has checked; the caller vouches for the instruction
// set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::convolution::{fma, groups};
use super::element::Element;
use super::{BLOCK, Rows};
use neurdsp_simd::{Isa, Lanes};

/// Sums `gradient[o][i][j] = sum over t of output_gradient[o][t] * input[i][t + j * dilation]` as they grow.
///
/// One object serves one layer after the other; it keeps its memory.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::train::{BLOCK, Rows, WeightGradient};
/// use neurdsp_simd::Isa;
///
/// let mut sums = WeightGradient::new(Isa::detect());
/// sums.start(1, 1, 2, 1);
/// let input: Vec<f32> = (0..=BLOCK).map(|t| t as f32).collect();
/// let mut output_gradient = vec![0.0; BLOCK];
/// output_gradient[5] = 2.0;
/// sums.add(Rows::new(&input, 0), Rows::new(&output_gradient, 0), BLOCK);
/// let mut gradient = [1.0; 2];
/// sums.finish(&mut gradient);
/// assert_eq!(gradient, [1.0 + 2.0 * 5.0, 1.0 + 2.0 * 6.0]);
/// ```
#[derive(Clone, Debug)]
pub struct WeightGradient<T> {
    /// `[taps][inputs][outputs][lanes]`.
    sums: Vec<T>,
    outputs: Vec<usize>,
    inputs: Vec<usize>,
    shape: [usize; 3],
    dilation: usize,
    isa: Isa,
}

/// What one call of the kernel works on.
#[derive(Debug)]
pub struct Job<'a, T> {
    outputs: &'a [usize],
    inputs: &'a [usize],
    shape: [usize; 3],
    dilation: usize,
    input: Rows<'a, T>,
    gradient: Rows<'a, T>,
    len: usize,
}

impl<T: Element> WeightGradient<T> {
    /// Without memory yet.
    #[must_use]
    pub fn new(isa: Isa) -> Self {
        Self { sums: Vec::new(), outputs: Vec::new(), inputs: Vec::new(), shape: [0; 3], dilation: 1, isa }
    }

    /// Begins the sums of a layer.
    pub fn start(&mut self, outputs: usize, inputs: usize, taps: usize, dilation: usize) {
        self.shape = [outputs, inputs, taps];
        self.dilation = dilation;
        let (most_outputs, most_inputs) = if self.isa.has_avx512() { (8, 3) } else { (6, 2) };
        self.outputs = groups(outputs, most_outputs);
        self.inputs = groups(inputs, most_inputs);
        self.sums.clear();
        self.sums.resize(outputs * inputs * taps * T::lanes(self.isa), T::default());
    }

    /// Adds `len` samples.
    ///
    /// # Panics
    ///
    /// If `len` is no multiple of [`BLOCK`], or the rows are too short.
    pub fn add(&mut self, input: Rows<'_, T>, gradient: Rows<'_, T>, len: usize) {
        let [outputs, inputs, taps] = self.shape;
        assert!(len.is_multiple_of(BLOCK), "{len} samples");
        assert!(input.hold(inputs, len + taps.saturating_sub(1) * self.dilation));
        assert!(gradient.hold(outputs, len));
        let job = Job {
            outputs: &self.outputs,
            inputs: &self.inputs,
            shape: self.shape,
            dilation: self.dilation,
            input,
            gradient,
            len,
        };
        T::correlate(self.isa, &job, &mut self.sums);
    }

    /// Adds the sums to a gradient `[outputs][inputs][taps]`.
    ///
    /// # Panics
    ///
    /// If it has another length.
    pub fn finish(&self, gradient: &mut [T]) {
        let [outputs, inputs, taps] = self.shape;
        assert_eq!(gradient.len(), outputs * inputs * taps);
        let lanes = T::lanes(self.isa);
        let mut sums = self.sums.chunks_exact(lanes);
        for tap in 0..taps {
            for input in 0..inputs {
                for output in 0..outputs {
                    if let Some(sum) = sums.next() {
                        gradient[(output * inputs + input) * taps + tap] += pairwise(sum);
                    }
                }
            }
        }
    }
}

/// The sum of a power of two of values, the two halves first.
#[inline(always)]
fn pairwise<T: Element>(values: &[T]) -> T {
    let mut lanes = [T::default(); 16];
    let mut half = values.len();
    lanes[..half].copy_from_slice(values);
    while half > 1 {
        half /= 2;
        for i in 0..half {
            let other = lanes[i + half];
            lanes[i] += other;
        }
    }
    lanes[0]
}

/// Runs `job`, with the channels of a tile as constants of the code.
#[inline(always)]
pub(super) unsafe fn correlate<V: Lanes>(job: &Job<'_, V::Element>, sums: &mut [V::Element])
where
    V::Element: Element,
{
    unsafe {
        let [outputs, inputs, taps] = job.shape;
        for tap in 0..taps {
            let mut o = 0;
            for &o_size in job.outputs {
                let mut i = 0;
                for &i_size in job.inputs {
                    let sum = sums.as_mut_ptr().add(((tap * inputs + i) * outputs + o) * V::LANES);
                    let input = job.input.samples.as_ptr().add(i * job.input.stride + tap * job.dilation);
                    let gradient = job.gradient.samples.as_ptr().add(o * job.gradient.stride);
                    let tile = Tile { job, sum, input, gradient };
                    match o_size {
                        1 => tile.run_inputs::<V, 1>(i_size),
                        2 => tile.run_inputs::<V, 2>(i_size),
                        3 => tile.run_inputs::<V, 3>(i_size),
                        4 => tile.run_inputs::<V, 4>(i_size),
                        5 => tile.run_inputs::<V, 5>(i_size),
                        6 => tile.run_inputs::<V, 6>(i_size),
                        7 if size_of::<V>() == 64 => tile.run_inputs::<V, 7>(i_size),
                        8 if size_of::<V>() == 64 => tile.run_inputs::<V, 8>(i_size),
                        _ => {}
                    }
                    i += i_size;
                }
                o += o_size;
            }
        }
    }
}

/// Some outputs by some inputs, at one tap.
struct Tile<'a, T> {
    job: &'a Job<'a, T>,
    sum: *mut T,
    input: *const T,
    gradient: *const T,
}

impl<T: Element> Tile<'_, T> {
    #[inline(always)]
    unsafe fn run_inputs<V: Lanes<Element = T>, const OUTPUTS: usize>(&self, inputs: usize) {
        unsafe {
            match inputs {
                1 => self.run::<V, OUTPUTS, 1>(),
                2 => self.run::<V, OUTPUTS, 2>(),
                3 if size_of::<V>() == 64 => self.run::<V, OUTPUTS, 3>(),
                _ => {}
            }
        }
    }

    #[inline(always)]
    unsafe fn run<V: Lanes<Element = T>, const OUTPUTS: usize, const INPUTS: usize>(&self) {
        unsafe {
            let outputs = self.job.shape[0];
            let mut sums = [[V::splat(T::default()); OUTPUTS]; INPUTS];
            for (i, row) in sums.iter_mut().enumerate() {
                for (o, sum) in row.iter_mut().enumerate() {
                    *sum = V::load(self.sum.add((i * outputs + o) * V::LANES));
                }
            }
            let mut at = 0;
            while at < self.job.len {
                let mut x = [V::splat(T::default()); INPUTS];
                for (i, x) in x.iter_mut().enumerate() {
                    *x = V::load(self.input.add(i * self.job.input.stride + at));
                }
                for o in 0..OUTPUTS {
                    let g = V::load(self.gradient.add(o * self.job.gradient.stride + at));
                    for (row, x) in sums.iter_mut().zip(x) {
                        row[o] = fma(g, x, row[o]);
                    }
                }
                at += V::LANES;
            }
            for (i, row) in sums.iter().enumerate() {
                for (o, sum) in row.iter().enumerate() {
                    sum.store(self.sum.add((i * outputs + o) * V::LANES));
                }
            }
        }
    }
}
