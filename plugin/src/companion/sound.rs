//! How a whole sound of the companion is recalled: parameters and reference.

use nice_plug::plugin::PluginState;

use super::factory;
use super::identity::OWNER;
use super::loader::Loader;
use super::params::CompanionParams;
use super::reference::OpenReference;
use super::session::Session;
use crate::instance::Instance;
use crate::preset::Owner;
use crate::state::Refusal;
use crate::state::session::parts;
use crate::ui::recall::{Recalled, Sound};

impl Sound for Loader {
    const OWNER: Owner = OWNER;
    type Params = CompanionParams;
    const APART: &'static [&'static str] = &["revision", "listen", "panic"];
    /// None if the sound names no session, as the presets that come with the plugin: then the reference stays.
    type Files = Option<Option<OpenReference>>;

    fn instance(&self) -> &Instance<CompanionParams> {
        &self.0.instance
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        vec![
            self.0
                .instance
                .params
                .session
                .read(|session| session.reference.as_ref().map(|file| file.hash.clone())),
        ]
    }

    fn open_state(state: &PluginState) -> Result<Recalled<Self::Files>, Refusal> {
        let (session, values) = parts::<CompanionParams, Session>(state, Self::APART)?;
        let files = match session {
            Some(session) => Some(session.reference.map(OpenReference::restore).transpose()?),
            None => None,
        };
        Ok(Recalled { values, files })
    }

    fn play(&self, files: Self::Files) {
        if let Some(reference) = files {
            self.take(reference);
        }
    }

    fn factory() -> Vec<&'static str> {
        factory::names()
    }

    fn factory_state(name: &str) -> Option<Result<PluginState, Refusal>> {
        factory::state(name)
    }
}
