//! How a whole sound of the kick instrument is recalled: parameters, kick and generator.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nice_plug::params::Params;
use nice_plug::plugin::PluginState;

use super::factory;
use super::identity::OWNER;
use super::maker::Maker;
use super::params::KickParams;
use super::session::Session;
use crate::loading::Tasks;
use crate::preset::{self, Owner};
use crate::state::{Refusal, values};
use crate::ui::recall::{Recalled, Sound};

/// The sound of one instance.
pub(super) struct KickSound {
    pub(super) params: Arc<KickParams>,
    pub(super) maker: Maker,
}

/// The session of a state, and the values of the parameters.
fn parts(state: &PluginState) -> Result<(Session, Vec<(String, f32)>), String> {
    let mut state = state.clone();
    KickParams::complete(&mut state);
    let session: Session = match state.fields.get("session") {
        Some(text) => serde_json::from_str(text).map_err(|_| "the preset is damaged".to_owned())?,
        None => Session::default(),
    };
    session.check()?;
    let mut values = values::of_state(&KickParams::default(), &state);
    values.retain(|(id, _)| !KickSound::APART.contains(&id.as_str()));
    Ok((session, values))
}

impl Sound for KickSound {
    const OWNER: Owner = OWNER;
    /// Without a kick, one is made for the parameters.
    type Files = Session;

    fn params(&self) -> &dyn Params {
        &*self.params
    }

    fn tasks(&self) -> &Tasks {
        self.maker.tasks()
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        let identity = |session: &Session| session.kicks.as_ref().map(|kicks| kicks.identity().to_string());
        let model = |session: &Session| session.model.as_ref().map(|model| model.hash.clone());
        vec![self.params.session.read(identity), self.params.session.read(model)]
    }

    fn open(state: &PluginState) -> Result<Recalled<Session>, Refusal> {
        let (session, values) = parts(state)?;
        Ok(Recalled { values, files: session })
    }

    fn factory() -> Vec<PathBuf> {
        factory::paths()
    }

    fn read(path: &Path) -> Result<PluginState, Refusal> {
        factory::read(path).unwrap_or_else(|| preset::read(path, &OWNER))
    }

    fn play(&self, session: Session) {
        self.maker.play(session);
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::plugin::{ParamValue, PluginState};

    use super::super::generator::{generate, shipped};
    use super::super::identity::OWNER;
    use super::super::session::Session;
    use super::super::wishes::Wishes;
    use super::parts;
    use crate::preset;

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
        let (read, values) = parts(&preset::read(&path, &OWNER).unwrap()).unwrap();
        assert_eq!(read, session);
        let value = |id: &str| values.iter().find(|(found, _)| found == id).unwrap().1;
        assert_eq!([value("level"), value("word_deep"), value("mode"), value("choke")], [1.0, 0.5, 0.0, 1.0]);
        assert!(values.iter().all(|(id, _)| id != "revision"));
    }

    #[test]
    fn a_newer_one_is_refused() {
        let later = Session { version: 2, ..Session::default() };
        assert!(parts(&state(&later)).unwrap_err().contains("newer"));
    }
}
