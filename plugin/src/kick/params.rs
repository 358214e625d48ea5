//! The parameters that a host sees and automates. Their IDs never change: projects and presets are keyed by them.

use nice_plug::prelude::*;

use super::job::{Job, Look};
use super::session::Session;
use super::wishes::{ATTRIBUTES, WORDS, Wishes, guidance_tenths, percent};
use crate::state::kinds::{fader, fader_gain, percentage, typed};
use crate::state::{Persisted, SavedParams, revision};

/// The note that plays, of General MIDI: bass drum 1.
pub(super) const KICK_NOTE: i32 = 36;
/// The number of seeds.
pub(super) const SEEDS: i32 = 10_000;

/// All parameters, and what a project keeps beside them.
#[derive(Params)]
pub(crate) struct KickParams {
    /// Gain of the output, in dB.
    #[id = "level"]
    pub(super) level: FloatParam,
    /// How much softer a soft hit is: 0 as loud as any, 0.5 in proportion, 1 by its square.
    #[id = "velocity"]
    pub(super) velocity: FloatParam,
    /// What the end of a note does.
    #[id = "mode"]
    pub(super) mode: EnumParam<PlayMode>,
    /// How long a kick fades after its note, in ms.
    #[id = "release"]
    pub(super) release: FloatParam,
    /// Whether a hit ends the one before.
    #[id = "choke"]
    pub(super) choke: BoolParam,
    /// Which notes play.
    #[id = "keys"]
    pub(super) keys: EnumParam<Keys>,
    /// The note that plays, and at which a pitch that follows is unchanged.
    #[id = "note"]
    pub(super) note: IntParam,
    /// Whether each hit plays the next variation.
    #[id = "round_robin"]
    pub(super) round_robin: BoolParam,
    /// In semitones.
    #[id = "tune"]
    pub(super) tune: FloatParam,
    /// Factor on the duration of everything after the first 18 ms.
    #[id = "decay"]
    pub(super) decay: FloatParam,
    /// When it is over, in seconds.
    #[id = "duration"]
    pub(super) duration: FloatParam,
    /// How far the variations are from the kick.
    #[id = "amount"]
    pub(super) amount: FloatParam,
    /// How strictly the words are followed.
    #[id = "guidance"]
    pub(super) guidance: FloatParam,
    /// Another seed is another kick.
    #[id = "seed"]
    pub(super) seed: IntParam,
    /// The words.
    #[nested]
    pub(super) words: Words,
    /// What is asked for in numbers.
    #[nested]
    pub(super) attributes: Attributes,
    /// Counts the kicks that were taken, so that the host sees that the project has changed.
    #[id = "revision"]
    pub(super) revision: IntParam,
    /// The kick itself.
    #[persist = "session"]
    pub(super) session: Persisted<Session>,
}

impl Default for KickParams {
    fn default() -> KickParams {
        KickParams {
            level: fader("Level"),
            velocity: percentage("Velocity", 0.5),
            mode: EnumParam::new("Mode", PlayMode::Full),
            release: number("Release", 120.0, [5.0, 2000.0], -1.5, 1.0, 0).with_unit(" ms"),
            choke: BoolParam::new("Choke", true),
            keys: EnumParam::new("Keys", Keys::One),
            note: IntParam::new("Note", KICK_NOTE, IntRange::Linear { min: 0, max: 127 })
                .with_value_to_string(formatters::v2s_i32_key_formatter())
                .with_string_to_value(formatters::s2v_i32_key_formatter()),
            round_robin: BoolParam::new("Round robin", false),
            tune: number("Tune", 0.0, [-12.0, 12.0], 0.0, 0.01, 2).with_unit(" st"),
            decay: percent_of("Decay", [0.25, 4.0], -1.4),
            duration: number("Duration", 2.0, [0.05, 4.0], -0.6, 0.01, 2).with_unit(" s"),
            amount: percentage("Variation amount", 0.3).with_step_size(0.01),
            guidance: number("Guidance", 2.0, [1.0, 8.0], 0.0, 0.1, 1),
            seed: IntParam::new("Seed", 0, IntRange::Linear { min: 0, max: SEEDS - 1 }),
            words: Words::default(),
            attributes: Attributes::default(),
            revision: revision(),
            session: Persisted::default(),
        }
    }
}

