//! Convolution with a long impulse response, without latency.

use super::block::{LiveBlock, clean};
use super::kernels::dot;
use super::partitions::{Partitions, TICK};
use crate::error::{Error, Result};
use neurdsp_simd::{FlushDenormals, Isa};

/// Partition length of each stage and where it begins: one tick (at one), then eight and sixty-four (at two of them).
const STAGES: [(usize, usize); 3] = [(TICK, TICK), (8 * TICK, 16 * TICK), (64 * TICK, 128 * TICK)];

/// A signal convolved with an impulse response of any length, such as that of a loudspeaker cabinet or a room.
///
/// There is no latency: the first 64 taps are summed directly, the others by FFT in partitions that grow with their
/// distance (64, 512, 4096 samples). Long partitions are processed in slices, one after every 64 samples, so that all
/// blocks cost about the same: a response of ten seconds stays playable at any block size.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::{Convolver, LiveBlock};
///
/// let mut cabinet = Convolver::new(&[0.5, 0.25])?;
/// let mut samples = [1.0, 0.0, 0.0];
/// cabinet.process(&mut samples);
/// assert_eq!(samples, [0.5, 0.25, 0.0]);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
pub struct Convolver {
    isa: Isa,
    n_taps: usize,
    /// The first taps, in reverse.
    head: [f32; TICK],
    /// The previous tick and the current one.
    window: [f32; 2 * TICK],
    /// What the stages add to the current tick.
    tail: [f32; TICK],
    filled: usize,
    stages: Vec<Partitions>,
}

impl std::fmt::Debug for Convolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Convolver").field("n_taps", &self.n_taps).finish_non_exhaustive()
    }
}

impl Convolver {
    /// The longest response: 87 seconds at 48 kHz.
    pub const MAX_TAPS: usize = 1 << 22;

    /// Plans a response; it takes about 20 bytes of memory per tap.
    ///
    /// # Errors
    /// The response is empty, longer than [`MAX_TAPS`](Self::MAX_TAPS), or not finite.
    pub fn new(response: &[f32]) -> Result<Convolver> {
        if response.is_empty() {
            return Err(Error::Empty);
        }
        if response.len() > Self::MAX_TAPS {
            let allowed = format!("it must be at most {}; shorten it", Self::MAX_TAPS);
            return Err(Error::parameter("the length of the impulse response", response.len(), allowed));
        }
        if let Some(index) = response.iter().position(|tap| !tap.is_finite()) {
            return Err(Error::NotFinite { index, value: f64::from(response[index]) });
        }
        let isa = Isa::detect();
        let mut head = [0.0; TICK];
        head.iter_mut().rev().zip(response).for_each(|(to, tap)| *to = *tap);
        let ends = STAGES.iter().skip(1).map(|(_, offset)| *offset).chain([usize::MAX]);
        let stages = STAGES
            .iter()
            .zip(ends)
            .filter(|((_, offset), _)| *offset < response.len())
            .map(|((partition, offset), end)| {
                Partitions::new(&response[*offset..end.min(response.len())], *partition, isa)
            })
            .collect();
        Ok(Convolver {
            isa,
            n_taps: response.len(),
            head,
            window: [0.0; 2 * TICK],
            tail: [0.0; TICK],
            filled: 0,
            stages,
        })
    }

    /// Length of the response in samples.
    #[must_use]
    pub fn n_taps(&self) -> usize {
        self.n_taps
    }

    /// After a whole tick: hands it to the stages and collects their contribution to the next one.
    fn tick(&mut self) {
        self.tail.fill(0.0);
        for stage in &mut self.stages {
            stage.tick(&self.window[TICK..]);
            self.tail.iter_mut().zip(stage.output()).for_each(|(sum, value)| *sum += value);
        }
        self.window.copy_within(TICK.., 0);
        self.filled = 0;
    }
}

impl LiveBlock for Convolver {
    fn process(&mut self, samples: &mut [f32]) {
        let _guard = FlushDenormals::new();
        let mut rest = samples;
        while !rest.is_empty() {
            let count = rest.len().min(TICK - self.filled);
            let (now, later) = rest.split_at_mut(count);
            let first = TICK + self.filled;
            self.window[first..].iter_mut().zip(now.iter()).for_each(|(to, sample)| *to = clean(*sample));
            for (i, sample) in now.iter_mut().enumerate() {
                let newest = first + i;
                let past = &self.window[newest + 1 - TICK..=newest];
                *sample = dot(self.isa, &self.head, past) + self.tail[newest - TICK];
            }
            self.filled += count;
            if self.filled == TICK {
                self.tick();
            }
            rest = later;
        }
    }

    fn reset(&mut self) {
        self.window.fill(0.0);
        self.tail.fill(0.0);
        self.filled = 0;
        self.stages.iter_mut().for_each(Partitions::reset);
    }
}
