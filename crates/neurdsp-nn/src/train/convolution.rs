//! A dilated convolution over channels that lie one after the other, with time along the vectors.

use super::kernels::Element;
use super::kernels::convolution::Job;
use super::rows::{BLOCK, Rows, RowsMut};
use neurdsp_simd::Isa;

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

/// What the sums of a convolution start from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a, T> {
    /// Nothing.
    Zero,
    /// One value for each output.
    Bias(&'a [T]),
    /// The previous contents of the output, and a value for each output.
    Output(Option<&'a [T]>),
    /// Other rows, and a value for each output.
    Rows(Rows<'a, T>, Option<&'a [T]>),
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
    /// Let `g` be the gradient after as many zeros as the convolution reaches. The output at `t` is the gradient over
    /// `input[t]` if the rows begin at `g[t - (taps - 1) * dilation]`.
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
    /// `mixin` adds a signal times one weight for each output: another input with one tap.
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

/// Cuts `count` into the fewest groups of at most `most`, of sizes that differ by at most one.
pub(super) fn groups(count: usize, most: usize) -> Vec<usize> {
    let n = count.div_ceil(most).max(1);
    (0..n).map(|g| count / n + usize::from(g < count % n)).collect()
}
