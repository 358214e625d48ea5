//! The parameters that a host sees and automates. Their IDs never change: projects and presets are keyed by them.

use std::sync::Arc;

use neurdsp_models::music::groove::{Feel, N_VOICES, VOICES};
use nice_plug::prelude::*;

use super::live::{ChordSettings, MoodSettings};
use super::session::Session;
use crate::state::{Persisted, SavedParams, revision};

/// Titles of the voices, in their order.
pub(super) const TITLES: [&str; N_VOICES] =
    ["Kick", "Snare", "Closed hat", "Open hat", "Low tom", "Mid tom", "High tom", "Crash", "Ride"];
/// Largest seed.
const SEEDS: i32 = 9_999;

/// All parameters, and what a project keeps beside them.
#[derive(Params)]
pub(crate) struct CompanionParams {
    /// Passes all on, as late as the latency says.
    #[id = "bypass"]
    pub(super) bypass: BoolParam,
    // First, because some hosts remember steps as they set them, and compare the first parameter with what they remember.
    #[id = "amount"]
    pub(super) amount: FloatParam,
    /// Whether drums are played with a feel.
    #[id = "feel"]
    pub(super) feel: BoolParam,
    #[id = "tightness"]
    pub(super) tightness: FloatParam,
    #[id = "lean"]
    pub(super) lean: FloatParam,
    #[id = "accents"]
    pub(super) accents: FloatParam,
    #[id = "seed"]
    pub(super) seed: IntParam,
    /// Voices that stay as they are.
    #[nested]
    pub(super) locks: Locks,
    /// Whether no hit is early, and there is no latency.
    #[id = "late_only"]
    pub(super) late_only: BoolParam,
    /// The channel of the drums; 0 for all.
    #[id = "drum_channel"]
    pub(super) drum_channel: IntParam,
    /// How much of the shape of the dynamics network comes to velocities.
    #[id = "dynamics"]
    pub(super) dynamics: FloatParam,
    /// Whether chords follow the notes that are no drums.
    #[id = "chords"]
    pub(super) chords: BoolParam,
    /// Whether the chord that sounds stays.
    #[id = "hold"]
    pub(super) hold: BoolParam,
    /// The channel of the chords.
    #[id = "chord_channel"]
    pub(super) chord_channel: IntParam,
    #[id = "chord_velocity"]
    pub(super) chord_velocity: IntParam,
    /// Whether the melody goes on where the player stops.
    #[id = "play_on"]
    pub(super) play_on: BoolParam,
    /// Whether the mood of the sound is sent as controllers.
    #[id = "mood"]
    pub(super) mood: BoolParam,
    #[id = "mood_channel"]
    pub(super) mood_channel: IntParam,
    #[id = "valence_cc"]
    pub(super) valence_cc: IntParam,
    #[id = "arousal_cc"]
    pub(super) arousal_cc: IntParam,
    #[id = "mood_smoothing"]
    pub(super) mood_smoothing: FloatParam,
    /// Bars that are recorded as the reference.
    #[id = "listen_bars"]
    pub(super) listen_bars: IntParam,
    /// Begins to listen when it is switched on.
    #[id = "listen"]
    pub(super) listen: BoolParam,
    /// Ends all notes when it is switched on.
    #[id = "panic"]
    pub(super) panic: BoolParam,
    /// Counts what was loaded, so that the host sees that the project has changed.
    #[id = "revision"]
    pub(super) revision: IntParam,
    /// The reference.
    #[persist = "session"]
    pub(super) session: Persisted<Session>,
}

impl Default for CompanionParams {
    fn default() -> CompanionParams {
        let usual = Feel::default();
        CompanionParams {
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            feel: BoolParam::new("Feel", true),
            amount: percent("Amount", usual.amount, 1.0),
            tightness: percent("Tightness", usual.tightness, 1.0),
            lean: FloatParam::new("Lean", 0.0, FloatRange::Linear { min: -50.0, max: 50.0 })
                .with_unit(" ms")
                .with_step_size(0.1)
                .with_value_to_string(Arc::new(|ms| format!("{:+.1}", ms + 0.0).replace("+0.0", "0.0"))),
            accents: percent("Accents", usual.accents, 2.0),
            seed: IntParam::new("Seed", 0, IntRange::Linear { min: 0, max: SEEDS }),
            locks: Locks::default(),
            late_only: BoolParam::new("Late only", false),
            drum_channel: channel("Drum channel"),
            dynamics: percent("Dynamics", 0.0, 2.0),
            chords: BoolParam::new("Chords", false),
            hold: BoolParam::new("Hold chord", false),
            chord_channel: IntParam::new("Chord channel", 2, IntRange::Linear { min: 1, max: 16 }),
            chord_velocity: IntParam::new("Chord velocity", 70, IntRange::Linear { min: 1, max: 127 }),
            play_on: BoolParam::new("Play on", false),
            mood: BoolParam::new("Send emotion", false),
            mood_channel: IntParam::new("Emotion channel", 1, IntRange::Linear { min: 1, max: 16 }),
            // Controllers that are for any purpose.
            valence_cc: IntParam::new("Valence CC", 16, IntRange::Linear { min: 0, max: 119 }),
            arousal_cc: IntParam::new("Arousal CC", 17, IntRange::Linear { min: 0, max: 119 }),
            mood_smoothing: FloatParam::new(
                "Emotion smoothing",
                1.0,
                FloatRange::Linear { min: 0.0, max: 10.0 },
            )
            .with_unit(" s")
            .with_step_size(0.1),
            listen_bars: IntParam::new("Listen for", 4, IntRange::Linear { min: 1, max: 8 })
                .with_unit(" bars"),
            listen: BoolParam::new("Listen", false),
            panic: BoolParam::new("Panic", false),
            revision: revision(),
            session: Persisted::default(),
        }
    }
}

