//! Presets that come with the plugin: shipped amps through shipped cabinets, equally loud. They are described in a file that the
//! tests in Python measure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use nice_plug::plugin::{ParamValue, PluginState};
use serde::Deserialize;

use super::files::{OpenModel, shipped_cabinet, shipped_model};
use super::session::{Session, VERSION};
use crate::state::{Refusal, Resource};

/// The folder in which they appear to be.
const FOLDER: &str = "factory";

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

/// The presets, as paths that [`read`] knows.
pub(super) fn paths() -> Vec<PathBuf> {
    PRESETS.iter().map(|preset| Path::new(FOLDER).join(&preset.name)).collect()
}

/// Reads a preset; none if the path is not one of [`paths`].
pub(super) fn read(path: &Path) -> Option<Result<PluginState, Refusal>> {
    let name = path.strip_prefix(FOLDER).ok()?;
    let preset = PRESETS.iter().find(|preset| Path::new(&preset.name) == name)?;
    Some(preset.state().map_err(|refusal| refusal.about(path)))
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
        let session = serde_json::to_string(&session).map_err(|error| Refusal::from(error.to_string()))?;
        Ok(PluginState {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            params,
            fields: [("session".to_owned(), session)].into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use nice_plug::params::Params;
    use nice_plug::plugin::ParamValue;

    use super::super::params::AmpParams;
    use super::super::sound::AmpSound;
    use super::{FactoryPreset, OpenModel, PRESETS, paths, read, shipped_model};
    use crate::ui::recall::Sound;

    #[test]
    fn every_preset_opens_with_all_that_it_names() {
        let described: Vec<FactoryPreset> =
            serde_json::from_str(include_str!("../../presets/factory.json")).unwrap();
        assert_eq!((described.len(), paths().len()), (12, 12));
        let ids: Vec<String> = AmpParams::default().param_map().into_iter().map(|(id, ..)| id).collect();
        for (preset, path) in PRESETS.iter().zip(paths()) {
            let state = read(&path).unwrap().unwrap();
            AmpSound::open(&state).unwrap();
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
        assert!(read(Path::new("factory/No such preset")).is_none() && read(Path::new("a/b")).is_none());
    }
}
