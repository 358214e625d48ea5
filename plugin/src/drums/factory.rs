//! Presets that come with the drum separator. They move faders, and leave the network as it is.

use std::path::{Path, PathBuf};

use nice_plug::plugin::{ParamValue, PluginState};

use super::strips::{ALL, STRIPS};

/// The folder in which they appear to be.
const FOLDER: &str = "factory";
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

/// The presets, as paths that [`read`] knows.
pub(super) fn paths() -> Vec<PathBuf> {
    PRESETS.iter().map(|(name, _)| Path::new(FOLDER).join(name)).collect()
}

/// Reads a preset; none if the path is not one of [`paths`].
pub(super) fn read(path: &Path) -> Option<PluginState> {
    let name = path.strip_prefix(FOLDER).ok()?;
    let (_, levels) = PRESETS.iter().find(|(known, _)| Path::new(known) == name)?;
    let values = ALL.iter().zip(levels).flat_map(|(strip, level)| {
        let is_muted = *level == MUTED;
        let fader = ParamValue::F32(if is_muted { 0.0 } else { *level });
        [(strip.name.to_owned(), fader), (format!("{}_mute", strip.name), ParamValue::Bool(is_muted))]
    });
    Some(PluginState {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        params: values.collect(),
        fields: [].into(),
    })
}

#[cfg(test)]
mod tests {
    use nice_plug::params::Params;

    use super::super::params::DrumParams;
    use super::super::sound::DrumSound;
    use super::{MUTED, PRESETS, paths, read};
    use crate::state::kinds::fader_gain;
    use crate::ui::recall::Sound;

    #[test]
    fn every_preset_sets_the_gains_that_it_names_and_keeps_the_network() {
        for (path, (name, levels)) in paths().iter().zip(PRESETS) {
            let opened = DrumSound::open(&read(path).unwrap()).unwrap();
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
        assert!(read("factory/none".as_ref()).is_none() && read("a/b".as_ref()).is_none());
    }
}