/// A number in steps. `skew` is 0 for an even travel, and negative for one with more room for small values.
fn number(
    name: &'static str,
    default: f32,
    [min, max]: [f32; 2],
    skew: f32,
    step: f32,
    decimals: usize,
) -> FloatParam {
    let range = match skew {
        0.0 => FloatRange::Linear { min, max },
        skew => FloatRange::Skewed { min, max, factor: FloatRange::skew_factor(skew) },
    };
    FloatParam::new(name, default, range)
        .with_step_size(step)
        .with_value_to_string(formatters::v2s_f32_rounded(decimals))
        .with_string_to_value(typed(1.0))
}

/// A factor, shown in percent.
fn percent_of(name: &'static str, range: [f32; 2], skew: f32) -> FloatParam {
    number(name, 1.0, range, skew, 0.01, 2)
        .with_unit(" %")
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(typed(100.0))
}

/// What the end of a note does to its kick.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PlayMode {
    /// Nothing.
    #[id = "full"]
    #[name = "Full"]
    Full,
    /// It fades over the release.
    #[id = "note_off"]
    #[name = "Note off"]
    NoteOff,
    /// It ends, without a click.
    #[id = "cut"]
    #[name = "Cut"]
    Cut,
}

/// Which notes play.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keys {
    /// The note of the parameter.
    #[id = "one"]
    #[name = "One"]
    One,
    /// Every note, at the same pitch.
    #[id = "all"]
    #[name = "All"]
    All,
    /// Every note, at its own pitch.
    #[id = "pitch"]
    #[name = "Pitch"]
    Pitch,
}

/// What is asked of a word.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    /// The kick may be like that.
    #[id = "off"]
    #[name = "Off"]
    Off,
    /// It should be.
    #[id = "on"]
    #[name = "On"]
    On,
    /// It should not be.
    #[id = "not"]
    #[name = "Not"]
    Not,
}

/// Parameters `word_deep`, `word_high`, and so on.
pub(super) struct Words(pub(super) [EnumParam<Wish>; WORDS.len()]);

// SAFETY: the parameters lie in the struct itself, so they live as long as it does.
unsafe impl Params for Words {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let named = |(param, word): (&EnumParam<Wish>, &str)| {
            (format!("word_{word}"), param.as_ptr(), "Words".to_owned())
        };
        self.0.iter().zip(WORDS).map(named).collect()
    }
}

impl Default for Words {
    fn default() -> Words {
        Words(WORDS.map(|word| EnumParam::new(capital(word), Wish::Off).non_automatable()))
    }
}

/// An attribute, and whether it is asked for.
pub(super) struct Attribute {
    pub(super) is_given: BoolParam,
    pub(super) share: FloatParam,
}

/// Parameters `pitch_given`, `pitch`, and so on.
pub(super) struct Attributes(pub(super) [Attribute; ATTRIBUTES.len()]);

// SAFETY: the parameters lie in the struct itself, so they live as long as it does.
unsafe impl Params for Attributes {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let mut map = Vec::new();
        for (attribute, name) in self.0.iter().zip(ATTRIBUTES) {
            let group = || "Attributes".to_owned();
            map.push((format!("{name}_given"), attribute.is_given.as_ptr(), group()));
            map.push((name.to_owned(), attribute.share.as_ptr(), group()));
        }
        map
    }
}

impl Default for Attributes {
    fn default() -> Attributes {
        Attributes(ATTRIBUTES.map(|name| Attribute {
            is_given: BoolParam::new(format!("{} given", capital(name)), false),
            share: percentage(capital(name), 0.5).with_step_size(0.01),
        }))
    }
}

/// With a capital letter.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

impl KickParams {
    /// What the parameters ask of the worker.
    pub(super) fn job(&self) -> Job {
        Job {
            wishes: self.wishes(),
            look: Look {
                tune_cents: (100.0 * self.tune.value()).round() as i32,
                decay_percent: (100.0 * self.decay.value()).round() as u32,
                duration_ms: (1000.0 * self.duration.value()).round() as u32,
            },
            amount_percent: percent(self.amount.value()),
            round_robin: self.round_robin.value(),
        }
    }

