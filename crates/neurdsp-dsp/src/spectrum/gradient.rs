//! Gradients over samples, from gradients over an STFT or a spectrogram: the forward stages transposed, last one first.
//!
//! Logarithm (nothing passes below its floor), filterbank, `2X` for a power or `X / |X|` for a magnitude, inverse
//! transform, window, overlap-add, padding folded back onto the samples that it was copied from. The spectrum is
//! recomputed, not stored. With `L` the loss, the gradient over a complex value is `dL/dRe + i dL/dIm`, as in PyTorch.

use super::adjoint::Adjoint;
use super::spectrogram::{LogScale, Spectrogram};
use super::stft::Stft;
use super::workspace::{Backward, Workspace};
use crate::blocks::framing::Signal;
use crate::error::{Result, check_length};
use crate::sample::{Input, Output, Sample, check_samples};
use crate::transform::{Magnitude, Synthesis};
use neurdsp_simd::{AlignedBuf, Isa, parallel};
use realfft::num_complex::Complex;

impl<T: Sample> Stft<T> {
    /// The transform of gradients, planned at the first call.
    fn synthesis(&self) -> &dyn Synthesis<T> {
        &**self.adjoint.get_or_init(|| {
            let half = self.config().n_fft as f64 / 2.0;
            // Planning has put this window together once: it cannot fail now.
            let window = self.config().frame_window().unwrap_or_default();
            let window: Vec<f64> = window.iter().map(|weight| weight * half).collect();
            T::synthesis(&window, self.framing.staged_stride())
        })
    }

    /// Gradients over samples from gradients over spectra, `n_bins` rows of frames each, on up to `n_threads` threads.
    ///
    /// The outputs have the lengths of the signals. Each signal is computed by one thread, so that the result is the
    /// same, bit for bit, whatever their number. Values of a gradient that are not finite are passed on.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`](crate::Error::Empty), [`Error::TooShort`](crate::Error::TooShort) about an output,
    /// [`Error::Length`](crate::Error::Length) if a gradient does not have `n_bins * n_frames` elements.
    ///
    /// ```
    /// use neurdsp_dsp::{Complex, Stft, StftConfig};
    ///
    /// let stft = Stft::<f64>::new(StftConfig { pad: 0, ..StftConfig::new(4) })?;
    /// // The gradient of bin 0, a sum over windowed samples, is the window.
    /// let mut gradient = vec![Complex::default(); 3];
    /// gradient[0].re = 1.0;
    /// let mut samples = vec![0.0_f64; 4];
    /// stft.backward_batch(vec![(&gradient[..], &mut samples[..])], 1)?;
    /// assert!(samples.iter().zip([0.0, 0.5, 1.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-12));
    /// # Ok::<(), neurdsp_dsp::Error>(())
    /// ```
    pub fn backward_batch<E: Input<T> + Output<T>>(
        &self,
        batch: Vec<(&[Complex<E>], &mut [E])>,
        n_threads: usize,
    ) -> Result<()> {
        let mut tasks = Vec::new();
        for (gradient, samples) in batch {
            let n_frames = self.n_frames(samples.len())?;
            check_length("the gradient", gradient.len(), self.n_bins() * n_frames)?;
            tasks.push((gradient, n_frames, samples));
        }
        parallel::for_each(
            n_threads,
            tasks,
            &self.idle_backward,
            || (self.workspace(), Adjoint::new(self.framing, self.synthesis())),
            |(Workspace { re, im, .. }, adjoint), (gradient, n_frames, samples)| {
                let synthesis = self.synthesis();
                adjoint.start(samples.len());
                let lanes = adjoint.lanes;
                let block = self.n_bins() * lanes;
                let (re, im) = (&mut re[..block], &mut im[..block]);
                for first in (0..n_frames).step_by(lanes) {
                    let count = lanes.min(n_frames - first);
                    let rows = re.chunks_exact_mut(lanes).zip(im.chunks_exact_mut(lanes));
                    for ((re, im), row) in rows.zip(gradient.chunks_exact(n_frames)) {
                        for ((re, im), value) in re.iter_mut().zip(im).zip(&row[first..first + count]) {
                            (*re, *im) = (value.re.convert(), value.im.convert());
                        }
                    }
                    adjoint.add(synthesis, first, count, re, im);
                }
                adjoint.finish(synthesis, samples);
            },
        );
        Ok(())
    }
}

