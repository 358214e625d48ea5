//! A whole layer of a WaveNet in one pass, for few channels.

mod kernel;

use super::ring::PlanarRing;
use super::rows::{Rows, RowsMut};
use crate::activation::Activation;
use crate::bounds::MAX_FRAMES;
use crate::error::{Error, check_kernel, check_len};
use kernel::{Function, Job};
use neurdsp_simd::{AlignedBuf, Isa};

/// `z = f(conv(h) + mix · c)`, `sum = base + z`, `next = h + matrix · z`, with biases; all of `channels` channels, the
/// condition `c` of one.
///
/// With few channels, the calls of [`Affine`](super::Affine) and moving `z` through memory take as long as the arithmetic.
/// Here all three steps share one tile of registers. It exists for the channel counts and activation functions for which it
/// was measured to be faster; [`PlainLayer::new`] returns `None` for others.
#[derive(Clone, Debug)]
pub struct PlainLayer {
    /// Biases, then a row of outputs for each tap and input, the row of the mix, the biases of the matrix, and its rows.
    weights: AlignedBuf,
    channels: usize,
    taps: usize,
    dilation: usize,
    function: Function,
    isa: Isa,
}

/// The weights of a [`PlainLayer`] of `C` channels, in the order of PyTorch.
#[derive(Clone, Copy, Debug)]
pub struct PlainWeights<'a> {
    /// `[C][C][taps]`, the last tap being the present frame.
    pub conv: &'a [f32],
    /// `[C]`
    pub bias: &'a [f32],
    /// `[C]`, for the one channel of the condition.
    pub mix: &'a [f32],
    /// `[C][C]`
    pub matrix: &'a [f32],
    /// `[C]`
    pub matrix_bias: &'a [f32],
}

impl PlainLayer {
    /// A layer of `channels` channels; `None` if [`Affine`](super::Affine) is the better choice.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] or [`Error::Length`] where a size is out of bounds or they do not agree.
    pub fn new(
        channels: usize,
        (taps, dilation): (usize, usize),
        weights: &PlainWeights<'_>,
        activation: &Activation,
        isa: Isa,
    ) -> Result<Option<PlainLayer>, Error> {
        let function = match *activation {
            Activation::Tanh => Function::Tanh,
            Activation::Relu => Function::Leaky(0.0),
            Activation::LeakyRelu { slope } if slope <= 1.0 => Function::Leaky(slope),
            _ => return Ok(None),
        };
        let most = if isa.lanes::<f32>() == 16 { 8 } else { 4 };
        if !matches!(channels, 2 | 3 | 4 | 8) || channels > most {
            return Ok(None);
        }
        let c = channels;
        check_kernel(taps, dilation)?;
        check_len("conv", weights.conv.len(), c * c * taps)?;
        check_len("bias", weights.bias.len(), c)?;
        check_len("mix", weights.mix.len(), c)?;
        check_len("matrix", weights.matrix.len(), c * c)?;
        check_len("matrix bias", weights.matrix_bias.len(), c)?;

        let mut packed = weights.bias.to_vec();
        packed.extend(weights.mix);
        for tap in 0..taps {
            for input in 0..c {
                packed.extend((0..c).map(|output| weights.conv[(output * c + input) * taps + tap]));
            }
        }
        packed.extend(weights.matrix_bias);
        for input in 0..c {
            packed.extend((0..c).map(|output| weights.matrix[output * c + input]));
        }
        let weights = AlignedBuf::from_slice(&packed);
        Ok(Some(PlainLayer { weights, channels, taps, dilation, function, isa }))
    }

    /// Frames before the present that the layer reads.
    #[must_use]
    pub fn history(&self) -> usize {
        (self.taps - 1) * self.dilation
    }

    /// Runs `frames` frames: adds `z` to `sum`, or stores it there if `begins`, and writes `next`.
    ///
    /// # Panics
    ///
    /// If the numbers of channels differ, the ring has too little history, or `frames` exceeds [`MAX_FRAMES`].
    #[inline]
    pub fn run(
        &self,
        ring: &PlanarRing,
        condition: Rows<'_>,
        sum: &mut RowsMut<'_>,
        begins: bool,
        next: Option<&mut RowsMut<'_>>,
        frames: usize,
    ) {
        let c = self.channels;
        assert!(frames <= MAX_FRAMES && ring.history() >= self.history());
        assert!(ring.channels() == c && sum.channels() == c && condition.channels() == 1);
        let (next, next_stride) = match next {
            Some(next) => {
                assert_eq!(next.channels(), c);
                (next.as_mut_ptr(), next.stride())
            }
            None => (std::ptr::null_mut(), 0),
        };
        let job = Job {
            weights: self.weights.as_ptr(),
            taps: self.taps,
            dilation: self.dilation,
            data: ring.data().as_ptr(),
            position: ring.position(),
            mask: ring.mask(),
            stride: ring.stride(),
            condition: condition.as_ptr(),
            sum: sum.as_mut_ptr(),
            sum_stride: sum.stride(),
            begins,
            next,
            next_stride,
            frames,
        };
        kernel::run(self.isa, c, self.function, &job);
    }
}
