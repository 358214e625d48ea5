//! What recalling whole sounds needs to know of a plugin.

use std::path::{Path, PathBuf};

use nice_plug::params::Params;
use nice_plug::plugin::PluginState;

use crate::loading::Tasks;
use crate::preset::{self, Owner};
use crate::state::Refusal;

/// The sound of one instance: its parameters, and the files that it plays.
pub(crate) trait Sound: Send + Sync + 'static {
    /// The plugin that its presets belong to.
    const OWNER: Owner;
    /// IDs of parameters that are no part of the sound.
    const APART: &'static [&'static str] = &["revision"];
    /// Files that were opened and can play.
    type Files: Send + 'static;

    fn params(&self) -> &dyn Params;

    /// The tasks that open files, and show errors.
    fn tasks(&self) -> &Tasks;

    /// Hashes of the files that play, to see whether they are still those of a preset.
    fn file_hashes(&self) -> Vec<Option<String>>;

    /// Opens what a state holds, on a thread of a task. Nothing changes yet.
    ///
    /// # Errors
    ///
    /// In words for the user. The state is recalled whole or not at all.
    fn open(state: &PluginState) -> Result<Recalled<Self::Files>, Refusal>;

    /// Plays the files, once the parameters are set.
    fn play(&self, files: Self::Files);

    /// Presets that come with the plugin, as paths that [`read`](Self::read) knows. They are listed after the user's own.
    fn factory() -> Vec<PathBuf> {
        Vec::new()
    }

    /// Reads a preset.
    ///
    /// # Errors
    ///
    /// In words for the user.
    fn read(preset: &Path) -> Result<PluginState, Refusal> {
        preset::read(preset, &Self::OWNER)
    }
}

/// A sound that can be set.
#[derive(Debug)]
pub(crate) struct Recalled<F> {
    /// IDs of parameters and their normalised values.
    pub(crate) values: Vec<(String, f32)>,
    pub(crate) files: F,
}
