//! Emotion: valence and arousal of the cue model in the sound that passes, and how they are sent.

use egui::{Align2, FontId, Rect, RichText, Sense, Ui, pos2, vec2};
use neurdsp_models::music::MusicPart;
use nice_plug::prelude::ParamSetter;

use crate::companion::networks;
use crate::companion::params::CompanionParams;
use crate::companion::shared::Shared;
use crate::ui::controls::switch;
use crate::ui::knob::{Dial, KnobSize, dial};
use crate::ui::theme::{ACCENT, DIM, LEVEL, LINE, WELL};

/// Draws the section.
pub(super) fn ui(ui: &mut Ui, params: &CompanionParams, shared: &Shared, setter: &ParamSetter) {
    if networks::network(MusicPart::Emotion).is_none() {
        ui.label(RichText::new("No emotion network comes with this build.").color(DIM));
        return;
    }
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            let on = switch(ui, "Send emotion", &params.mood, setter);
            let [valence, arousal] = shared.line.mood.values().map_or([None; 2], |values| values.map(Some));
            let help = "How bright or dark the sound is, by the cues in it; not what a listener feels";
            bar(ui, "Valence", help, valence, on.then(|| params.valence_cc.value()));
            let help = "How lively the last four seconds of the sound are, by the cues in them";
            bar(ui, "Arousal", help, arousal, on.then(|| params.arousal_cc.value()));
        });
        let enabled = params.mood.value();
        let look = |label| Dial { label, enabled, scale: None, size: KnobSize::Small };
        dial(ui, &look("Channel"), &params.mood_channel, setter);
        dial(ui, &look("Valence"), &params.valence_cc, setter);
        dial(ui, &look("Arousal"), &params.arousal_cc, setter);
        dial(ui, &look("Smooth"), &params.mood_smoothing, setter);
    });
}

/// A value from -1 to 1, drawn from the middle, with its name and the controller that it is sent as.
fn bar(ui: &mut Ui, name: &str, help: &str, value: Option<f32>, controller: Option<i32>) {
    let (rect, response) = ui.allocate_exact_size(vec2(190.0, 16.0), Sense::hover());
    let (painter, font) = (ui.painter(), FontId::proportional(11.0));
    painter.text(rect.left_center(), Align2::LEFT_CENTER, name, font.clone(), DIM);
    let well = Rect::from_center_size(rect.left_center() + vec2(96.0, 0.0), vec2(84.0, 8.0));
    painter.rect_filled(well, 3.0, WELL);
    let middle = well.center();
    if let Some(value) = value {
        let end = middle.x + 0.5 * well.width() * value.clamp(-1.0, 1.0);
        let filled = Rect::from_two_pos(pos2(middle.x, well.top() + 1.0), pos2(end, well.bottom() - 1.0));
        painter.rect_filled(filled, 2.0, if value < 0.0 { LEVEL } else { ACCENT });
    }
    painter.vline(middle.x, well.y_range(), (1.0, LINE));
    if let Some(number) = controller {
        painter.text(rect.right_center(), Align2::RIGHT_CENTER, format!("CC {number}"), font, DIM);
    }
    response.on_hover_text(help);
}
