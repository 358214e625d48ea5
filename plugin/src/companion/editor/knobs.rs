//! The four knobs of a feel, its seed, and whether hits may be early.

use egui::{RichText, Ui};
use neurdsp_models::music::MusicPart;
use nice_plug::prelude::ParamSetter;

use crate::companion::networks;
use crate::companion::params::CompanionParams;
use crate::ui::controls::{set_plain, switch};
use crate::ui::knob::{Dial, KnobSize, dial};
use crate::ui::theme::DIM;

/// Draws the section.
pub(super) fn ui(ui: &mut Ui, params: &CompanionParams, setter: &ParamSetter) {
    let on = switch(ui, "Feel", &params.feel, setter);
    ui.add_space(2.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let look = |label| Dial { label, enabled: on, scale: None, size: KnobSize::Large };
        dial(ui, &look("Amount"), &params.amount, setter);
        dial(ui, &look("Tightness"), &params.tightness, setter);
        dial(ui, &look("Lean"), &params.lean, setter);
        dial(ui, &look("Accents"), &params.accents, setter);
        ui.add_space(8.0);
        ui.vertical(|ui| more(ui, params, setter, on));
    });
}

fn more(ui: &mut Ui, params: &CompanionParams, setter: &ParamSetter, on: bool) {
    ui.spacing_mut().item_spacing.y = 6.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let small = |label| Dial { label, enabled: on, scale: None, size: KnobSize::Small };
        dial(ui, &small("Seed"), &params.seed, setter);
        dial(ui, &small("Channel"), &params.drum_channel, setter);
    });
    let take = ui.button("Another take").on_hover_text("The next seed: other chances, the same feel");
    if take.clicked() {
        let next = (params.seed.value() + 1) % 10_000;
        set_plain(ui, &params.seed, setter, next);
    }
    switch(ui, "Late only", &params.late_only, setter);
}

/// Draws how much of a player's dynamics comes to what is played, and whether a melody goes on.
pub(super) fn player(ui: &mut Ui, params: &CompanionParams, setter: &ParamSetter) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        let enabled = networks::network(MusicPart::Dynamics).is_some();
        let look = Dial { label: "Dynamics", enabled, scale: None, size: KnobSize::Small };
        dial(ui, &look, &params.dynamics, setter);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            ui.add_enabled_ui(networks::network(MusicPart::Melody).is_some(), |ui| {
                switch(ui, "Play on", &params.play_on, setter);
            });
            let words = "Goes on with your melody where you stop for a bar, until you play again.";
            ui.add(egui::Label::new(RichText::new(words).small().color(DIM)).wrap());
        });
    });
}
