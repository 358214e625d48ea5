//! Spectrograms: the magnitudes of an STFT, summed by a filterbank or not, with a logarithm or not.

use super::fingerprint::fingerprint;
use super::stft::{Stft, StftConfig};
use super::workspace::{Backward, Workspace};
use crate::blocks::exchange::{blocks_together, put_values};
use crate::blocks::framing::Signal;
use crate::blocks::rows::Rows;
use crate::error::{Error, Result, check_length};
use crate::limits::keeps_memory;
use crate::mel::Filterbank;
use crate::sample::{Input, Output, Sample, check_samples};
use crate::transform::{BandPlan, Magnitude};
use neurdsp_simd::Isa;
use neurdsp_simd::parallel::{self, Idle};
use std::sync::OnceLock;

/// How the bins of a frame become rows of the result.
#[derive(Clone, Debug, PartialEq)]
pub enum Projection {
    /// The first bins, as many as this, are kept.
    Bins(usize),
    /// Bins are summed by a filterbank.
    Bands(Filterbank),
}

/// `scale * ln(max(value, floor) + offset)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogScale {
    /// Smaller values are raised to this, to keep silence finite.
    pub floor: f64,
    /// Added before the logarithm.
    pub offset: f64,
    /// One for the natural logarithm, `1 / ln 10` for base ten, `10 / ln 10` for decibels of a power.
    pub scale: f64,
}

/// A planned spectrogram: magnitudes, summed by a filterbank or not, with a logarithm or not.
///
/// ```
/// use neurdsp_dsp::{Filterbank, Magnitude, MelConfig, Projection, Spectrogram, StftConfig};
///
/// let mel = Projection::Bands(Filterbank::mel(&MelConfig::new(16_000.0, 512))?);
/// let plan = Spectrogram::<f32>::new(StftConfig::new(512), Magnitude::Power, mel, None)?;
/// let spectrogram = plan.process(&vec![0.5; 16_000])?;
/// assert_eq!(spectrogram.len(), 128 * plan.n_frames(16_000)?);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
pub struct Spectrogram<T: Sample> {
    pub(super) stft: Stft<T>,
    pub(super) magnitude: Magnitude,
    n_rows: usize,
    pub(super) bands: Option<BandPlan<T>>,
    pub(super) log: Option<LogScale>,
    idle: Idle<Workspace<T>>,
    pub(super) idle_backward: Idle<Backward<T>>,
    /// For caches; computed at the first use.
    fingerprint: OnceLock<[u8; 16]>,
    /// The largest sum of the weights of a filter, or one.
    weight: f64,
}

impl<T: Sample> Spectrogram<T> {
    /// Plans the spectrogram.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a value of `stft` is outside its domain or there are fewer bins than are to be kept;
    /// [`Error::Length`] if the filterbank was made for another number of bins.
    pub fn new(
        stft: StftConfig,
        magnitude: Magnitude,
        projection: Projection,
        log: Option<LogScale>,
    ) -> Result<Self> {
        let stft = Stft::new(stft)?;
        let n_bins = stft.n_bins();
        let (n_rows, bands, weight) = match projection {
            Projection::Bins(n) if (1..=n_bins).contains(&n) => (n, None, 1.0),
            Projection::Bins(n) => {
                return Err(Error::parameter(
                    "n_bins",
                    n,
                    format!("it must be from 1 to n_fft / 2 + 1 = {n_bins}"),
                ));
            }
            Projection::Bands(bank) => {
                check_length("a filter", bank.n_bins(), n_bins)?;
                let weight = bank.largest_sum().max(1.0);
                (bank.n_bands(), Some(stft.transform.plan_bands(bank.bands(), magnitude)), weight)
            }
        };
        let keeps = keeps_memory(stft.config().n_fft);
        let (idle, idle_backward) = (Idle::new(keeps), Idle::new(keeps));
        let fingerprint = OnceLock::new();
        Ok(Self { stft, magnitude, n_rows, bands, log, idle, idle_backward, weight, fingerprint })
    }

    /// The transform underneath.
    #[must_use]
    pub fn stft(&self) -> &Stft<T> {
        &self.stft
    }

    /// Rows of the result: filters, or bins.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns of the result for a signal of `n_samples`.
    ///
    /// # Errors
    ///
    /// As [`Stft::n_frames`].
    pub fn n_frames(&self, n_samples: usize) -> Result<usize> {
        self.stft.n_frames(n_samples)
    }

    /// A hash of everything that the values depend on, except the samples.
    pub(crate) fn fingerprint(&self) -> &[u8; 16] {
        self.fingerprint.get_or_init(|| {
            let bands = self.bands.as_ref().map(|plan| &plan.bands);
            fingerprint::<T>(&[self.stft.config(), &self.magnitude, &self.n_rows, &bands, &self.log])
        })
    }

    /// Working memory for one thread.
    #[must_use]
    pub fn workspace(&self) -> Workspace<T> {
        let n_blocks = blocks_together(self.block_step());
        match self.bands {
            // One row more than all blocks have: bins in no band are added to the row after a block's last.
            Some(_) => self.stft.workspace_for(1, n_blocks * self.n_rows + 1),
            None => self.stft.workspace_for(n_blocks, 0),
        }
    }

