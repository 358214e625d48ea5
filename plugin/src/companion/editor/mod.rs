//! The companion's window: knobs and reference, below them the groove of a bar, chords, a clip, and what the worker does.

mod chords;
mod clip;
mod grid;
mod knobs;
mod monitor;
mod mood;
mod reference;

use std::path::Path;
use std::sync::Arc;

use egui::{RichText, Ui};
use nice_plug::context::gui::GuiContext;

use super::identity::OWNER;
use super::reference::MIDI_ENDINGS;
use super::shared::Shared;
use super::sound::CompanionSound;
use crate::preset::folder::is_preset;
use crate::state::Refusal;
use crate::state::files::has_ending;
use crate::ui::controls::bypass;
use crate::ui::dialogs::{Dialogs, Pick};
use crate::ui::dragging::DragOut;
use crate::ui::recall::{Sound, SoundBar};
use crate::ui::theme::GRID;
use crate::ui::{layout, meters, theme};
use crate::window::{App, AppEditor};

const GROOVES: Pick = Pick::File { name: "MIDI files", endings: MIDI_ENDINGS };
const HINT: &str =
    "Drop a MIDI file with bars of your own: the drums take over its feel. Or listen to what you play.";
/// Height of the upper row, and of the line of the worker, in points.
const UPPER: f32 = 190.0;
const LOWER: f32 = 44.0;
/// Height of the section of the clip, in points.
const CLIP: f32 = 84.0;
/// Height of the line of the chords, in points.
const CHORDS: f32 = 92.0;
/// Height of the line of dynamics and emotion, in points.
const PLAYER: f32 = 92.0;
/// Width of the section of dynamics and melody, in points.
const DYNAMICS: f32 = 340.0;
/// Width of the reference's section, in points.
const REFERENCE: f32 = 292.0;

/// The editor of one instance.
pub(crate) struct CompanionEditor {
    sound: CompanionSound,
    shared: Arc<Shared>,
    context: Option<GuiContext>,
    sounds: SoundBar<CompanionSound>,
    /// Dialogs for grooves, for a clip, and for where to save it.
    dialogs: Dialogs,
    open_clip: Dialogs,
    save_clip: Dialogs,
    clips: clip::Clips,
    dragged: DragOut,
    grid: grid::Grid,
}

impl CompanionEditor {
    /// The editor that the framework is given.
    pub(super) fn create(sound: CompanionSound, shared: Arc<Shared>) -> AppEditor<CompanionEditor> {
        let repaint = shared.repaint.clone();
        let app = CompanionEditor {
            sound,
            shared,
            context: None,
            sounds: SoundBar::default(),
            dialogs: Dialogs::default(),
            open_clip: Dialogs::default(),
            save_clip: Dialogs::default(),
            clips: clip::Clips::default(),
            dragged: DragOut::default(),
            grid: grid::Grid::default(),
        };
        AppEditor::new(app, OWNER.name, repaint, |app, context| app.context = Some(context))
    }

    /// Loads `path`, whatever it is: a groove or a preset.
    fn open(&mut self, path: &Path, context: &GuiContext) {
        if is_preset(path) {
            self.sounds.recall(path.to_owned(), &self.sound, context);
        } else if has_ending(path, MIDI_ENDINGS) {
            self.sounds.about_to_load(&self.sound, context);
            self.sound.loader.load(path);
        } else {
            let reason = "neither a MIDI file (.mid) nor a preset (.vstpreset)";
            self.sound.tasks().refuse(Refusal::of(path, reason));
        }
    }

    fn take_files(&mut self, ui: &Ui, context: &GuiContext) {
        let (mut dropped, at) =
            ui.ctx().input(|input| (input.raw.dropped_files.clone(), input.pointer.latest_pos()));
        // What is dropped where it came from changes nothing.
        dropped.retain(|file| !self.dragged.is_own(file.path()));
        let on_clip = at.zip(self.clips.rect).is_some_and(|(at, rect)| rect.contains(at));
        for path in
            dropped.iter().filter(|_| on_clip).map(|file| file.path().to_owned()).chain(self.open_clip.take())
        {
            if has_ending(&path, MIDI_ENDINGS) {
                self.clips.load(&path, &self.sound.loader);
            } else {
                self.sound.tasks().refuse(Refusal::of(&path, "not a MIDI file (.mid)"));
            }
        }
        if let Some(path) = self.save_clip.take() {
            self.clips.save(&path, &self.sound.loader);
        }
        let dropped = if on_clip { Vec::new() } else { dropped };
        let picked = self.dialogs.take();
        for path in dropped.iter().map(|file| file.path().to_owned()).chain(picked) {
            self.open(&path, context);
        }
    }

