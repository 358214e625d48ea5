//! A MIDI clip that is worked on: opened, dropped or played, changed beside the window's thread, saved or dragged out.

use std::path::Path;
use std::sync::Arc;

use egui::{Align2, CursorIcon, FontId, Rect, Response, RichText, Sense, Ui, vec2};
use parking_lot::Mutex;

use crate::companion::clip::{Clip, Work};
use crate::companion::live::Capture;
use crate::companion::loader::Loader;
use crate::companion::params::CompanionParams;
use crate::companion::shared::Shared;
use crate::state::Refusal;
use crate::ui::dragging::CAN_DRAG;
use crate::ui::recall::Sound;
use crate::ui::text;
use crate::ui::theme::{DIM, LINE, TEXT, WELL};

/// Width of the clip's name, in points.
const HANDLE: f32 = 270.0;

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
    /// The clip is dragged out of the window.
    DragOut,
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

    /// The clip as a file.
    pub(super) fn write(&self, path: &Path) -> Result<(), Refusal> {
        let clip = self.steps.lock().last().cloned();
        clip.map_or(Ok(()), |clip| clip.write(path))
    }

    /// Takes the last bars that were played.
    fn take_played(&self, bars: u32, capture: &Capture, loader: &Loader) {
        let played = capture.last(bars).ok_or_else(|| "nothing was played yet while the song ran".to_owned());
        match played.and_then(|bars| Clip::played(&bars)) {
            Ok(clip) => *self.steps.lock() = vec![clip],
            Err(reason) => loader.tasks().refuse(reason),
        }
    }

    /// The clip's name and what it tells of itself, and how many steps there are.
    fn shown(&self) -> (Option<(String, String)>, usize) {
        let steps = self.steps.lock();
        (steps.last().map(|clip| (clip.name.clone(), clip.told.clone())), steps.len())
    }

    /// The name under which the clip is saved, without the ending.
    pub(super) fn name(&self) -> Option<String> {
        self.steps.lock().last().map(|clip| clip.name.clone())
    }

    /// Draws the section.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        params: &CompanionParams,
        shared: &Shared,
        loader: &Loader,
    ) -> Option<Asked> {
        self.rect = Some(ui.clip_rect());
        let (clip, count) = self.shown();
        let mut asked = None;
        ui.horizontal_centered(|ui| {
            if handle(ui, clip.as_ref()).drag_started() && clip.is_some() {
                asked = Some(Asked::DragOut);
            }
            ui.add_space(12.0);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing = vec2(6.0, 8.0);
                ui.horizontal(|ui| {
                    self.files(ui, clip.as_ref(), count, &mut asked);
                    ui.add_space(12.0);
                    self.last_bars(ui, shared, loader);
                });
                ui.horizontal(|ui| self.works(ui, clip.is_some(), params, loader));
            });
        });
        asked
    }

    fn files(&self, ui: &mut Ui, clip: Option<&(String, String)>, count: usize, asked: &mut Option<Asked>) {
        if ui.button("Open…").on_hover_text("Open a MIDI file to work on, or drop one here").clicked() {
            *asked = Some(Asked::Open);
        }
        let save = ui.add_enabled(clip.is_some(), egui::Button::new("Save…"));
        if let (true, Some((name, _))) = (save.on_hover_text("Write it as a MIDI file").clicked(), clip) {
            *asked = Some(Asked::Save(format!("{name}.mid")));
        }
        let back = ui.add_enabled(count > 1, egui::Button::new("Back"));
        if back.on_hover_text("As it was before").clicked() {
            self.steps.lock().pop();
        }
    }

    fn last_bars(&self, ui: &mut Ui, shared: &Shared, loader: &Loader) {
        ui.label(RichText::new("Take the last").small().color(DIM));
        for count in [1, 2, 4, 8] {
            let button = egui::Button::new(RichText::new(count.to_string()).color(DIM)).small();
            let help = "What was passed on in the last bars of the song becomes the clip";
            if ui.add(button).on_hover_text(help).clicked() {
                self.take_played(count, &shared.line.capture, loader);
            }
        }
        ui.label(RichText::new("bars played").small().color(DIM));
    }

    fn works(&self, ui: &mut Ui, is_there: bool, params: &CompanionParams, loader: &Loader) {
        ui.add_enabled_ui(is_there, |ui| {
            for work in Work::ALL {
                let (name, help) = work.words();
                let missing = work.missing();
                let button = ui.add_enabled(missing.is_none(), egui::Button::new(name));
                if button.on_hover_text(help).on_disabled_hover_text(missing.unwrap_or(help)).clicked() {
                    self.work(work, params, loader);
                }
            }
        });
    }
}

/// Draws the clip's name and what it tells of itself, by which it is dragged out.
fn handle(ui: &mut Ui, clip: Option<&(String, String)>) -> Response {
    let (rect, response) =
        ui.allocate_exact_size(vec2(HANDLE, ui.available_height()), Sense::click_and_drag());
    let lit = clip.is_some() && response.hovered();
    ui.painter().rect_filled(rect, 5.0, if lit { LINE } else { WELL });
    let inside = rect.shrink2(vec2(12.0, 0.0));
    let (name, told) = match clip {
        Some((name, told)) => (name.as_str(), told.as_str()),
        None => ("No clip", "Drop a MIDI file here to work on it"),
    };
    let (large, small) = (FontId::proportional(14.0), FontId::proportional(11.0));
    let colour = if clip.is_some() { TEXT } else { DIM };
    for (text, font, colour, y) in [(name, large, colour, -9.0), (told, small, DIM, 9.0)] {
        let text = text::middle(ui, text, &font, inside.width());
        let place = inside.left_center() + vec2(0.0, y);
        ui.painter().text(place, Align2::LEFT_CENTER, text, font, colour);
    }
    if clip.is_none() || !CAN_DRAG {
        return response;
    }
    response.on_hover_cursor(CursorIcon::Grab).on_hover_text("Drag the clip into the host, or into a folder")
}
