//! How a whole sound of the drum separator is recalled: parameters and network.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nice_plug::params::Params;
use nice_plug::plugin::PluginState;

use super::factory;
use super::files::OpenModel;
use super::identity::OWNER;
use super::loader::Loader;
use super::params::DrumParams;
use super::session::Session;
use crate::loading::Tasks;
use crate::preset::{self, Owner};
use crate::state::{Refusal, values};
use crate::ui::recall::{Recalled, Sound};

/// The sound of one instance.
pub(super) struct DrumSound {
    pub(super) params: Arc<DrumParams>,
    pub(super) loader: Loader,
}

/// The session of a state, and the values of the parameters.
fn parts(state: &PluginState) -> Result<(Session, Vec<(String, f32)>), String> {
    let mut state = state.clone();
    DrumParams::complete(&mut state);
    let session: Session = match state.fields.get("session") {
        Some(text) => serde_json::from_str(text).map_err(|_| "the preset is damaged".to_owned())?,
        None => Session::default(),
    };
    session.check()?;
    let mut values = values::of_state(&DrumParams::default(), &state);
    values.retain(|(id, _)| !DrumSound::APART.contains(&id.as_str()));
    Ok((session, values))
}

impl Sound for DrumSound {
    const OWNER: Owner = OWNER;
    /// None if the sound names no network: then the one that plays stays.
    type Files = Option<OpenModel>;

    fn params(&self) -> &dyn Params {
        &*self.params
    }

    fn tasks(&self) -> &Tasks {
        self.loader.tasks()
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        vec![self.params.session.read(|session| session.model.as_ref().map(|model| model.hash.clone()))]
    }

    fn open(state: &PluginState) -> Result<Recalled<Option<OpenModel>>, Refusal> {
        let (session, values) = parts(state)?;
        let files = session.model.map(OpenModel::restore).transpose()?;
        Ok(Recalled { values, files })
    }

    fn play(&self, model: Option<OpenModel>) {
        if let Some(model) = model {
            self.loader.play(model);
        }
    }

    fn factory() -> Vec<PathBuf> {
        factory::paths()
    }

    fn read(preset: &Path) -> Result<PluginState, Refusal> {
        factory::read(preset).map_or_else(|| preset::read(preset, &OWNER), Ok)
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::plugin::{ParamValue, PluginState};

    use super::super::identity::OWNER;
    use super::parts;
    use crate::preset;

    fn state(version: u32) -> PluginState {
        PluginState {
            version: String::new(),
            params: [
                ("kick".to_owned(), ParamValue::F32(12.0)),
                ("snare_mute".to_owned(), ParamValue::Bool(true)),
                ("toms".to_owned(), ParamValue::F32(-1e30)),
                ("hihat".to_owned(), ParamValue::Bool(true)),
            ]
            .into(),
            fields: [("session".to_owned(), format!(r#"{{"version": {version}, "model": null}}"#))].into(),
        }
    }

    #[test]
    fn a_preset_comes_back_from_its_file_with_defaults_for_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loud kick.vstpreset");
        preset::write(&path, &OWNER, &state(1)).unwrap();
        let (_, values) = parts(&preset::read(&path, &OWNER).unwrap()).unwrap();
        let value = |id: &str| values.iter().find(|(found, _)| found == id).unwrap().1;
        assert_eq!(
            [value("kick"), value("snare_mute"), value("toms"), value("toms_mute")],
            [1.0, 1.0, 0.0, 0.0]
        );
        // 0 dB where the state has a value of another type, or none.
        assert!([value("hihat"), value("master")].iter().all(|at| (at - 0.6944).abs() < 1e-3));
        assert!(values.iter().all(|(id, _)| id != "revision") && values.len() == 20);
    }

    #[test]
    fn a_newer_one_is_refused() {
        assert!(parts(&state(2)).unwrap_err().contains("newer"));
    }
}
