//! Small models whose output is known in closed form, and signals.
#![allow(dead_code, reason = "each test uses a part")]

use neurdsp_models::StreamingModel;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `y[n] = curve(gain * x[n] + offset + feedback * y[n - lag])`.
pub(crate) struct Toy {
    pub(crate) gain: f32,
    pub(crate) offset: f32,
    pub(crate) feedback: f32,
    pub(crate) curve: fn(f32) -> f32,
    past: Vec<f32>,
    at: usize,
    /// How many toys are alive.
    alive: Option<Arc<AtomicUsize>>,
}

impl Toy {
    pub(crate) fn gain(gain: f32) -> Toy {
        Toy::new(gain, 0.0, 0.0, 1, |x| x)
    }

    pub(crate) fn new(gain: f32, offset: f32, feedback: f32, lag: usize, curve: fn(f32) -> f32) -> Toy {
        Toy { gain, offset, feedback, curve, past: vec![0.0; lag], at: 0, alive: None }
    }

    pub(crate) fn counted(mut self, alive: &Arc<AtomicUsize>) -> Toy {
        alive.fetch_add(1, Ordering::SeqCst);
        self.alive = Some(Arc::clone(alive));
        self
    }

    pub(crate) fn boxed(self) -> Box<dyn StreamingModel> {
        Box::new(self)
    }
}

impl Drop for Toy {
    fn drop(&mut self) {
        if let Some(alive) = &self.alive {
            alive.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl StreamingModel for Toy {
    fn reset(&mut self) {
        self.past.fill(0.0);
    }

    fn prewarm(&mut self) {
        self.reset();
    }

    fn receptive_field(&self) -> usize {
        1
    }

    fn latency(&self) -> usize {
        0
    }

    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        for (x, y) in input.iter().zip(output) {
            *y = (self.curve)(self.gain * x + self.offset + self.feedback * self.past[self.at]);
            self.past[self.at] = *y;
            self.at = (self.at + 1) % self.past.len();
        }
    }
}

/// Noise between −1 and 1 that is the same on every run.
pub(crate) fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// A smooth pulse around sample 0 that lies in the pass band of every filter.
pub(crate) fn pulse(n: f64) -> f64 {
    (-0.5 * (n / 25.0).powi(2)).exp()
}

/// A separator that gives each stem a fixed share of both channels, `latency` samples late: what a network gives, stem by stem
/// with both channels of each, without its cost.
pub(crate) struct ToyStems {
    shares: Vec<f32>,
    past: [Vec<f32>; 2],
    at: usize,
    alive: Option<Arc<AtomicUsize>>,
}

impl ToyStems {
    pub(crate) fn new(shares: &[f32], latency: usize) -> ToyStems {
        let past = [(); 2].map(|()| vec![0.0; latency + 1]);
        ToyStems { shares: shares.to_vec(), past, at: 0, alive: None }
    }

    pub(crate) fn counted(mut self, alive: &Arc<AtomicUsize>) -> ToyStems {
        alive.fetch_add(1, Ordering::SeqCst);
        self.alive = Some(Arc::clone(alive));
        self
    }

    pub(crate) fn boxed(self) -> Box<dyn StreamingModel> {
        Box::new(self)
    }
}

impl Drop for ToyStems {
    fn drop(&mut self) {
        if let Some(alive) = &self.alive {
            alive.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl StreamingModel for ToyStems {
    fn reset(&mut self) {
        self.past.iter_mut().for_each(|past| past.fill(0.0));
    }

    fn prewarm(&mut self) {
        self.reset();
    }

    fn receptive_field(&self) -> usize {
        self.past[0].len()
    }

    fn latency(&self) -> usize {
        self.past[0].len() - 1
    }

    fn process(&mut self, _input: &[f32], _output: &mut [f32]) {}

    fn in_channels(&self) -> usize {
        2
    }

    fn out_channels(&self) -> usize {
        2 * self.shares.len()
    }

    fn process_channels(&mut self, input: &[&[f32]], output: &mut [&mut [f32]]) {
        let length = self.past[0].len();
        for i in 0..input[0].len() {
            for (past, input) in self.past.iter_mut().zip(input) {
                past[self.at] = input[i];
            }
            self.at = (self.at + 1) % length;
            for (index, output) in output.iter_mut().enumerate() {
                output[i] = self.shares[index / 2] * self.past[index % 2][self.at];
            }
        }
    }
}
