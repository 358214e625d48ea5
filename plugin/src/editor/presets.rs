//! The presets of the player: a list to recall from, next and previous, saving, deleting. They are files that hosts see too.
//!
//! By keyboard: Ctrl+P opens the list and Ctrl+S the field to save into; in the list the arrows move, Enter recalls, Delete
//! deletes and Escape closes; Ctrl+PageUp and Ctrl+PageDown step without opening it.

use std::path::{Path, PathBuf};

use egui::{
    Align2, EventFilter, FontId, Id, Key, KeyboardShortcut, Modifiers, Order, RichText, Sense, Ui, vec2,
};
use nice_plug::context::gui::GuiContext;

use super::history;
use super::recall::Recall;
use super::theme::{self, ACCENT, ALERT, DIM, LINE, TEXT, WELL};
use super::widgets::{Icon, icon_button, paint_icon};
use crate::loader::Loader;
use crate::params::AmpParams;
use crate::preset;
use crate::shared::Shared;

const OPEN: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::P);
const SAVE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::S);
const NEXT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::PageDown);
const PREVIOUS: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::PageUp);

/// How wide the list is, in points.
const WIDTH: f32 = 288.0;
/// How high a line of it is.
const LINE_HEIGHT: f32 = 26.0;
/// Lines that are seen at a time.
const LINES: f32 = 9.0;

/// The presets of one instance's editor.
#[derive(Default)]
pub(super) struct Presets {
    listed: Vec<PathBuf>,
    /// The one that was recalled or saved last, and what was heard then.
    current: Option<(PathBuf, Heard)>,
    /// Whether what is heard of `current` is still to be taken, once it is set.
    settles: bool,
    is_open: bool,
    /// Whether the field is to get the keyboard with the next picture, or the list.
    focuses: Option<Focus>,
    selected: usize,
    name: String,
    /// The one that is deleted if the player says so again.
    doomed: Option<PathBuf>,
}

/// What makes a sound: the parameters, and the hashes of the files.
#[derive(Default, PartialEq)]
struct Heard {
    values: Vec<f32>,
    files: [Option<String>; 2],
}

impl Heard {
    fn now(params: &AmpParams) -> Heard {
        let files = params.session.read(|session| {
            [&session.model, &session.cabinet].map(|file| file.as_ref().map(|file| file.hash.clone()))
        });
        Heard { values: history::values(params), files }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Focus {
    List,
    Field,
}

/// What the presets need of the rest.
pub(super) struct Around<'a> {
    pub(super) params: &'a AmpParams,
    pub(super) shared: &'a Shared,
    pub(super) loader: &'a Loader,
    pub(super) recall: &'a Recall,
    pub(super) context: &'a GuiContext,
}

impl Presets {
    /// Takes `path`, if it is a preset, as what is heard from now on.
    pub(super) fn arrived(&mut self, path: Option<PathBuf>) {
        self.current = path.map(|path| (path, Heard::default()));
        self.settles = true;
    }

    /// Closes the list.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    /// Recalls the preset at `path`.
    pub(super) fn recall(&self, path: PathBuf, around: &Around) {
        let file = path.clone();
        let read = move || preset::read(&file);
        around.recall.ask(around.loader, around.shared.repaint.clone(), Some(path), read);
    }

    /// Draws the name with its arrows, and the list while it is open.
    pub(super) fn ui(&mut self, ui: &mut Ui, around: &Around) {
        self.settle(ui, around.params);
        self.keys(ui, around);
        if icon_button(ui, Icon::Previous, "Previous preset (Ctrl+PageUp)", TEXT).clicked() {
            self.step(-1, around);
        }
        let button = self.button(ui, around.params);
        if button.clicked() {
            if self.is_open { self.is_open = false } else { self.open(Focus::List) }
        }
        if icon_button(ui, Icon::Next, "Next preset (Ctrl+PageDown)", TEXT).clicked() {
            self.step(1, around);
        }
        if self.is_open {
            self.popup(ui, button.rect, around);
        }
    }

    /// Keeps what a recalled preset has set, to see later whether it was changed.
    fn settle(&mut self, ui: &Ui, params: &AmpParams) {
        if let Some((_, kept)) = &mut self.current
            && self.settles
        {
            let now = Heard::now(params);
            // The host sets them, and in its own time.
            self.settles = *kept != now;
            *kept = now;
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(300));
        }
    }

