//! The amp player's window: a browser of models on the left, the model's card or the tuner, and the chain from input to output.

mod card;
mod chain;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui::{RichText, Ui, vec2};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::Param;

use super::files::{self, CABINET_ENDINGS, MODEL_ENDINGS};
use super::identity::OWNER;
use super::shared::{Playing, Shared};
use super::sound::AmpSound;
use crate::audio::pitch;
use crate::preset::folder::is_preset;
use crate::state::files::has_ending;
use crate::state::{Refusal, Resource};
use crate::ui::browser::{Browser, Library, files_in};
use crate::ui::controls::bypass;
use crate::ui::dialogs::{Dialogs, Pick};
use crate::ui::recall::{Sound, SoundBar};
use crate::ui::theme::{self, DIM, TEXT};
use crate::ui::{Icon, Tuning, icon_button, layout, meters, neighbour, tuner};
use crate::window::{App, AppEditor};

static MODELS: Library = Library {
    endings: MODEL_ENDINGS,
    memory: "plugin.json",
    search: "Search models",
    empty: "Drop a model or a folder of models here, or open one below.",
    no_match: "No model matches.",
    is_there: files::is_there,
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
    tuning: Tuning,
    /// A model that was opened from outside the list. The list follows once it plays.
    awaited: Option<PathBuf>,
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
            tuning: Tuning::default(),
            awaited: None,
            meters: chain::Meters::default(),
        };
        AppEditor::new(app, OWNER.name, repaint, |app, context| app.context = Some(context))
    }

    /// Loads `path`, whatever it is: a model, a cabinet, a preset, or a folder to browse.
    fn open(&mut self, path: &Path, context: &GuiContext) {
        if is_preset(path) {
            self.sounds.recall(path.to_owned(), &self.sound, context);
        } else if path.is_dir() {
            if !self.browser.choose(path) {
                let reason = "there is no model (.nam, .safetensors, .json) in this folder";
                self.sound.tasks().refuse(Refusal::of(path, reason));
            }
        } else if has_ending(path, CABINET_ENDINGS) {
            self.load_cabinet(path, context);
        } else if has_ending(path, MODEL_ENDINGS) {
            self.awaited = Some(path.to_owned());
            self.load_model(path, context);
        } else {
            let reason = "neither a model (.nam, .safetensors, .json) nor an impulse response (.wav) nor a \
                          preset (.vstpreset)";
            self.sound.tasks().refuse(Refusal::of(path, reason));
        }
    }

    fn load_model(&mut self, path: &Path, context: &GuiContext) {
        self.sounds.about_to_load(&self.sound, context);
        self.sound.loader.load_model(path);
    }

    fn load_cabinet(&mut self, path: &Path, context: &GuiContext) {
        self.sounds.about_to_load(&self.sound, context);
        self.sound.loader.load_cabinet(path);
    }

    /// Lists the folder of a model from elsewhere, once it plays. One that cannot be opened leaves the list as it is.
    fn follow(&mut self) {
        if self.awaited.is_some() && !self.sound.tasks().status().loading {
            let awaited = self.awaited.take().filter(|path| self.current_model().as_ref() == Some(path));
            if let Some(path) = awaited {
                self.browser.follow(&path);
            }
        }
    }

    fn current_model(&self) -> Option<PathBuf> {
        self.sound.params.session.read(|session| session.model.as_ref().map(|model| model.path.clone()))
    }

    fn step(&mut self, step: isize, context: &GuiContext) {
        let current = self.current_model().unwrap_or_default();
        if let Some(path) = self.browser.neighbour(&current, step) {
            self.load_model(&path, context);
        }
    }

    /// Loads the cabinet `step` places further among those of its folder, or those that come with the plugin.
    fn step_cabinet(&mut self, step: isize, context: &GuiContext) {
        let current =
            self.sound.params.session.read(|session| session.cabinet.as_ref().map(|it| it.path.clone()));
        let beside = current.as_ref().filter(|path| path.is_file()).and_then(|path| path.parent());
        let listed = beside.map_or_else(files::shipped_cabinets, |folder| files_in(folder, CABINET_ENDINGS));
        let at = current.and_then(|current| listed.iter().position(|path| *path == current));
        if let Some(next) = neighbour(listed.len(), at, step) {
            self.load_cabinet(&listed[next], context);
        }
    }

    fn take_files(&mut self, ui: &Ui, context: &GuiContext) {
        let dropped = ui.ctx().input(|input| input.raw.dropped_files.clone());
        let picked = self.dialogs.take();
        for path in dropped.iter().map(|file| file.path().to_owned()).chain(picked) {
            self.open(&path, context);
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
            let tunes = self.tuner.is_some();
            let text = RichText::new("Tuner").color(if tunes { theme::WELL } else { TEXT });
            let fill = if tunes { theme::ACCENT } else { theme::PANEL };
            let button = egui::Button::new(text).fill(fill).min_size(vec2(64.0, 24.0));
            if ui.add(button).clicked() {
                self.show_tuner(!tunes);
            }
            ui.add_space(4.0);
            bypass(ui, &self.sound.params.bypass, &context.param_setter());
            ui.add_space(4.0);
            meters::cpu(ui, &self.shared.cpu);
        });
    }

    fn show_tuner(&mut self, shown: bool) {
        self.tuner = shown.then(|| vec![0.0; pitch::WINDOW]);
        self.shared.tuner.set_listening(shown);
        self.shared.muted.store(shown && self.tuning.mutes, Ordering::Relaxed);
    }

    fn left(&mut self, ui: &mut Ui, context: &GuiContext) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("MODELS").small().strong().color(DIM));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if icon_button(ui, Icon::Next, "Next model", TEXT).clicked() {
                    self.step(1, context);
                }
                if icon_button(ui, Icon::Previous, "Previous model", TEXT).clicked() {
                    self.step(-1, context);
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
            self.load_model(&path, context);
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
            let before = self.tuning;
            tuner(ui, pitch::pitch(samples, rate), &mut self.tuning);
            if self.tuning.reference_hz != before.reference_hz {
                self.tuning.remember(MODELS.memory);
            }
            self.shared.muted.store(self.tuning.mutes, Ordering::Relaxed);
            return;
        }
        let named = self.sound.params.session.read(|session| session.model.as_ref().map(Resource::name));
        card::model(ui, playing.model.as_ref(), named.filter(|_| !has_error));
        match chain::ui(ui, &self.sound.params, &self.shared, playing, context, &mut self.meters) {
            Some(chain::Asked::Open) => self.dialogs.show(CABINET, self.sound.tasks()),
            Some(chain::Asked::Remove) => {
                self.sounds.about_to_load(&self.sound, context);
                self.sound.loader.remove_cabinet();
            }
            Some(chain::Asked::Step(step)) => self.step_cabinet(step, context),
            None => {}
        }
    }
}

impl App for AmpEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 560.0);

    fn opened(&mut self, context: &egui::Context) {
        theme::apply(context);
        self.tuning.recall(MODELS.memory);
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
        self.take_files(ui, &context);
        self.sounds.update(ui, &self.sound, &context);
        self.follow();
        self.tell_host(&context);
        let (has_error, playing) =
            (self.sound.tasks().status().error.is_some(), self.shared.playing.lock().clone());
        layout::top_bar(ui, |ui| self.top(ui, &context));
        layout::status_bar(ui, self.sound.tasks(), HINT);
        layout::side_panel(ui, 268.0, |ui| self.left(ui, &context));
        layout::centre(ui, |ui| self.centre(ui, &context, &playing, has_error));
        layout::drop_hint(ui);
    }

    fn closed(&mut self) {
        self.context = None;
        self.show_tuner(false);
        self.sounds.close();
    }
}
