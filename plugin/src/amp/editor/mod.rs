//! The amp player's window: a browser of models on the left, the model's card or the tuner, and the chain from input to output.

mod card;
mod chain;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui::{RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::Param;

use super::files::{self, CABINET_ENDINGS, MODEL_ENDINGS};
use super::identity::OWNER;
use super::shared::{Playing, Shared};
use super::sound::AmpSound;
use crate::audio::pitch;
use crate::preset::folder::is_preset;
use crate::state::Resource;
use crate::state::files::has_ending;
use crate::ui::browser::{Browser, Library};
use crate::ui::dialogs::{Dialogs, Pick};
use crate::ui::recall::{Sound, SoundBar};
use crate::ui::theme::{self, DIM, TEXT};
use crate::ui::{Icon, icon_button, layout, meters, tuner};
use crate::window::{App, AppEditor};

static MODELS: Library = Library {
    endings: MODEL_ENDINGS,
    memory: "plugin.json",
    search: "Search models",
    empty: "Drop a model or a folder of models here, or open one below.",
    no_match: "No model matches.",
};
const MODEL: Pick = Pick::File { name: "Models", endings: MODEL_ENDINGS };
const CABINET: Pick = Pick::File { name: "Impulse responses", endings: CABINET_ENDINGS };
const HINT: &str = "Drop models (.nam, .safetensors, .json), cabinets (.wav) or folders anywhere.";

/// The editor of one instance.
pub(crate) struct AmpEditor {
    sound: AmpSound,
    shared: Arc<Shared>,
    context: Option<GuiContext>,
    browser: Browser,
    sounds: SoundBar<AmpSound>,
    dialogs: Dialogs,
    /// The samples that the tuner looks at, while it is open.
    tuner: Option<Vec<f32>>,
    meters: chain::Meters,
}

impl AmpEditor {
    /// The editor that the framework is given.
    pub(super) fn create(sound: AmpSound, shared: Arc<Shared>) -> AppEditor<AmpEditor> {
        let repaint = shared.repaint.clone();
        let app = AmpEditor {
            sound,
            shared,
            context: None,
            browser: Browser::new(&MODELS),
            sounds: SoundBar::default(),
            dialogs: Dialogs::default(),
            tuner: None,
            meters: chain::Meters::default(),
        };
        AppEditor::new(app, OWNER.name, repaint, |app, context| app.context = Some(context))
    }

    /// Loads `path`, whatever it is: a model, a cabinet, a preset, or a folder to browse.
    fn open(&mut self, path: &Path) {
        if is_preset(path) {
            self.sounds.recall(path.to_owned(), &self.sound);
        } else if path.is_dir() {
            self.browser.choose(path);
        } else if has_ending(path, CABINET_ENDINGS) {
            self.sound.loader.load_cabinet(path);
        } else if has_ending(path, MODEL_ENDINGS) {
            self.browser.follow(path);
            self.sound.loader.load_model(path);
        } else {
            self.sound.tasks().refuse(format!(
                "{} is neither a model (.nam, .safetensors, .json) nor an impulse response (.wav) nor a preset \
                 (.vstpreset)",
                path.display()
            ));
        }
    }

    fn current_model(&self) -> Option<PathBuf> {
        self.sound.params.session.read(|session| session.model.as_ref().map(|model| model.path.clone()))
    }

    fn step(&mut self, step: isize) {
        let current = self.current_model().unwrap_or_default();
        if let Some(path) = self.browser.neighbour(&current, step) {
            self.sound.loader.load_model(&path);
        }
    }

    fn take_files(&mut self, ui: &Ui) {
        let dropped = ui.ctx().input(|input| input.raw.dropped_files.clone());
        let picked = self.dialogs.take();
        for path in dropped.iter().map(|file| file.path().to_owned()).chain(picked) {
            self.open(&path);
        }
    }

    /// Reports knobs that the loader has turned, and marks the project modified when a file was loaded.
    fn tell_host(&mut self, context: &GuiContext) {
        let params = &self.sound.params;
        self.shared.changes.report(&params.revision, context);
        if self.shared.knobs_turned.swap(false, Ordering::Relaxed) {
            let setter = context.param_setter();
            for index in 0..self.shared.n_knobs.load(Ordering::Relaxed) {
                let Some(knob) = params.knobs.get(index) else { break };
                setter.begin_set_parameter(knob);
                setter.set_parameter(knob, knob.unmodulated_plain_value());
                setter.end_set_parameter(knob);
            }
        }
    }

