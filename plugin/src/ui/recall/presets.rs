//! The presets of a plugin: the current one, steps to the next and the previous, and a list. They are files that hosts see too.
//!
//! By keyboard: Ctrl+P opens the list and Ctrl+S the field for a name to save; Ctrl+PageUp and Ctrl+PageDown step without
//! opening it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use egui::{Align2, FontId, Key, KeyboardShortcut, Modifiers, Response, Sense, Ui, vec2};
use nice_plug::context::gui::GuiContext;

use super::pending::Pending;
use super::preset_list::{Action, Focus, PresetList};
use super::sound::Sound;
use crate::preset::{self, folder};
use crate::state::files::stem;
use crate::state::values;
use crate::ui::icons::{Icon, icon_button, paint_icon};
use crate::ui::theme::{DIM, LINE, TEXT, WELL};

const OPEN: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::P);
const SAVE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::S);
const NEXT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::PageDown);
const PREVIOUS: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::PageUp);
/// How often a recalled preset is looked at until the host has set all of it.
const SETTLE: Duration = Duration::from_millis(300);

/// The presets of one instance's editor.
#[derive(Default)]
pub(super) struct Presets {
    list: PresetList,
    /// The preset that was recalled or saved last, and its sound.
    current: Option<(PathBuf, Snapshot)>,
    /// Whether the host is still setting the parameters of `current`.
    settles: bool,
}

/// A sound, to see whether it has changed.
#[derive(Default, PartialEq)]
struct Snapshot {
    values: Vec<(String, f32)>,
    file_hashes: Vec<Option<String>>,
}

impl Snapshot {
    fn of<S: Sound>(sound: &S) -> Snapshot {
        Snapshot { values: values::now(sound.params(), S::APART), file_hashes: sound.file_hashes() }
    }
}

impl Presets {
    /// Makes `path` the current preset, or none if the sound comes from elsewhere.
    pub(super) fn arrived(&mut self, path: Option<PathBuf>) {
        self.current = path.map(|path| (path, Snapshot::default()));
        self.settles = true;
    }

    /// Closes the list.
    pub(super) fn close(&mut self) {
        self.list.close();
    }

    /// Recalls the preset at `path`.
    pub(super) fn recall<S: Sound>(&self, path: PathBuf, sound: &S, pending: &Pending<S>) {
        let file = path.clone();
        pending.ask(sound, Some(path), move || preset::read(&file, &S::OWNER));
    }

    /// Draws the name with its arrows, and the list while it is open.
    pub(super) fn ui<S: Sound>(
        &mut self,
        ui: &mut Ui,
        sound: &S,
        pending: &Pending<S>,
        context: &GuiContext,
    ) {
        self.settle(ui, sound);
        let pressed = |ui: &Ui, keys| ui.input_mut(|input| input.consume_shortcut(keys));
        if pressed(ui, &OPEN) {
            self.open::<S>(Focus::List);
        }
        if pressed(ui, &SAVE) {
            self.open::<S>(Focus::Name);
        }
        if pressed(ui, &NEXT) {
            self.step(1, sound, pending);
        }
        if pressed(ui, &PREVIOUS) {
            self.step(-1, sound, pending);
        }
        if icon_button(ui, Icon::Previous, "Previous preset (Ctrl+PageUp)", TEXT).clicked() {
            self.step(-1, sound, pending);
        }
        let button = self.button(ui, sound);
        if button.clicked() {
            if self.list.is_open() { self.list.close() } else { self.open::<S>(Focus::List) }
        }
        if icon_button(ui, Icon::Next, "Next preset (Ctrl+PageDown)", TEXT).clicked() {
            self.step(1, sound, pending);
        }
        match self.list.ui(ui, button.rect, current(&self.current)) {
            Some(Action::Recall(path)) => self.recall(path, sound, pending),
            Some(Action::Delete(path)) => self.delete(&path, sound),
            Some(Action::Save(name)) => self.save(&name, sound, context),
            None => {}
        }
    }

    /// Takes a snapshot of a recalled preset once the host has set it, which it does in its own time.
    fn settle<S: Sound>(&mut self, ui: &Ui, sound: &S) {
        if let Some((_, snapshot)) = &mut self.current
            && self.settles
        {
            let now = Snapshot::of(sound);
            self.settles = *snapshot != now;
            *snapshot = now;
            ui.ctx().request_repaint_after(SETTLE);
        }
    }

    fn button<S: Sound>(&self, ui: &mut Ui, sound: &S) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(190.0, 24.0), Sense::click());
        let response = response.on_hover_text("Presets (Ctrl+P)");
        let is_lit = response.hovered() || response.has_focus() || self.list.is_open();
        ui.painter().rect_filled(rect, 4.0, if is_lit { LINE } else { WELL });
        let (text, colour) = match &self.current {
            Some((path, snapshot)) => {
                let is_changed = !self.settles && *snapshot != Snapshot::of(sound);
                (format!("{}{}", stem(path), if is_changed { " *" } else { "" }), TEXT)
            }
            None => ("Presets".to_owned(), DIM),
        };
        let painter = ui.painter().with_clip_rect(rect.shrink2(vec2(8.0, 0.0)));
        let at = rect.left_center() + vec2(10.0, 0.0);
        painter.text(at, Align2::LEFT_CENTER, text, FontId::proportional(14.0), colour);
        paint_icon(ui.painter(), rect.right_center() - vec2(12.0, 0.0), Icon::Down, DIM);
        response
    }

    fn open<S: Sound>(&mut self, focus: Focus) {
        self.refresh::<S>();
        self.list.open(focus, current(&self.current));
    }

    /// Lists the folder again.
    fn refresh<S: Sound>(&mut self) {
        let folder = folder::of(&S::OWNER);
        self.list.set_paths(folder.map(|folder| folder::list(&folder)).unwrap_or_default());
    }

    fn step<S: Sound>(&mut self, step: isize, sound: &S, pending: &Pending<S>) {
        self.refresh::<S>();
        match self.list.step(step, current(&self.current)) {
            Some(path) => self.recall(path, sound, pending),
            None => sound.tasks().refuse("there are no presets yet; Ctrl+S saves one".to_owned()),
        }
    }

    fn save<S: Sound>(&mut self, name: &str, sound: &S, context: &GuiContext) {
        let folder = folder::of(&S::OWNER);
        let folder = folder.ok_or_else(|| "there is no home folder to keep presets in".to_owned());
        let saved = folder.and_then(|folder| {
            let path = folder::file(&folder, name)?;
            preset::write(&path, &S::OWNER, &context.get_state())?;
            Ok(path)
        });
        match saved {
            Ok(path) => {
                self.current = Some((path, Snapshot::of(sound)));
                self.settles = false;
                self.list.close();
            }
            Err(reason) => sound.tasks().refuse(reason),
        }
        self.refresh::<S>();
    }

    fn delete<S: Sound>(&mut self, path: &Path, sound: &S) {
        if let Err(error) = std::fs::remove_file(path) {
            sound.tasks().refuse(format!("{}: {error}", path.display()));
        }
        if current(&self.current) == Some(path) {
            self.current = None;
        }
        self.refresh::<S>();
    }
}

fn current(of: &Option<(PathBuf, Snapshot)>) -> Option<&Path> {
    of.as_ref().map(|(path, _)| path.as_path())
}