    fn button(&self, ui: &mut Ui, params: &AmpParams) -> egui::Response {
        let (rect, response) = ui.allocate_exact_size(vec2(190.0, 24.0), Sense::click());
        let response = response.on_hover_text("Presets (Ctrl+P)");
        let fill = if response.hovered() || response.has_focus() || self.is_open { LINE } else { WELL };
        ui.painter().rect_filled(rect, 4.0, fill);
        let (text, colour) = match &self.current {
            Some((path, kept)) => {
                let is_changed = !self.settles && *kept != Heard::now(params);
                (format!("{}{}", preset::name(path), if is_changed { " *" } else { "" }), TEXT)
            }
            None => ("Presets".to_owned(), DIM),
        };
        let painter = ui.painter().with_clip_rect(rect.shrink2(vec2(8.0, 0.0)));
        painter.text(
            rect.left_center() + vec2(10.0, 0.0),
            Align2::LEFT_CENTER,
            text,
            FontId::proportional(14.0),
            colour,
        );
        paint_icon(ui.painter(), rect.right_center() - vec2(12.0, 0.0), Icon::Down, DIM);
        response
    }

    fn keys(&mut self, ui: &Ui, around: &Around) {
        let pressed = |shortcut: &KeyboardShortcut| ui.input_mut(|input| input.consume_shortcut(shortcut));
        if pressed(&OPEN) {
            self.open(Focus::List);
        }
        if pressed(&SAVE) {
            self.open(Focus::Field);
        }
        if pressed(&NEXT) {
            self.step(1, around);
        }
        if pressed(&PREVIOUS) {
            self.step(-1, around);
        }
    }

    fn list(&mut self) {
        self.listed = preset::folder().map(|folder| preset::list(&folder)).unwrap_or_default();
        self.selected = self.selected.min(self.listed.len().saturating_sub(1));
    }

    fn open(&mut self, focus: Focus) {
        self.list();
        (self.is_open, self.focuses, self.doomed) = (true, Some(focus), None);
        if let Some((path, _)) = &self.current {
            self.name = preset::name(path);
            self.selected = self.listed.iter().position(|listed| listed == path).unwrap_or(self.selected);
        }
    }

    fn step(&mut self, step: isize, around: &Around) {
        self.list();
        let count = self.listed.len() as isize;
        if count == 0 {
            return around.loader.refuse("there are no presets yet; Ctrl+S saves one".to_owned());
        }
        let current = self.current.as_ref().map(|(path, _)| path);
        let at = current.and_then(|current| self.listed.iter().position(|listed| listed == current));
        let next =
            at.map_or(if step > 0 { 0 } else { count - 1 }, |at| (at as isize + step).rem_euclid(count));
        self.selected = next as usize;
        self.recall(self.listed[self.selected].clone(), around);
    }

    fn popup(&mut self, ui: &Ui, button: egui::Rect, around: &Around) {
        let shown = egui::Area::new(Id::unique("presets"))
            .order(Order::Foreground)
            .fixed_pos(button.left_bottom() + vec2(0.0, 6.0))
            .show(ui.ctx(), |ui| {
                theme::panel().stroke(egui::Stroke::new(1.0, LINE)).show(ui, |ui| {
                    ui.set_width(WIDTH);
                    self.lines(ui, around);
                    ui.add_space(2.0);
                    self.save_line(ui, around);
                });
            });
        let rect = shown.response.rect.union(button);
        let (away, escape) = ui.input(|input| {
            let away = input.pointer.any_pressed()
                && input.pointer.interact_pos().is_some_and(|at| !rect.contains(at));
            (away, input.key_pressed(Key::Escape))
        });
        if escape && self.doomed.is_some() {
            self.doomed = None;
        } else if away || escape {
            self.is_open = false;
        }
    }

