//! A list of files: those of a folder or a given list, with search, favourites, and steps to the next one.

use std::path::{Path, PathBuf};

use egui::{Align2, FontId, Sense, Ui, vec2};

use super::icons::{Icon, icon_button, paint_icon};
use super::memory::Memory;
use super::steps::neighbour;
use super::theme::{ACCENT, DIM, LINE, TEXT, WELL};
use crate::state::files::{has_ending, stem};

/// Most files of a folder that are listed.
const MAX_ENTRIES: usize = 5000;
/// How many folders deep the list goes.
const MAX_DEPTH: usize = 4;

/// What a browser lists, and its texts.
#[derive(Debug)]
pub(crate) struct Library {
    /// Endings of the files, in small letters.
    pub(crate) endings: &'static [&'static str],
    /// The file, in the user's configuration, that keeps the folder and the favourites.
    pub(crate) memory: &'static str,
    pub(crate) search: &'static str,
    /// Shown while nothing is listed.
    pub(crate) empty: &'static str,
    /// Shown while nothing listed is found.
    pub(crate) no_match: &'static str,
}

/// The files that can be stepped through.
#[derive(Debug)]
pub(crate) struct Browser {
    library: &'static Library,
    folder: Option<PathBuf>,
    entries: Vec<PathBuf>,
    memory: Memory,
    search: String,
    only_favourites: bool,
}

impl Browser {
    /// An empty browser.
    pub(crate) fn new(library: &'static Library) -> Browser {
        Browser {
            library,
            folder: None,
            entries: Vec::new(),
            memory: Memory::default(),
            search: String::new(),
            only_favourites: false,
        }
    }

    /// Lists the files in `folder` and below it.
    pub(crate) fn open(&mut self, folder: &Path) {
        self.entries.clear();
        collect(folder, self.library.endings, MAX_DEPTH, &mut self.entries);
        self.entries.sort();
        self.folder = Some(folder.to_owned());
    }

    /// Lists the files in `folder`, and does so again in the next project.
    pub(crate) fn choose(&mut self, folder: &Path) {
        self.open(folder);
        self.memory.change(self.library.memory, |memory| memory.folder = Some(folder.to_owned()));
    }

    /// Recalls the favourites, and the folder that was chosen last, if it is still there.
    pub(crate) fn recall(&mut self) -> Option<PathBuf> {
        self.memory = Memory::load(self.library.memory);
        self.memory.folder.clone().filter(|folder| folder.is_dir())
    }

    /// Lists these files.
    pub(crate) fn list(&mut self, entries: Vec<PathBuf>) {
        self.entries = entries;
        self.folder = None;
    }

    /// Lists the folder of `file`, unless it is listed, so that there is a next and a previous file.
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
        let at = shown.iter().position(|path| *path == current);
        neighbour(shown.len(), at, step).map(|next| shown[next].clone())
    }

    fn shown(&self) -> impl Iterator<Item = &PathBuf> {
        let search = self.search.to_lowercase();
        self.entries.iter().filter(move |path| {
            let name = path.to_string_lossy().to_lowercase();
            let found = search.split_whitespace().all(|word| name.contains(word));
            found && (!self.only_favourites || self.memory.favourites.contains(*path))
        })
    }

    /// Draws the list; returns the file that was picked.
    pub(crate) fn ui(&mut self, ui: &mut Ui, current: Option<&Path>) -> Option<PathBuf> {
        ui.horizontal(|ui| {
            let search = egui::TextEdit::singleline(&mut self.search)
                .hint_text(self.library.search)
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
            let hint = if self.entries.is_empty() { self.library.empty } else { self.library.no_match };
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

    /// Draws one file; returns whether it was picked.
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
        let colour = if current { ACCENT } else { TEXT };
        let at = rect.left_center() + vec2(24.0, 0.0);
        painter.with_clip_rect(rect).text(
            at,
            Align2::LEFT_CENTER,
            stem(path),
            FontId::proportional(14.0),
            colour,
        );
        let response = response.on_hover_text(path.display().to_string());
        if !response.clicked() {
            return false;
        }
        if response.interact_pointer_pos().is_some_and(|pointer| star.contains(pointer)) {
            self.memory.change(self.library.memory, |memory| {
                if !memory.favourites.remove(path) {
                    memory.favourites.insert(path.to_owned());
                }
            });
            return false;
        }
        true
    }
}

fn collect(folder: &Path, endings: &[&str], depth: usize, entries: &mut Vec<PathBuf>) {
    let Ok(listed) = std::fs::read_dir(folder) else { return };
    for entry in listed.flatten() {
        if entries.len() >= MAX_ENTRIES {
            return;
        }
        let path = entry.path();
        match entry.file_type() {
            // Links to folders are not followed, because they could form a loop.
            Ok(kind) if kind.is_dir() && depth > 0 => collect(&path, endings, depth - 1, entries),
            Ok(kind) if !kind.is_dir() && has_ending(&path, endings) => entries.push(path),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Browser, Library};
    use std::path::Path;

    static LIBRARY: Library =
        Library { endings: &["nam"], memory: "test.json", search: "", empty: "", no_match: "" };

    #[test]
    fn steps_go_round_and_follow_the_search() {
        let mut browser = Browser {
            entries: ["a/clean.nam", "a/crunch.nam", "a/lead.nam"].map(Into::into).to_vec(),
            ..Browser::new(&LIBRARY)
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

    #[test]
    fn a_folder_is_listed_with_those_below_it_and_without_other_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        for name in ["b.NAM", "below/a.nam", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut browser = Browser::new(&LIBRARY);
        browser.open(folder.path());
        assert_eq!(browser.entries, ["b.NAM", "below/a.nam"].map(|name| folder.path().join(name)));
    }
}
