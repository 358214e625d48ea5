//! The reference: bars whose feel is taken over, from a file or from what is played.

use egui::{FontId, RichText, Ui};
use nice_plug::prelude::ParamSetter;

use crate::companion::params::CompanionParams;
use crate::companion::reference::ReferenceCard;
use crate::companion::shared::Shared;
use crate::ui::controls::{set_plain, switch};
use crate::ui::layout::heading;
use crate::ui::text;
use crate::ui::theme::{ACCENT, DIM, TEXT};

/// What the user asks for.
pub(super) enum Asked {
    Open,
    Remove,
}

/// Draws the section.
pub(super) fn ui(
    ui: &mut Ui,
    params: &CompanionParams,
    card: Option<&ReferenceCard>,
    shared: &Shared,
    setter: &ParamSetter,
) -> Option<Asked> {
    heading(ui, "Reference groove");
    words(ui, card);
    let mut asked = None;
    ui.horizontal(|ui| {
        if ui.button("Open…").on_hover_text("Open a MIDI file with drums").clicked() {
            asked = Some(Asked::Open);
        }
        let remove = ui.add_enabled(card.is_some(), egui::Button::new("Remove"));
        if remove.on_hover_text("Play as the drummers that the network learnt from").clicked() {
            asked = Some(Asked::Remove);
        }
    });
    ui.add_space(2.0);
    listen(ui, params, shared, setter);
    asked
}

fn words(ui: &mut Ui, card: Option<&ReferenceCard>) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let (name, about) = match card {
        Some(card) => (card.name.clone(), format!("{} hits tell the feel", text::thousands(card.n_hits))),
        None => ("None".to_owned(), "The network's drummers tell the feel".to_owned()),
    };
    let font = FontId::proportional(16.0);
    let name = text::middle(ui, &name, &font, ui.available_width());
    ui.label(RichText::new(name).font(font).strong().color(TEXT));
    ui.label(RichText::new(about).small().color(DIM));
    ui.spacing_mut().item_spacing.y = 6.0;
}

fn listen(ui: &mut Ui, params: &CompanionParams, shared: &Shared, setter: &ParamSetter) {
    ui.horizontal(|ui| {
        switch(ui, "Listen", &params.listen, setter);
        let bars = params.listen_bars.value();
        for count in [1, 2, 4, 8] {
            let colour = if count == bars { ACCENT } else { DIM };
            let button = egui::Button::new(RichText::new(count.to_string()).color(colour)).small();
            if ui.add(button).on_hover_text("Bars to record").clicked() {
                set_plain(ui, &params.listen_bars, setter, count);
            }
        }
        ui.label(RichText::new("bars").small().color(DIM));
    });
    let progress = shared.line.progress.get();
    let note = match progress {
        None => "Play a groove while the song runs".to_owned(),
        Some(done) if done < 0.0 => "Waits for the next bar of the song".to_owned(),
        Some(_) => "Records…".to_owned(),
    };
    match progress.filter(|done| *done >= 0.0) {
        Some(done) => _ = ui.add(egui::ProgressBar::new(done).desired_height(6.0).fill(ACCENT)),
        None => _ = ui.label(RichText::new(note).small().color(DIM)),
    }
    // A recording that is complete switches itself off, so that the next one needs one click.
    if params.listen.value() && progress.is_none() {
        set_plain(ui, &params.listen, setter, false);
    }
}
