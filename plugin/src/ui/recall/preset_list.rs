//! The list of presets: the user's own, those that come with the plugin, and the field for the name of a new one.

use std::path::{Path, PathBuf};

use egui::{Align2, FontId, Id, Key, Order, Rect, RichText, Sense, Ui, vec2};

use crate::state::files::stem;
use crate::ui::icons::{Icon, paint_icon};
use crate::ui::steps::neighbour;
use crate::ui::text;
use crate::ui::theme::{self, ACCENT, ALERT, DIM, LINE, TEXT, WELL};

/// Width of the list, in points.
const WIDTH: f32 = 288.0;
/// Height of a line, in points.
const LINE_HEIGHT: f32 = 26.0;
/// Lines that are visible at a time.
const LINES: f32 = 13.0;

/// The list, open or closed.
#[derive(Default)]
pub(super) struct PresetList {
    /// The user's own.
    own: Vec<PathBuf>,
    /// Those that come with the plugin, which cannot be deleted.
    factory: Vec<PathBuf>,
    is_open: bool,
    /// Whether the list was just opened, and goes to the current preset.
    goes_to_current: bool,
    /// The text of the field.
    name: String,
    /// The preset that is deleted once the user confirms it.
    pending_delete: Option<PathBuf>,
}

/// What the user asks for.
pub(super) enum Action {
    Recall(PathBuf),
    Delete(PathBuf),
    /// Save the present sound under this name.
    Save(String),
}

/// What a click on a line asks for.
enum Click {
    Recall,
    AskToDelete,
    Delete,
    Keep,
}

impl PresetList {
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    /// Lists these presets.
    pub(super) fn set(&mut self, own: Vec<PathBuf>, factory: Vec<PathBuf>) {
        (self.own, self.factory) = (own, factory);
    }

    /// Opens the list at the `current` preset.
    pub(super) fn open(&mut self, current: Option<&Path>) {
        (self.is_open, self.goes_to_current, self.pending_delete) = (true, true, None);
        if let Some(current) = current {
            self.name = stem(current);
        }
    }

    /// The preset `step` places after the `current` one, going round; none if there are none.
    pub(super) fn neighbour(&self, step: isize, current: Option<&Path>) -> Option<PathBuf> {
        let all: Vec<&PathBuf> = self.own.iter().chain(&self.factory).collect();
        let at = current.and_then(|current| all.iter().position(|listed| listed.as_path() == current));
        neighbour(all.len(), at, step).map(|next| all[next].clone())
    }

    /// Draws the list below `button`, if it is open.
    pub(super) fn ui(&mut self, ui: &mut Ui, button: Rect, current: Option<&Path>) -> Option<Action> {
        if !self.is_open {
            return None;
        }
        let shown = egui::Area::new(Id::unique("presets"))
            .order(Order::Foreground)
            .fixed_pos(button.left_bottom() + vec2(0.0, 6.0))
            .show(ui.ctx(), |ui| {
                let panel = theme::panel().stroke(egui::Stroke::new(1.0, LINE)).shadow(egui::Shadow {
                    offset: [0, 6],
                    blur: 20,
                    spread: 0,
                    color: egui::Color32::from_black_alpha(140),
                });
                panel.show(ui, |ui| {
                    ui.set_width(WIDTH);
                    let of_lines = self.lines(ui, current);
                    ui.add_space(2.0);
                    of_lines.or(self.save_line(ui))
                })
            });
        let action = shown.inner.inner;
        let rect = shown.response.rect.union(button);
        let (away, escape) = ui.input(|input| {
            let away = input.pointer.any_pressed()
                && input.pointer.interact_pos().is_some_and(|at| !rect.contains(at));
            (away, input.key_pressed(Key::Escape))
        });
        if away || escape || matches!(action, Some(Action::Recall(_))) {
            self.is_open = false;
        }
        if matches!(action, Some(Action::Delete(_))) {
            self.pending_delete = None;
        }
        if action.is_some() {
            // What it changes is drawn in the next frame.
            ui.ctx().request_repaint();
        }
        action
    }

