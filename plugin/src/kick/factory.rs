//! Presets that come with the plugin: requests to the network inside it, with how the kick is played.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use nice_plug::plugin::{ParamValue, PluginState};
use serde::Deserialize;

use crate::state::Refusal;
use crate::state::session::new_state;

static PRESETS: LazyLock<Vec<FactoryPreset>> = LazyLock::new(|| {
    // A test reads it too, so a mistake in it does not reach anyone.
    serde_json::from_str(include_str!("../../presets/kick.json")).unwrap_or_default()
});

#[derive(Debug, Deserialize)]
struct FactoryPreset {
    name: String,
    seed: i32,
    /// Words that should hold, and those that should not.
    keywords: Vec<String>,
    #[serde(default)]
    negative: Vec<String>,
    /// From 0 to 1.
    #[serde(default)]
    attributes: BTreeMap<String, f32>,
    /// Switches that are on, by the IDs of their parameters.
    #[serde(default)]
    switches: Vec<String>,
    /// Choices, by the IDs of their parameters.
    #[serde(default)]
    choices: BTreeMap<String, String>,
    /// Values of the other parameters, by their IDs. Those that are not named have their defaults.
    #[serde(flatten)]
    values: BTreeMap<String, f32>,
}

/// Their names.
pub(super) fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name.as_str()).collect()
}

/// The state of one of them.
pub(super) fn state(name: &str) -> Option<Result<PluginState, Refusal>> {
    PRESETS.iter().find(|preset| preset.name == name).map(|preset| Ok(preset.state()))
}

impl FactoryPreset {
    /// A state without a kick, which is made when it is recalled.
    fn state(&self) -> PluginState {
        let mut params = BTreeMap::from([("seed".to_owned(), ParamValue::I32(self.seed))]);
        for (words, wish) in [(&self.keywords, "on"), (&self.negative, "not")] {
            let wishes =
                words.iter().map(|word| (format!("word_{word}"), ParamValue::String(wish.to_owned())));
            params.extend(wishes);
        }
        for (name, share) in &self.attributes {
            params.insert(format!("{name}_given"), ParamValue::Bool(true));
            params.insert(name.clone(), ParamValue::F32(*share));
        }
        params.extend(self.switches.iter().map(|id| (id.clone(), ParamValue::Bool(true))));
        params.extend(self.choices.iter().map(|(id, value)| (id.clone(), ParamValue::String(value.clone()))));
        params.extend(self.values.iter().map(|(id, value)| (id.clone(), ParamValue::F32(*value))));
        new_state(params)
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::params::Params;
    use nice_plug::plugin::ParamValue;

    use super::super::maker::Maker;
    use super::super::params::KickParams;
    use super::{FactoryPreset, PRESETS, names, state};
    use crate::state::values::plain;
    use crate::ui::recall::Sound;

    #[test]
    fn every_preset_opens_with_all_that_it_names() {
        let described: Vec<FactoryPreset> =
            serde_json::from_str(include_str!("../../presets/kick.json")).unwrap();
        assert_eq!((described.len(), PRESETS.len()), (12, 12));
        for name in names() {
            let state = state(name).unwrap().unwrap();
            let recalled = Maker::open_state(&state).unwrap();
            let scratch = KickParams::default();
            for (id, value) in &state.params {
                let (_, at) = recalled.values.iter().find(|(known, _)| known == id).unwrap();
                let kept = plain(&scratch, id, *at).unwrap();
                let is_kept = match (value, &kept) {
                    (ParamValue::F32(value), ParamValue::F32(kept)) => (value - kept).abs() < 1e-4,
                    (value, kept) => format!("{value:?}") == format!("{kept:?}"),
                };
                assert!(is_kept, "{name}: {id} {value:?} {kept:?}");
            }
            assert_eq!(recalled.values.len(), scratch.param_map().len() - 1);
        }
        assert!(state("No such preset").is_none());
    }
}