    fn top(&mut self, ui: &mut Ui, context: &GuiContext) {
        ui.label(RichText::new(OWNER.name).heading().strong());
        ui.add_space(16.0);
        self.sounds.ui(ui, &self.sound, context);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let tuning = self.tuner.is_some();
            if ui.selectable_label(tuning, "Tuner").clicked() {
                self.tuner = if tuning { None } else { Some(vec![0.0; pitch::WINDOW]) };
                self.shared.tuner.set_listening(!tuning);
            }
            ui.add_space(8.0);
            meters::cpu(ui, &self.shared.cpu.load());
        });
    }

    fn left(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("MODELS").small().strong().color(DIM));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if icon_button(ui, Icon::Next, "Next model", TEXT).clicked() {
                    self.step(1);
                }
                if icon_button(ui, Icon::Previous, "Previous model", TEXT).clicked() {
                    self.step(-1);
                }
            });
        });
        let current = self.current_model();
        let height = (ui.available_height() - 40.0).max(0.0);
        let size = egui::vec2(ui.available_width(), height);
        let picked = ui
            .allocate_ui_with_layout(size, egui::Layout::top_down(egui::Align::Min), |ui| {
                ui.set_min_size(size);
                self.browser.ui(ui, current.as_deref())
            })
            .inner;
        if let Some(path) = picked {
            self.sound.loader.load_model(&path);
        }
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            if ui.button("Open…").on_hover_text("Open a model").clicked() {
                self.dialogs.show(MODEL, self.sound.tasks());
            }
            if ui.button("Folder…").on_hover_text("Browse a folder of models").clicked() {
                self.dialogs.show(Pick::Folder, self.sound.tasks());
            }
            if ui.button("Shipped").on_hover_text("Browse the amps that come with the plugin").clicked() {
                self.browser.list(files::shipped());
            }
        });
    }

    fn centre(&mut self, ui: &mut Ui, context: &GuiContext, playing: &Playing, has_error: bool) {
        if let Some(samples) = &mut self.tuner {
            self.shared.tuner.read(samples);
            let rate = self.shared.sample_rate_hz.load(Ordering::Relaxed) as f32;
            tuner(ui, pitch::pitch(samples, rate));
        } else {
            let named = self.sound.params.session.read(|session| session.model.as_ref().map(Resource::name));
            card::model(ui, playing.model.as_ref(), named.filter(|_| !has_error));
        }
        match chain::ui(ui, &self.sound.params, &self.shared, playing, context, &mut self.meters) {
            Some(chain::Asked::OpenCabinet) => self.dialogs.show(CABINET, self.sound.tasks()),
            Some(chain::Asked::RemoveCabinet) => self.sound.loader.remove_cabinet(),
            None => {}
        }
    }
}

impl App for AmpEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 560.0);

    fn opened(&mut self, context: &egui::Context) {
        theme::apply(context);
        let folder = self.browser.recall();
        if let Some(path) = self.current_model().filter(|path| path.is_file()) {
            self.browser.follow(&path);
        } else if let Some(folder) = folder {
            self.browser.open(&folder);
        } else {
            self.browser.list(files::shipped());
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        let Some(context) = self.context.clone() else { return };
        self.take_files(ui);
        self.sounds.update(&self.sound, &context);
        self.tell_host(&context);
        let (status, playing) = (self.sound.tasks().status(), self.shared.playing.lock().clone());
        layout::top_bar(ui, |ui| self.top(ui, &context));
        layout::status_bar(ui, &status, HINT);
        layout::side_panel(ui, 268.0, |ui| self.left(ui));
        layout::centre(ui, |ui| self.centre(ui, &context, &playing, status.error.is_some()));
        layout::drop_hint(ui);
    }

    fn closed(&mut self) {
        self.context = None;
        self.tuner = None;
        self.sounds.close();
        self.shared.tuner.set_listening(false);
    }
}
