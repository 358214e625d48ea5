//! Presets that come with the drum separator. They move faders, and leave the network as it is.

use nice_plug::plugin::{ParamValue, PluginState};

use super::strips::{ALL, STRIPS};
use crate::state::Refusal;
use crate::state::session::new_state;

/// The level of a strip that is muted; its fader stays at 0 dB.
const MUTED: f32 = f32::NEG_INFINITY;

/// A preset: its name, then the level of each strip in dB.
const PRESETS: &[(&str, [f32; STRIPS])] = &[
    ("As recorded", [0.0; STRIPS]),
    ("More kick", [4.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    ("More snare", [0.0, 4.0, 0.0, 0.0, 0.0, 0.0]),
    ("Kick and snare forward", [3.0, 3.0, 0.0, -3.0, -3.0, 0.0]),
    ("Softer hi-hat", [0.0, 0.0, 0.0, -8.0, 0.0, 0.0]),
    ("Softer cymbals and hi-hat", [0.0, 0.0, 0.0, -6.0, -8.0, -3.0]),
    ("Less room and bleed", [0.0, 0.0, 0.0, 0.0, 0.0, -12.0]),
    ("Only kick", [0.0, MUTED, MUTED, MUTED, MUTED, MUTED]),
    ("Only snare", [MUTED, 0.0, MUTED, MUTED, MUTED, MUTED]),
    ("Only metal", [MUTED, MUTED, MUTED, 0.0, 0.0, MUTED]),
    ("Without kick", [MUTED, 0.0, 0.0, 0.0, 0.0, 0.0]),
    ("Without snare", [0.0, MUTED, 0.0, 0.0, 0.0, 0.0]),
];

/// Their names.
pub(super) fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|(name, _)| *name).collect()
}

/// The state of one of them.
pub(super) fn state(name: &str) -> Option<Result<PluginState, Refusal>> {
    let (_, levels) = PRESETS.iter().find(|(known, _)| *known == name)?;
    let values = ALL.iter().zip(levels).flat_map(|(strip, level)| {
        let is_muted = *level == MUTED;
        let fader = ParamValue::F32(if is_muted { 0.0 } else { *level });
        [(strip.name.to_owned(), fader), (format!("{}_mute", strip.name), ParamValue::Bool(is_muted))]
    });
    Some(Ok(new_state(values)))
}

#[cfg(test)]
mod tests {
    use nice_plug::params::Params;

    use super::super::loader::Loader;
    use super::super::params::DrumParams;
    use super::{MUTED, PRESETS, state};
    use crate::state::kinds::fader_gain;
    use crate::ui::recall::Sound;

    #[test]
    fn every_preset_sets_the_gains_that_it_names_and_keeps_the_network() {
        for (name, levels) in PRESETS {
            let opened = Loader::open_state(&state(name).unwrap().unwrap()).unwrap();
            assert!(opened.files.is_none());
            let params = DrumParams::default();
            for (id, param, _) in params.param_map() {
                if let Some((_, value)) = opened.values.iter().find(|(found, _)| *found == id) {
                    // SAFETY: `params` lives, and this is its only thread.
                    unsafe { param._internal_set_normalized_value(*value) };
                }
            }
            let gains = levels.map(|level| if level == MUTED { 0.0 } else { fader_gain(level) });
            for (set, wanted) in params.gains().into_iter().zip(gains) {
                assert!((set - wanted).abs() < 1e-3, "{name}");
            }
        }
        assert!(state("none").is_none());
    }
}
