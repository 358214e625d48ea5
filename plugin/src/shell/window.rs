//! The window of a plugin: the bars around its contents, files that are dropped, and what every window tells the host.

use std::path::Path;

use egui::{Pos2, RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::ParamSetter;

use crate::loading::Tasks;
use crate::preset::folder::is_preset;
use crate::state::{Refusal, SavedParams};
use crate::ui::dialogs::{Dialogs, Pick};
use crate::ui::recall::{Sound, SoundBar};
use crate::ui::{layout, meters, theme};
use crate::window::{App, AppEditor};

/// What a plugin shows between the bars of its window.
pub(crate) trait Contents: Send + 'static {
    /// As [`App::SIZE`].
    const SIZE: egui::Vec2;
    /// What the bar at the bottom says while nothing is being loaded.
    const HINT: &'static str;
    type Sound: Sound;

    /// Called when the window opens, before the first frame.
    fn opened(&mut self, _sound: &Self::Sound) {}

    /// Takes a file that is dropped at a place where it is not opened as elsewhere; returns whether it does.
    fn takes(&mut self, _path: &Path, _at: Option<Pos2>, _tools: &mut Tools<'_, Self::Sound>) -> bool {
        false
    }

    /// Loads a file that was dropped or picked, whatever it is. Presets are recalled without it.
    fn open(&mut self, path: &Path, tools: &mut Tools<'_, Self::Sound>);

    /// Called in each frame, before anything is drawn.
    fn update(&mut self, _tools: &mut Tools<'_, Self::Sound>) {}

    /// Draws the switches in the top bar, from right to left.
    fn switches(&mut self, _ui: &mut Ui, _tools: &mut Tools<'_, Self::Sound>) {}

    /// What the bar at the bottom says instead of the hint.
    fn notice(&self) -> Option<String> {
        None
    }

    fn ui(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Self::Sound>);

    /// Called when the window has closed.
    fn closed(&mut self) {}
}

/// What contents work with while they handle one frame.
pub(crate) struct Tools<'a, S: Sound> {
    pub(crate) sound: &'a S,
    pub(crate) params: &'a S::Params,
    pub(crate) context: &'a GuiContext,
    sounds: &'a mut SoundBar<S>,
    dialogs: &'a Dialogs,
}

impl<S: Sound> Tools<'_, S> {
    /// Sets parameters.
    pub(crate) fn setter(&self) -> ParamSetter<'_> {
        self.context.param_setter()
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        self.sound.tasks()
    }

    /// Shows why a file is not loaded.
    pub(crate) fn refuse(&self, path: &Path, reason: &str) {
        self.tasks().refuse(Refusal::of(path, reason));
    }

    /// Shows a dialog. What is picked is opened like a file that is dropped.
    pub(crate) fn pick(&self, pick: Pick) {
        self.dialogs.show(pick, self.tasks());
    }

    /// Makes the sound that plays now one that can be brought back. Call it before a file is loaded by hand.
    pub(crate) fn about_to_load(&mut self) {
        self.sounds.about_to_load(self.sound, self.context);
    }
}

/// The window of one instance.
pub(crate) struct Window<C: Contents> {
    contents: C,
    sound: C::Sound,
    sounds: SoundBar<C::Sound>,
    dialogs: Dialogs,
    context: Option<GuiContext>,
}

impl<C: Contents> Window<C> {
    /// The editor that the framework is given.
    pub(super) fn editor(sound: C::Sound, contents: C) -> AppEditor<Window<C>> {
        let repaint = sound.instance().repaint.clone();
        let (sounds, dialogs) = (SoundBar::default(), Dialogs::default());
        let window = Window { contents, sound, sounds, dialogs, context: None };
        AppEditor::new(window, C::Sound::OWNER.name, repaint, |window, context| {
            window.context = Some(context);
        })
    }
}

/// Loads `path`, whatever it is.
fn open<C: Contents>(contents: &mut C, path: &Path, tools: &mut Tools<'_, C::Sound>) {
    if is_preset(path) {
        tools.sounds.recall(path.to_owned(), tools.sound, tools.context);
    } else {
        contents.open(path, tools);
    }
}

impl<C: Contents> App for Window<C> {
    const SIZE: egui::Vec2 = C::SIZE;

    fn opened(&mut self, context: &egui::Context) {
        theme::apply(context);
        self.contents.opened(&self.sound);
    }

    fn ui(&mut self, ui: &mut Ui) {
        let Some(context) = &self.context else { return };
        let (contents, sound, instance) = (&mut self.contents, &self.sound, self.sound.instance());
        let (params, sounds, dialogs) = (&*instance.params, &mut self.sounds, &self.dialogs);
        let tools = &mut Tools { sound, params, context, sounds, dialogs };
        let (dropped, at) =
            ui.ctx().input(|input| (input.raw.dropped_files.clone(), input.pointer.latest_pos()));
        for file in &dropped {
            if !contents.takes(file.path(), at, tools) {
                open(contents, file.path(), tools);
            }
        }
        if let Some(path) = dialogs.take() {
            open(contents, &path, tools);
        }
        tools.sounds.update(ui, sound, context);
        instance.changes.report(params.revision(), context);
        contents.update(tools);
        layout::top_bar(ui, |ui| {
            ui.label(RichText::new(C::Sound::OWNER.name).heading().strong());
            ui.add_space(16.0);
            tools.sounds.ui(ui, sound, context);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                contents.switches(ui, tools);
                meters::cpu(ui, &instance.cpu);
            });
        });
        layout::status_bar(ui, &instance.tasks, contents.notice().as_deref().unwrap_or(C::HINT));
        contents.ui(ui, tools);
        layout::drop_hint(ui);
    }

    fn closed(&mut self) {
        self.context = None;
        self.contents.closed();
        self.sounds.close();
    }
}