    fn lines(&mut self, ui: &mut Ui, current: Option<&Path>) -> Option<Action> {
        let headings = usize::from(!self.factory.is_empty()) + 1;
        let lines = self.own.len().max(1) + self.factory.len() + headings;
        let height = LINE_HEIGHT * (lines as f32).min(LINES);
        let goes_to_current = std::mem::take(&mut self.goes_to_current);
        let mut clicked = None;
        egui::ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let mut group = |ui: &mut Ui, name: &str, paths: &[PathBuf], is_own: bool| {
                heading(ui, name);
                for path in paths {
                    let is_current = current == Some(path);
                    if let Some(click) = self.line(ui, path, is_own, is_current, goes_to_current) {
                        clicked = Some((click, path.clone()));
                    }
                }
            };
            group(ui, "YOURS", &self.own, true);
            if self.own.is_empty() {
                let size = vec2(ui.available_width(), LINE_HEIGHT);
                let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
                let (at, font) = (rect.left_center() + vec2(8.0, 0.0), FontId::proportional(13.0));
                let none = "None yet: name this sound below and save it.";
                ui.painter().text(at, Align2::LEFT_CENTER, none, font, DIM);
            }
            if !self.factory.is_empty() {
                group(ui, "FACTORY", &self.factory, false);
            }
        });
        match clicked? {
            (Click::Recall, path) => return Some(Action::Recall(path)),
            (Click::AskToDelete, path) => self.pending_delete = Some(path),
            (Click::Delete, path) => return Some(Action::Delete(path)),
            (Click::Keep, _) => self.pending_delete = None,
        }
        None
    }

    /// Draws one preset.
    fn line(
        &self,
        ui: &mut Ui,
        path: &Path,
        is_own: bool,
        is_current: bool,
        goes_to_current: bool,
    ) -> Option<Click> {
        let size = vec2(ui.available_width(), LINE_HEIGHT);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        if is_current && goes_to_current {
            response.scroll_to_me(Some(egui::Align::Center));
        }
        let is_hovered = response.hovered() || response.contains_pointer();
        if is_hovered || is_current {
            ui.painter().rect_filled(rect, 3.0, if is_hovered { LINE } else { WELL });
        }
        let name = stem(path);
        let asks = self.pending_delete.as_deref() == Some(path);
        let buttons = if asks { 126.0 } else { 26.0 };
        let shown = if asks { "Delete it?" } else { &name };
        let colour = match (asks, is_current) {
            (true, _) => ALERT,
            (_, true) => ACCENT,
            _ => TEXT,
        };
        let (at, font) = (rect.left_center() + vec2(8.0, 0.0), FontId::proportional(14.0));
        let shown = text::middle(ui, shown, &font, rect.width() - buttons - 12.0);
        ui.painter().text(at, Align2::LEFT_CENTER, shown, font, colour);
        let right = rect.with_min_x(rect.right() - buttons);
        let mut inner = ui.new_child(
            egui::UiBuilder::new().max_rect(right).layout(egui::Layout::right_to_left(egui::Align::Center)),
        );
        inner.spacing_mut().item_spacing.x = 4.0;
        inner.spacing_mut().button_padding.y = 1.0;
        inner.spacing_mut().interact_size.y = 20.0;
        if asks {
            if inner.button("Keep").clicked() {
                return Some(Click::Keep);
            }
            if inner.button(RichText::new("Delete").color(ALERT)).clicked() {
                return Some(Click::Delete);
            }
        } else if is_own && is_hovered {
            let (cross, button) = inner.allocate_exact_size(vec2(22.0, 22.0), Sense::click());
            let colour = if button.hovered() { ALERT } else { DIM };
            paint_icon(inner.painter(), cross.center(), Icon::Cross, colour);
            if button.on_hover_text(format!("Delete {name}")).clicked() {
                return Some(Click::AskToDelete);
            }
        }
        response.clicked().then_some(Click::Recall)
    }

    /// Draws the field and its button.
    fn save_line(&mut self, ui: &mut Ui) -> Option<Action> {
        let drawn = ui.horizontal(|ui| {
            let field = egui::TextEdit::singleline(&mut self.name)
                .hint_text("Name of this sound")
                .desired_width(WIDTH - 100.0);
            let response = ui.add(field);
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let exists = self.own.iter().any(|path| stem(path) == self.name.trim());
            let text = RichText::new(if exists { "Replace" } else { "Save" }).color(WELL);
            let button = egui::Button::new(text).fill(ACCENT).min_size(vec2(84.0, 26.0));
            ui.add_enabled(!self.name.trim().is_empty(), button).clicked() || entered
        });
        drawn.inner.then(|| Action::Save(self.name.clone()))
    }
}

/// The name of a group of presets.
fn heading(ui: &mut Ui, name: &str) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::hover());
    let (at, font) = (rect.left_center() + vec2(8.0, 2.0), FontId::proportional(11.0));
    ui.painter().text(at, Align2::LEFT_CENTER, name, font, DIM);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::PresetList;

    #[test]
    fn steps_go_through_the_users_own_and_then_those_of_the_plugin() {
        let mut list = PresetList::default();
        assert_eq!(list.neighbour(1, None), None);
        list.set(vec!["lead".into()], vec!["factory/Clean".into(), "factory/Crunch".into()]);
        let next = |step, current: &str| list.neighbour(step, Some(Path::new(current))).unwrap();
        assert_eq!(next(1, "lead"), Path::new("factory/Clean"));
        assert_eq!(next(1, "factory/Crunch"), Path::new("lead"));
        assert_eq!(next(-1, "lead"), Path::new("factory/Crunch"));
    }
}
