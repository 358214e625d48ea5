//! Presets that come with the plugin: shipped amps through shipped cabinets, equally loud. They are described in a file that the
//! tests in Python measure.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use nice_plug::plugin::{ParamValue, PluginState};
use serde::Deserialize;

use super::files::{OpenModel, shipped_cabinet, shipped_model};
use super::session::{Session, VERSION};
use crate::state::session::{new_state, with_session};
use crate::state::{Refusal, Resource};

static PRESETS: LazyLock<Vec<FactoryPreset>> = LazyLock::new(|| {
    // A test reads it too, so a mistake in it does not reach anyone.
    serde_json::from_str(include_str!("../../presets/factory.json")).unwrap_or_default()
});

#[derive(Debug, Deserialize)]
struct FactoryPreset {
    name: String,
    /// Names of a shipped amp and a shipped cabinet.
    model: String,
    cabinet: String,
    /// Positions of the model's knobs, by their names.
    knobs: BTreeMap<String, f32>,
    /// Values of parameters, by their IDs. The others have their defaults.
    #[serde(flatten)]
    values: BTreeMap<String, f32>,
}

/// Their names.
pub(super) fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name.as_str()).collect()
}

/// The state of one of them.
pub(super) fn state(name: &str) -> Option<Result<PluginState, Refusal>> {
    PRESETS.iter().find(|preset| preset.name == name).map(FactoryPreset::state)
}

impl FactoryPreset {
    fn state(&self) -> Result<PluginState, Refusal> {
        let missing = || Refusal::from("a part of this preset is missing in the plugin".to_owned());
        let (model, model_bytes) = shipped_model(&self.model).ok_or_else(missing)?;
        let (cabinet, cabinet_bytes) = shipped_cabinet(&self.cabinet).ok_or_else(missing)?;
        let session = Session {
            version: VERSION,
            model: Some(Resource::new(&model, model_bytes)),
            cabinet: Some(Resource::new(&cabinet, cabinet_bytes)),
        };
        let named = self.values.iter().map(|(id, value)| (id.clone(), ParamValue::F32(*value)));
        let mut params: BTreeMap<String, ParamValue> = named.collect();
        // The level of each is set by ear and measured, so a level in the model's file is not to move it.
        params.insert("output_mode".to_owned(), ParamValue::String("raw".to_owned()));
        // A state that does not name it is from before there was one.
        params.insert("ceiling".to_owned(), ParamValue::Bool(true));
        for (knob, number) in OpenModel::read(&model)?.card.knobs.iter().zip(1..) {
            let position = self.knobs.get(&knob.name).copied().unwrap_or(knob.scale.default);
            params.insert(format!("knob{number}"), ParamValue::F32(position));
        }
        Ok(with_session(new_state(params), &session)?)
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::params::Params;
    use nice_plug::plugin::ParamValue;

    use super::super::loader::Loader;
    use super::super::params::AmpParams;
    use super::{FactoryPreset, OpenModel, PRESETS, names, shipped_model, state};
    use crate::ui::recall::Sound;

    #[test]
    fn every_preset_opens_with_all_that_it_names() {
        let described: Vec<FactoryPreset> =
            serde_json::from_str(include_str!("../../presets/factory.json")).unwrap();
        assert_eq!((described.len(), names().len()), (12, 12));
        let ids: Vec<String> = AmpParams::default().param_map().into_iter().map(|(id, ..)| id).collect();
        for (preset, name) in PRESETS.iter().zip(names()) {
            let state = state(name).unwrap().unwrap();
            Loader::open_state(&state).unwrap();
            for (id, value) in &preset.values {
                assert!(ids.contains(id), "{}: {id}", preset.name);
                assert!(matches!(state.params[id], ParamValue::F32(kept) if kept == *value));
            }
            assert!(matches!(state.params["ceiling"], ParamValue::Bool(true)));
            let (model, _) = shipped_model(&preset.model).unwrap();
            let knobs = OpenModel::read(&model).unwrap().card.knobs;
            for knob in preset.knobs.keys() {
                assert!(knobs.iter().any(|card| card.name == *knob), "{}: {knob}", preset.name);
            }
        }
        assert!(state("No such preset").is_none());
    }
}