/// A share of `max`, as percent.
fn percent(name: &'static str, value: f32, max: f32) -> FloatParam {
    FloatParam::new(name, value, FloatRange::Linear { min: 0.0, max })
        .with_unit(" %")
        .with_step_size(0.01)
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(formatters::s2v_f32_percentage())
}

/// A MIDI channel, or all of them.
fn channel(name: &'static str) -> IntParam {
    IntParam::new(name, 0, IntRange::Linear { min: 0, max: 16 })
        .with_value_to_string(Arc::new(|channel| match channel {
            0 => "All".to_owned(),
            channel => channel.to_string(),
        }))
        .with_string_to_value(Arc::new(|text: &str| match text.trim() {
            "All" | "all" => Some(0),
            number => number.parse().ok(),
        }))
}

/// Parameters `lock_kick`, `lock_snare`, and so on.
pub(super) struct Locks([BoolParam; N_VOICES]);

// SAFETY: the parameters lie in the struct itself, so they live as long as it does.
unsafe impl Params for Locks {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let lock =
            |(lock, name): (&BoolParam, &str)| (format!("lock_{name}"), lock.as_ptr(), "Locks".to_owned());
        self.0.iter().zip(VOICES).map(lock).collect()
    }
}

impl Default for Locks {
    fn default() -> Locks {
        Locks(TITLES.map(|title| BoolParam::new(format!("Lock {}", title.to_lowercase()), false)))
    }
}

impl CompanionParams {
    /// The lock of each voice.
    pub(super) fn locks(&self) -> &[BoolParam; N_VOICES] {
        &self.locks.0
    }

    /// The feel that the knobs ask for.
    pub(super) fn wanted_feel(&self) -> Feel {
        Feel {
            amount: self.amount.value(),
            tightness: self.tightness.value(),
            lean_ms: self.lean.value(),
            accents: self.accents.value(),
            seed: self.seed.value() as u64,
            locked: self.locks().each_ref().map(BoolParam::value),
            late_only: self.late_only.value(),
        }
    }

    /// The channel of the drums, 0 to 15; none for all.
    pub(super) fn drum_channel(&self) -> Option<u8> {
        // While chords follow a melody, drums are on their usual channel if no other is chosen.
        u8::try_from(self.drum_channel.value() - 1).ok().or(self.chords.value().then_some(9))
    }

    /// How much of a player's dynamics comes to velocities.
    pub(super) fn wanted_dynamics(&self) -> f32 {
        if self.bypass.value() { 0.0 } else { self.dynamics.value() }
    }

    /// How chords are played.
    pub(super) fn chord_settings(&self) -> ChordSettings {
        ChordSettings {
            is_on: self.chords.value() && !self.bypass.value(),
            holds: self.hold.value(),
            channel: (self.chord_channel.value() - 1).clamp(0, 15) as u8,
            velocity: self.chord_velocity.value() as f32 / 127.0,
        }
    }

    /// How the mood of the sound is sent.
    pub(super) fn mood_settings(&self) -> MoodSettings {
        let cc = |param: &IntParam| param.value().clamp(0, 119) as u8;
        MoodSettings {
            is_sent: self.mood.value() && !self.bypass.value(),
            channel: (self.mood_channel.value() - 1).clamp(0, 15) as u8,
            controllers: [cc(&self.valence_cc), cc(&self.arousal_cc)],
            smoothing_s: self.mood_smoothing.value(),
        }
    }
}

impl SavedParams for CompanionParams {
    fn revision(&self) -> &IntParam {
        &self.revision
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::prelude::*;

    use super::CompanionParams;

    #[test]
    fn ids_are_those_that_projects_are_keyed_by() {
        let ids: Vec<String> =
            CompanionParams::default().param_map().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(
            ids.join(" "),
            "bypass amount feel tightness lean accents seed lock_kick lock_snare lock_closed_hat lock_open_hat \
             lock_low_tom lock_mid_tom lock_high_tom lock_crash lock_ride late_only drum_channel dynamics chords \
             hold chord_channel chord_velocity play_on mood mood_channel valence_cc arousal_cc mood_smoothing listen_bars listen panic revision"
        );
    }

    #[test]
    fn values_are_shown_and_typed_in_their_units() {
        let params = CompanionParams::default();
        let shown = |param: &dyn Fn(bool) -> String| param(true);
        assert_eq!(shown(&|unit| params.amount.normalized_value_to_string(1.0, unit)), "100 %");
        assert_eq!(shown(&|unit| params.accents.normalized_value_to_string(1.0, unit)), "200 %");
        assert_eq!(shown(&|unit| params.lean.normalized_value_to_string(0.5, unit)), "0.0 ms");
        assert_eq!(shown(&|unit| params.drum_channel.normalized_value_to_string(0.0, unit)), "All");
        assert_eq!(params.amount.string_to_normalized_value("30"), Some(0.3));
        assert_eq!(params.drum_channel.string_to_normalized_value("all"), Some(0.0));
        assert_eq!(params.drum_channel(), None);
    }
}
