//! The side of a mixer of stems that plays: network, faders, mix.

use super::bank::StemBank;
use super::handle::StemHandle;
use super::slot::StemSlot;
use crate::error::{Error, Result};
use crate::monitor::Monitor;
use crate::planes::{MAX_CHUNK, Planes};
use neurdsp_dsp::live::{Delay, LiveBlock, Ramp, SAMPLE_RATES};
use neurdsp_simd::FlushDenormals;
use std::sync::Arc;

/// The longest latency of a network, in samples.
const MAX_LATENCY: usize = 1 << 15;
/// The length of changes of gains and of fades, in ms.
const RAMP_MS: f64 = 20.0;
/// The most stems.
const MAX_STEMS: usize = 16;

/// Takes a stereo sound apart by a network, and mixes the stems again, each with a gain.
///
/// The residual is what is left of the sound without the stems, delayed as they are: whatever the network does, the stems and
/// the residual sum to the sound. With all gains at 1 the mix is the delayed input, but for rounding.
///
/// After silence for as long as the network remembers, it rests until the next sound, and begins anew with it.
///
/// Nothing here allocates, locks or waits but [`new`](Self::new), whatever the samples. Changes take 20 ms. Samples that are not
/// finite, or over 120 dB of full scale, count as zero.
///
/// # Example
/// ```
/// use neurdsp_rt::StemMixer;
///
/// let (mut mixer, _handle) = StemMixer::new(44_100.0, 5)?; // without a network yet: all is residual
/// // On the audio thread, for at most 256 samples at a time:
/// mixer.play(&[0.5; 64], &[0.25; 64]);
/// assert_eq!(mixer.mix(0), [0.5; 64]);
/// assert_eq!(mixer.output(5)[1], [0.25; 64]);
/// # Ok::<(), neurdsp_rt::Error>(())
/// ```
#[derive(Debug)]
pub struct StemMixer {
    slot: StemSlot,
    monitor: Arc<Monitor>,
    n_stems: usize,
    input: Planes,
    dry_delays: [Delay; 2],
    dry: Planes,
    /// Two channels for each stem, then the residual.
    outputs: Planes,
    mix: Planes,
    gains: Vec<Ramp>,
    level: Ramp,
    /// Share of the processed sound; the rest is dry.
    wet: Ramp,
    /// How many samples before the next one were silent on both sides.
    silent_samples: usize,
}

impl StemMixer {
    /// A mixer without a network, at a sample rate in Hz, with its handle. All gains are 1.
    ///
    /// # Errors
    /// A sample rate outside 8 to 768 kHz, or `n_stems` outside 1 to 16.
    pub fn new(sample_rate: f64, n_stems: usize) -> Result<(StemMixer, StemHandle)> {
        if !SAMPLE_RATES.contains(&sample_rate) {
            let allowed = format!("it must be {} to {} Hz", SAMPLE_RATES.start(), SAMPLE_RATES.end());
            return Err(Error::parameter("sample_rate", sample_rate, allowed));
        }
        if !(1..=MAX_STEMS).contains(&n_stems) {
            return Err(Error::parameter("n_stems", n_stems, format!("it must be 1 to {MAX_STEMS}")));
        }
        let fade_samples = (RAMP_MS * 1e-3 * sample_rate) as u32;
        let ramp = Ramp::new(1.0, fade_samples);
        let bank = StemBank::empty(MAX_LATENCY, fade_samples)?;
        let (slot, mail) = StemSlot::new(bank, n_stems, fade_samples);
        let delay = Delay::new(0, MAX_LATENCY, fade_samples)?;
        let monitor = Arc::new(Monitor::new());
        let mixer = StemMixer {
            slot,
            monitor: Arc::clone(&monitor),
            n_stems,
            input: Planes::new(2),
            dry_delays: [delay.clone(), delay],
            dry: Planes::new(2),
            outputs: Planes::new(2 * (n_stems + 1)),
            mix: Planes::new(2),
            gains: vec![ramp.clone(); n_stems + 1],
            level: ramp.clone(),
            wet: ramp,
            // As after silence for ever.
            silent_samples: usize::MAX,
        };
        let handle =
            StemHandle { mail, monitor, sample_rate, n_stems, max_latency: MAX_LATENCY, fade_samples };
        Ok((mixer, handle))
    }

    /// By how many samples the mix and every output lag behind the input: the latency of the network, at this rate. While one
    /// network fades to another it is the longer one.
    #[must_use]
    pub fn latency(&self) -> usize {
        self.slot.latency()
    }

    /// How many samples an output depends on.
    #[must_use]
    pub fn receptive_field(&self) -> usize {
        self.slot.receptive_field()
    }

    /// Whether a network is fading in.
    #[must_use]
    pub fn is_fading(&self) -> bool {
        self.slot.is_fading()
    }