    /// The spectrogram, `n_rows` rows of `n_frames`.
    ///
    /// # Errors
    ///
    /// As [`process_batch`](Self::process_batch).
    pub fn process(&self, samples: &[T]) -> Result<Vec<T>> {
        let mut spectrogram = vec![T::zero(); self.n_rows * self.n_frames(samples.len())?];
        self.process_with_scratch(samples, &mut spectrogram, &mut self.workspace())?;
        Ok(spectrogram)
    }

    /// As [`process`](Self::process), but in the caller's memory: nothing is allocated.
    ///
    /// # Errors
    ///
    /// As [`process_batch`](Self::process_batch).
    pub fn process_with_scratch<I: Input<T>, O: Output<T>>(
        &self,
        samples: &[I],
        spectrogram: &mut [O],
        workspace: &mut Workspace<T>,
    ) -> Result<()> {
        let n_frames = self.n_frames(samples.len())?;
        check_length("the output", spectrogram.len(), self.n_rows * n_frames)?;
        let within = self.run(samples, 0, &mut Rows::whole(spectrogram, n_frames), workspace);
        if within { Ok(()) } else { check_samples(samples, self.limit::<O>()) }
    }

    /// The spectrograms of several signals, each with its own output, on up to `n_threads` threads.
    ///
    /// The result is the same, bit for bit, whatever the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::TooShort`], [`Error::NotFinite`], [`Error::TooLarge`] about the samples,
    /// [`Error::Length`] if an output does not have `n_rows * n_frames` elements. After an error the outputs hold
    /// part of a result or their previous contents.
    pub fn process_batch<I: Input<T>, O: Output<T>>(
        &self,
        batch: Vec<(&[I], &mut [O])>,
        n_threads: usize,
    ) -> Result<()> {
        let signals: Vec<_> = batch.iter().map(|(samples, _)| *samples).collect();
        let tasks = self.stft.tasks(batch, self.n_rows, n_threads)?;
        let within = parallel::for_all(
            n_threads,
            tasks,
            &self.idle,
            || self.workspace(),
            |workspace, (samples, first, mut rows)| self.run(samples, first, &mut rows, workspace),
        );
        if within {
            Ok(())
        } else {
            signals.into_iter().try_for_each(|s| check_samples(s, self.limit::<O>()))
        }
    }

    /// The largest magnitude of a sample for which the result is finite in its type.
    pub(super) fn limit<O: Output<T>>(&self) -> f64 {
        let largest = O::LARGEST.min(<T as Output<T>>::LARGEST);
        // The squares must be finite, and so must the sums of magnitudes.
        let (square, value) = (largest.sqrt(), largest / self.weight);
        let magnitude = match self.magnitude {
            Magnitude::Power => value.sqrt(),
            Magnitude::Root { .. } => value,
            Magnitude::Exponent(exponent) => value.powf(1.0 / exponent),
        };
        magnitude.min(square) / self.stft.gain
    }

    /// Computes the frames of `rows` from `first` on; `false` at the first samples that are not finite or too large.
    fn run<I: Input<T>, O: Output<T>>(
        &self,
        samples: &[I],
        first: usize,
        rows: &mut Rows<'_, O>,
        workspace: &mut Workspace<T>,
    ) -> bool {
        let lanes = self.stft.transform.lanes();
        let (step, limit) = (self.block_step(), self.limit::<O>());
        let most = blocks_together(step);
        let mut done = 0;
        while done < rows.n_frames() {
            let left = rows.n_frames() - done;
            let n_blocks = (left / lanes).clamp(1, most);
            let count = left.min(n_blocks * lanes);
            for index in 0..n_blocks {
                let (first, count) = (first + done + index * lanes, lanes.min(count - index * lanes));
                if !self.stft.finds_within(samples, first, count, rows.step(), limit) {
                    return false;
                }
                self.block(Signal::whole(samples), first, count, index, workspace);
            }
            let blocks = if self.bands.is_some() { &workspace.bands } else { &workspace.re };
            put_values(blocks, step, lanes, done, count, rows);
            done += count;
        }
        true
    }

    /// Values from one block of a workspace to the next.
    fn block_step(&self) -> usize {
        let n_rows = if self.bands.is_some() { self.n_rows } else { self.stft.n_bins() };
        n_rows * self.stft.transform.lanes()
    }

    /// The `count` frames from `first` on, `[n_rows][lanes]`, in block `index` of the workspace.
    pub(super) fn block<'w, I: Input<T>>(
        &self,
        signal: Signal<'_, I>,
        first: usize,
        count: usize,
        index: usize,
        workspace: &'w mut Workspace<T>,
    ) -> &'w [T] {
        let Workspace { staging, re: bins, bands: sums, transform: scratch, .. } = workspace;
        let transform = &self.stft.transform;
        let (lanes, at) = (transform.lanes(), index * self.block_step());
        let (samples, stride) = self.stft.framing.block(signal, first, count, lanes, staging);
        let block = match &self.bands {
            Some(plan) => {
                let sums = &mut sums[at..at + (self.n_rows + 1) * lanes];
                transform.bands(samples, stride, count, plan, bins, sums, scratch);
                sums
            }
            None => {
                let bins = &mut bins[at..at + self.block_step()];
                transform.magnitudes(samples, stride, count, self.magnitude, self.n_rows, bins, scratch);
                bins
            }
        };
        let result = &mut block[..self.n_rows * lanes];
        if let Some(LogScale { floor, offset, scale }) = self.log {
            T::log_in_place(Isa::detect(), result, T::of(floor), T::of(offset), T::of(scale));
        }
        result
    }
}
