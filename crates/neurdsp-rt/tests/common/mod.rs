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
