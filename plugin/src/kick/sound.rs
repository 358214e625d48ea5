//! How a whole sound of the kick instrument is recalled: parameters, kick and generator.

use nice_plug::plugin::PluginState;

use super::factory;
use super::identity::OWNER;
use super::maker::Maker;
use super::params::KickParams;
use super::session::Session;
use crate::instance::Instance;
use crate::preset::Owner;
use crate::state::Refusal;
use crate::state::session::parts;
use crate::ui::recall::{Recalled, Sound};

impl Sound for Maker {
    const OWNER: Owner = OWNER;
    type Params = KickParams;
    /// Without a kick, one is made for the parameters.
    type Files = Session;

    fn instance(&self) -> &Instance<KickParams> {
        &self.0.instance
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        let identity = |session: &Session| session.kicks.as_ref().map(|kicks| kicks.identity().to_string());
        let model = |session: &Session| session.model.as_ref().map(|model| model.hash.clone());
        vec![self.0.instance.params.session.read(identity), self.0.instance.params.session.read(model)]
    }

    fn open_state(state: &PluginState) -> Result<Recalled<Session>, Refusal> {
        let (session, values) = parts::<KickParams, Session>(state, Self::APART)?;
        Ok(Recalled { values, files: session.unwrap_or_default() })
    }

    fn factory() -> Vec<&'static str> {
        factory::names()
    }

    fn factory_state(name: &str) -> Option<Result<PluginState, Refusal>> {
        factory::state(name)
    }

    fn play(&self, session: Session) {
        self.play_opened(session);
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::plugin::{ParamValue, PluginState};

    use super::super::generator::{generate, shipped};
    use super::super::identity::OWNER;
    use super::super::maker::Maker;
    use super::super::session::Session;
    use super::super::wishes::Wishes;
    use crate::preset;
    use crate::ui::recall::{Recalled, Sound};

    fn state(session: &Session) -> PluginState {
        PluginState {
            version: String::new(),
            params: [
                ("level".to_owned(), ParamValue::F32(12.0)),
                ("word_deep".to_owned(), ParamValue::String("on".to_owned())),
                ("mode".to_owned(), ParamValue::String("backwards".to_owned())),
            ]
            .into(),
            fields: [("session".to_owned(), serde_json::to_string(session).unwrap())].into(),
        }
    }

    #[test]
    fn a_preset_comes_back_from_its_file_with_its_kick_and_defaults_for_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep.vstpreset");
        let kicks = generate(&shipped().unwrap(), &Wishes { seed: 3, ..Wishes::default() }, 30).unwrap();
        let session = Session { kicks: Some(kicks), ..Session::default() };
        preset::write(&path, &OWNER, &state(&session)).unwrap();
        let Recalled { values, files } = Maker::open_state(&preset::read(&path, &OWNER).unwrap()).unwrap();
        assert_eq!(files, session);
        let value = |id: &str| values.iter().find(|(found, _)| found == id).unwrap().1;
        assert_eq!([value("level"), value("word_deep"), value("mode"), value("choke")], [1.0, 0.5, 0.0, 1.0]);
        assert!(values.iter().all(|(id, _)| id != "revision"));
    }

    #[test]
    fn a_newer_one_is_refused() {
        let later = Session { version: 2, ..Session::default() };
        assert!(Maker::open_state(&state(&later)).err().unwrap().reason.contains("newer"));
    }
}
