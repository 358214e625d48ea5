//! A causal dilated convolution with bias, tanh and residual, over a ring of past frames.

mod kernel;

use super::ring::{FrameRing, frame_stride};
use crate::bounds::MAX_FRAMES;
use crate::error::{Error, check_channels, check_kernel, check_len};
use kernel::{Group, Packed};
use neurdsp_simd::{AlignedBuf, Isa};

/// `out[t] = in[t] + tanh(bias + sum over k, i of weight[o][i][k] * in[t - (K - 1 - k) * dilation])`, channels to channels.
///
/// It holds parameters only, in the order in which the kernel of one instruction set reads them, so that any number of
/// streams can share it, each with its own [`FrameRing`].
///
/// # Examples
///
/// ```
/// use neurdsp_nn::{FrameRing, ResidualConv1d, frame_stride};
/// use neurdsp_simd::Isa;
///
/// let isa = Isa::detect();
/// // One channel, two taps one frame apart: y[t] = x[t] + tanh(0.5 x[t-1] + 0.25 x[t]).
/// let conv = ResidualConv1d::new(1, 2, 1, &[0.5, 0.25], &[0.0], isa)?;
/// let stride = frame_stride(1, isa);
/// let mut ring = FrameRing::new(stride, conv.history())?;
/// let mut offsets = vec![0; conv.kernel_size()];
/// let mut output = vec![0.0; stride];
/// ring.incoming(1)[0] = 1.0;
/// ring.commit(1);
/// conv.run(&ring, &mut offsets, &mut output);
/// assert!((output[0] - (1.0 + 0.25f32.tanh())).abs() < 1e-6);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResidualConv1d {
    packed: Packed,
    kernel_size: usize,
    dilation: usize,
    isa: Isa,
}

impl ResidualConv1d {
    /// A layer of `channels` to `channels`.
    ///
    /// # Parameters
    ///
    /// - `weight`: `[channels out][channels in][kernel_size]`, row-major, the last tap being the present frame (as in PyTorch)
    /// - `bias`: `[channels]`
    /// - `dilation`: frames between two taps
    ///
    /// # Errors
    ///
    /// [`Error::Channels`], [`Error::Kernel`] or [`Error::Length`] where a size is out of bounds or they do not agree.
    pub fn new(
        channels: usize,
        kernel_size: usize,
        dilation: usize,
        weight: &[f32],
        bias: &[f32],
        isa: Isa,
    ) -> Result<ResidualConv1d, Error> {
        check_channels(channels)?;
        check_kernel(kernel_size, dilation)?;
        check_len("weight", weight.len(), channels * channels * kernel_size)?;
        check_len("bias", bias.len(), channels)?;

        let lanes = isa.lanes::<f32>();
        let inputs = channels.next_multiple_of(4);
        let stride = frame_stride(channels, isa);
        let mut packed = AlignedBuf::zeroed(kernel_size * inputs * stride);
        let mut groups = Vec::new();
        let (mut first, mut weights) = (0, 0);
        while first < stride {
            let vectors = group_vectors((stride - first) / lanes, lanes);
            let width = vectors * lanes;
            for tap in 0..kernel_size {
                for input in 0..channels {
                    let row = &mut packed[weights + (tap * inputs + input) * width..][..width];
                    for (output, slot) in (first..channels).zip(row) {
                        *slot = weight[(output * channels + input) * kernel_size + tap];
                    }
                }
            }
            groups.push(Group { first, vectors, weights });
            first += width;
            weights += kernel_size * inputs * width;
        }
        let mut padded_bias = AlignedBuf::zeroed(stride);
        padded_bias[..channels].copy_from_slice(bias);
        let packed = Packed { weight: packed, bias: padded_bias, groups, inputs };
        Ok(ResidualConv1d { packed, kernel_size, dilation, isa })
    }

    /// Frames before the present that the layer reads: `(kernel_size - 1) * dilation`.
    #[must_use]
    pub fn history(&self) -> usize {
        (self.kernel_size - 1) * self.dilation
    }

    /// Taps of the kernel.
    #[must_use]
    pub fn kernel_size(&self) -> usize {
        self.kernel_size
    }

    /// Computes a frame of `output` for each present (committed) frame of `ring`; the number is `output`'s length.
    ///
    /// `offsets` is scratch of `kernel_size` values.
    ///
    /// # Panics
    ///
    /// If `ring` has another stride or too little history, `offsets` another length, or `output` holds no whole number
    /// of frames or more than [`MAX_FRAMES`].
    #[inline]
    pub fn run(&self, ring: &FrameRing, offsets: &mut [usize], output: &mut [f32]) {
        let stride = self.packed.bias.len();
        let frames = output.len() / stride;
        assert_eq!(output.len(), frames * stride);
        assert!(frames <= MAX_FRAMES);
        assert_eq!(ring.stride(), stride);
        assert!(ring.history() >= self.history());
        assert_eq!(offsets.len(), self.kernel_size);
        for (tap, offset) in offsets.iter_mut().enumerate() {
            *offset = ring.offset((self.kernel_size - 1 - tap) * self.dilation);
            assert!(*offset + frames * stride <= ring.samples().len());
        }
        kernel::layer(self.isa, &self.packed, ring.samples(), offsets, output);
    }
}

/// How many of `remaining` vectors of output channels the next group takes.
///
/// Three fill the 32 registers of AVX-512 best (fewest loads for each multiply-add), but four are faster as two and
/// two. Sixteen registers hold two: three would leave none for the input, and the weights of 48 channels, read for
/// every few frames, would no longer stay in the first level of the cache. The portable code takes four lanes, which
/// compilers turn into one SSE register.
fn group_vectors(remaining: usize, lanes: usize) -> usize {
    match remaining {
        _ if lanes == 1 => 4,
        4 => 2,
        n => n.min(if lanes == 8 { 2 } else { 3 }),
    }
}
