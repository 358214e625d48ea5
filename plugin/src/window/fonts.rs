//! Letters that the built-in fonts lack: names of files in Chinese, Japanese, Korean and other scripts, and emoji. They are drawn
//! with the fonts of the system.
//!
//! The fonts are listed once in a process, on a thread, when a letter is missing for the first time. A font is read once, and all
//! windows share it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use egui::epaint::text::{FallbackRequest, FontInsert, FontPriority, FontProvider, InsertFontFamily};
use egui::{Context, FontData, FontFamily};
use fontdb::{Database, FaceInfo, ID, Stretch, Style, Weight};
use parking_lot::Mutex;
use skrifa::{FontRef, GlyphId, MetadataProvider};

/// Largest file of a font that is read.
const MAX_BYTES: usize = 128 << 20;

/// Has letters that the fonts of `context` lack drawn with the fonts of the system, while the window is open.
pub(super) fn fall_back(context: &Context) -> OpenWindow {
    let window = OpenWindow(Arc::new(Mutex::new(Some(context.clone()))));
    provide(context, &window.0);
    window
}

/// The context of a window, or none once it is closed. The context holds what looks for letters, which looks here: if that held
/// the context itself, neither would ever be freed.
type SharedContext = Arc<Mutex<Option<Context>>>;

/// Dropped with the window.
pub(super) struct OpenWindow(SharedContext);

impl Drop for OpenWindow {
    fn drop(&mut self) {
        let context = self.0.lock().take();
        drop(context);
    }
}

fn provide(context: &Context, window: &SharedContext) {
    context.set_font_providers(vec![Arc::new(Fallback(Arc::clone(window)))]);
}

/// Asked for each missing letter, once: so when the list of fonts is not there yet, it takes its place anew once it is.
struct Fallback(SharedContext);

impl FontProvider for Fallback {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let letter = request.cluster.chars().next()?;
        let fonts = SystemFonts::get(&self.0)?;
        let (name, data) = fonts.with(letter)?;
        let family = |family| InsertFontFamily { family, priority: FontPriority::Lowest };
        let families = vec![family(FontFamily::Proportional), family(FontFamily::Monospace)];
        Some(FontInsert { name, data, families })
    }
}

/// The fonts of the system.
struct SystemFonts {
    database: Database,
    /// The plain upright ones first.
    order: Vec<ID>,
    /// Those that were read.
    read: Mutex<BTreeMap<ID, FontData>>,
}

impl SystemFonts {
    /// The fonts, once they are listed. A window that asks before that is told later.
    fn get(window: &SharedContext) -> Option<&'static SystemFonts> {
        static FONTS: OnceLock<SystemFonts> = OnceLock::new();
        /// Windows that wait for the list; none once it is there, or if it cannot be made.
        static WAITING: Mutex<Option<Vec<SharedContext>>> = Mutex::new(Some(Vec::new()));
        if let Some(fonts) = FONTS.get() {
            return Some(fonts);
        }
        let mut waiting = WAITING.lock();
        let Some(windows) = waiting.as_mut() else { return FONTS.get() };
        windows.push(Arc::clone(window));
        if windows.len() == 1 {
            let list = || {
                let mut system = Database::new();
                system.load_system_fonts();
                // Nothing else sets it.
                let _ = FONTS.set(SystemFonts::of(system));
                for window in WAITING.lock().take().unwrap_or_default() {
                    let context = window.lock().clone();
                    if let Some(context) = context {
                        provide(&context, &window);
                        context.request_repaint();
                    }
                }
            };
            if std::thread::Builder::new().spawn(list).is_err() {
                // Without a thread there are boxes instead of letters.
                *waiting = None;
            }
        }
        None
    }

    fn of(database: Database) -> SystemFonts {
        let mut faces: Vec<&FaceInfo> = database.faces().collect();
        faces.sort_by_cached_key(|face| (oddness(face), face.post_script_name.clone()));
        let order = faces.into_iter().map(|face| face.id).collect();
        SystemFonts { database, order, read: Mutex::default() }
    }

    /// The first font that has a letter, and its name.
    fn with(&self, letter: char) -> Option<(String, FontData)> {
        let has = |id: &&ID| self.database.with_face_data(**id, |font, index| has(font, index, letter));
        let id = *self.order.iter().find(|id| has(id) == Some(true))?;
        let name = self.database.face(id)?.post_script_name.clone();
        let mut read = self.read.lock();
        if let Some(data) = read.get(&id) {
            return Some((name, data.clone()));
        }
        let data = self.database.with_face_data(id, |font, index| {
            let mut data = FontData::from_owned(font.to_vec());
            data.index = index;
            data
        })?;
        read.insert(id, data.clone());
        Some((name, data))
    }
}

/// Whether a font has a letter.
fn has(font: &[u8], index: u32, letter: char) -> bool {
    if font.len() > MAX_BYTES {
        return false;
    }
    let glyph = FontRef::from_index(font, index).ok().and_then(|font| font.charmap().map(letter));
    glyph.is_some_and(|glyph| glyph != GlyphId::NOTDEF)
}

/// How far a face is from one for plain text.
fn oddness(face: &FaceInfo) -> u32 {
    let weight = u32::from(face.weight.0.abs_diff(Weight::NORMAL.0));
    let has_serifs = face.families.iter().any(|(name, _)| name.contains("Serif"));
    let odd = [face.style != Style::Normal, face.stretch != Stretch::Normal, face.monospaced, has_serifs];
    weight + 1000 * odd.iter().filter(|odd| **odd).count() as u32
}

#[cfg(test)]
mod tests {
    use fontdb::{Database, Source};

    use super::SystemFonts;

    #[test]
    fn a_letter_is_drawn_by_a_font_that_has_it_and_none_is_made_up() {
        let mut database = Database::new();
        let hack = egui::FontDefinitions::default().font_data["Hack"].bytes().to_vec();
        database.load_font_source(Source::Binary(std::sync::Arc::new(hack)));
        let fonts = SystemFonts::of(database);
        let (name, data) = fonts.with('Ж').unwrap();
        assert_eq!((name.as_str(), data.index), ("Hack-Regular", 0));
        assert!(fonts.with('漢').is_none());
        // A font is read once, for all windows.
        let (_, again) = fonts.with('ж').unwrap();
        assert!(std::sync::Arc::ptr_eq(&data.font, &again.font));
    }
}
