//! A stretch of an impulse response, convolved by FFT in partitions of one length, with the work spread over time.

use super::kernels::multiply_add;
use neurdsp_simd::Isa;
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Samples after which work is done, however the signal is cut into blocks.
pub(super) const TICK: usize = 64;

/// Spectra are padded to a multiple of this many bins, so that no kernel has a scalar remainder.
const BINS: usize = 16;

/// Taps `offset..offset + n * partition` of a response, in `n` partitions by overlap-save.
///
/// It is driven by [`tick`](Self::tick) after every [`TICK`] samples. With a partition of one tick, `offset` is
/// one partition: a block of input gives the next block of output, so all work is done at once. With longer partitions
/// `offset` is two partitions: there is one partition's time to do the work, a slice in each tick.
///
/// Source: W. G. Gardner, "Efficient convolution without input-output delay", J. Audio Eng. Soc. 43 (3), 1995.
pub(super) struct Partitions {
    isa: Isa,
    partition: usize,
    /// Ticks in a partition.
    ticks: usize,
    count: usize,
    /// Values in a split spectrum.
    stride: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// Spectra of the response and, as a ring, of the input.
    response: Vec<f32>,
    inputs: Vec<f32>,
    newest: usize,
    sum: Vec<f32>,
    /// The last two partitions of the input, and a copy to transform.
    window: Vec<f32>,
    real: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// The current output, and the next one.
    output: Vec<f32>,
    making: Vec<f32>,
    tick: usize,
    /// Whether a whole partition of input has arrived.
    is_started: bool,
}

impl Partitions {
    /// Plans the taps `response`, which begin at the offset.
    pub(super) fn new(response: &[f32], partition: usize, isa: Isa) -> Partitions {
        let mut planner = RealFftPlanner::<f32>::new();
        let (forward, inverse) =
            (planner.plan_fft_forward(2 * partition), planner.plan_fft_inverse(2 * partition));
        let count = response.len().div_ceil(partition);
        let stride = 2 * (partition + 1).next_multiple_of(BINS);
        let n_scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let mut planned = Partitions {
            isa,
            partition,
            ticks: partition / TICK,
            count,
            stride,
            response: vec![0.0; count * stride],
            inputs: vec![0.0; count * stride],
            newest: 0,
            sum: vec![0.0; stride],
            window: vec![0.0; 2 * partition],
            real: vec![0.0; 2 * partition],
            spectrum: forward.make_output_vec(),
            scratch: vec![Complex::default(); n_scratch],
            output: vec![0.0; partition],
            making: vec![0.0; partition],
            tick: 0,
            is_started: false,
            forward,
            inverse,
        };
        let scale = 0.5 / partition as f32; // of the inverse transform
        for (i, taps) in response.chunks(partition).enumerate() {
            planned.real.fill(0.0);
            planned.real.iter_mut().zip(taps).for_each(|(to, tap)| *to = tap * scale);
            planned.transform();
            split(&planned.spectrum, &mut planned.response[i * stride..(i + 1) * stride]);
        }
        planned
    }

    /// What it adds to the next [`TICK`] samples.
    pub(super) fn output(&self) -> &[f32] {
        &self.output[self.tick * TICK..(self.tick + 1) * TICK]
    }

    /// Takes the last [`TICK`] samples and does this tick's slice of the work.
    pub(super) fn tick(&mut self, input: &[f32]) {
        let at = self.partition + self.tick * TICK;
        self.window[at..at + TICK].copy_from_slice(input);
        let is_last = self.tick + 1 == self.ticks;
        if self.ticks == 1 {
            self.real.copy_from_slice(&self.window);
            self.analyse();
            self.accumulate(0, self.count);
            self.synthesise();
        } else if self.is_started {
            self.work();
        }
        if is_last {
            if self.ticks > 1 {
                self.real.copy_from_slice(&self.window);
                self.is_started = true;
            }
            self.window.copy_within(self.partition.., 0);
            std::mem::swap(&mut self.output, &mut self.making);
        }
        self.tick = if is_last { 0 } else { self.tick + 1 };
    }

    /// One tick's slice: a transform, or some of the partitions. Longer partitions, which have ticks to spare, do their
    /// transforms in other ticks than shorter ones.
    fn work(&mut self) {
        let first = if self.ticks > 8 { 2 } else { 0 };
        let last = self.ticks - 1 - first;
        if self.tick == first {
            self.analyse();
        } else if self.tick == last {
            self.synthesise();
        } else if (first..last).contains(&self.tick) {
            let (step, steps) = (self.tick - first - 1, last - first - 1);
            self.accumulate(step * self.count / steps, (step + 1) * self.count / steps);
        }
    }

    fn transform(&mut self) {
        let done = self.forward.process_with_scratch(&mut self.real, &mut self.spectrum, &mut self.scratch);
        debug_assert!(done.is_ok(), "the buffers have the plan's own lengths");
    }

    /// Turns the window into the newest spectrum of the input.
    fn analyse(&mut self) {
        self.transform();
        self.newest = if self.newest == 0 { self.count - 1 } else { self.newest - 1 };
        let start = self.newest * self.stride;
        split(&self.spectrum, &mut self.inputs[start..start + self.stride]);
        self.sum.fill(0.0);
    }

    /// Adds the products of the partitions `from..to` with the inputs of their age.
    fn accumulate(&mut self, from: usize, to: usize) {
        for i in from..to {
            let age = (self.newest + i) % self.count;
            let input = &self.inputs[age * self.stride..(age + 1) * self.stride];
            let response = &self.response[i * self.stride..(i + 1) * self.stride];
            multiply_add(self.isa, &mut self.sum, input, response);
        }
    }

    /// Turns the sum into the next partition of the output.
    fn synthesise(&mut self) {
        let (re, im) = self.sum.split_at(self.stride / 2);
        for ((value, re), im) in self.spectrum.iter_mut().zip(re).zip(im) {
            *value = Complex::new(*re, *im);
        }
        // Their imaginary parts are zero except for the sign; the transform insists on positive zeros.
        self.spectrum[0].im = 0.0;
        self.spectrum[self.partition].im = 0.0;
        let done = self.inverse.process_with_scratch(&mut self.spectrum, &mut self.real, &mut self.scratch);
        debug_assert!(done.is_ok(), "the buffers have the plan's own lengths");
        self.making.copy_from_slice(&self.real[self.partition..]);
    }

    pub(super) fn reset(&mut self) {
        for values in [&mut self.inputs, &mut self.window, &mut self.output, &mut self.making, &mut self.sum]
        {
            values.fill(0.0);
        }
        (self.tick, self.is_started) = (0, false);
    }
}

/// Real parts to the first half, imaginary parts to the second.
fn split(spectrum: &[Complex<f32>], to: &mut [f32]) {
    let (re, im) = to.split_at_mut(to.len() / 2);
    for ((re, im), value) in re.iter_mut().zip(im).zip(spectrum) {
        (*re, *im) = (value.re, value.im);
    }
}
