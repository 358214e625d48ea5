//! A MIDI file that is worked on: opened or dropped, changed beside the window's thread, saved.

use std::path::Path;
use std::sync::Arc;

use egui::{FontId, Rect, RichText, Ui};
use parking_lot::Mutex;

use crate::companion::clip::{Clip, Work};
use crate::companion::loader::Loader;
use crate::companion::params::CompanionParams;
use crate::ui::text;
use crate::ui::theme::{DIM, TEXT};

/// The kind of the tasks.
const TASK: &str = "clip";

/// The clip of one editor, and those before it.
#[derive(Clone, Default)]
pub(super) struct Clips {
    steps: Arc<Mutex<Vec<Clip>>>,
    /// Where it was drawn: files that are dropped there are clips.
    pub(super) rect: Option<Rect>,
}

/// What the user asks for.
pub(super) enum Asked {
    Open,
    /// Save under this name.
    Save(String),
}

impl Clips {
    /// Reads a file on a thread.
    pub(super) fn load(&self, path: &Path, loader: &Loader) {
        let (steps, path) = (Arc::clone(&self.steps), path.to_owned());
        loader.tasks().spawn(TASK, move |is_latest| {
            let clip = Clip::read(&path)?;
            if is_latest() {
                *steps.lock() = vec![clip];
            }
            Ok(())
        });
    }

    /// Does work on a thread.
    fn work(&self, work: Work, params: &CompanionParams, loader: &Loader) {
        let Some(clip) = self.steps.lock().last().cloned() else { return };
        let (steps, feel, reference) = (Arc::clone(&self.steps), params.wanted_feel(), loader.reference());
        loader.tasks().spawn(TASK, move |is_latest| {
            let bars = reference.as_ref().map(|reference| &*reference.bars);
            let worked = clip.worked(work, &feel, bars)?;
            if is_latest() {
                steps.lock().push(worked);
            }
            Ok(())
        });
    }

    /// Writes the clip to a file on a thread.
    pub(super) fn save(&self, path: &Path, loader: &Loader) {
        let Some(clip) = self.steps.lock().last().cloned() else { return };
        let path = path.to_owned();
        loader.tasks().spawn(TASK, move |_| clip.write(&path));
    }

    /// Draws the line.
    pub(super) fn ui(&mut self, ui: &mut Ui, params: &CompanionParams, loader: &Loader) -> Option<Asked> {
        self.rect = Some(ui.clip_rect());
        let (clip, count) = {
            let steps = self.steps.lock();
            (steps.last().map(|clip| (clip.name.clone(), clip.told.clone())), steps.len())
        };
        let mut asked = None;
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let width = 250.0;
            ui.allocate_ui(egui::vec2(width, ui.available_height()), |ui| {
                ui.set_width(width);
                ui.vertical(|ui| words(ui, clip.as_ref()));
            });
            if ui.button("Open…").on_hover_text("Open a MIDI file to work on, or drop one here").clicked() {
                asked = Some(Asked::Open);
            }
            ui.add_enabled_ui(clip.is_some(), |ui| {
                for work in Work::ALL {
                    let (name, help) = work.words();
                    let missing = work.missing();
                    let button = ui.add_enabled(missing.is_none(), egui::Button::new(name));
                    if button.on_hover_text(help).on_disabled_hover_text(missing.unwrap_or(help)).clicked() {
                        self.work(work, params, loader);
                    }
                }
            });
            let back = ui.add_enabled(count > 1, egui::Button::new("Back"));
            if back.on_hover_text("As it was before").clicked() {
                self.steps.lock().pop();
            }
            let save = ui.add_enabled(count > 1, egui::Button::new("Save…"));
            if let (true, Some((name, _))) = (save.clicked(), &clip) {
                asked = Some(Asked::Save(format!("{name}.mid")));
            }
        });
        asked
    }
}

fn words(ui: &mut Ui, clip: Option<&(String, String)>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let (name, told) = match clip {
        Some((name, told)) => (name.as_str(), told.as_str()),
        None => ("No clip", "Drop a MIDI file here to work on it"),
    };
    let font = FontId::proportional(14.0);
    let name = text::middle(ui, name, &font, ui.available_width());
    ui.label(RichText::new(name).font(font).strong().color(TEXT));
    let told = egui::Label::new(RichText::new(told).small().color(DIM)).truncate();
    ui.add(told);
}
