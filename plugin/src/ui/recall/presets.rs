//! The presets of a plugin: the current one, steps to the next and the previous, and a list. They are files that hosts see too,
//! and those that come with the plugin.

use std::path::{Path, PathBuf};
use std::time::Duration;

use egui::{Align2, FontId, Response, Sense, Ui, vec2};
use nice_plug::context::gui::GuiContext;

use super::pending::{Pending, Then};
use super::preset_list::{Action, PresetList};
use super::sound::{self, Sound};
use crate::preset::{self, folder};
use crate::state::files::stem;
use crate::state::{Refusal, values};
use crate::ui::icons::{Icon, icon_button, paint_icon};
use crate::ui::text;
use crate::ui::theme::{DIM, LINE, TEXT, WELL};

/// Width of the button that shows the current preset, in points.
const WIDTH: f32 = 184.0;
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
    pub(super) fn recall<S: Sound>(
        &self,
        path: PathBuf,
        sound: &S,
        pending: &Pending<S>,
        context: &GuiContext,
    ) {
        let (file, now) = (path.clone(), Box::new(context.get_state()));
        pending.ask(sound, Some(path), Then::Record(now), move || sound::read::<S>(&file));
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
        ui.spacing_mut().item_spacing.x = 2.0;
        if icon_button(ui, Icon::Previous, "Previous preset", TEXT).clicked() {
            self.step(-1, sound, pending, context);
        }
        let button = self.button(ui, sound);
        if button.clicked() {
            if self.list.is_open() {
                self.list.close();
            } else {
                self.refresh::<S>();
                self.list.open(current(&self.current));
            }
        }
        if icon_button(ui, Icon::Next, "Next preset", TEXT).clicked() {
            self.step(1, sound, pending, context);
        }
        match self.list.ui(ui, button.rect, current(&self.current)) {
            Some(Action::Recall(path)) => self.recall(path, sound, pending, context),
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
        let (rect, response) = ui.allocate_exact_size(vec2(WIDTH, 24.0), Sense::click());
        let response = response.on_hover_text("Recall, save and delete presets");
        let is_lit = response.hovered() || response.has_focus() || self.list.is_open();
        ui.painter().rect_filled(rect, 4.0, if is_lit { LINE } else { WELL });
        let (text, colour) = match &self.current {
            Some((path, snapshot)) => {
                let is_changed = !self.settles && *snapshot != Snapshot::of(sound);
                (format!("{}{}", stem(path), if is_changed { " *" } else { "" }), TEXT)
            }
            None => ("Presets".to_owned(), DIM),
        };
        let font = FontId::proportional(14.0);
        // The arrow has its own place at the right.
        let text = text::middle(ui, &text, &font, WIDTH - 36.0);
        ui.painter().text(rect.left_center() + vec2(10.0, 0.0), Align2::LEFT_CENTER, text, font, colour);
        paint_icon(ui.painter(), rect.right_center() - vec2(12.0, 0.0), Icon::Down, DIM);
        response
    }

    /// Lists the folder again.
    fn refresh<S: Sound>(&mut self) {
        let folder = folder::of(&S::OWNER);
        let own = folder.map(|folder| folder::list(&folder)).unwrap_or_default();
        self.list.set(own, sound::factory_paths::<S>());
    }

    fn step<S: Sound>(&mut self, step: isize, sound: &S, pending: &Pending<S>, context: &GuiContext) {
        self.refresh::<S>();
        match self.list.neighbour(step, current(&self.current)) {
            Some(path) => self.recall(path, sound, pending, context),
            None => sound.tasks().refuse("there are no presets yet; save one in the list".to_owned()),
        }
    }

    fn save<S: Sound>(&mut self, name: &str, sound: &S, context: &GuiContext) {
        let folder = folder::of(&S::OWNER);
        let folder = folder
            .ok_or_else(|| Refusal::from("there is no home folder to keep presets in; set HOME".to_owned()));
        let saved = folder.and_then(|folder| {
            let path = folder::file(&folder, name).map_err(Refusal::from)?;
            preset::write(&path, &S::OWNER, &context.get_state())?;
            Ok(path)
        });
        match saved {
            Ok(path) => {
                self.current = Some((path, Snapshot::of(sound)));
                self.settles = false;
                self.list.close();
            }
            Err(refusal) => sound.tasks().refuse(refusal),
        }
        self.refresh::<S>();
    }

    fn delete<S: Sound>(&mut self, path: &Path, sound: &S) {
        if let Err(error) = std::fs::remove_file(path) {
            sound.tasks().refuse(Refusal::system(path, &error));
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
