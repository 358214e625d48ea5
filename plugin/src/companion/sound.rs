//! How a whole sound of the companion is recalled: parameters and reference.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nice_plug::params::Params;
use nice_plug::plugin::PluginState;

use super::factory;
use super::identity::OWNER;
use super::loader::Loader;
use super::params::CompanionParams;
use super::reference::OpenReference;
use super::session::Session;
use crate::loading::Tasks;
use crate::preset::{self, Owner};
use crate::state::{Refusal, values};
use crate::ui::recall::{Recalled, Sound};

/// The sound of one instance.
pub(super) struct CompanionSound {
    pub(super) params: Arc<CompanionParams>,
    pub(super) loader: Loader,
}

/// Values of parameters, by their ids.
type Values = Vec<(String, f32)>;

/// The session of a state, if it has one, and the values of the parameters.
fn parts(state: &PluginState) -> Result<(Option<Session>, Values), String> {
    let mut state = state.clone();
    CompanionParams::complete(&mut state);
    let session: Option<Session> = match state.fields.get("session") {
        Some(text) => Some(serde_json::from_str(text).map_err(|_| "the preset is damaged".to_owned())?),
        None => None,
    };
    session.as_ref().map_or(Ok(()), Session::check)?;
    let mut values = values::of_state(&CompanionParams::default(), &state);
    values.retain(|(id, _)| !CompanionSound::APART.contains(&id.as_str()));
    Ok((session, values))
}

impl Sound for CompanionSound {
    const OWNER: Owner = OWNER;
    const APART: &'static [&'static str] = &["revision", "listen", "panic"];
    /// None if the sound names no session, as the presets that come with the plugin: then the reference stays.
    type Files = Option<Option<OpenReference>>;

    fn params(&self) -> &dyn Params {
        &*self.params
    }

    fn tasks(&self) -> &Tasks {
        self.loader.tasks()
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        vec![self.params.session.read(|session| session.reference.as_ref().map(|file| file.hash.clone()))]
    }

    fn open(state: &PluginState) -> Result<Recalled<Self::Files>, Refusal> {
        let (session, values) = parts(state)?;
        let files = match session {
            Some(session) => Some(session.reference.map(OpenReference::restore).transpose()?),
            None => None,
        };
        Ok(Recalled { values, files })
    }

    fn play(&self, files: Self::Files) {
        if let Some(reference) = files {
            self.loader.take(reference);
        }
    }

    fn factory() -> Vec<PathBuf> {
        factory::paths()
    }

    fn read(preset: &Path) -> Result<PluginState, Refusal> {
        factory::read(preset).map_or_else(|| preset::read(preset, &OWNER), Ok)
    }
}
