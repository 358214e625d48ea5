//! The words: chips that are clicked for what a kick should be, and clicked again for what it should not be.

use egui::{Align2, FontId, RichText, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use nice_plug::prelude::{Param, ParamSetter};

use crate::kick::generator::meaning;
use crate::kick::params::{KickParams, Wish, capital};
use crate::kick::wishes::WORDS;
use crate::ui::controls::set;
use crate::ui::knob::knob_small;
use crate::ui::layout::heading;
use crate::ui::theme::{ACCENT, ALERT, DIM, LINE, TEXT, WELL};
use crate::ui::{Icon, icon_button, text};

/// Height of a chip, and the gap around it, in points.
const CHIP_HEIGHT: f32 = 26.0;
const GAP: f32 = 4.0;
/// Words beside each other; below each is its opposite.
const COLUMNS: usize = WORDS.len() / 2;

/// What the user asks for.
pub(super) enum Asked {
    /// Another generator, from a file.
    Open,
    /// The generator inside the plugin.
    Shipped,
    /// The kick of this many seeds further.
    Step(i32),
    /// The kick of any other seed.
    Generate,
}

/// Draws the words, and below them what else a kick is made of. `own` is the name of a generator of the user's own.
pub(super) fn ui(ui: &mut Ui, params: &KickParams, own: Option<&str>, setter: &ParamSetter) -> Option<Asked> {
    let mut asked = generator(ui, own);
    chips(ui, params, setter);
    ui.add_space(2.0);
    let (row, centred) = (ui.available_size(), egui::Layout::left_to_right(egui::Align::Center));
    ui.allocate_ui_with_layout(row, centred, |ui| {
        let text = RichText::new("Generate").strong().color(WELL);
        let button = egui::Button::new(text).fill(ACCENT).min_size(vec2(104.0, 32.0));
        if ui.add(button).on_hover_text("Another kick of these words").clicked() {
            asked = Some(Asked::Generate);
        }
        ui.add_space(8.0);
        ui.label(RichText::new("Seed").color(DIM));
        if icon_button(ui, Icon::Previous, "The seed before", TEXT).clicked() {
            asked = Some(Asked::Step(-1));
        }
        let seed = params.seed.unmodulated_plain_value();
        let label = egui::Label::new(RichText::new(seed.to_string()).color(TEXT).monospace());
        ui.add_sized(vec2(40.0, 24.0), label).on_hover_text("The same seed and words give the same kick");
        if icon_button(ui, Icon::Next, "The next seed", TEXT).clicked() {
            asked = Some(Asked::Step(1));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let any = params.words.0.iter().any(|word| word.unmodulated_plain_value() != Wish::Off);
            if ui.add_enabled(any, egui::Button::new("Clear")).on_hover_text("No words").clicked() {
                for word in &params.words.0 {
                    set(ui, word, setter, 0.0);
                }
            }
            ui.add_space(4.0);
            knob_small(ui, "Guidance", &params.guidance, setter, true);
        });
    });
    asked
}

/// Draws the heading, and at its right which generator makes the kicks.
fn generator(ui: &mut Ui, own: Option<&str>) -> Option<Asked> {
    let mut asked = None;
    ui.horizontal(|ui| {
        ui.allocate_ui(vec2(80.0, 24.0), |ui| heading(ui, "WORDS"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let open = egui::Button::new(RichText::new("Open…").small()).min_size(vec2(52.0, 22.0));
            if ui.add(open).on_hover_text("Make kicks with a generator of your own (.safetensors)").clicked()
            {
                asked = Some(Asked::Open);
            }
            let font = FontId::proportional(12.0);
            match own {
                Some(name) => {
                    let help = "Make kicks with the generator inside the plugin again";
                    if icon_button(ui, Icon::Cross, help, TEXT).clicked() {
                        asked = Some(Asked::Shipped);
                    }
                    let name = text::middle(ui, name, &font, 260.0);
                    ui.label(RichText::new(name).font(font).color(TEXT));
                }
                None => _ = ui.label(RichText::new("inside the plugin").font(font).color(DIM)),
            }
            ui.label(RichText::new("Generator").small().color(DIM));
        });
    });
    asked
}

fn chips(ui: &mut Ui, params: &KickParams, setter: &ParamSetter) {
    let width = (ui.available_width() - (COLUMNS - 1) as f32 * GAP) / COLUMNS as f32;
    let size = vec2(ui.available_width(), 2.0 * CHIP_HEIGHT + GAP);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    for (index, (word, param)) in WORDS.iter().zip(&params.words.0).enumerate() {
        let (column, row) = ((index / 2) as f32, (index % 2) as f32);
        let at = rect.min + vec2(column * (width + GAP), row * (CHIP_HEIGHT + GAP));
        let chip = egui::Rect::from_min_size(at, vec2(width, CHIP_HEIGHT));
        let response = ui.interact(chip, ui.scope_id().with(word), Sense::click());
        let wish = param.unmodulated_plain_value();
        let painter = ui.painter();
        let (fill, text) = match (wish, response.hovered()) {
            (Wish::On, _) => (ACCENT, WELL),
            (Wish::Not, _) => (WELL, ALERT),
            (Wish::Off, true) => (LINE, TEXT),
            (Wish::Off, false) => (WELL, DIM),
        };
        painter.rect_filled(chip, 13.0, fill);
        if wish == Wish::Not {
            painter.rect_stroke(chip, 13.0, Stroke::new(1.0, ALERT), StrokeKind::Inside);
        }
        let font = FontId::proportional(12.5);
        let drawn = painter.text(chip.center(), Align2::CENTER_CENTER, word, font, text);
        if wish == Wish::Not {
            let y = drawn.center().y + 1.0;
            painter.line_segment([pos2(drawn.left(), y), pos2(drawn.right(), y)], Stroke::new(1.0, ALERT));
        }
        let next = match (wish, response.clicked(), response.secondary_clicked()) {
            (Wish::Off, true, _) => Some(Wish::On),
            (Wish::On, true, _) | (Wish::Off, _, true) => Some(Wish::Not),
            (Wish::Not, true, _) | (_, _, true) => Some(Wish::Off),
            _ => None,
        };
        if let Some(next) = next {
            set(ui, param, setter, param.preview_normalized(next));
        }
        let about = meaning(word).unwrap_or_default();
        response.on_hover_text(format!(
            "{}: {about}. Click for a kick that is, click again for one that is not.",
            capital(word)
        ));
    }
}
