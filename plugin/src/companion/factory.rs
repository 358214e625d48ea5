//! Presets that come with the companion. They move knobs, and leave the reference as it is.

use nice_plug::plugin::{ParamValue, PluginState};

use crate::state::Refusal;
use crate::state::session::new_state;

/// A preset: its name, then amount, tightness, lean in ms and accents.
const PRESETS: &[(&str, [f32; 4])] = &[
    ("As played", [0.0, 0.0, 0.0, 1.0]),
    ("A drummer", [1.0, 0.0, 0.0, 1.0]),
    ("A tight drummer", [0.8, 0.7, 0.0, 1.1]),
    ("Feel without chance", [1.0, 1.0, 0.0, 1.0]),
    ("Half way", [0.5, 0.3, 0.0, 1.0]),
    ("Laid back", [0.9, 0.4, 9.0, 1.0]),
    ("Pushing", [0.9, 0.4, -7.0, 1.15]),
    ("Ghosts and accents", [0.7, 0.3, 0.0, 1.6]),
];
const KNOBS: [&str; 4] = ["amount", "tightness", "lean", "accents"];

/// Their names.
pub(super) fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|(name, _)| *name).collect()
}

/// The state of one of them.
pub(super) fn state(name: &str) -> Option<Result<PluginState, Refusal>> {
    let (_, values) = PRESETS.iter().find(|(known, _)| *known == name)?;
    let knobs = KNOBS.into_iter().zip(values).map(|(id, value)| (id.to_owned(), ParamValue::F32(*value)));
    Some(Ok(new_state(knobs)))
}

#[cfg(test)]
mod tests {
    use super::super::loader::Loader;
    use super::super::params::CompanionParams;
    use super::{KNOBS, PRESETS, state};
    use crate::ui::recall::Sound;
    use nice_plug::params::Params;

    #[test]
    fn every_preset_opens_within_the_ranges_and_keeps_the_reference() {
        for (name, wanted) in PRESETS {
            let opened = Loader::open_state(&state(name).unwrap().unwrap()).unwrap();
            assert!(opened.files.is_none());
            let params = CompanionParams::default();
            for (id, wanted) in KNOBS.iter().zip(wanted) {
                let (_, param, _) = params.param_map().into_iter().find(|(found, ..)| found == id).unwrap();
                let value = opened.values.iter().find(|(found, _)| found == id).unwrap().1;
                // SAFETY: the parameters live.
                assert!((unsafe { param.preview_plain(value) } - wanted).abs() < 1e-4, "{id}");
            }
        }
        assert!(state("none").is_none());
    }
}
