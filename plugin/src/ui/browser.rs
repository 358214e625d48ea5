//! A list of files: those of a folder or a given list, with search, favourites, and steps to the next one.

use std::path::{Path, PathBuf};

use egui::{Align2, FontId, Sense, Ui, vec2};

use super::icons::{Icon, icon_button, paint_icon};
use super::memory::Memory;
use super::steps::neighbour;
use super::text;
use super::theme::{ACCENT, DIM, LINE, TEXT, WELL};
use crate::state::files::{has_ending, stem};

/// Most files of a folder that are listed.
const MAX_ENTRIES: usize = 5000;
/// How many folders deep the list goes.
const MAX_DEPTH: usize = 4;
/// Height of a row, in points.
const ROW_HEIGHT: f32 = 24.0;

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
    /// Whether a file can be opened, which may be inside the plugin.
    pub(crate) is_there: fn(&Path) -> bool,
}

/// The files that can be stepped through.
#[derive(Debug)]
pub(crate) struct Browser {
    library: &'static Library,
    folder: Option<PathBuf>,
    entries: Vec<PathBuf>,
    memory: Memory,
    search: String,
    /// The favourites of all folders that are there now, while only they are shown.
    favourites: Option<Vec<PathBuf>>,
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
            favourites: None,
        }
    }

    /// Lists the files in `folder` and below it.
    pub(crate) fn open(&mut self, folder: &Path) {
        self.entries.clear();
        collect(folder, self.library.endings, MAX_DEPTH, &mut self.entries);
        self.entries.sort();
        self.folder = Some(folder.to_owned());
    }

    /// Lists the files in `folder`, and does so again in the next project. A folder without files is refused.
    pub(crate) fn choose(&mut self, folder: &Path) -> bool {
        let mut entries = Vec::new();
        collect(folder, self.library.endings, MAX_DEPTH, &mut entries);
        if entries.is_empty() {
            return false;
        }
        self.open(folder);
        self.favourites = None;
        self.memory.change(self.library.memory, |memory| memory.folder = Some(folder.to_owned()));
        true
    }

    /// Recalls the favourites, and the folder that was chosen last, if it is still there.
    pub(crate) fn recall(&mut self) -> Option<PathBuf> {
        self.memory = Memory::load(self.library.memory);
        self.memory.folder.clone().filter(|folder| folder.is_dir())
    }

    /// Lists these files.
    pub(crate) fn list(&mut self, entries: Vec<PathBuf>) {
        self.entries = entries;
        (self.folder, self.favourites) = (None, None);
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
        let listed = self.favourites.as_ref().unwrap_or(&self.entries);
        listed.iter().filter(move |path| {
            let name = path.to_string_lossy().to_lowercase();
            search.split_whitespace().all(|word| name.contains(word))
        })
    }

    /// Shows the favourites of all folders, or the folder again.
    fn show_favourites(&mut self, only: bool) {
        let is_there = self.library.is_there;
        self.favourites = only.then(|| {
            let mut listed: Vec<PathBuf> =
                self.memory.favourites.iter().filter(|path| is_there(path)).cloned().collect();
            listed.sort_by_key(|path| stem(path).to_lowercase());
            listed
        });
    }

    /// Draws the list; returns the file that was picked.
    pub(crate) fn ui(&mut self, ui: &mut Ui, current: Option<&Path>) -> Option<PathBuf> {
        ui.horizontal(|ui| {
            let search = egui::TextEdit::singleline(&mut self.search)
                .hint_text(self.library.search)
                .desired_width(ui.available_width() - 54.0);
            ui.add(search);
            let (only, colour) = if self.favourites.is_some() { (true, ACCENT) } else { (false, DIM) };
            let help = if only { "Show the folder again" } else { "Show the favourites of all folders" };
            if icon_button(ui, Icon::Star, help, colour).clicked() {
                self.show_favourites(!only);
            }
        });
        let shown: Vec<PathBuf> = self.shown().cloned().collect();
        if shown.is_empty() {
            ui.add_space(8.0);
            let hint = match &self.favourites {
                Some(favourites) if favourites.is_empty() => {
                    "No favourites yet: point at a name and click the star before it."
                }
                None if self.entries.is_empty() => self.library.empty,
                _ => self.library.no_match,
            };
            ui.label(egui::RichText::new(hint).small().color(DIM));
            return None;
        }
        let mut picked = None;
        // The area counts with the spacing that it finds.
        ui.spacing_mut().item_spacing.y = 0.0;
        let area = egui::ScrollArea::vertical().auto_shrink(false);
        area.show_rows(ui, ROW_HEIGHT, shown.len(), |ui, rows| {
            for path in &shown[rows] {
                if self.row(ui, path, current == Some(path)) {
                    picked = Some(path.clone());
                }
            }
        });
        picked
    }

    /// Draws one file; returns whether it was picked.
    fn row(&mut self, ui: &mut Ui, path: &Path, current: bool) -> bool {
        let size = vec2(ui.available_width(), ROW_HEIGHT);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let painter = ui.painter();
        if current || response.hovered() {
            painter.rect_filled(rect, 3.0, if current { LINE } else { WELL });
        }
        let star = egui::Rect::from_min_size(rect.left_top(), vec2(22.0, ROW_HEIGHT));
        let favourite = self.memory.favourites.contains(path);
        if favourite || response.hovered() {
            let colour = if favourite { ACCENT } else { DIM };
            paint_icon(painter, star.center(), Icon::Star, colour);
        }
        let colour = if current { ACCENT } else { TEXT };
        let at = rect.left_center() + vec2(24.0, 0.0);
        let font = FontId::proportional(14.0);
        let name = text::middle(ui, &stem(path), &font, rect.width() - 32.0);
        painter.text(at, Align2::LEFT_CENTER, name, font, colour);
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
            self.show_favourites(self.favourites.is_some());
            return false;
        }
        true
    }
}

