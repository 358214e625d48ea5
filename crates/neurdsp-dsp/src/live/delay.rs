//! A delay by a whole number of samples, which can change while it runs.

use super::block::LiveBlock;
use super::ramp::Ramp;
use crate::error::{Error, Result};

/// Delays by a whole number of samples; a change fades from the old delay to the new one.
///
/// It aligns a dry signal with a wet one that has latency. Samples pass unchanged, NaN included.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::{Delay, LiveBlock};
///
/// let mut delay = Delay::new(2, 100, 480)?;
/// let mut samples = [1.0, 2.0, 3.0];
/// delay.process(&mut samples);
/// assert_eq!(samples, [0.0, 0.0, 1.0]);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delay {
    past: Vec<f32>,
    /// Where the next sample is written.
    at: usize,
    max: usize,
    now: usize,
    before: usize,
    wanted: usize,
    fade: Ramp,
}

impl Delay {
    /// The longest delay allowed, in samples.
    pub const MAX_SAMPLES: usize = 1 << 24;

    /// Delays by `samples`, and can be changed up to `max_samples`, over `fade_samples`.
    ///
    /// # Errors
    /// `samples` is above `max_samples`, or `max_samples` above [`MAX_SAMPLES`](Self::MAX_SAMPLES).
    pub fn new(samples: usize, max_samples: usize, fade_samples: u32) -> Result<Delay> {
        if max_samples > Self::MAX_SAMPLES {
            let allowed = format!("it must be at most {}", Self::MAX_SAMPLES);
            return Err(Error::parameter("max_samples", max_samples, allowed));
        }
        if samples > max_samples {
            return Err(Error::parameter("samples", samples, format!("it must be at most {max_samples}")));
        }
        let past = vec![0.0; (max_samples + 1).next_power_of_two()];
        let fade = Ramp::new(1.0, fade_samples);
        Ok(Delay { past, at: 0, max: max_samples, now: samples, before: samples, wanted: samples, fade })
    }

    /// Fades to another delay, after any fade in progress. Values above the maximum are clamped.
    pub fn set(&mut self, samples: usize) {
        self.wanted = samples.min(self.max);
    }

    /// Switches to another delay at once. Values above the maximum are clamped.
    pub fn snap(&mut self, samples: usize) {
        self.set(samples);
        (self.now, self.before) = (self.wanted, self.wanted);
        self.fade.snap(1.0);
    }

    /// Starts again, as if the input had always been `value`; a change of the delay in progress is completed.
    pub fn settle(&mut self, value: f32) {
        self.past.fill(value);
        self.snap(self.wanted);
    }

    /// The current delay, or the one that it fades to.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.wanted
    }
}

impl LiveBlock for Delay {
    fn process(&mut self, samples: &mut [f32]) {
        let mask = self.past.len() - 1;
        for sample in samples {
            if self.fade.remaining() == 0 && self.wanted != self.now {
                (self.before, self.now) = (self.now, self.wanted);
                self.fade.snap(0.0);
                self.fade.set(1.0);
            }
            self.past[self.at & mask] = *sample;
            let back = |delay: usize| self.past[self.at.wrapping_sub(delay) & mask];
            *sample = if self.fade.remaining() == 0 {
                back(self.now)
            } else {
                let share = self.fade.step();
                back(self.now) * share + back(self.before) * (1.0 - share)
            };
            self.at = self.at.wrapping_add(1);
        }
    }

    fn reset(&mut self) {
        self.settle(0.0);
    }
}