impl<T: Sample> Spectrogram<T> {
    /// Gradients over samples, the third of each triple, from the samples and the gradients over their spectrograms.
    ///
    /// Each signal is computed by one of up to `n_threads` threads, so that the result is the same, bit for bit, whatever
    /// their number. A magnitude of zero passes no gradient, and a logarithm none below its floor. What is not finite in a
    /// gradient is passed on.
    ///
    /// # Errors
    ///
    /// As [`process_batch`](Self::process_batch) about the samples; [`Error::Length`](crate::Error::Length) if a gradient
    /// has not `n_rows * n_frames` elements or an output not the length of its samples.
    ///
    /// ```
    /// use neurdsp_dsp::{Magnitude, Projection, Spectrogram, StftConfig};
    ///
    /// // With a boxcar and no padding, the power at zero of samples a and b is (a + b)².
    /// let config = StftConfig { pad: 0, window: vec![1.0; 2], ..StftConfig::new(2) };
    /// let plan = Spectrogram::<f64>::new(config, Magnitude::Power, Projection::Bins(1), None)?;
    /// let mut gradient = [0.0; 2];
    /// plan.backward_batch(vec![(&[3.0, 4.0][..], &[1.0][..], &mut gradient[..])], 1)?;
    /// assert_eq!(gradient, [14.0, 14.0]);
    /// # Ok::<(), neurdsp_dsp::Error>(())
    /// ```
    pub fn backward_batch<E: Input<T> + Output<T>>(
        &self,
        batch: Vec<(&[E], &[E], &mut [E])>,
        n_threads: usize,
    ) -> Result<()> {
        for (samples, gradient, result) in &batch {
            let n_frames = self.n_frames(samples.len())?;
            check_samples(samples, self.limit::<E>())?;
            check_length("the gradient", gradient.len(), self.n_rows() * n_frames)?;
            check_length("the output", result.len(), samples.len())?;
        }
        let workspace = || {
            let forward = self.workspace();
            let bins = AlignedBuf::zeroed(self.stft.n_bins() * self.stft.transform.lanes());
            let rows = AlignedBuf::zeroed((self.n_rows() + 1) * self.stft.transform.lanes());
            let adjoint = Adjoint::new(self.stft.framing, self.stft.synthesis());
            Backward { adjoint, power: bins.clone(), bins, rows, forward }
        };
        let idle = &self.idle_backward;
        parallel::for_each(n_threads, batch, idle, workspace, |workspace, (samples, gradient, result)| {
            workspace.adjoint.start(samples.len());
            let n_frames = gradient.len() / self.n_rows();
            let lanes = workspace.adjoint.lanes;
            for first in (0..n_frames).step_by(lanes) {
                let count = lanes.min(n_frames - first);
                let rows = workspace.rows.chunks_exact_mut(lanes);
                for (to, row) in rows.zip(gradient.chunks_exact(n_frames)) {
                    for (to, value) in to.iter_mut().zip(&row[first..first + count]) {
                        *to = value.convert();
                    }
                }
                self.backward_block(samples, first, count, workspace);
            }
            workspace.adjoint.finish(self.stft.synthesis(), result);
        });
        Ok(())
    }

    /// Adds the gradient of `count` frames from `first` on; the gradient over their rows is in `workspace.rows`.
    fn backward_block<I: Input<T>>(
        &self,
        samples: &[I],
        first: usize,
        count: usize,
        workspace: &mut Backward<T>,
    ) {
        let Backward { forward, adjoint, power, bins, rows } = workspace;
        let Workspace { staging, re, im, bands: sums, transform: scratch } = forward;
        let lanes = adjoint.lanes;
        let (re, im) = (&mut re[..power.len()], &mut im[..power.len()]);
        let wanted = self.n_rows() * lanes;
        let (block, stride) = self.stft.framing.block(Signal::whole(samples), first, count, lanes, staging);
        self.stft.transform.spectrum(block, stride, count, re, im, lanes, scratch);
        let isa = Isa::detect();
        T::powers(isa, re, im, power);
        if let Some(log) = self.log {
            let magnitudes: &[T] = if self.magnitude == Magnitude::Power {
                power
            } else {
                for (value, power) in bins.iter_mut().zip(power.iter()) {
                    *value = self.magnitude.of(*power);
                }
                bins
            };
            if let Some(bands) = &self.bands {
                T::band_sums(isa, &bands.bands, magnitudes, lanes, sums);
            }
            log.backward(if self.bands.is_some() { sums } else { magnitudes }, &mut rows[..wanted]);
        }
        let synthesis = self.stft.synthesis();
        if self.bands.as_ref().is_some_and(|bands| self.stft.transform.pull(bands, rows, re, im)) {
            return adjoint.add(synthesis, first, count, re, im);
        }
        match &self.bands {
            Some(bands) => {
                bins.fill(T::zero());
                T::band_spread(isa, &bands.bands, rows, lanes, bins);
            }
            None => {
                bins[..wanted].copy_from_slice(&rows[..wanted]);
                bins[wanted..].fill(T::zero());
            }
        }
        self.magnitude.backward(power, bins);
        T::scale(isa, bins, re, im);
        adjoint.add(synthesis, first, count, re, im);
    }
}

impl LogScale {
    /// Turns the gradient over the logarithms into the gradient over their arguments.
    fn backward<T: Sample>(&self, values: &[T], gradient: &mut [T]) {
        let (floor, offset, scale) = (T::of(self.floor), T::of(self.offset), T::of(self.scale));
        for (gradient, value) in gradient.iter_mut().zip(values) {
            let shifted = *value + offset;
            let passes = *value >= floor && shifted > T::zero();
            *gradient = if passes { *gradient * scale / shifted } else { T::zero() };
        }
    }
}

impl Magnitude {
    /// Turns the gradient over the magnitudes into the factor of each complex value: twice the gradient over its power.
    fn backward<T: Sample>(self, power: &[T], gradient: &mut [T]) {
        let pairs = gradient.iter_mut().zip(power);
        match self {
            Self::Power => pairs.for_each(|(gradient, _)| *gradient = *gradient + *gradient),
            Self::Root { eps } => {
                let eps = T::of(eps);
                for (gradient, power) in pairs {
                    let root = (*power + eps).sqrt();
                    *gradient = if root > T::zero() { *gradient / root } else { T::zero() };
                }
            }
            Self::Exponent(exponent) => {
                let (factor, rest) = (T::of(exponent), T::of(exponent / 2.0 - 1.0));
                for (gradient, power) in pairs {
                    let slope = if *power > T::zero() { factor * power.powf(rest) } else { T::zero() };
                    *gradient = *gradient * slope;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
