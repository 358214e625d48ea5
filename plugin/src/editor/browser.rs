//! The list of models: the shipped ones and those of a folder, with search, favourites, and a step to the next.

use std::path::{Path, PathBuf};

use egui::{Align2, FontId, Sense, Ui, vec2};

use super::memory::Memory;
use super::theme::{ACCENT, DIM, LINE, TEXT, WELL};
use super::widgets::{Icon, icon_button, paint_icon};

/// Endings of the files that hold models.
pub(crate) const MODEL_ENDINGS: [&str; 3] = ["nam", "safetensors", "json"];
/// Most files that are listed of a folder.
const MAX_ENTRIES: usize = 5000;
/// How many folders deep the list goes.
const MAX_DEPTH: usize = 4;

/// The models that can be stepped through.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    folder: Option<PathBuf>,
    entries: Vec<PathBuf>,
    memory: Memory,
    search: String,
    only_favourites: bool,
}

impl Browser {
    /// Lists the models in `folder` and below it.
    pub(crate) fn open(&mut self, folder: &Path) {
        self.entries.clear();
        collect(folder, MAX_DEPTH, &mut self.entries);
        self.entries.sort();
        self.folder = Some(folder.to_owned());
    }

    /// Lists the models in `folder`, and does so again in the next project.
    pub(crate) fn choose(&mut self, folder: &Path) {
        self.open(folder);
        self.memory.change(|memory| memory.folder = Some(folder.to_owned()));
    }

    /// Recalls the favourites, and the folder that was chosen last, if it is still there.
    pub(crate) fn recall(&mut self) -> Option<PathBuf> {
        self.memory = Memory::load();
        self.memory.folder.clone().filter(|folder| folder.is_dir())
    }

    /// Lists these models.
    pub(crate) fn list(&mut self, entries: Vec<PathBuf>) {
        self.entries = entries;
        self.folder = None;
    }

    /// Takes the folder of `file`, if another one or none is listed, so that next and previous work.
    pub(crate) fn follow(&mut self, file: &Path) {
        if let Some(folder) = file.parent()
            && !self.folder.as_ref().is_some_and(|listed| file.starts_with(listed))
        {
            self.open(folder);
        }
    }

    /// The entry `step` places after `current`, going round.
    pub(crate) fn neighbour(&self, current: &Path, step: isize) -> Option<PathBuf> {
        let shown: Vec<&PathBuf> = self.shown().collect();
        let count = isize::try_from(shown.len()).ok().filter(|count| *count > 0)?;
        let at = shown.iter().position(|path| *path == current);
        let next = match at {
            Some(at) => (at as isize + step).rem_euclid(count),
            None if step > 0 => 0,
            None => count - 1,
        };
        Some(shown[next as usize].clone())
    }

    fn shown(&self) -> impl Iterator<Item = &PathBuf> {
        let search = self.search.to_lowercase();
        self.entries.iter().filter(move |path| {
            let name = path.to_string_lossy().to_lowercase();
            let found = search.split_whitespace().all(|word| name.contains(word));
            found && (!self.only_favourites || self.memory.favourites.contains(*path))
        })
    }

    /// Draws the list; returns the model that was picked.
    pub(crate) fn ui(&mut self, ui: &mut Ui, current: Option<&Path>) -> Option<PathBuf> {
        ui.horizontal(|ui| {
            let search = egui::TextEdit::singleline(&mut self.search)
                .hint_text("Search models")
                .desired_width(ui.available_width() - 54.0);
            ui.add(search);
            let colour = if self.only_favourites { ACCENT } else { DIM };
            if icon_button(ui, Icon::Star, "Show favourites only", colour).clicked() {
                self.only_favourites = !self.only_favourites;
            }
        });
        let shown: Vec<PathBuf> = self.shown().cloned().collect();
        if shown.is_empty() {
            ui.add_space(8.0);
            let hint = if self.entries.is_empty() {
                "Drop a model or a folder of models here, or open one below."
            } else {
                "No model matches."
            };
            ui.label(egui::RichText::new(hint).small().color(DIM));
            return None;
        }
        let mut picked = None;
        let height = 24.0;
        egui::ScrollArea::vertical().auto_shrink(false).show_rows(ui, height, shown.len(), |ui, rows| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for path in &shown[rows] {
                if self.row(ui, path, height, current == Some(path)) {
                    picked = Some(path.clone());
                }
            }
        });
        picked
    }

    /// One model; returns whether it was picked.
    fn row(&mut self, ui: &mut Ui, path: &Path, height: f32, current: bool) -> bool {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
        let painter = ui.painter();
        if current || response.hovered() {
            painter.rect_filled(rect, 3.0, if current { LINE } else { WELL });
        }
        let star = egui::Rect::from_min_size(rect.left_top(), vec2(22.0, height));
        let favourite = self.memory.favourites.contains(path);
        if favourite || response.hovered() {
            let colour = if favourite { ACCENT } else { DIM };
            paint_icon(painter, star.center(), Icon::Star, colour);
        }
        let name = path.file_stem().map_or_else(Default::default, |name| name.to_string_lossy());
        let colour = if current { ACCENT } else { TEXT };
        let at = rect.left_center() + vec2(24.0, 0.0);
        painter.with_clip_rect(rect).text(at, Align2::LEFT_CENTER, name, FontId::proportional(14.0), colour);
        let response = response.on_hover_text(path.display().to_string());
        if !response.clicked() {
            return false;
        }
        if response.interact_pointer_pos().is_some_and(|pointer| star.contains(pointer)) {
            self.memory.change(|memory| {
                if !memory.favourites.remove(path) {
                    memory.favourites.insert(path.to_owned());
                }
            });
            return false;
        }
        true
    }
}

/// Whether the file's name ends as that of a model does.
pub(crate) fn is_model(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| MODEL_ENDINGS.contains(&ending.as_str()))
}

/// Whether the file's name ends as that of a cabinet's impulse response does.
pub(crate) fn is_cabinet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("wav"))
}

fn collect(folder: &Path, depth: usize, entries: &mut Vec<PathBuf>) {
    let Ok(listed) = std::fs::read_dir(folder) else { return };
    for entry in listed.flatten() {
        if entries.len() >= MAX_ENTRIES {
            return;
        }
        let path = entry.path();
        match entry.file_type() {
            // Links to folders are not followed, so that a loop of them does no harm.
            Ok(kind) if kind.is_dir() && depth > 0 => collect(&path, depth - 1, entries),
            Ok(kind) if !kind.is_dir() && is_model(&path) => entries.push(path),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Browser;
    use std::path::Path;

    #[test]
    fn stepping_goes_round_and_follows_the_search() {
        let mut browser = Browser {
            entries: ["a/clean.nam", "a/crunch.nam", "a/lead.nam"].map(Into::into).to_vec(),
            ..Browser::default()
        };
        let next = |browser: &Browser, from: &str, step| {
            browser.neighbour(Path::new(from), step).map(|path| path.display().to_string())
        };
        assert_eq!(next(&browser, "a/lead.nam", 1).as_deref(), Some("a/clean.nam"));
        assert_eq!(next(&browser, "a/clean.nam", -1).as_deref(), Some("a/lead.nam"));
        browser.search = "C".to_owned();
        assert_eq!(next(&browser, "a/crunch.nam", 1).as_deref(), Some("a/clean.nam"));
        browser.search = "nothing".to_owned();
        assert_eq!(next(&browser, "a/crunch.nam", 1), None);
    }
}
