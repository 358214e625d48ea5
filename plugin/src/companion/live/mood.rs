//! What the emotion network hears in the last seconds of the sound, beside the audio thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use neurdsp_dsp::live::resample_clip;
use neurdsp_dsp::{Filterbank, LogScale, Magnitude, MelConfig, Projection, Spectrogram, StftConfig};
use neurdsp_models::music::{EmotionConfig, MusicRun};
use neurdsp_rt::inference::{InferenceSettings, Job};

use crate::audio::Tap;
use crate::companion::networks::Network;

/// How much of the sound it hears: clips as long as this were in its training.
const HEARD_S: f64 = 4.0;
/// Samples that are kept: four seconds at up to 96 kHz, less at higher rates, and as many as play while it listens.
const KEPT: usize = 1 << 19;
const HEARD_MOST: usize = KEPT / 4 * 3;
/// Below this peak there is nothing to hear.
const SILENCE: f32 = 1e-3;
/// A frame: decibels that become 0, those that become a difference of 1, and the least power.
const CENTRE_DB: f32 = -30.0;
const SPAN_DB: f32 = 30.0;
const FLOOR: f64 = 1e-8;
/// Samples that are taken at a time.
const CHUNK: usize = 64;

/// The sound of one instance, and what was heard in it last.
#[derive(Debug)]
pub(crate) struct MoodMeter {
    tap: Arc<Tap>,
    /// Whether a window shows it.
    is_shown: AtomicBool,
    /// Bits of valence and arousal, -1 to 1; not a number where there is none.
    values: [AtomicU32; 2],
}

impl Default for MoodMeter {
    fn default() -> MoodMeter {
        let none = || AtomicU32::new(f32::NAN.to_bits());
        let tap = Arc::new(Tap::new(KEPT));
        tap.set_listening(true);
        MoodMeter { tap, is_shown: AtomicBool::new(false), values: [none(), none()] }
    }
}

impl MoodMeter {
    /// Says whether a window shows what was heard.
    pub(crate) fn set_shown(&self, is_shown: bool) {
        self.is_shown.store(is_shown, Ordering::Relaxed);
    }

    /// Whether a window shows what was heard.
    pub(super) fn is_shown(&self) -> bool {
        self.is_shown.load(Ordering::Relaxed)
    }

    /// Takes a block, on the audio thread; returns the number of its first sample.
    pub(crate) fn write(&self, channels: &[&mut [f32]]) -> u64 {
        let begin = self.tap.written();
        let [left, right] = channels else { return begin };
        let mut mono = [0.0; CHUNK];
        for (left, right) in left.chunks(CHUNK).zip(right.chunks(CHUNK)) {
            let mono = &mut mono[..left.len()];
            for ((to, left), right) in mono.iter_mut().zip(left).zip(right) {
                *to = 0.5 * (left + right);
            }
            self.tap.write(mono);
        }
        begin
    }

    /// Shows what was heard.
    pub(super) fn set(&self, values: Option<[f32; 2]>) {
        for (to, value) in self.values.iter().zip(values.unwrap_or([f32::NAN; 2])) {
            to.store(value.to_bits(), Ordering::Relaxed);
        }
    }

    /// Valence and arousal of the cue model, if there was something to hear.
    pub(crate) fn values(&self) -> Option<[f32; 2]> {
        let values = self.values.each_ref().map(|value| f32::from_bits(value.load(Ordering::Relaxed)));
        values.iter().all(|value| value.is_finite()).then_some(values)
    }

    /// What answers questions about this sound.
    ///
    /// # Errors
    ///
    /// The network's file says nothing that fits of its frames.
    pub(crate) fn job(&self, network: &Network) -> Result<MoodJob, String> {
        let config: EmotionConfig =
            serde_json::from_str(&network.config).map_err(|error| error.to_string())?;
        let words = |error: neurdsp_dsp::Error| error.to_string();
        let rate = config.sample_rate as f64;
        let mel = MelConfig {
            n_mels: config.mels,
            fmin: config.f_min_hz,
            fmax: config.f_max_hz,
            ..MelConfig::new(rate, config.n_fft)
        };
        let stft = StftConfig { hop_length: config.hop_length, ..StftConfig::new(config.n_fft) };
        let decibels = LogScale { floor: FLOOR, offset: 0.0, scale: 10.0 / std::f64::consts::LN_10 };
        let bands = Projection::Bands(Filterbank::mel(&mel).map_err(words)?);
        let plan = Spectrogram::<f32>::new(stft, Magnitude::Power, bands, Some(decibels)).map_err(words)?;
        let run = MusicRun::new(Arc::clone(&network.weights));
        Ok(MoodJob { tap: Arc::clone(&self.tap), config, plan, run })
    }
}

