//! What the audio thread, the loader and the editor tell each other. The audio thread only ever touches atomics.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use std::sync::Arc;

use neurdsp_rt::Monitor;
use parking_lot::Mutex;

use crate::window::Repaint;

/// State that all parts of one instance share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Level before the gate.
    pub(crate) input: Level,
    /// Level after everything.
    pub(crate) output: Level,
    /// Whether the gate lets sound through.
    pub(crate) gate_open: AtomicBool,
    /// Counts what was loaded by hand, which the editor tells the host.
    pub(crate) changes: AtomicU32,
    /// How many knobs the model has.
    pub(crate) n_knobs: AtomicUsize,
    /// Whether knobs were turned by the loader, which the editor tells the host.
    pub(crate) knobs_turned: AtomicBool,
    /// Counts the audio thread's requests to prepare the model anew; and the last of them that was met.
    pub(crate) requested: AtomicU32,
    /// See `requested`.
    pub(crate) answered: AtomicU32,
    /// The rate of the host, in Hz.
    pub(crate) sample_rate_hz: AtomicU32,
    /// What the loader has to say.
    pub(crate) status: Mutex<Status>,
    /// The last sound that came in, while the tuner is open.
    pub(crate) tuner: Tap,
    /// Wakes the editor.
    pub(crate) repaint: Repaint,
    /// How long blocks take, and the microseconds that the largest lasts.
    timing: Mutex<Option<(Arc<Monitor>, f64)>>,
}

/// Times of blocks as parts of the time that a block lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Timing {
    /// Half of the blocks took at most this.
    pub(crate) median: f32,
    /// 99 of 100 took at most this.
    pub p99: f32,
    /// The slowest.
    pub(crate) worst: f32,
    /// Blocks that came too late.
    pub(crate) missed: u64,
}

impl Shared {
    /// Takes over the monitor of a new chain at `sample_rate_hz` with blocks of at most `max_block` samples.
    pub(crate) fn watch(&self, monitor: Arc<Monitor>, sample_rate_hz: f64, max_block: usize) {
        self.sample_rate_hz.store(sample_rate_hz as u32, Ordering::Relaxed);
        *self.timing.lock() = Some((monitor, 1e6 * max_block as f64 / sample_rate_hz));
    }

    /// How much of its time the audio thread needs.
    pub(crate) fn timing(&self) -> Timing {
        let Some((monitor, budget_us)) = self.timing.lock().clone() else { return Timing::default() };
        let report = monitor.report();
        let part = |time_us: f64| (time_us / budget_us) as f32;
        Timing {
            median: part(report.median_us),
            p99: part(report.p99_us),
            worst: part(report.worst_us),
            missed: report.missed_deadlines,
        }
    }
}

/// The last samples of a signal, written by the audio thread and read by the editor.
#[derive(Debug)]
pub(crate) struct Tap {
    listening: AtomicBool,
    samples: Box<[AtomicU32]>,
    written: AtomicU32,
}

impl Default for Tap {
    fn default() -> Tap {
        let samples = (0..crate::editor::TUNER_WINDOW).map(|_| AtomicU32::new(0)).collect();
        Tap { listening: AtomicBool::new(false), samples, written: AtomicU32::new(0) }
    }
}

impl Tap {
    /// Begins or ends to take samples in.
    pub(crate) fn set_listening(&self, listening: bool) {
        self.listening.store(listening, Ordering::Relaxed);
    }

    /// Takes a block in, if anyone listens.
    pub(crate) fn write(&self, block: &[f32]) {
        if !self.listening.load(Ordering::Relaxed) {
            return;
        }
        let mut at = self.written.load(Ordering::Relaxed) as usize;
        for sample in block {
            self.samples[at % self.samples.len()].store(sample.to_bits(), Ordering::Relaxed);
            at += 1;
        }
        self.written.store((at % self.samples.len()) as u32, Ordering::Release);
    }

    /// Copies the last samples, the oldest first.
    pub(crate) fn read(&self, to: &mut [f32]) {
        let start = self.written.load(Ordering::Acquire) as usize;
        for (i, sample) in to.iter_mut().enumerate() {
            let from = &self.samples[(start + i) % self.samples.len()];
            *sample = f32::from_bits(from.load(Ordering::Relaxed));
        }
    }
}

