//! The layers of noise: frames of counted random numbers under envelopes of bands, overlapped and added, at 44,100 Hz.

use neurdsp_nn::exact::functions::{cos_turns, exp as exp_of, ln, sin_turns};
use neurdsp_nn::exact::{Envelope, InverseReal, InverseScratch, counted_spectra, exp, mixed};
use neurdsp_simd::Isa;
use std::ops::Range;

use super::code::{FINE_BANDS, KickCode, LOW_BANDS, NOISE_BANDS, Part, SILENT_NOISE};
use super::knots::{LOW_KNOTS, fine_knots, noise_knots, place};
use super::time::{ATTACK, Time};

/// The rate of the layers in Hz.
pub(super) const RATE: f64 = 44_100.0;
/// Frames of the fine layer, from −1 on.
const FINE_FRAMES: usize = 52;
const FINE_LENGTH: usize = 64;
const FINE_HOP: usize = 16;
/// Bins of the low layer, and its bands.
const LOW_BINS: usize = 25;
const LOW_CENTRES: [usize; LOW_BANDS] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 21, 24];

/// A layer whose frames are transformed several at once.
struct Layer {
    part: Part,
    stream: u64,
    knots: Vec<f64>,
    n_bands: usize,
    hop: usize,
    bins: Range<usize>,
    envelopes: Vec<Envelope>,
    window: Vec<f32>,
    transform: InverseReal,
    scratch: InverseScratch,
    re: Vec<f32>,
    im: Vec<f32>,
}

/// The layer of the first 18 ms, whose few short frames are summed directly.
struct Fine {
    knots: Vec<f64>,
    envelopes: Vec<Envelope>,
    /// `(cos, sin)` of n / 64 turns.
    roots: Vec<[f32; 2]>,
    window: Vec<f32>,
}

/// All layers, and their working memory.
pub(super) struct NoiseLayers {
    low: Layer,
    noise: Layer,
    fine: Fine,
    isa: Isa,
    amplitudes: Vec<f32>,
    /// One layer, from the start of its first frame.
    buffer: Vec<f32>,
}

/// Which layers to make, of the low one, the noise and the fine one.
pub(super) type Wanted = [bool; 3];

impl NoiseLayers {
    pub(super) fn new(isa: Isa) -> NoiseLayers {
        let low = Layer::new(Part::Low, 1, LOW_KNOTS.to_vec(), 2048, low_envelopes(), 1..LOW_BINS, isa);
        let noise = Layer::new(Part::Noise, 2, noise_knots(), 512, noise_envelopes(), 1..256, isa);
        let roots = (0..FINE_LENGTH).map(|n| n as f64 / FINE_LENGTH as f64);
        let fine = Fine {
            knots: fine_knots(),
            envelopes: mel_envelopes(FINE_LENGTH, FINE_BANDS, 1000.0),
            roots: roots.map(|turn| [cos_turns(turn) as f32, sin_turns(turn) as f32]).collect(),
            window: hann(FINE_LENGTH),
        };
        NoiseLayers { low, noise, fine, isa, amplitudes: Vec::new(), buffer: Vec::new() }
    }

    /// Adds the wanted layers of a kick of this key to `to`, gated.
    pub(super) fn add(&mut self, code: &KickCode, key: u64, time: &Time, wanted: Wanted, to: &mut [f32]) {
        let NoiseLayers { low, noise, fine, isa, amplitudes, buffer } = self;
        for (layer, _) in [(low, wanted[0]), (noise, wanted[1])].into_iter().filter(|(_, wanted)| *wanted) {
            let first = layer.make(*isa, code, key, time, to.len(), amplitudes, buffer);
            let made = buffer.get(first..).unwrap_or(&[]);
            for (n, (to, value)) in to.iter_mut().zip(made).enumerate() {
                *to += *value * (1.0 - gate(n));
            }
        }
        if wanted[2] {
            fine.make(code, key, buffer);
            let made = &buffer[FINE_LENGTH / 2 + FINE_HOP..];
            for (n, (to, value)) in to.iter_mut().zip(made).enumerate().take(GATE_END) {
                *to += *value * gate(n);
            }
        }
    }
}

/// The first sample that the transient does not reach.
const GATE_END: usize = (ATTACK * RATE) as usize + 1;

