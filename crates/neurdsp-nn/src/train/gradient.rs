//! The gradient of a convolution over its weights: every channel of one signal correlated with every one of another.

use super::convolution::groups;
use super::kernels::Element;
use super::kernels::correlation::Job;
use super::rows::{BLOCK, Rows};
use neurdsp_simd::Isa;

/// Accumulates `gradient[o][i][j] = sum over t of output_gradient[o][t] * input[i][t + j * dilation]`.
///
/// One object serves one layer after another and keeps its memory.
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

impl<T: Element> WeightGradient<T> {
    /// No sums yet, and no memory.
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
        self.sums.resize(outputs * inputs * taps * self.isa.lanes::<T>(), T::default());
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
        let lanes = self.isa.lanes::<T>();
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
