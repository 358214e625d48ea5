//! From one signal to many channels and back, frame by frame.
// Each block is vector arithmetic within slices whose lengths the entry points check.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::ring::frame_stride;
use crate::error::{Error, check_channels, check_len};
use neurdsp_simd::{AlignedBuf, Isa, Vector, dispatch, math};

/// A convolution of kernel size 1 from one channel to many: `frame[c] = weight[c] * x + bias[c]`.
#[derive(Clone, Debug)]
pub struct Expand {
    weight: AlignedBuf,
    bias: AlignedBuf,
    isa: Isa,
}

impl Expand {
    /// A layer with `weight` and `bias` of one value a channel.
    ///
    /// # Errors
    ///
    /// [`Error::Channels`] for no or too many channels, [`Error::Length`] where the two differ in length.
    pub fn new(weight: &[f32], bias: &[f32], isa: Isa) -> Result<Expand, Error> {
        check_channels(weight.len())?;
        check_len("bias", bias.len(), weight.len())?;
        let stride = frame_stride(weight.len(), isa);
        Ok(Expand { weight: padded(weight, stride), bias: padded(bias, stride), isa })
    }

    /// Writes a frame for each sample of `input` into `output`, which holds `input.len() * stride` values.
    ///
    /// # Panics
    ///
    /// If `output` has another length.
    #[inline]
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        assert_eq!(output.len(), input.len() * self.weight.len());
        expand(self.isa, &self.weight, &self.bias, input, output);
    }
}

/// A convolution of kernel size 1 from many channels to one: `y = sum(weight[c] * frame[c]) + bias`.
#[derive(Clone, Debug)]
pub struct Reduce {
    weight: AlignedBuf,
    bias: f32,
    isa: Isa,
}

impl Reduce {
    /// A layer with a `weight` of one value a channel.
    ///
    /// # Errors
    ///
    /// [`Error::Channels`] for no or too many channels.
    pub fn new(weight: &[f32], bias: f32, isa: Isa) -> Result<Reduce, Error> {
        check_channels(weight.len())?;
        Ok(Reduce { weight: padded(weight, frame_stride(weight.len(), isa)), bias, isa })
    }

    /// Writes a sample for each frame of `input`, which holds `output.len() * stride` values.
    ///
    /// # Panics
    ///
    /// If `input` has another length.
    #[inline]
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        assert_eq!(input.len(), output.len() * self.weight.len());
        reduce(self.isa, &self.weight, self.bias, input, output);
    }
}

fn padded(values: &[f32], len: usize) -> AlignedBuf {
    let mut buffer = AlignedBuf::zeroed(len);
    buffer[..values.len()].copy_from_slice(values);
    buffer
}

dispatch! {
    fn expand(weight: &[f32], bias: &[f32], input: &[f32], output: &mut [f32]) = expand_generic
}

#[inline(always)]
unsafe fn expand_generic<V: Vector<f32>>(weight: &[f32], bias: &[f32], input: &[f32], output: &mut [f32]) {
    unsafe {
        let stride = weight.len();
        for (&x, frame) in input.iter().zip(output.chunks_exact_mut(stride)) {
            let x = V::splat(x);
            for c in (0..stride).step_by(V::LANES) {
                let (w, b) = (V::load(weight.as_ptr().add(c)), V::load(bias.as_ptr().add(c)));
                math::fma(x, w, b).store(frame.as_mut_ptr().add(c));
            }
        }
    }
}

dispatch! {
    fn reduce(weight: &[f32], bias: f32, input: &[f32], output: &mut [f32]) = reduce_generic
}

#[inline(always)]
unsafe fn reduce_generic<V: Vector<f32>>(weight: &[f32], bias: f32, input: &[f32], output: &mut [f32]) {
    unsafe {
        let stride = weight.len();
        for (frame, y) in input.chunks_exact(stride).zip(output) {
            let mut sum = V::splat(0.0);
            for c in (0..stride).step_by(V::LANES) {
                sum = math::fma(V::load(frame.as_ptr().add(c)), V::load(weight.as_ptr().add(c)), sum);
            }
            *y = sum.sum_lanes() + bias;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expand, Reduce};
    use crate::{Error, frame_stride};
    use neurdsp_simd::Isa;

    #[test]
    fn expand_then_reduce_is_the_product_of_both() {
        for isa in Isa::available() {
            for channels in [1, 3, 4, 15, 16, 17, 48, 100] {
                let weight: Vec<f32> = (0..channels).map(|c| 1.0 + c as f32).collect();
                let bias: Vec<f32> = (0..channels).map(|c| -0.5 * c as f32).collect();
                let inverse: Vec<f32> = (0..channels).map(|c| 1.0 / (1.0 + c as f32)).collect();
                let expand = Expand::new(&weight, &bias, isa).unwrap();
                let reduce = Reduce::new(&inverse, 0.25, isa).unwrap();
                let stride = frame_stride(channels, isa);
                let x = [1.0, -2.0, 0.0];
                let mut frames = vec![f32::NAN; 3 * stride];
                expand.run(&x, &mut frames);
                for frame in frames.chunks(stride) {
                    assert!(frame[channels..].iter().all(|&v| v == 0.0), "padding stays zero");
                }
                let mut y = [f32::NAN; 3];
                reduce.run(&frames, &mut y);
                let constant: f64 = (0..channels).map(|c| -0.5 * c as f64 / (1.0 + c as f64)).sum();
                for (x, y) in x.iter().zip(y) {
                    let expected = f64::from(*x) * channels as f64 + constant + 0.25;
                    assert!((f64::from(y) - expected).abs() <= 1e-6 * (1.0 + channels as f64 * 2.0));
                }
            }
        }
    }

    #[test]
    fn lengths_that_do_not_agree_are_refused() {
        let expected = Error::Length { name: "bias", expected: 3, got: 2 };
        assert_eq!(Expand::new(&[0.0; 3], &[0.0; 2], Isa::Scalar).unwrap_err(), expected);
        assert_eq!(Reduce::new(&[], 0.0, Isa::Scalar).unwrap_err(), Error::Channels { got: 0 });
    }
}
