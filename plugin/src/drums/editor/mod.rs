//! The drum separator's window: the network's card, and below it the mixer.

mod card;
mod mixer;

use std::path::Path;
use std::sync::Arc;

use egui::Ui;

use super::files::{self, MODEL_ENDINGS};
use super::loader::Loader;
use super::shared::Shared;
use crate::shell::{Contents, Tools};
use crate::state::Resource;
use crate::state::files::has_ending;
use crate::ui::controls::bypass;
use crate::ui::dialogs::Pick;
use crate::ui::layout;

const NETWORK: Pick = Pick::File { name: "Networks", endings: MODEL_ENDINGS };

/// The contents of the window of one instance.
pub(crate) struct DrumEditor {
    shared: Arc<Shared>,
    meters: mixer::Meters,
}

impl DrumEditor {
    pub(super) fn new(shared: &Arc<Shared>) -> DrumEditor {
        DrumEditor { shared: Arc::clone(shared), meters: mixer::Meters::default() }
    }

    fn card(&self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        let playing = self.shared.playing.lock().clone();
        let has_error = tools.tasks().status().error.is_some();
        let named = tools.params.session.read(|session| session.model.as_ref().map(Resource::name));
        let waiting = named.filter(|_| !has_error);
        let shipped = files::shipped();
        match card::ui(ui, &self.shared, playing.as_ref(), waiting, !shipped.is_empty()) {
            Some(card::Asked::Open) => tools.pick(NETWORK),
            Some(card::Asked::Shipped) => {
                if let Some(path) = shipped.first() {
                    load(path, tools);
                }
            }
            None => {}
        }
    }
}

fn load(path: &Path, tools: &mut Tools<'_, Loader>) {
    tools.about_to_load();
    tools.sound.load(path);
}

impl Contents for DrumEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 560.0);
    const HINT: &'static str = "Drop a network (.safetensors) or a preset anywhere. Each strip has an output of its own in the host.";
    type Sound = Loader;

    fn open(&mut self, path: &Path, tools: &mut Tools<'_, Loader>) {
        if has_ending(path, MODEL_ENDINGS) {
            load(path, tools);
        } else {
            tools.refuse(path, "neither a network (.safetensors) nor a preset (.vstpreset)");
        }
    }

    fn switches(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        bypass(ui, &tools.params.bypass, &tools.setter());
        ui.add_space(4.0);
    }

    fn ui(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        layout::whole(ui, |ui| {
            self.card(ui, tools);
            mixer::ui(ui, tools.params, &self.shared, &mut self.meters, &tools.setter());
        });
    }
}
