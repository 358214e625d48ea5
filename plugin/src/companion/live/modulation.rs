//! The mood of the sound as controllers that other plugins can follow.
//!
//! The network is asked at fixed places of the stream, and its answer counts from the next of them on. In between, values move
//! there in small steps of time. So a render is the same each time, in blocks of any size.

use neurdsp_rt::inference::Inference;
use nice_plug::prelude::NoteEvent;

use super::mood::{MoodJob, MoodMeter, MoodQuestion};

/// Seconds between two questions, and between two values.
const ASK_S: f64 = 0.5;
const STEP_S: f64 = 0.02;
/// Steps between two questions.
const ASK_STEPS: u64 = (ASK_S / STEP_S) as u64;

/// How the mood is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MoodSettings {
    pub(crate) is_sent: bool,
    /// 0 to 15.
    pub(crate) channel: u8,
    /// Controllers of valence and arousal.
    pub(crate) controllers: [u8; 2],
    /// After which two thirds of a change are there.
    pub(crate) smoothing_s: f32,
}

/// What one instance sends.
pub(super) struct Modulation {
    inference: Inference<MoodJob>,
    /// Samples of a step.
    step: u64,
    sample_rate: f64,
    /// The step that comes next.
    next: u64,
    target: Option<[f32; 2]>,
    value: [f32; 2],
    /// Where and what was sent last.
    sent: Option<([u8; 3], [u8; 2])>,
}

impl Modulation {
    pub(super) fn new(inference: Inference<MoodJob>, sample_rate: f64) -> Modulation {
        let step = (STEP_S * sample_rate).round().max(1.0) as u64;
        Modulation { inference, step, sample_rate, next: 0, target: None, value: [0.0; 2], sent: None }
    }

    /// In an offline render every answer is there in time.
    pub(super) fn set_offline(&mut self, is_offline: bool) {
        self.inference.set_offline(is_offline);
    }

    /// When something is to be done next.
    pub(super) fn next_at(&self) -> u64 {
        self.next * self.step
    }

    /// Asks, and sends what has changed, if it is time. `heard` is the number of the sample of the sound that comes now.
    pub(super) fn run(
        &mut self,
        now: u64,
        heard: u64,
        settings: &MoodSettings,
        meter: &MoodMeter,
        mut send: impl FnMut(NoteEvent<()>),
    ) {
        if now < self.next_at() {
            return;
        }
        while let Some((_, answer)) = self.inference.due(now as i64) {
            let Ok(mood) = answer else { continue };
            meter.set(mood);
            // In silence the last mood stays.
            if let Some(mood) = mood {
                if self.target.is_none() {
                    self.value = mood;
                }
                self.target = Some(mood);
            }
        }
        if self.next.is_multiple_of(ASK_STEPS) && (settings.is_sent || meter.is_shown()) {
            let question = MoodQuestion { end: heard, rate_hz: self.sample_rate };
            self.inference.submit(&question, (now + ASK_STEPS * self.step) as i64);
        }
        self.next += 1;
        let Some(target) = self.target else { return };
        let slow = (-STEP_S as f32 / settings.smoothing_s.max(1e-3)).exp();
        for (value, target) in self.value.iter_mut().zip(target) {
            *value = target + slow * (*value - target);
        }
        if settings.is_sent {
            self.send(settings, &mut send);
        } else {
            self.sent = None;
        }
    }

    fn send(&mut self, settings: &MoodSettings, send: &mut impl FnMut(NoteEvent<()>)) {
        let MoodSettings { channel, controllers: [valence, arousal], .. } = *settings;
        let place = [channel, valence, arousal];
        let values = self.value.map(|value| (63.5 + 63.5 * value).round().clamp(0.0, 127.0) as u8);
        let before = self.sent.filter(|(before, _)| *before == place).map(|(_, values)| values);
        for (at, (cc, value)) in settings.controllers.into_iter().zip(values).enumerate() {
            if before.is_none_or(|before| before[at] != value) {
                send(NoteEvent::MidiCC { timing: 0, channel, cc, value: f32::from(value) / 127.0 });
            }
        }
        self.sent = Some((place, values));
    }
}