    /// Whether any gain is on its way to another.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.gains.iter().chain([&self.level, &self.wet]).any(|ramp| ramp.remaining() > 0)
    }

    /// Moves the gain of a stem, or with `index` the number of stems that of the residual, from the next sample on.
    pub fn set_gain(&mut self, index: usize, gain: f32) {
        if let Some(ramp) = self.gains.get_mut(index) {
            ramp.set(gain);
        }
    }

    /// Moves the gain of the mix, which the outputs are without.
    pub fn set_level(&mut self, gain: f32) {
        self.level.set(gain);
    }

    /// Fades the mix to the delayed input and the outputs to silence, or back.
    pub fn set_bypass(&mut self, is_bypassed: bool) {
        self.wet.set(if is_bypassed { 0.0 } else { 1.0 });
    }

    /// Samples of silence after which nothing sounds any more.
    fn memory(&self) -> usize {
        self.slot.latency().saturating_add(self.slot.receptive_field()).max(MAX_CHUNK)
    }

    /// Whether it rests.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.silent_samples >= self.memory()
    }

    /// Plays the next samples of left and right: up to the length of the shorter, and at most [`MAX_CHUNK`]. Returns how many it
    /// has played, at least one if there are any. [`mix`](Self::mix) and [`output`](Self::output) then give what they have become.
    pub fn play(&mut self, left: &[f32], right: &[f32]) -> usize {
        let _guard = FlushDenormals::new();
        let len = left.len().min(right.len()).min(MAX_CHUNK);
        self.slot.receive();
        let silent = left[..len].iter().zip(right).take_while(|(l, r)| **l == 0.0 && **r == 0.0).count();
        let memory = self.memory();
        if self.silent_samples >= memory && silent > 0 {
            self.rest(silent);
            return silent;
        }
        if self.silent_samples >= memory && len > 0 {
            self.slot.reset();
            self.reset_delays();
            self.silent_samples = 0;
        }
        // The sound that ends a rest begins a call of its own, so that the cut into blocks does not matter.
        let ends_rest = silent < len && self.silent_samples + silent >= memory;
        let len = if ends_rest { silent } else { len };
        self.take_apart(&left[..len], &right[..len]);
        self.leave_the_rest();
        self.mix_again();
        self.count_silence(len);
        len
    }

    /// Counts the silence at the end of the input.
    fn count_silence(&mut self, len: usize) {
        let sides = self.input.channel(0).iter().zip(self.input.channel(1)).rev();
        let silent = sides.take_while(|(l, r)| **l == 0.0 && **r == 0.0).count();
        let before = if silent == len { self.silent_samples } else { 0 };
        self.silent_samples = before.saturating_add(silent);
    }

    /// Stays silent for `len` samples, in which gains go on to move and a new network takes its place.
    fn rest(&mut self, len: usize) {
        self.slot.finish();
        for ramp in self.gains.iter_mut().chain([&mut self.level, &mut self.wet]) {
            for _ in 0..len.min(ramp.remaining()) {
                ramp.step();
            }
        }
        self.silent_samples = self.silent_samples.saturating_add(len);
        for planes in [&mut self.mix, &mut self.outputs] {
            planes.set_len(len);
            planes.channels_mut().for_each(|channel| channel.fill(0.0));
        }
    }

    /// Gives the sound to the network, and delays it as the network does.
    fn take_apart(&mut self, left: &[f32], right: &[f32]) {
        let len = left.len();
        self.input.set_len(len);
        self.input.channel_mut(0).copy_from_slice(left);
        self.input.channel_mut(1).copy_from_slice(right);
        let mut dropped = self.input.clean();
        let latency = self.slot.latency();
        self.dry.copy_from(&self.input);
        for (delay, channel) in self.dry_delays.iter_mut().zip(self.dry.channels_mut()) {
            delay.set(latency);
            delay.process(channel);
        }
        self.outputs.set_len(len);
        self.outputs.set_n_channels(2 * self.n_stems);
        self.slot.process(&self.input, &mut self.outputs);
        dropped += self.outputs.clean();
        self.monitor.drop_samples(dropped);
        self.outputs.set_n_channels(2 * (self.n_stems + 1));
    }

    /// Makes the residual what is left of the sound.
    fn leave_the_rest(&mut self) {
        for side in 0..2 {
            let last = 2 * self.n_stems + side;
            self.outputs.channel_mut(last).copy_from_slice(self.dry.channel(side));
            for stem in 0..self.n_stems {
                let [rest, stem] = self.outputs.pair_mut(last, 2 * stem + side);
                rest.iter_mut().zip(stem).for_each(|(rest, stem)| *rest -= *stem);
            }
        }
    }

    fn mix_again(&mut self) {
        self.mix.set_len(self.outputs.len());
        self.mix.channels_mut().for_each(|channel| channel.fill(0.0));
        for (index, gain) in self.gains.iter_mut().enumerate() {
            let start = gain.clone();
            for side in 0..2 {
                *gain = start.clone();
                let output = self.outputs.channel_mut(2 * index + side);
                gain.scale(output);
                self.mix.channel_mut(side).iter_mut().zip(output).for_each(|(sum, x)| *sum += *x);
            }
        }
        self.mix.scale(&mut self.level);
        if self.wet.remaining() == 0 && self.wet.target() == 1.0 {
            return;
        }
        let start = self.wet.clone();
        for (index, channel) in self.mix.channels_mut().enumerate() {
            self.wet = start.clone();
            for (wet, dry) in channel.iter_mut().zip(self.dry.channel(index)) {
                let share = self.wet.step();
                *wet = *wet * share + *dry * (1.0 - share);
            }
        }
        self.outputs.scale(&mut start.clone());
    }

    /// The mix of the samples that were played last, left or right.
    #[must_use]
    pub fn mix(&self, side: usize) -> &[f32] {
        self.mix.channel(side.min(1))
    }

    /// Left and right of a stem with its gain, or with `index` the number of stems those of the residual.
    #[must_use]
    pub fn output(&self, index: usize) -> [&[f32]; 2] {
        let index = index.min(self.n_stems);
        [self.outputs.channel(2 * index), self.outputs.channel(2 * index + 1)]
    }

    fn reset_delays(&mut self) {
        let latency = self.slot.latency();
        for delay in &mut self.dry_delays {
            delay.set(latency);
            delay.reset();
        }
    }

    /// Forgets the signal, takes a network that was sent, and completes every change in progress.
    pub fn reset(&mut self) {
        self.slot.reset();
        self.reset_delays();
        self.silent_samples = usize::MAX;
        for ramp in self.gains.iter_mut().chain([&mut self.level, &mut self.wet]) {
            ramp.snap(ramp.target());
        }
    }
}
