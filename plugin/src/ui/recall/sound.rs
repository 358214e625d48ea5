//! What recalling whole sounds needs to know of a plugin.

use std::path::{Path, PathBuf};

use nice_plug::params::Params;
use nice_plug::plugin::PluginState;

use crate::instance::Instance;
use crate::loading::Tasks;
use crate::preset::{self, Owner};
use crate::state::{Refusal, SavedParams};

/// The folder in which presets that come with the plugin appear to be.
const FACTORY: &str = "factory";

/// The sound of one instance: its parameters, and the files that it plays.
pub(crate) trait Sound: Send + Sync + 'static {
    /// The plugin that its presets belong to.
    const OWNER: Owner;
    /// IDs of parameters that are no part of the sound.
    const APART: &'static [&'static str] = &["revision"];
    type Params: SavedParams;
    /// Files that were opened and can play.
    type Files: Send + 'static;

    fn instance(&self) -> &Instance<Self::Params>;

    fn params(&self) -> &dyn Params {
        &*self.instance().params
    }

    /// The tasks that open files, and show errors.
    fn tasks(&self) -> &Tasks {
        &self.instance().tasks
    }

    /// Hashes of the files that play, to see whether they are still those of a preset.
    fn file_hashes(&self) -> Vec<Option<String>>;

    /// Opens what a state holds, on a thread of a task. Nothing changes yet.
    ///
    /// # Errors
    ///
    /// In words for the user. The state is recalled whole or not at all.
    fn open_state(state: &PluginState) -> Result<Recalled<Self::Files>, Refusal>;

    /// Plays the files, once the parameters are set.
    fn play(&self, files: Self::Files);

    /// Names of the presets that come with the plugin. They are listed after the user's own.
    fn factory() -> Vec<&'static str> {
        Vec::new()
    }

    /// The state of one of them; none for another name.
    fn factory_state(_name: &str) -> Option<Result<PluginState, Refusal>> {
        None
    }
}

/// The presets that come with the plugin, as paths that [`read`] knows.
pub(super) fn factory_paths<S: Sound>() -> Vec<PathBuf> {
    S::factory().into_iter().map(|name| Path::new(FACTORY).join(name)).collect()
}

/// Reads a preset: one that comes with the plugin, or a file.
///
/// # Errors
///
/// In words for the user.
pub(super) fn read<S: Sound>(path: &Path) -> Result<PluginState, Refusal> {
    let name = path.strip_prefix(FACTORY).ok().and_then(Path::to_str);
    name.and_then(S::factory_state).unwrap_or_else(|| preset::read(path, &S::OWNER))
}

/// A sound that can be set.
#[derive(Debug)]
pub(crate) struct Recalled<F> {
    /// IDs of parameters and their normalised values.
    pub(crate) values: Vec<(String, f32)>,
    pub(crate) files: F,
}