/// The files in a folder with one of these endings, by name.
pub(crate) fn files_in(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(folder, endings, 0, &mut files);
    files.sort();
    files
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
    use super::{Browser, Library, ROW_HEIGHT};
    use std::path::Path;

    static LIBRARY: Library =
        Library { endings: &["nam"], memory: "", search: "", empty: "", no_match: "", is_there };

    fn is_there(path: &Path) -> bool {
        !path.starts_with("unplugged")
    }

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

    /// The texts that a window of this height shows of a browser, and how far down.
    fn drawn(browser: &mut Browser, height: f32) -> Vec<(f32, String)> {
        let context = egui::Context::default();
        crate::ui::theme::apply(&context);
        let mut texts = Vec::new();
        // The second frame knows the sizes.
        for _ in 0..2 {
            let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(240.0, height));
            let input = egui::RawInput { screen_rect: Some(screen), ..Default::default() };
            let mut output = context.run_ui(input, |ui| {
                browser.ui(ui, None);
            });
            // Nothing is painted.
            output.textures_delta.clear();
            texts = output
                .shapes
                .iter()
                .filter_map(|clipped| match &clipped.shape {
                    egui::Shape::Text(text) => Some((text.pos.y, text.galley.text().to_owned())),
                    _ => None,
                })
                .collect();
        }
        texts
    }

    #[test]
    fn the_list_shows_all_rows_that_fit_and_cuts_long_names_in_the_middle() {
        let entries = (0..100).map(|index| format!("a/amp {index:03}.nam").into()).collect();
        let mut browser = Browser { entries, ..Browser::new(&LIBRARY) };
        for height in [150.0, 404.0, 700.0] {
            let rows = drawn(&mut browser, height).into_iter().filter(|(_, text)| text.starts_with("amp "));
            let lowest = rows.map(|(y, _)| y).filter(|y| *y < height).fold(0.0, f32::max);
            assert!(lowest > height - 1.5 * ROW_HEIGHT, "the last row is at {lowest} of {height}");
        }
        let long = "a/A very long name of a great amp on channel 2.nam";
        browser.entries = vec![long.into()];
        let texts = drawn(&mut browser, 150.0);
        assert!(
            texts.iter().any(|(_, text)| text.starts_with("A very") && text.ends_with("channel 2")),
            "{texts:?}"
        );
    }

    #[test]
    fn favourites_are_those_of_all_folders_that_are_there() {
        let mut browser = Browser { entries: vec!["a/clean.nam".into()], ..Browser::new(&LIBRARY) };
        let favourites = ["b/Lead.nam", "a/clean.nam", "shipped/crunch", "unplugged/fuzz.nam"];
        browser.memory.favourites = favourites.map(Into::into).into();
        browser.show_favourites(true);
        let shown = |browser: &Browser| -> Vec<String> {
            browser.shown().map(|path| path.display().to_string()).collect()
        };
        assert_eq!(shown(&browser), ["a/clean.nam", "shipped/crunch", "b/Lead.nam"]);
        let next = browser.neighbour(Path::new("shipped/crunch"), 1);
        assert_eq!(next.as_deref(), Some(Path::new("b/Lead.nam")));
        browser.show_favourites(false);
        assert_eq!(shown(&browser), ["a/clean.nam"]);
    }

    #[test]
    fn a_folder_without_files_does_not_take_the_place_of_the_list() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("notes.txt"), "").unwrap();
        let mut browser = Browser { entries: vec!["a/clean.nam".into()], ..Browser::new(&LIBRARY) };
        assert!(!browser.choose(folder.path()) && browser.entries.len() == 1);
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
