//! How a whole sound of the drum separator is recalled: parameters and network.

use nice_plug::plugin::PluginState;

use super::factory;
use super::files::OpenModel;
use super::identity::OWNER;
use super::loader::Loader;
use super::params::DrumParams;
use super::session::Session;
use crate::instance::Instance;
use crate::preset::Owner;
use crate::state::Refusal;
use crate::state::session::parts;
use crate::ui::recall::{Recalled, Sound};

impl Sound for Loader {
    const OWNER: Owner = OWNER;
    type Params = DrumParams;
    /// None if the sound names no network: then the one that plays stays.
    type Files = Option<OpenModel>;

    fn instance(&self) -> &Instance<DrumParams> {
        &self.0.instance
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        vec![
            self.0
                .instance
                .params
                .session
                .read(|session| session.model.as_ref().map(|model| model.hash.clone())),
        ]
    }

    fn open_state(state: &PluginState) -> Result<Recalled<Option<OpenModel>>, Refusal> {
        let (session, values) = parts::<DrumParams, Session>(state, Self::APART)?;
        let files = session.unwrap_or_default().model.map(OpenModel::restore).transpose()?;
        Ok(Recalled { values, files })
    }

    fn play(&self, model: Option<OpenModel>) {
        if let Some(model) = model {
            self.play_opened(model);
        }
    }

    fn factory() -> Vec<&'static str> {
        factory::names()
    }

    fn factory_state(name: &str) -> Option<Result<PluginState, Refusal>> {
        factory::state(name)
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::plugin::{ParamValue, PluginState};

    use super::super::identity::OWNER;
    use super::super::loader::Loader;
    use crate::preset;
    use crate::ui::recall::Sound;

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
        let values = Loader::open_state(&preset::read(&path, &OWNER).unwrap()).unwrap().values;
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
        assert!(Loader::open_state(&state(2)).err().unwrap().reason.contains("newer"));
    }
}