/// A peak level that one thread writes and another reads and resets.
#[derive(Debug, Default)]
pub(crate) struct Level {
    peak: AtomicU32,
    clipped: AtomicBool,
}

impl Level {
    /// Takes in a block.
    pub(crate) fn update(&self, block: &[f32]) {
        let peak = block.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        if peak >= 1.0 {
            self.clipped.store(true, Ordering::Relaxed);
        }
        // Floats that are not negative are ordered as their bits are.
        self.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
    }

    /// The highest level since the last call.
    pub(crate) fn take(&self) -> f32 {
        f32::from_bits(self.peak.swap(0, Ordering::Relaxed))
    }

    /// Whether any sample has reached full scale since [`clear`](Self::clear).
    pub(crate) fn clipped(&self) -> bool {
        self.clipped.load(Ordering::Relaxed)
    }

    /// Puts the light out.
    pub(crate) fn clear(&self) {
        self.clipped.store(false, Ordering::Relaxed);
    }
}

/// What the editor shows of the loader's work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    /// Whether a file is being loaded.
    pub(crate) loading: bool,
    /// What went wrong last, in a sentence.
    pub(crate) error: Option<String>,
    /// The model that plays.
    pub(crate) model: Option<ModelCard>,
    /// The name and length in seconds of the cabinet that plays.
    pub(crate) cabinet: Option<(String, f32)>,
}

/// What a player wants to know of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ModelCard {
    /// Its name, from the file or the file's name.
    pub(crate) name: String,
    /// Maker and model of the device, where the file says so.
    pub(crate) gear: Option<String>,
    /// Who made the model.
    pub(crate) author: Option<String>,
    /// Kind of network.
    pub(crate) architecture: String,
    /// Trained values.
    pub(crate) n_parameters: usize,
    /// The rate that it was trained at, in Hz.
    pub(crate) sample_rate: f64,
    /// Error-to-signal ratio, where the file says so.
    pub(crate) esr: Option<f64>,
    /// How far the model is from the proof in its file, in dB; none if the file has no proof.
    pub(crate) self_test_db: Option<f64>,
    /// Whether the self-test, if there is one, has passed.
    pub(crate) self_test_passed: bool,
    /// Whether it comes in several sizes.
    pub(crate) slimmable: bool,
    /// Its own knobs.
    pub(crate) knobs: Vec<KnobCard>,
}

/// What a player wants to know of a model's knob.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnobCard {
    /// Its name.
    pub(crate) name: String,
    /// Where the model's maker left it, from 0 to 1.
    pub(crate) default: f32,
    /// What the device's own control says at 0 and at 1, where the file says so; else 0 and 1.
    pub(crate) range: [f32; 2],
}

impl KnobCard {
    /// A position as the device's control shows it.
    pub(crate) fn text(&self, position: f32) -> String {
        let [from, to] = self.range;
        let decimals = match (to - from).abs() {
            span if span >= 100.0 => 0,
            span if span >= 10.0 => 1,
            _ => 2,
        };
        format!("{:.decimals$}", from + position * (to - from))
    }

    /// The position of what the device's control shows, none if it does not go there.
    pub(crate) fn position(&self, text: &str) -> Option<f32> {
        let [from, to] = self.range;
        let position = (text.trim().parse::<f32>().ok()? - from) / (to - from);
        position.is_finite().then_some(position.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::KnobCard;

    #[test]
    fn a_knob_is_read_and_written_in_the_words_of_the_device() {
        let knob = |range| KnobCard { name: "tone".to_owned(), default: 0.5, range };
        let hertz = knob([100.0, 1000.0]);
        assert_eq!(hertz.text(0.5), "550");
        assert_eq!(hertz.position(" 550 "), Some(0.5));
        assert_eq!(hertz.position("5000"), Some(1.0));
        assert_eq!(hertz.position("loud"), None);
        assert_eq!(knob([0.0, 1.0]).text(0.333_333), "0.33");
        assert_eq!(knob([1.0, 1.0]).position("1"), None);
    }
}
