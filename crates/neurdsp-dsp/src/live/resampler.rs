//! Changing the sample rate of a stream, with an exactly known delay.

use super::block::clean;
use super::kernels::dot;
use super::ratio::Ratio;
use super::sinc::{ResampleQuality, Sincs, TABLE_PHASES};
use crate::error::{Error, Result};
use neurdsp_simd::{FlushDenormals, Isa};

/// Converts a stream from one sample rate to another.
///
/// [`push`](Self::push) takes input samples, [`pull`](Self::pull) gives output samples, up to [`ready`](Self::ready) of
/// them. Output sample `n` belongs to the instant `n / to_rate - delay`, where the delay is a whole number of samples
/// of the input ([`new`](Self::new)) or of the output ([`with_output_delay`](Self::with_output_delay)); the filters are
/// symmetric, so all frequencies are delayed alike. Timing depends on counts alone, so the output does not depend on
/// how the signal is cut into blocks, to the bit.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::{Ratio, ResampleQuality, Resampler};
///
/// let mut resampler = Resampler::new(Ratio::new(44_100.0, 48_000.0)?, ResampleQuality::High, 441)?;
/// resampler.push(&[0.5; 441]);
/// assert_eq!(resampler.ready(), 480);
/// let mut output = [0.0; 480];
/// resampler.pull(&mut output);
/// assert!((output[479] - 0.5).abs() < 1e-6);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Resampler {
    isa: Isa,
    ratio: Ratio,
    sincs: Sincs,
    delay: usize,
    /// The input that is still needed, then newer input.
    past: Vec<f32>,
    filled: usize,
    max_push: usize,
    /// Where the next output sample lies: its first tap in `past`, and the phase in units of 1 / `up`.
    next: usize,
    phase: u64,
    start: (usize, usize, u64),
}

impl Resampler {
    /// A resampler that delays by [`delay`](Self::delay) samples of its *input*: as little as the filter allows. After
    /// `n` input samples `ceil(n * up / down)` output samples are ready.
    ///
    /// At most `max_push` samples may be pushed before those that became ready are pulled.
    ///
    /// # Errors
    /// `max_push` is 0 or above 2²⁰.
    pub fn new(ratio: Ratio, quality: ResampleQuality, max_push: usize) -> Result<Resampler> {
        let sincs = Sincs::new(ratio, quality);
        let delay = sincs.half_width;
        Resampler::build(ratio, sincs, (delay as u64, 0), delay, max_push)
    }

