//! What the emotion network hears in the last seconds of the sound, asked while the window is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use neurdsp_dsp::live::resample_clip;
use neurdsp_dsp::{Filterbank, LogScale, Magnitude, MelConfig, Projection, Spectrogram, StftConfig};
use neurdsp_models::music::{EmotionConfig, MusicPart, MusicRun};

use super::networks::{Network, network};
use crate::audio::Tap;
use crate::window::Repaint;

/// How much of the sound it hears: clips as long as this were in its training.
const HEARD_S: f64 = 4.0;
/// Samples that are kept: four seconds at up to 64 kHz, less at higher rates.
const KEPT: usize = 1 << 18;
/// Below this peak there is nothing to hear.
const SILENCE: f32 = 1e-3;
/// A frame: decibels that become 0, those that become a difference of 1, and the least power.
const CENTRE_DB: f32 = -30.0;
const SPAN_DB: f32 = 30.0;
const FLOOR: f64 = 1e-8;

/// The meter of one instance: filled by the audio thread, read by the editor.
#[derive(Debug)]
pub(super) struct MoodMeter {
    tap: Tap,
    busy: AtomicBool,
    /// Bits of valence and arousal, -1 to 1; not a number where there is none.
    values: [AtomicU32; 2],
}

impl Default for MoodMeter {
    fn default() -> MoodMeter {
        let none = || AtomicU32::new(f32::NAN.to_bits());
        MoodMeter { tap: Tap::new(KEPT), busy: AtomicBool::new(false), values: [none(), none()] }
    }
}

impl MoodMeter {
    /// Starts or stops taking sound.
    pub(super) fn set_listening(&self, listening: bool) {
        self.tap.set_listening(listening);
    }

    /// Takes a block, on the audio thread.
    pub(super) fn write(&self, channels: &[&mut [f32]]) {
        let [left, right] = channels else { return };
        let mut mono = [0.0; 64];
        for (left, right) in left.chunks(mono.len()).zip(right.chunks(mono.len())) {
            let mono = &mut mono[..left.len()];
            for ((to, left), right) in mono.iter_mut().zip(left).zip(right) {
                *to = 0.5 * (left + right);
            }
            self.tap.write(mono);
        }
    }

    /// Valence and arousal of the cue model, if there was something to hear.
    pub(super) fn values(&self) -> Option<[f32; 2]> {
        let values = self.values.each_ref().map(|value| f32::from_bits(value.load(Ordering::Relaxed)));
        values.iter().all(|value| value.is_finite()).then_some(values)
    }

    /// Hears what came last, on a thread; asks nothing while it still does.
    pub(super) fn ask(self: &Arc<MoodMeter>, rate_hz: u32, repaint: &Repaint) {
        let Some(network) = network(MusicPart::Emotion) else { return };
        if rate_hz == 0 || self.busy.swap(true, Ordering::Acquire) {
            return;
        }
        let (meter, repaint) = (Arc::clone(self), repaint.clone());
        let hears = move || {
            let mut kept = vec![0.0; KEPT];
            meter.tap.read(&mut kept);
            let heard = ((HEARD_S * f64::from(rate_hz)) as usize).min(KEPT);
            let heard = &kept[KEPT - heard..];
            let values = hear(network, heard, f64::from(rate_hz)).unwrap_or([f32::NAN; 2]);
            for (to, value) in meter.values.iter().zip(values) {
                to.store(value.to_bits(), Ordering::Relaxed);
            }
            meter.busy.store(false, Ordering::Release);
            repaint.request();
        };
        if std::thread::Builder::new().name("neurdsp mood".to_owned()).spawn(hears).is_err() {
            self.busy.store(false, Ordering::Release);
        }
    }
}

/// Valence and arousal at the end of a clip; none if it is silent.
fn hear(network: &Network, clip: &[f32], rate_hz: f64) -> Option<[f32; 2]> {
    if !clip.iter().any(|sample| sample.abs() > SILENCE) || !clip.iter().all(|sample| sample.is_finite()) {
        return None;
    }
    let config: EmotionConfig = serde_json::from_str(&network.config).ok()?;
    let rate = config.sample_rate as f64;
    let clip = resample_clip(clip, rate_hz, rate).ok()?;
    let mel = MelConfig {
        n_mels: config.mels,
        fmin: config.f_min_hz,
        fmax: config.f_max_hz,
        ..MelConfig::new(rate, config.n_fft)
    };
    let stft = StftConfig { hop_length: config.hop_length, ..StftConfig::new(config.n_fft) };
    let decibels = LogScale { floor: FLOOR, offset: 0.0, scale: 10.0 / std::f64::consts::LN_10 };
    let bands = Projection::Bands(Filterbank::mel(&mel).ok()?);
    let plan = Spectrogram::<f32>::new(stft, Magnitude::Power, bands, Some(decibels)).ok()?;
    // Bands in rows: a frame is a column.
    let bands = plan.process(&clip).ok()?;
    let n_frames = bands.len() / config.mels;
    let mut run = MusicRun::new(Arc::clone(&network.weights));
    let (mut frame, mut output) = (vec![0.0; config.mels], vec![0.0; config.outputs]);
    for at in 0..n_frames {
        for (to, band) in frame.iter_mut().zip(bands.chunks_exact(n_frames)) {
            *to = (band[at] - CENTRE_DB) / SPAN_DB;
        }
        run.step(&frame, &mut output);
    }
    Some([*output.first()?, *output.get(1)?])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::MoodMeter;
    use crate::window::Repaint;

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
        let meter = Arc::new(MoodMeter::default());
        meter.set_listening(true);
        for block in clip.chunks(100) {
            let (mut left, mut right) = (block.to_vec(), block.to_vec());
            meter.write(&[left.as_mut_slice(), right.as_mut_slice()]);
        }
        meter.ask(44_100, &Repaint::default());
        let start = Instant::now();
        while meter.busy.load(std::sync::atomic::Ordering::Acquire) {
            assert!(start.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(2));
        }
        meter.values()
    }

    #[test]
    fn it_says_what_the_command_line_says_and_nothing_of_silence() {
        assert_eq!(heard(&[0.0; 176_400]), None);
        for (clip, expected) in [
            (triad(4, 6.0, 0.2), [0.522, 0.243]),
            (triad(3, 6.0, 0.2), [-0.611, 0.040]),
            (triad(3, 1.0, 0.02), [-0.434, -0.361]),
        ] {
            let values = heard(&clip).unwrap();
            let error = values.iter().zip(expected).map(|(a, b): (&f32, f32)| (a - b).abs());
            assert!(error.fold(0.0, f32::max) < 0.01, "{values:?}");
        }
    }
}
