//! Chords that follow: what sounds, what else would fit, and what is planned.

use egui::{Align2, FontId, RichText, Sense, Ui, vec2};
use neurdsp_models::music::MusicPart;
use neurdsp_models::music::chords::{Chord, Key};
use nice_plug::prelude::ParamSetter;

use crate::companion::live::{COMING, ChordView, SUGGESTIONS};
use crate::companion::networks;
use crate::companion::params::CompanionParams;
use crate::ui::controls::switch;
use crate::ui::knob::{Dial, KnobSize, dial};
use crate::ui::theme::{ACCENT, DIM, LINE, OFF, TEXT, WELL};

fn name(chord: u8) -> String {
    Chord::new(usize::from(chord)).map_or_else(|| "–".to_owned(), |chord| chord.name())
}

/// Draws the section.
pub(super) fn ui(ui: &mut Ui, params: &CompanionParams, view: &ChordView, setter: &ParamSetter) {
    if networks::network(MusicPart::Harmony).is_none() {
        ui.label(RichText::new("No harmony network comes with this build.").color(DIM));
        return;
    }
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            switch(ui, "Chords", &params.chords, setter);
            switch(ui, "Hold", &params.hold, setter);
        });
        let on = params.chords.value();
        let look = |label| Dial { label, enabled: on, scale: None, size: KnobSize::Small };
        dial(ui, &look("Channel"), &params.chord_channel, setter);
        dial(ui, &look("Velocity"), &params.chord_velocity, setter);
        ui.add_space(6.0);
        suggestions(ui, view, on);
        ui.add_space(6.0);
        coming(ui, view, on);
    });
}

fn suggestions(ui: &mut Ui, view: &ChordView, on: bool) {
    let found = if on { view.suggestions() } else { [None; SUGGESTIONS] };
    ui.spacing_mut().item_spacing.x = 6.0;
    for (at, suggestion) in found.into_iter().enumerate() {
        let size = if at == 0 { vec2(92.0, 56.0) } else { vec2(70.0, 44.0) };
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let lit = response.hovered() && suggestion.is_some();
        ui.painter().rect_filled(rect, 5.0, if lit { LINE } else { WELL });
        let (text, share) = match suggestion {
            Some((chord, probability)) => (name(chord), format!("{:.0} %", 100.0 * probability)),
            None => ("–".to_owned(), String::new()),
        };
        let colour = if at == 0 { ACCENT } else { TEXT };
        let font = FontId::proportional(if at == 0 { 20.0 } else { 15.0 });
        let place = rect.center() - vec2(0.0, 7.0);
        let colour = if suggestion.is_some() { colour } else { OFF };
        ui.painter().text(place, Align2::CENTER_CENTER, text, font, colour);
        let place = rect.center() + vec2(0.0, 13.0);
        ui.painter().text(place, Align2::CENTER_CENTER, share, FontId::proportional(11.0), DIM);
        let help = if at == 0 { "The chord that sounds" } else { "Play this chord in the next half bar" };
        if let (true, Some((chord, _))) = (response.on_hover_text(help).clicked(), suggestion) {
            view.want(0, Some(chord));
        }
    }
}

fn coming(ui: &mut Ui, view: &ChordView, on: bool) {
    let (planned, wanted) =
        if on { (view.coming(), view.wanted()) } else { ([None; COMING], [None; COMING]) };
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let key = view.key().filter(|_| on).map(|(tonic, minor)| Key { tonic, minor }.name());
        let title =
            key.map_or_else(|| "Half bars to come".to_owned(), |key| format!("Half bars to come, in {key}"));
        ui.label(RichText::new(title).small().color(DIM));
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 3.0;
            for at in 0..COMING {
                let (rect, response) = ui.allocate_exact_size(vec2(56.0, 30.0), Sense::click());
                let locked = wanted[at].is_some();
                ui.painter().rect_filled(rect, 4.0, if response.hovered() { LINE } else { WELL });
                let chord = wanted[at].or(planned[at]);
                let colour = if locked { ACCENT } else { TEXT.gamma_multiply(0.75) };
                let text = chord.map_or_else(|| "–".to_owned(), name);
                ui.painter().text(
                    rect.center(),
                    Align2::CENTER_CENTER,
                    text,
                    FontId::proportional(14.0),
                    colour,
                );
                let help = if locked { "Locked: click to free it" } else { "Click to lock this chord" };
                if response.on_hover_text(help).clicked() {
                    view.want(at, if locked { None } else { chord });
                }
            }
        });
    });
}
