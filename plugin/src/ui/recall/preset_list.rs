//! The list of presets, and the field for the name of a new one.
//!
//! By keyboard: the arrows move, Enter recalls, Delete deletes and asks first, Escape closes.

use std::path::{Path, PathBuf};

use egui::{Align2, EventFilter, FontId, Id, Key, Modifiers, Order, Rect, RichText, Sense, Ui, vec2};

use crate::state::files::stem;
use crate::ui::icons::{Icon, paint_icon};
use crate::ui::steps::neighbour;
use crate::ui::theme::{self, ACCENT, ALERT, DIM, LINE, TEXT, WELL};

/// Width of the list, in points.
const WIDTH: f32 = 288.0;
/// Height of a line, in points.
const LINE_HEIGHT: f32 = 26.0;
/// Lines that are visible at a time.
const LINES: f32 = 9.0;

/// The list, open or closed.
#[derive(Default)]
pub(super) struct PresetList {
    paths: Vec<PathBuf>,
    is_open: bool,
    /// What takes the keyboard in the next frame.
    focus: Option<Focus>,
    selected: usize,
    /// The text of the field.
    name: String,
    /// The preset that is deleted once the user confirms it.
    pending_delete: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Focus {
    List,
    Name,
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

    pub(super) fn set_paths(&mut self, paths: Vec<PathBuf>) {
        self.paths = paths;
        self.selected = self.selected.min(self.paths.len().saturating_sub(1));
    }

    /// Opens the list at the `current` preset.
    pub(super) fn open(&mut self, focus: Focus, current: Option<&Path>) {
        (self.is_open, self.focus, self.pending_delete) = (true, Some(focus), None);
        if let Some(current) = current {
            self.name = stem(current);
            self.selected = self.position(current).unwrap_or(self.selected);
        }
    }

    /// Selects the preset `step` places after the `current` one, going round; none if there are none.
    pub(super) fn step(&mut self, step: isize, current: Option<&Path>) -> Option<PathBuf> {
        let current = current.and_then(|current| self.position(current));
        self.selected = neighbour(self.paths.len(), current, step)?;
        self.paths.get(self.selected).cloned()
    }

    fn position(&self, path: &Path) -> Option<usize> {
        self.paths.iter().position(|listed| listed == path)
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
                let panel = theme::panel().stroke(egui::Stroke::new(1.0, LINE));
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
        if escape && self.pending_delete.is_some() {
            self.pending_delete = None;
        } else if away || escape || matches!(action, Some(Action::Recall(_))) {
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
        let list = ui.interact(ui.max_rect(), ui.scope_id().with("list"), Sense::focusable_noninteractive());
        if self.focus == Some(Focus::List) {
            list.request_focus();
            self.focus = None;
        }
        let has_keys = list.has_focus();
        let mut action = None;
        if has_keys {
            let filter = EventFilter { vertical_arrows: true, escape: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(list.id, filter));
            action = self.keys(ui);
        }
        if self.paths.is_empty() {
            ui.label(RichText::new("No presets yet: name this sound and save it.").color(DIM));
            return action;
        }
        let height = LINE_HEIGHT * (self.paths.len() as f32).min(LINES);
        let mut clicked = None;
        egui::ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (index, path) in self.paths.iter().enumerate() {
                let is_selected = has_keys && index == self.selected;
                if let Some(click) = self.line(ui, path, is_selected, current == Some(path)) {
                    clicked = Some((click, path.clone()));
                }
            }
        });
        match clicked {
            Some((Click::Recall, path)) => return Some(Action::Recall(path)),
            Some((Click::AskToDelete, path)) => self.pending_delete = Some(path),
            Some((Click::Delete, path)) => return Some(Action::Delete(path)),
            Some((Click::Keep, _)) => self.pending_delete = None,
            None => {}
        }
        action
    }

    fn keys(&mut self, ui: &Ui) -> Option<Action> {
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let last = self.paths.len().saturating_sub(1);
        if pressed(Key::ArrowDown) {
            (self.selected, self.pending_delete) = ((self.selected + 1).min(last), None);
        }
        if pressed(Key::ArrowUp) {
            (self.selected, self.pending_delete) = (self.selected.saturating_sub(1), None);
        }
        let path = self.paths.get(self.selected)?.clone();
        if pressed(Key::Delete) {
            self.pending_delete = Some(path);
        } else if pressed(Key::Enter) {
            return Some(match self.pending_delete.clone() {
                Some(path) => Action::Delete(path),
                None => Action::Recall(path),
            });
        }
        None
    }

    /// Draws one preset.
    fn line(&self, ui: &mut Ui, path: &Path, is_selected: bool, is_current: bool) -> Option<Click> {
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::click());
        if is_selected || response.hovered() {
            ui.painter().rect_filled(rect, 3.0, if is_selected { LINE } else { WELL });
        }
        if is_selected
            && ui.input(|input| input.key_pressed(Key::ArrowDown) || input.key_pressed(Key::ArrowUp))
        {
            response.scroll_to_me(None);
        }
        let name = stem(path);
        let asks = self.pending_delete.as_deref() == Some(path);
        let buttons = if asks { 126.0 } else { 26.0 };
        let text = if asks { "Delete it?".to_owned() } else { name.clone() };
        let colour = match (asks, is_current) {
            (true, _) => ALERT,
            (_, true) => ACCENT,
            _ => TEXT,
        };
        let space = rect.with_max_x(rect.right() - buttons);
        let (painter, at) = (ui.painter().with_clip_rect(space), rect.left_center() + vec2(8.0, 0.0));
        painter.text(at, Align2::LEFT_CENTER, text, FontId::proportional(14.0), colour);
        let right = rect.with_min_x(space.right());
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
        } else if response.hovered() || response.contains_pointer() {
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
                .desired_width(WIDTH - 96.0);
            let response = ui.add(field);
            if self.focus == Some(Focus::Name) {
                response.request_focus();
                self.focus = None;
            }
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let exists = self.paths.iter().any(|path| stem(path) == self.name.trim());
            let text = RichText::new(if exists { "Replace" } else { "Save" }).color(WELL);
            let button = egui::Button::new(text).fill(ACCENT).min_size(vec2(84.0, 26.0));
            ui.add_enabled(!self.name.trim().is_empty(), button).clicked() || entered
        });
        drawn.inner.then(|| Action::Save(self.name.clone()))
    }
}