    fn lines(&mut self, ui: &mut Ui, around: &Around) {
        let list = ui.interact(ui.max_rect(), ui.scope_id().with("list"), Sense::focusable_noninteractive());
        if self.focuses == Some(Focus::List) {
            list.request_focus();
            self.focuses = None;
        }
        let has_keys = list.has_focus();
        if has_keys {
            let filter = EventFilter { vertical_arrows: true, escape: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(list.id, filter));
            self.list_keys(ui, around);
        }
        if self.listed.is_empty() {
            ui.label(RichText::new("No presets yet: name this sound and save it.").color(DIM));
            return;
        }
        let height = LINE_HEIGHT * (self.listed.len() as f32).min(LINES);
        let mut act = None;
        egui::ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (index, path) in self.listed.iter().enumerate() {
                if let Some(asked) = self.line(ui, index, path, has_keys) {
                    act = Some(asked);
                }
            }
        });
        match act {
            Some(Act::Recall(path)) => {
                self.recall(path, around);
                self.is_open = false;
            }
            Some(Act::Doom(path)) => self.doomed = Some(path),
            Some(Act::Delete(path)) => self.delete(&path, around),
            Some(Act::Keep) => self.doomed = None,
            None => {}
        }
    }

    fn list_keys(&mut self, ui: &Ui, around: &Around) {
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let last = self.listed.len().saturating_sub(1);
        if pressed(Key::ArrowDown) {
            (self.selected, self.doomed) = ((self.selected + 1).min(last), None);
        }
        if pressed(Key::ArrowUp) {
            (self.selected, self.doomed) = (self.selected.saturating_sub(1), None);
        }
        let Some(path) = self.listed.get(self.selected).cloned() else { return };
        if pressed(Key::Delete) {
            self.doomed = Some(path);
        } else if pressed(Key::Enter) {
            match self.doomed.clone() {
                Some(doomed) => self.delete(&doomed, around),
                None => {
                    self.recall(path, around);
                    self.is_open = false;
                }
            }
        }
    }

    /// One preset; returns what is to be done with it.
    fn line(&self, ui: &mut Ui, index: usize, path: &Path, has_keys: bool) -> Option<Act> {
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::click());
        let is_selected = has_keys && index == self.selected;
        let is_current = self.current.as_ref().is_some_and(|(current, _)| current == path);
        if is_selected || response.hovered() {
            ui.painter().rect_filled(rect, 3.0, if is_selected { LINE } else { WELL });
        }
        if is_selected
            && ui.input(|input| input.key_pressed(Key::ArrowDown) || input.key_pressed(Key::ArrowUp))
        {
            response.scroll_to_me(None);
        }
        let name = preset::name(path);
        let is_doomed = self.doomed.as_deref() == Some(path);
        let buttons = if is_doomed { 126.0 } else { 26.0 };
        let text = if is_doomed { "Delete it?".to_owned() } else { name.clone() };
        let colour = match (is_doomed, is_current) {
            (true, _) => ALERT,
            (_, true) => ACCENT,
            _ => TEXT,
        };
        let space = rect.with_max_x(rect.right() - buttons);
        ui.painter().with_clip_rect(space).text(
            rect.left_center() + vec2(8.0, 0.0),
            Align2::LEFT_CENTER,
            text,
            FontId::proportional(14.0),
            colour,
        );
        let right = rect.with_min_x(space.right());
        let mut inner = ui.new_child(
            egui::UiBuilder::new().max_rect(right).layout(egui::Layout::right_to_left(egui::Align::Center)),
        );
        inner.spacing_mut().item_spacing.x = 4.0;
        inner.spacing_mut().button_padding.y = 1.0;
        inner.spacing_mut().interact_size.y = 20.0;
        if is_doomed {
            if inner.button("Keep").clicked() {
                return Some(Act::Keep);
            }
            if inner.button(RichText::new("Delete").color(ALERT)).clicked() {
                return Some(Act::Delete(path.to_owned()));
            }
        } else if response.hovered() || response.contains_pointer() {
            let (cross, button) = inner.allocate_exact_size(vec2(22.0, 22.0), Sense::click());
            paint_icon(
                inner.painter(),
                cross.center(),
                Icon::Cross,
                if button.hovered() { ALERT } else { DIM },
            );
            if button.on_hover_text(format!("Delete {name}")).clicked() {
                return Some(Act::Doom(path.to_owned()));
            }
        }
        response.clicked().then(|| Act::Recall(path.to_owned()))
    }

    fn save_line(&mut self, ui: &mut Ui, around: &Around) {
        ui.horizontal(|ui| {
            let field = egui::TextEdit::singleline(&mut self.name)
                .hint_text("Name of this sound")
                .desired_width(WIDTH - 96.0);
            let response = ui.add(field);
            if self.focuses == Some(Focus::Field) {
                response.request_focus();
                self.focuses = None;
            }
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let is_there = self.listed.iter().any(|path| preset::name(path) == self.name.trim());
            let text = RichText::new(if is_there { "Replace" } else { "Save" }).color(WELL);
            let button = egui::Button::new(text).fill(ACCENT).min_size(vec2(84.0, 26.0));
            if ui.add_enabled(!self.name.trim().is_empty(), button).clicked() || entered {
                self.save(around);
            }
        });
    }

    fn save(&mut self, around: &Around) {
        let folder = preset::folder().ok_or_else(|| "there is no home folder to keep presets in".to_owned());
        let saved = folder.and_then(|folder| {
            let path = preset::file(&folder, &self.name)?;
            preset::write(&path, &around.context.get_state())?;
            Ok(path)
        });
        match saved {
            Ok(path) => {
                self.current = Some((path, Heard::now(around.params)));
                (self.settles, self.is_open) = (false, false);
            }
            Err(reason) => around.loader.refuse(reason),
        }
        self.list();
    }

    fn delete(&mut self, path: &Path, around: &Around) {
        if let Err(error) = std::fs::remove_file(path) {
            around.loader.refuse(format!("{}: {error}", path.display()));
        }
        if self.current.as_ref().is_some_and(|(current, _)| current == path) {
            self.current = None;
        }
        self.doomed = None;
        self.list();
    }
}

/// What a line of the list asks for.
enum Act {
    Recall(PathBuf),
    /// Ask whether to delete.
    Doom(PathBuf),
    Delete(PathBuf),
    Keep,
}