    fn answer(&mut self, asked: Option<clip::Asked>) {
        let tasks = self.sound.tasks();
        match asked {
            Some(clip::Asked::Open) => self.open_clip.show(GROOVES, tasks),
            Some(clip::Asked::Save(name)) => {
                let pick = Pick::Save { name: "MIDI files", endings: &["mid"], file: name };
                self.save_clip.show(pick, tasks);
            }
            Some(clip::Asked::DragOut) => {
                let name = self.clips.name().unwrap_or_default().replace([' ', '/', '\\'], "_");
                self.dragged.start(&name, "mid", tasks, |path| self.clips.write(path));
            }
            None => {}
        }
    }

    fn top(&mut self, ui: &mut Ui, context: &GuiContext) {
        ui.label(RichText::new(OWNER.name).heading().strong());
        ui.add_space(16.0);
        self.sounds.ui(ui, &self.sound, context);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            bypass(ui, &self.sound.params.bypass, &context.param_setter());
            ui.add_space(4.0);
            meters::cpu(ui, &self.shared.cpu);
        });
    }

    fn upper(&mut self, ui: &mut Ui, context: &GuiContext) {
        let setter = context.param_setter();
        let width = ui.available_width() - REFERENCE - GRID;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            layout::section(ui, width, UPPER, |ui| knobs::ui(ui, &self.sound.params, &setter));
            layout::section(ui, REFERENCE, UPPER, |ui| {
                let card = self.shared.reference.lock().clone();
                match reference::ui(ui, &self.sound.params, card.as_ref(), &self.shared, &setter) {
                    Some(reference::Asked::Open) => self.dialogs.show(GROOVES, self.sound.tasks()),
                    Some(reference::Asked::Remove) => {
                        self.sounds.about_to_load(&self.sound, context);
                        self.sound.loader.take(None);
                    }
                    None => {}
                }
            });
        });
    }
}

impl App for CompanionEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 884.0);

    fn opened(&mut self, context: &egui::Context) {
        theme::apply(context);
        self.shared.line.mood.set_shown(true);
    }

    fn ui(&mut self, ui: &mut Ui) {
        let Some(context) = self.context.clone() else { return };
        self.take_files(ui, &context);
        self.sounds.update(ui, &self.sound, &context);
        self.shared.changes.report(&self.sound.params.revision, &context);
        layout::top_bar(ui, |ui| self.top(ui, &context));
        layout::status_bar(ui, self.sound.tasks(), HINT);
        layout::whole(ui, |ui| {
            self.upper(ui, &context);
            let setter = context.param_setter();
            let (width, height) =
                (ui.available_width(), ui.available_height() - LOWER - CLIP - CHORDS - PLAYER - 4.0 * GRID);
            layout::section(ui, width, height, |ui| {
                self.grid.ui(ui, &self.sound.params, &self.shared, &setter);
            });
            layout::section(ui, width, CHORDS, |ui| {
                chords::ui(ui, &self.sound.params, &self.shared.line.chords, &setter);
            });
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = GRID;
                layout::section(ui, DYNAMICS, PLAYER, |ui| {
                    knobs::player(ui, &self.sound.params, &setter);
                });
                layout::section(ui, width - DYNAMICS - GRID, PLAYER, |ui| {
                    mood::ui(ui, &self.sound.params, &self.shared, &setter);
                });
            });
            layout::section(ui, width, CLIP, |ui| {
                let asked = self.clips.ui(ui, &self.sound.params, &self.shared, &self.sound.loader);
                self.answer(asked);
            });
            layout::section(ui, width, LOWER, |ui| {
                monitor::ui(ui, &self.sound.params, &self.shared, &setter);
            });
        });
        layout::drop_hint(ui);
    }

    fn closed(&mut self) {
        self.shared.line.mood.set_shown(false);
        self.context = None;
        self.sounds.close();
    }
}