    /// A resampler that delays by [`delay`](Self::delay) samples of its *output*: the least whole number that the filter
    /// allows. After `n` input samples at least `floor(n * up / down)` output samples are ready.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_output_delay(ratio: Ratio, quality: ResampleQuality, max_push: usize) -> Result<Resampler> {
        Resampler::with_total_delay(ratio, quality, max_push, 0)
    }

    /// As [`with_output_delay`](Self::with_output_delay), for an input that is `late` samples late already: the two delays
    /// together are the least whole number of samples of the output, which [`delay`](Self::delay) returns.
    ///
    /// # Errors
    /// As [`new`](Self::new); `late` is above 2³².
    pub fn with_total_delay(
        ratio: Ratio,
        quality: ResampleQuality,
        max_push: usize,
        late: usize,
    ) -> Result<Resampler> {
        let already = u64::try_from(late).ok().filter(|late| *late <= 1 << 32);
        let Some(already) = already else {
            return Err(Error::parameter("late", late, "it must be at most 4294967296"));
        };
        let sincs = Sincs::new(ratio, quality);
        // In parts of an input sample, of which there are `up`; rates have at most 2³² parts, so nothing overflows.
        let least = u128::from(sincs.half_width as u64 + already) * u128::from(ratio.up);
        let delay = least.div_ceil(u128::from(ratio.down));
        let own = (delay * u128::from(ratio.down) - u128::from(already) * u128::from(ratio.up)) as u64;
        Resampler::build(ratio, sincs, (own / ratio.up, own % ratio.up), delay as usize, max_push)
    }

    /// `late` is how far before the first input sample the first output sample lies: input samples, and 1 / `up` of one.
    fn build(
        ratio: Ratio,
        sincs: Sincs,
        late: (u64, u64),
        delay: usize,
        max_push: usize,
    ) -> Result<Resampler> {
        if !(1..=1 << 20).contains(&max_push) {
            return Err(Error::parameter("max_push", max_push, "it must be 1 to 1048576"));
        }
        // Zeros before the first input sample, as many as the first output sample reaches back.
        let (back, phase) =
            if late.1 == 0 { (late.0 as usize, 0) } else { (late.0 as usize + 1, ratio.up - late.1) };
        let zeros = back + sincs.half_width - 1;
        // Between two pulls the position moves by less than one step beyond what was ready.
        let step = (ratio.down / ratio.up) as usize + 2;
        let capacity = zeros + sincs.taps + step + max_push;
        let start = (zeros, 0, phase);
        Ok(Resampler {
            isa: Isa::detect(),
            ratio,
            delay,
            // With room for the zeros that a row is padded with.
            past: vec![0.0; capacity + sincs.taps - 2 * sincs.half_width],
            filled: zeros,
            max_push,
            next: 0,
            phase,
            start,
            sincs,
        })
    }

    /// The delay in samples: of the input for [`new`](Self::new), of the output for
    /// [`with_output_delay`](Self::with_output_delay), and of the output with what came before it for
    /// [`with_total_delay`](Self::with_total_delay). Exact.
    #[must_use]
    pub fn delay(&self) -> usize {
        self.delay
    }

    /// How many output samples can be pulled.
    #[must_use]
    pub fn ready(&self) -> usize {
        let last_tap = self.next + 2 * self.sincs.half_width - 1;
        if last_tap >= self.filled {
            return 0;
        }
        // The largest n with floor((phase + n down) / up) <= filled - 1 - last_tap, and one more for n = 0.
        let room = (self.filled - last_tap) as u64 * self.ratio.up - self.phase;
        room.div_ceil(self.ratio.down) as usize
    }

    /// Takes the next input samples, at most `max_push`; any beyond that are dropped.
    pub fn push(&mut self, input: &[f32]) {
        let input = &input[..input.len().min(self.max_push)];
        let capacity = self.past.len() - (self.sincs.taps - 2 * self.sincs.half_width);
        if self.filled + input.len() > capacity {
            // Samples before the next output's first tap are no longer needed.
            let done = self.next.min(self.filled);
            self.past.copy_within(done..self.filled, 0);
            self.filled -= done;
            self.next -= done;
        }
        let room = capacity - self.filled;
        let input = &input[..input.len().min(room)];
        self.past[self.filled..self.filled + input.len()]
            .iter_mut()
            .zip(input)
            .for_each(|(to, sample)| *to = clean(*sample));
        self.filled += input.len();
    }

    /// Gives the next output samples, at most [`ready`](Self::ready) of them; any beyond are zero.
    pub fn pull(&mut self, output: &mut [f32]) {
        let _guard = FlushDenormals::new();
        let ready = self.ready().min(output.len());
        let (output, missing) = output.split_at_mut(ready);
        missing.fill(0.0);
        for sample in output {
            // Beyond the filter's width the rows hold zeros, so the samples there do not matter.
            let past = &self.past[self.next..self.next + self.sincs.taps];
            *sample = if self.sincs.is_interpolated {
                let scaled = u128::from(self.phase) * u128::from(TABLE_PHASES);
                let row = (scaled / u128::from(self.ratio.up)) as usize;
                let share = (scaled % u128::from(self.ratio.up)) as f32 / self.ratio.up as f32;
                let near = dot(self.isa, self.sincs.row(row), past);
                let far = dot(self.isa, self.sincs.row(row + 1), past);
                near + (far - near) * share
            } else {
                dot(self.isa, self.sincs.row(self.phase as usize), past)
            };
            self.phase += self.ratio.down;
            self.next += (self.phase / self.ratio.up) as usize;
            self.phase %= self.ratio.up;
        }
    }

    /// Starts again, as if the input had always been `value`.
    pub fn reset(&mut self, value: f32) {
        (self.filled, self.next, self.phase) = self.start;
        self.past.fill(0.0);
        self.past[..self.filled].fill(value);
    }
}

/// Converts a whole clip to another rate, aligned: the first sample stays the first.
///
/// The result has `round(n * to_rate / from_rate)` samples, at least one.
///
/// # Errors
/// The clip is empty, or the rates do not form a [`Ratio`].
///
/// # Example
///
/// ```
/// let clip = neurdsp_dsp::live::resample_clip(&[0.1; 441], 44_100.0, 48_000.0)?;
/// assert_eq!(clip.len(), 480);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
pub fn resample_clip(clip: &[f32], from_rate: f64, to_rate: f64) -> Result<Vec<f32>> {
    if clip.is_empty() {
        return Err(Error::Empty);
    }
    let ratio = Ratio::new(from_rate, to_rate)?;
    if ratio.up == ratio.down {
        return Ok(clip.to_vec());
    }
    const PIECE: usize = 4096;
    let mut resampler = Resampler::with_output_delay(ratio, ResampleQuality::High, PIECE)?;
    let length = ((clip.len() as f64 * to_rate / from_rate).round() as usize).max(1);
    let wanted = length + resampler.delay();
    let mut output = vec![0.0; wanted];
    let mut done = 0;
    let silence = [0.0; PIECE];
    let mut pieces = clip.chunks(PIECE);
    while done < wanted {
        resampler.push(pieces.next().unwrap_or(&silence));
        let end = wanted.min(done + resampler.ready());
        resampler.pull(&mut output[done..end]);
        done = end;
    }
    Ok(output.split_off(resampler.delay()))
}
