//! The drum separator's window: the network's card, and below it the mixer.

mod card;
mod mixer;

use std::path::Path;
use std::sync::Arc;

use egui::{RichText, Ui};
use nice_plug::context::gui::GuiContext;

use super::files::{self, MODEL_ENDINGS};
use super::identity::OWNER;
use super::shared::Shared;
use super::sound::DrumSound;
use crate::preset::folder::is_preset;
use crate::state::files::has_ending;
use crate::state::{Refusal, Resource};
use crate::ui::controls::bypass;
use crate::ui::dialogs::{Dialogs, Pick};
use crate::ui::recall::{Sound, SoundBar};
use crate::ui::{layout, meters, theme};
use crate::window::{App, AppEditor};

const NETWORK: Pick = Pick::File { name: "Networks", endings: MODEL_ENDINGS };
const HINT: &str =
    "Drop a network (.safetensors) or a preset anywhere. Each strip has an output of its own in the host.";

/// The editor of one instance.
pub(crate) struct DrumEditor {
    sound: DrumSound,
    shared: Arc<Shared>,
    context: Option<GuiContext>,
    sounds: SoundBar<DrumSound>,
    dialogs: Dialogs,
    meters: mixer::Meters,
}

impl DrumEditor {
    /// The editor that the framework is given.
    pub(super) fn create(sound: DrumSound, shared: Arc<Shared>) -> AppEditor<DrumEditor> {
        let repaint = shared.repaint.clone();
        let app = DrumEditor {
            sound,
            shared,
            context: None,
            sounds: SoundBar::default(),
            dialogs: Dialogs::default(),
            meters: mixer::Meters::default(),
        };
        AppEditor::new(app, OWNER.name, repaint, |app, context| app.context = Some(context))
    }

    /// Loads `path`, whatever it is: a network or a preset.
    fn open(&mut self, path: &Path, context: &GuiContext) {
        if is_preset(path) {
            self.sounds.recall(path.to_owned(), &self.sound, context);
        } else if has_ending(path, MODEL_ENDINGS) {
            self.sounds.about_to_load(&self.sound, context);
            self.sound.loader.load(path);
        } else {
            let reason = "neither a network (.safetensors) nor a preset (.vstpreset)";
            self.sound.tasks().refuse(Refusal::of(path, reason));
        }
    }

    fn take_files(&mut self, ui: &Ui, context: &GuiContext) {
        let dropped = ui.ctx().input(|input| input.raw.dropped_files.clone());
        let picked = self.dialogs.take();
        for path in dropped.iter().map(|file| file.path().to_owned()).chain(picked) {
            self.open(&path, context);
        }
    }

    fn top(&mut self, ui: &mut Ui, context: &GuiContext) {
        ui.label(RichText::new(OWNER.name).heading().strong());
        ui.add_space(16.0);
        self.sounds.ui(ui, &self.sound, context);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            bypass(ui, &self.sound.params.bypass, &context.param_setter());
            ui.add_space(4.0);
            meters::cpu(ui, &self.shared.cpu);
        });
    }

    fn card(&mut self, ui: &mut Ui, context: &GuiContext) {
        let playing = self.shared.playing.lock().clone();
        let has_error = self.sound.tasks().status().error.is_some();
        let named = self.sound.params.session.read(|session| session.model.as_ref().map(Resource::name));
        let waiting = named.filter(|_| !has_error);
        let shipped = files::shipped();
        match card::ui(ui, &self.shared, playing.as_ref(), waiting, !shipped.is_empty()) {
            Some(card::Asked::Open) => self.dialogs.show(NETWORK, self.sound.tasks()),
            Some(card::Asked::Shipped) => {
                if let Some(path) = shipped.first() {
                    self.open_shipped(path, context);
                }
            }
            None => {}
        }
    }

    fn open_shipped(&mut self, path: &Path, context: &GuiContext) {
        self.sounds.about_to_load(&self.sound, context);
        self.sound.loader.load(path);
    }
}

impl App for DrumEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 560.0);

    fn opened(&mut self, context: &egui::Context) {
        theme::apply(context);
    }

    fn ui(&mut self, ui: &mut Ui) {
        let Some(context) = self.context.clone() else { return };
        self.take_files(ui, &context);
        self.sounds.update(ui, &self.sound, &context);
        self.shared.changes.report(&self.sound.params.revision, &context);
        layout::top_bar(ui, |ui| self.top(ui, &context));
        layout::status_bar(ui, self.sound.tasks(), HINT);
        layout::whole(ui, |ui| {
            self.card(ui, &context);
            let setter = context.param_setter();
            mixer::ui(ui, &self.sound.params, &self.shared, &mut self.meters, &setter);
        });
        layout::drop_hint(ui);
    }

    fn closed(&mut self) {
        self.context = None;
        self.sounds.close();
    }
}
