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

use egui::{Pos2, Ui};

use super::loader::Loader;
use super::reference::MIDI_ENDINGS;
use super::shared::Shared;
use crate::shell::{Contents, Tools};
use crate::state::files::has_ending;
use crate::ui::controls::bypass;
use crate::ui::dialogs::{Dialogs, Pick};
use crate::ui::dragging::DragOut;
use crate::ui::layout;
use crate::ui::theme::GRID;

const GROOVES: Pick = Pick::File { name: "MIDI files", endings: MIDI_ENDINGS };
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

/// The contents of the window of one instance.
pub(crate) struct CompanionEditor {
    shared: Arc<Shared>,
    /// Dialogs for a clip, and for where to save it.
    open_clip: Dialogs,
    save_clip: Dialogs,
    clips: clip::Clips,
    dragged: DragOut,
    grid: grid::Grid,
}

impl CompanionEditor {
    pub(super) fn new(shared: &Arc<Shared>) -> CompanionEditor {
        CompanionEditor {
            shared: Arc::clone(shared),
            open_clip: Dialogs::default(),
            save_clip: Dialogs::default(),
            clips: clip::Clips::default(),
            dragged: DragOut::default(),
            grid: grid::Grid::default(),
        }
    }

    fn open_clip(&self, path: &Path, tools: &Tools<'_, Loader>) {
        if has_ending(path, MIDI_ENDINGS) {
            self.clips.load(path, tools.sound);
        } else {
            tools.refuse(path, "not a MIDI file (.mid)");
        }
    }

    fn answer(&mut self, asked: Option<clip::Asked>, tools: &Tools<'_, Loader>) {
        let tasks = tools.tasks();
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

    fn upper(&self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        let width = ui.available_width() - REFERENCE - GRID;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            layout::section(ui, width, UPPER, |ui| knobs::ui(ui, tools.params, &tools.setter()));
            layout::section(ui, REFERENCE, UPPER, |ui| {
                let card = self.shared.reference.lock().clone();
                match reference::ui(ui, tools.params, card.as_ref(), &self.shared, &tools.setter()) {
                    Some(reference::Asked::Open) => tools.pick(GROOVES),
                    Some(reference::Asked::Remove) => {
                        tools.about_to_load();
                        tools.sound.take(None);
                    }
                    None => {}
                }
            });
        });
    }
}

impl Contents for CompanionEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 884.0);
    const HINT: &'static str =
        "Drop a MIDI file with bars of your own: the drums take over its feel. Or listen to what you play.";
    type Sound = Loader;

    fn opened(&mut self, _sound: &Loader) {
        self.shared.line.mood.set_shown(true);
    }

    fn takes(&mut self, path: &Path, at: Option<Pos2>, tools: &mut Tools<'_, Loader>) -> bool {
        // What is dropped where it came from changes nothing.
        let is_own = self.dragged.is_own(path);
        let is_on_clip = at.zip(self.clips.rect).is_some_and(|(at, rect)| rect.contains(at));
        if is_on_clip && !is_own {
            self.open_clip(path, tools);
        }
        is_own || is_on_clip
    }

    fn open(&mut self, path: &Path, tools: &mut Tools<'_, Loader>) {
        if has_ending(path, MIDI_ENDINGS) {
            tools.about_to_load();
            tools.sound.load(path);
        } else {
            tools.refuse(path, "neither a MIDI file (.mid) nor a preset (.vstpreset)");
        }
    }

    fn update(&mut self, tools: &mut Tools<'_, Loader>) {
        if let Some(path) = self.open_clip.take() {
            self.open_clip(&path, tools);
        }
        if let Some(path) = self.save_clip.take() {
            self.clips.save(&path, tools.sound);
        }
    }

    fn switches(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        bypass(ui, &tools.params.bypass, &tools.setter());
        ui.add_space(4.0);
    }

    fn ui(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        layout::whole(ui, |ui| {
            self.upper(ui, tools);
            let setter = tools.context.param_setter();
            let (width, height) =
                (ui.available_width(), ui.available_height() - LOWER - CLIP - CHORDS - PLAYER - 4.0 * GRID);
            layout::section(ui, width, height, |ui| {
                self.grid.ui(ui, tools.params, &self.shared, &setter);
            });
            layout::section(ui, width, CHORDS, |ui| {
                chords::ui(ui, tools.params, &self.shared.line.chords, &setter);
            });
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = GRID;
                layout::section(ui, DYNAMICS, PLAYER, |ui| {
                    knobs::player(ui, tools.params, &setter);
                });
                layout::section(ui, width - DYNAMICS - GRID, PLAYER, |ui| {
                    mood::ui(ui, tools.params, &self.shared, &setter);
                });
            });
            layout::section(ui, width, CLIP, |ui| {
                let asked = self.clips.ui(ui, tools.params, &self.shared, tools.sound);
                self.answer(asked, tools);
            });
            layout::section(ui, width, LOWER, |ui| {
                monitor::ui(ui, tools.params, &self.shared, &setter);
            });
        });
    }

    fn closed(&mut self) {
        self.shared.line.mood.set_shown(false);
    }
}
