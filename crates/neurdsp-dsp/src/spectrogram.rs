//! Spectrograms: the magnitudes of an STFT, summed by a filterbank or not, with a logarithm or not.

use crate::cache::fingerprint;
use crate::error::{Error, Result, check_length, check_samples};
use crate::exchange::{blocks_together, put_values};
use crate::framing::Signal;
use crate::gradient::Backward;
use crate::mel::Filterbank;
use crate::rows::{Rows, split_frames};
use crate::sample::{Input, Output, Sample};
use crate::stft::{Stft, StftConfig, Workspace, keeps_memory};
use crate::transform::BandPlan;
use neurdsp_simd::Isa;
use neurdsp_simd::parallel::{self, Idle};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What becomes of the squared magnitudes of a bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Magnitude {
    /// `|X|²`.
    Power,
    /// `sqrt(|X|² + eps)`; librosa's magnitude has `eps` zero.
    Root {
        /// Added under the root.
        eps: f64,
    },
    /// `|X|` to this power.
    Exponent(f64),
}

impl Magnitude {
    /// librosa's parameter `power`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless it is positive and finite.
    pub fn from_power(power: f64) -> Result<Self> {
        match power {
            2.0 => Ok(Self::Power),
            1.0 => Ok(Self::Root { eps: 0.0 }),
            _ if power > 0.0 && power.is_finite() => Ok(Self::Exponent(power)),
            _ => Err(Error::parameter("power", power, "it must be positive: 1 for magnitudes, 2 for power")),
        }
    }

    /// What is added to a square before its root is taken, for those that are roots.
    pub(crate) fn root<T: Sample>(self) -> Option<T> {
        match self {
            Self::Root { eps } => Some(T::of(eps)),
            Self::Power | Self::Exponent(_) => None,
        }
    }

    /// The magnitude whose square is `power`.
    #[inline(always)]
    pub(crate) fn of<T: Sample>(self, power: T) -> T {
        match self {
            Self::Power => power,
            Self::Root { eps } => (power + T::of(eps)).sqrt(),
            Self::Exponent(exponent) => power.powf(T::of(exponent / 2.0)),
        }
    }

    /// Replaces squared magnitudes by these.
    pub(crate) fn of_squares<T: Sample>(self, values: &mut [T]) {
        if self != Self::Power {
            values.iter_mut().for_each(|value| *value = self.of(*value));
        }
    }
}

/// What becomes of the bins of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Projection {
    /// The first so many are kept.
    Bins(usize),
    /// They are summed by a filterbank.
    Bands(Filterbank),
}

/// `scale * ln(max(value, floor) + offset)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogScale {
    /// The least value that counts, to keep silence finite.
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
    pub(crate) stft: Stft<T>,
    pub(crate) magnitude: Magnitude,
    n_rows: usize,
    pub(crate) bands: Option<BandPlan<T>>,
    pub(crate) log: Option<LogScale>,
    idle: Idle<Workspace<T>>,
    pub(crate) idle_backward: Idle<Backward<T>>,
    /// For caches: made when the first is asked for.
    fingerprint: OnceLock<[u8; 16]>,
    /// The largest sum of the weights of a filter, or one.
    weight: f64,
}

impl<T: Sample> Spectrogram<T> {
    /// Plans the spectrogram.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `stft` holds a value outside its domain or more bins are to be kept than there are;
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

    /// A hash of all that the values depend on, besides the samples.
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
            // One more row than all blocks have: what no band wants is added to the row past a block's last.
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

    /// As [`process`](Self::process), in the caller's memory: nothing is allocated.
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
    /// [`Error::Length`] if an output has not `n_rows * n_frames` elements. After an error the outputs hold parts of a result, or what they held before.
    pub fn process_batch<I: Input<T>, O: Output<T>>(
        &self,
        batch: Vec<(&[I], &mut [O])>,
        n_threads: usize,
    ) -> Result<()> {
        let (mut tasks, mut signals) = (Vec::new(), Vec::new());
        for (samples, spectrogram) in batch {
            let n_frames = self.n_frames(samples.len())?;
            check_length("the output", spectrogram.len(), self.n_rows * n_frames)?;
            let pieces = self.stft.pieces(n_frames, n_threads);
            tasks.extend(split_frames(spectrogram, n_frames, pieces).map(|piece| (samples, piece)));
            signals.push(samples);
        }
        let within = AtomicBool::new(true);
        parallel::for_each(
            n_threads,
            tasks,
            &self.idle,
            || self.workspace(),
            |workspace, (samples, (first, mut rows))| {
                if !self.run(samples, first, &mut rows, workspace) {
                    within.store(false, Ordering::Relaxed);
                }
            },
        );
        let limit = self.limit::<O>();
        if within.into_inner() {
            Ok(())
        } else {
            signals.into_iter().try_for_each(|s| check_samples(s, limit))
        }
    }

    /// What a sample may be at most, in size, for the result to be finite in its type.
    pub(crate) fn limit<O: Output<T>>(&self) -> f64 {
        let largest = O::LARGEST.min(<T as Output<T>>::LARGEST);
        // The squares have to be finite whatever becomes of them, and so have the sums of what they become.
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
    pub(crate) fn block<'w, I: Input<T>>(
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