/// What is asked: the mood of the sound before a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MoodQuestion {
    /// Its number.
    pub(crate) end: u64,
    pub(crate) rate_hz: f64,
}

/// Valence and arousal, -1 to 1; none in silence.
pub(crate) type Mood = Option<[f32; 2]>;

/// What runs on the worker.
pub(crate) struct MoodJob {
    tap: Arc<Tap>,
    config: EmotionConfig,
    plan: Spectrogram<f32>,
    run: MusicRun,
}

impl Job for MoodJob {
    type Request = MoodQuestion;
    type Answer = Mood;

    fn run(&mut self, question: &MoodQuestion) -> Mood {
        let len = ((HEARD_S * question.rate_hz) as usize).min(HEARD_MOST);
        let mut heard = vec![0.0; len];
        // What was overwritten while it was read is no sound.
        self.tap.read_before(question.end, &mut heard).then(|| self.hear(&heard, question.rate_hz))?
    }
}

impl MoodJob {
    /// Valence and arousal at the end of a clip; none if it is silent.
    fn hear(&mut self, clip: &[f32], rate_hz: f64) -> Mood {
        if !clip.iter().any(|sample| sample.abs() > SILENCE) || !clip.iter().all(|sample| sample.is_finite())
        {
            return None;
        }
        let clip = resample_clip(clip, rate_hz, self.config.sample_rate as f64).ok()?;
        // Bands in rows: a frame is a column.
        let bands = self.plan.process(&clip).ok()?;
        let n_frames = bands.len() / self.config.mels;
        let (mut frame, mut output) = (vec![0.0; self.config.mels], vec![0.0; self.config.outputs]);
        self.run.reset();
        for at in 0..n_frames {
            for (to, band) in frame.iter_mut().zip(bands.chunks_exact(n_frames)) {
                *to = (band[at] - CENTRE_DB) / SPAN_DB;
            }
            self.run.step(&frame, &mut output);
        }
        Some([*output.first()?, *output.get(1)?])
    }
}

impl MoodJob {
    /// How its worker runs.
    pub(super) fn settings() -> InferenceSettings {
        InferenceSettings {
            capacity: 8,
            deadline: Duration::from_millis(400),
            poll: Duration::from_millis(5),
            wants_priority: false,
            ..InferenceSettings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use neurdsp_models::music::MusicPart;
    use neurdsp_rt::inference::Job;

    use super::{MoodMeter, MoodQuestion};
    use crate::companion::networks;

    /// Four seconds of a triad, struck so many times a second.
    fn triad(third: i32, strikes: f64, gain: f32) -> Vec<f32> {
        let rate = 44_100.0;
        let tone = |semitones: i32, time: f64| {
            let hz = 261.63 * 2f64.powf(f64::from(semitones) / 12.0);
            (1..5)
                .map(|n| (std::f64::consts::TAU * hz * f64::from(n) * time).sin() / f64::from(n))
                .sum::<f64>()
        };
        let sample = |at: i32| {
            let time = f64::from(at) / rate;
            let decay = (-4.0 * (time * strikes).fract() / strikes).exp();
            gain * (decay * (tone(0, time) + tone(third, time) + tone(7, time))) as f32
        };
        (0..(4.0 * rate) as i32).map(sample).collect()
    }

    fn heard(clip: &[f32]) -> Option<[f32; 2]> {
        let meter = MoodMeter::default();
        for block in clip.chunks(100) {
            let (mut left, mut right) = (block.to_vec(), block.to_vec());
            meter.write(&[left.as_mut_slice(), right.as_mut_slice()]);
        }
        let mut job = meter.job(networks::network(MusicPart::Emotion).unwrap()).unwrap();
        let question = MoodQuestion { end: clip.len() as u64, rate_hz: 44_100.0 };
        let found = job.run(&question);
        assert_eq!(job.run(&question), found);
        found
    }

    #[test]
    fn it_says_what_the_command_line_says_and_nothing_of_silence() {
        assert_eq!(heard(&[0.0; 176_400]), None);
        for (clip, expected) in [
            (triad(4, 6.0, 0.2), [0.509, 0.278]),
            (triad(3, 6.0, 0.2), [-0.551, 0.257]),
            (triad(3, 1.0, 0.02), [-0.445, -0.265]),
        ] {
            let values = heard(&clip).unwrap();
            let error = values.iter().zip(expected).map(|(a, b): (&f32, f32)| (a - b).abs());
            assert!(error.fold(0.0, f32::max) < 0.01, "{values:?}");
        }
    }
}