    /// What the parameters ask of the network.
    fn wishes(&self) -> Wishes {
        let mut wishes = Wishes {
            guidance_tenths: guidance_tenths(self.guidance.value()),
            seed: self.seed.value().clamp(0, SEEDS - 1) as u32,
            ..Wishes::default()
        };
        for (wish, param) in wishes.words.iter_mut().zip(&self.words.0) {
            *wish = match param.value() {
                Wish::Off => 0,
                Wish::On => 1,
                Wish::Not => -1,
            };
        }
        for (share, attribute) in wishes.attributes.iter_mut().zip(&self.attributes.0) {
            *share = attribute.is_given.value().then(|| percent(attribute.share.value()));
        }
        wishes
    }

    /// The gain of the output.
    pub(super) fn gain(&self) -> f32 {
        fader_gain(self.level.value())
    }

    /// The gain of a hit. At full velocity it is exactly 1.
    pub(super) fn hit_gain(&self, velocity: f32) -> f32 {
        let velocity = if velocity.is_nan() { 0.0 } else { velocity.clamp(0.0, 1.0) };
        velocity.powf(2.0 * self.velocity.value())
    }
}

impl SavedParams for KickParams {
    fn revision(&self) -> &IntParam {
        &self.revision
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use nice_plug::prelude::*;

    use super::super::wishes::Wishes;
    use super::{KickParams, Wish};

    /// Sets a parameter to a normalised value.
    fn set(params: &KickParams, id: &str, value: f32) {
        let (_, param, _) = params.param_map().into_iter().find(|(found, ..)| found == id).unwrap();
        // SAFETY: `params` lives, and this is its only thread.
        unsafe { param._internal_set_normalized_value(value) };
    }

    #[test]
    fn ids_are_those_that_projects_are_keyed_by() {
        let ids: Vec<String> = KickParams::default().param_map().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(
            ids.join(" "),
            "level velocity mode release choke keys note round_robin tune decay duration amount guidance seed \
             word_deep word_high word_long word_short word_boomy word_tight word_bright word_dark word_clicky \
             word_soft word_punchy word_flat word_distorted word_clean word_noisy word_dry word_sub word_mid \
             pitch_given pitch length_given length brightness_given brightness click_given click punch_given \
             punch revision"
        );
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn parameters_become_requests_that_rounding_by_a_host_does_not_change() {
        let params = KickParams::default();
        assert_eq!(params.job().wishes, Wishes::default());
        set(&params, "word_dark", 1.0);
        set(&params, "click", 0.29);
        assert_eq!(params.job().wishes.attributes[3], None);
        set(&params, "click_given", 1.0);
        for (id, value) in [("guidance", 2.3), ("tune", -3.21)] {
            let (_, param, _) = params.param_map().into_iter().find(|(found, ..)| found == id).unwrap();
            // SAFETY: as above.
            let at = unsafe { param.preview_normalized(value) };
            set(&params, id, f32::from_bits(at.to_bits() + 1));
        }
        let job = params.job();
        assert_eq!((params.words.0[7].value(), job.wishes.words[7]), (Wish::Not, -1));
        assert_eq!((job.wishes.attributes[3], job.wishes.guidance_tenths), (Some(29), 23));
        assert_eq!((job.look.tune_cents, job.look.decay_percent, job.look.duration_ms), (-321, 100, 2000));
    }

    #[test]
    fn velocity_is_a_curve_from_none_to_square_through_one() {
        let params = KickParams::default();
        for (amount, at_half) in [(0.0, 1.0), (0.5, 0.5), (1.0, 0.25)] {
            set(&params, "velocity", amount);
            assert_eq!((params.hit_gain(0.5), params.hit_gain(1.0)), (at_half, 1.0));
            assert!(params.hit_gain(0.0) == f32::from(u8::from(amount == 0.0)));
        }
        assert_eq!((params.hit_gain(f32::NAN), params.hit_gain(7.0)), (0.0, 1.0));
    }

    #[test]
    fn values_are_shown_in_their_units() {
        let params = KickParams::default();
        let shown = |id: &str| {
            let (_, param, _) = params.param_map().into_iter().find(|(found, ..)| found == id).unwrap();
            // SAFETY: as above.
            unsafe { param.normalized_value_to_string(param.default_normalized_value(), true) }
        };
        let texts = ["release", "note", "tune", "decay", "duration", "amount", "guidance", "seed"].map(shown);
        assert_eq!(texts, ["120 ms", "C2", "0.00 st", "100 %", "2.00 s", "30 %", "2.0", "0"]);
    }
}