/// The share of the transient and of the fine noise: 1 up to 12 ms, 0 from 18 ms.
fn gate(n: usize) -> f32 {
    if n >= GATE_END {
        return 0.0;
    }
    let way = (n as f64 / RATE - 0.012) / 0.006;
    (0.5 + 0.5 * cos_turns(0.5 * way.clamp(0.0, 1.0))) as f32
}

impl Layer {
    fn new(
        part: Part,
        stream: u64,
        knots: Vec<f64>,
        length: usize,
        envelopes: Vec<Envelope>,
        bins: Range<usize>,
        isa: Isa,
    ) -> Layer {
        let transform = InverseReal::new(length, isa);
        let spectrum = vec![0.0; (length / 2 + 1) * transform.lanes()];
        Layer {
            part,
            stream,
            n_bands: part.size() / knots.len(),
            knots,
            hop: length / 4,
            bins,
            envelopes,
            window: hann(length),
            scratch: transform.scratch(),
            transform,
            re: spectrum.clone(),
            im: spectrum,
        }
    }

    /// Fills the buffer with the layer; the kick begins at the place that is returned. A buffer that is too short is
    /// followed by silence.
    #[allow(clippy::too_many_arguments)]
    fn make(
        &mut self,
        isa: Isa,
        code: &KickCode,
        key: u64,
        time: &Time,
        n_samples: usize,
        amplitudes: &mut Vec<f32>,
        buffer: &mut Vec<f32>,
    ) -> usize {
        let (length, lanes) = (self.transform.length(), self.transform.lanes());
        let levels = code.part(self.part);
        let seconds = |frame: usize| {
            let middle = (frame as f64 - 1.0) * self.hop as f64 / RATE;
            time.code(middle.max(0.0))
        };
        buffer.clear();
        let start = length / 2 + self.hop;
        let loud = levels.chunks(self.n_bands).rposition(|bands| bands.iter().any(is_loud));
        let Some(last) = loud else { return start };
        // Frames behind the knot that follows are silent.
        let silent = self.knots.get(last + 1).copied().unwrap_or(f64::INFINITY);
        let all = n_samples / self.hop + 2;
        let n_frames = (0..all).take_while(|frame| seconds(*frame) < silent).count();
        buffer.resize(n_frames.next_multiple_of(lanes) * self.hop + length, 0.0);
        let scale = (length as f32 / 3.0).sqrt();
        let floor = exp_of(SILENT_NOISE) as f32;
        let stream = mixed(key, self.stream);
        amplitudes.resize((self.n_bands * lanes).next_multiple_of(16), 0.0);
        for first in (0..n_frames).step_by(lanes) {
            for lane in 0..lanes {
                let levels_of = |knot: usize| &levels[knot * self.n_bands..][..self.n_bands];
                let sounds = first + lane < n_frames;
                let (knot, share) = place(&self.knots, seconds(first + lane));
                let from = levels_of(knot);
                // Behind the last knot there is no next one, and no share of it.
                let next = if share > 0.0 { levels_of(knot + 1) } else { from };
                for (band, (from, next)) in from.iter().zip(next).enumerate() {
                    let level = from + (next - from) * share as f32;
                    amplitudes[band * lanes + lane] = if sounds { level } else { SILENT_NOISE as f32 };
                }
            }
            exp(isa, amplitudes);
            amplitudes.iter_mut().for_each(|value| *value = (*value - floor).max(0.0) * scale);
            let per_frame = 2 * length as u32;
            let (re, im) = (&mut self.re, &mut self.im);
            let bands = &amplitudes[..self.n_bands * lanes];
            let bins = self.bins.clone();
            counted_spectra(isa, stream, per_frame, first as u32, bins, &self.envelopes, bands, re, im);
            let (even, odd) = self.transform.run(re, im, &mut self.scratch);
            for lane in 0..lanes {
                let to = &mut buffer[(first + lane) * self.hop..][..length];
                let values = even[lane..].iter().step_by(lanes).zip(odd[lane..].iter().step_by(lanes));
                let windowed = to.chunks_exact_mut(2).zip(self.window.chunks_exact(2));
                for ((to, window), (even, odd)) in windowed.zip(values) {
                    to[0] += even * window[0];
                    to[1] += odd * window[1];
                }
            }
        }
        start
    }
}

