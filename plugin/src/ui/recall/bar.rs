//! Undo, presets, A and B, side by side.

use std::path::PathBuf;

use egui::Ui;
use nice_plug::context::gui::GuiContext;

use super::history::History;
use super::pending::Pending;
use super::presets::Presets;
use super::sound::Sound;

/// The sounds of one instance's editor.
pub(crate) struct SoundBar<S: Sound> {
    history: History,
    pending: Pending<S>,
    presets: Presets,
}

impl<S: Sound> Default for SoundBar<S> {
    fn default() -> SoundBar<S> {
        SoundBar { history: History::default(), pending: Pending::default(), presets: Presets::default() }
    }
}

impl<S: Sound> SoundBar<S> {
    /// Sets a requested sound once it is open. Call it in each frame, before anything is drawn.
    pub(crate) fn update(&mut self, ui: &Ui, sound: &S, context: &GuiContext) {
        if let Some((preset, then)) = self.pending.apply(sound, context) {
            self.presets.arrived(preset);
            self.history.arrived(then);
        }
        self.history.update(ui, sound);
    }

    /// Draws the bar.
    pub(crate) fn ui(&mut self, ui: &mut Ui, sound: &S, context: &GuiContext) {
        self.history.ui(ui, sound, &self.pending, context);
        ui.add_space(8.0);
        self.presets.ui(ui, sound, &self.pending, context);
    }

    /// Recalls the preset at `path`.
    pub(crate) fn recall(&self, path: PathBuf, sound: &S, context: &GuiContext) {
        self.presets.recall(path, sound, &self.pending, context);
    }

    /// Makes the sound that plays now one that can be brought back. Call it before a file is loaded by hand.
    pub(crate) fn about_to_load(&mut self, sound: &S, context: &GuiContext) {
        self.history.about_to_load(sound, context);
    }

    /// Closes the list of presets.
    pub(crate) fn close(&mut self) {
        self.presets.close();
    }
}