impl Fine {
    /// Fills the buffer from the start of frame −1 on.
    fn make(&self, code: &KickCode, key: u64, buffer: &mut Vec<f32>) {
        buffer.clear();
        buffer.resize((FINE_FRAMES - 1) * FINE_HOP + FINE_LENGTH, 0.0);
        let levels = code.part(Part::Fine);
        if !levels.iter().any(is_loud) {
            return;
        }
        let stream = mixed(key, 3);
        let floor = exp_of(SILENT_NOISE);
        let scale = (FINE_LENGTH as f64 / 3.0).sqrt() / FINE_LENGTH as f64;
        for frame in 0..FINE_FRAMES {
            let seconds = ((frame as f64 - 1.0) * FINE_HOP as f64 / RATE).max(0.0);
            let (knot, share) = place(&self.knots, seconds);
            let amplitude = |band: usize| {
                let level = |knot: usize| f64::from(levels[knot * FINE_BANDS + band]);
                let from = level(knot);
                let level = if share > 0.0 { from + (level(knot + 1) - from) * share } else { from };
                ((exp_of(level) - floor).max(0.0) * scale) as f32
            };
            let bands: Vec<f32> = (0..FINE_BANDS).map(amplitude).collect();
            let to = &mut buffer[frame * FINE_HOP..][..FINE_LENGTH];
            let per_frame = 2 * FINE_LENGTH as u32;
            for bin in 1..FINE_LENGTH / 2 {
                let Envelope { band, weights } = self.envelopes[bin];
                let amplitude = 2.0 * (bands[band] * weights[0] + bands[band + 1] * weights[1]);
                let index = frame as u32 * per_frame + 2 * bin as u32;
                let re = amplitude * neurdsp_nn::exact::counted(stream, index);
                let im = amplitude * neurdsp_nn::exact::counted(stream, index + 1);
                for (n, (to, window)) in to.iter_mut().zip(&self.window).enumerate() {
                    let [cos, sin] = self.roots[bin * n % FINE_LENGTH];
                    *to += (re * cos - im * sin) * window;
                }
            }
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_loud(level: &f32) -> bool {
    f64::from(*level) > SILENT_NOISE
}

/// The periodic Hann window.
fn hann(length: usize) -> Vec<f32> {
    let turn = |n: usize| n as f64 / length as f64;
    (0..length).map(|n| (0.5 - 0.5 * cos_turns(turn(n))) as f32).collect()
}

/// A low pass or a high pass of the fourth order, by the ratio of two frequencies.
fn slope(ratio: f64) -> f64 {
    let square = ratio * ratio;
    let fourth = square * square;
    1.0 / (1.0 + fourth * fourth).sqrt()
}

fn low_envelopes() -> Vec<Envelope> {
    let of = |bin: usize| {
        let at = LOW_CENTRES.partition_point(|centre| *centre <= bin).clamp(1, LOW_BANDS - 1) - 1;
        let (from, to) = (LOW_CENTRES[at] as f64, LOW_CENTRES[at + 1] as f64);
        let share = ((bin as f64 - from) / (to - from)).clamp(0.0, 1.0);
        let gain = slope(RATE * bin as f64 / 2048.0 / 400.0);
        Envelope { band: at, weights: [(1.0 - share) * gain, share * gain].map(|weight| weight as f32) }
    };
    (0..LOW_BINS).map(of).collect()
}

fn noise_envelopes() -> Vec<Envelope> {
    let mut envelopes = mel_envelopes(512, NOISE_BANDS, 300.0);
    for (bin, envelope) in envelopes.iter_mut().enumerate().skip(1) {
        let gain = slope(400.0 / (RATE * bin as f64 / 512.0));
        envelope.weights = envelope.weights.map(|weight| (f64::from(weight) * gain) as f32);
    }
    envelopes
}

/// From bands whose centres lie equally far apart in mel to the bins below half the rate.
fn mel_envelopes(length: usize, bands: usize, lowest_hz: f64) -> Vec<Envelope> {
    // HTK's mel: 2595 log10(1 + f / 700).
    let mel = |hertz: f64| 2595.0 * ln(1.0 + hertz / 700.0) / std::f64::consts::LN_10;
    let (low, high) = (mel(lowest_hz), mel(RATE / 2.0));
    let step = (high - low) / (bands + 1) as f64;
    let of = |bin: usize| {
        // In bands, from the centre of the first.
        let place =
            ((mel(RATE * bin as f64 / length as f64) - low) / step - 1.0).clamp(0.0, (bands - 1) as f64);
        let band = (place as usize).min(bands - 2);
        let share = place - band as f64;
        Envelope { band, weights: [(1.0 - share) as f32, share as f32] }
    };
    (0..length / 2).map(of).collect()
}
