//! The amp player's window: a browser of models on the left, the model's card or the tuner, and the chain from input to output.

mod card;
mod chain;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui::{RichText, Ui, vec2};
use nice_plug::prelude::Param;

use super::files::{self, CABINET_ENDINGS, MODEL_ENDINGS};
use super::loader::Loader;
use super::params::AmpParams;
use super::shared::{Playing, Shared};
use crate::audio::pitch;
use crate::shell::{Contents, Tools};
use crate::state::Resource;
use crate::state::files::has_ending;
use crate::ui::browser::{Browser, Library, files_in};
use crate::ui::controls::bypass;
use crate::ui::dialogs::Pick;
use crate::ui::theme::{self, DIM, TEXT};
use crate::ui::{Icon, Tuning, icon_button, layout, neighbour, tuner};

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

/// The contents of the window of one instance.
pub(crate) struct AmpEditor {
    shared: Arc<Shared>,
    browser: Browser,
    /// The samples that the tuner looks at, while it is open.
    tuner: Option<Vec<f32>>,
    tuning: Tuning,
    /// A model that was opened from outside the list. The list follows once it plays.
    awaited: Option<PathBuf>,
    meters: chain::Meters,
}

fn load_model(path: &Path, tools: &mut Tools<'_, Loader>) {
    tools.about_to_load();
    tools.sound.load_model(path);
}

fn load_cabinet(path: &Path, tools: &mut Tools<'_, Loader>) {
    tools.about_to_load();
    tools.sound.load_cabinet(path);
}

fn current_model(params: &AmpParams) -> Option<PathBuf> {
    params.session.read(|session| session.model.as_ref().map(|model| model.path.clone()))
}

/// Loads the cabinet `step` places further among those of its folder, or those that come with the plugin.
fn step_cabinet(step: isize, tools: &mut Tools<'_, Loader>) {
    let current = tools.params.session.read(|session| session.cabinet.as_ref().map(|it| it.path.clone()));
    let beside = current.as_ref().filter(|path| path.is_file()).and_then(|path| path.parent());
    let listed = beside.map_or_else(files::shipped_cabinets, |folder| files_in(folder, CABINET_ENDINGS));
    let at = current.and_then(|current| listed.iter().position(|path| *path == current));
    if let Some(next) = neighbour(listed.len(), at, step) {
        load_cabinet(&listed[next], tools);
    }
}

impl AmpEditor {
    pub(super) fn new(shared: &Arc<Shared>) -> AmpEditor {
        AmpEditor {
            shared: Arc::clone(shared),
            browser: Browser::new(&MODELS),
            tuner: None,
            tuning: Tuning::default(),
            awaited: None,
            meters: chain::Meters::default(),
        }
    }

    /// Lists the folder of a model from elsewhere, once it plays. One that cannot be opened leaves the list as it is.
    fn follow(&mut self, tools: &Tools<'_, Loader>) {
        if self.awaited.is_some() && !tools.tasks().status().loading {
            let current = current_model(tools.params);
            let awaited = self.awaited.take().filter(|path| current.as_ref() == Some(path));
            if let Some(path) = awaited {
                self.browser.follow(&path);
            }
        }
    }

    fn step(&mut self, step: isize, tools: &mut Tools<'_, Loader>) {
        let current = current_model(tools.params).unwrap_or_default();
        if let Some(path) = self.browser.neighbour(&current, step) {
            load_model(&path, tools);
        }
    }

    /// Reports knobs that the loader has turned.
    fn tell_host(&self, tools: &Tools<'_, Loader>) {
        if self.shared.knobs_turned.swap(false, Ordering::Relaxed) {
            let setter = tools.setter();
            for index in 0..self.shared.n_knobs.load(Ordering::Relaxed) {
                let Some(knob) = tools.params.knobs.get(index) else { break };
                setter.begin_set_parameter(knob);
                setter.set_parameter(knob, knob.unmodulated_plain_value());
                setter.end_set_parameter(knob);
            }
        }
    }

    fn show_tuner(&mut self, shown: bool) {
        self.tuner = shown.then(|| vec![0.0; pitch::WINDOW]);
        self.shared.tuner.set_listening(shown);
        self.shared.muted.store(shown && self.tuning.mutes, Ordering::Relaxed);
    }

    fn left(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("MODELS").small().strong().color(DIM));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if icon_button(ui, Icon::Next, "Next model", TEXT).clicked() {
                    self.step(1, tools);
                }
                if icon_button(ui, Icon::Previous, "Previous model", TEXT).clicked() {
                    self.step(-1, tools);
                }
            });
        });
        let current = current_model(tools.params);
        let height = (ui.available_height() - 40.0).max(0.0);
        let size = egui::vec2(ui.available_width(), height);
        let picked = ui
            .allocate_ui_with_layout(size, egui::Layout::top_down(egui::Align::Min), |ui| {
                ui.set_min_size(size);
                self.browser.ui(ui, current.as_deref())
            })
            .inner;
        if let Some(path) = picked {
            load_model(&path, tools);
        }
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            if ui.button("Open…").on_hover_text("Open a model").clicked() {
                tools.pick(MODEL);
            }
            if ui.button("Folder…").on_hover_text("Browse a folder of models").clicked() {
                tools.pick(Pick::Folder);
            }
            if ui.button("Shipped").on_hover_text("Browse the amps that come with the plugin").clicked() {
                self.browser.list(files::shipped());
            }
        });
    }

    fn centre(&mut self, ui: &mut Ui, playing: &Playing, tools: &mut Tools<'_, Loader>) {
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
        let has_error = tools.tasks().status().error.is_some();
        let named = tools.params.session.read(|session| session.model.as_ref().map(Resource::name));
        card::model(ui, playing.model.as_ref(), named.filter(|_| !has_error));
        match chain::ui(ui, tools.params, &self.shared, playing, tools.context, &mut self.meters) {
            Some(chain::Asked::Open) => tools.pick(CABINET),
            Some(chain::Asked::Remove) => {
                tools.about_to_load();
                tools.sound.remove_cabinet();
            }
            Some(chain::Asked::Step(step)) => step_cabinet(step, tools),
            None => {}
        }
    }
}

impl Contents for AmpEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 560.0);
    const HINT: &'static str =
        "Drop models (.nam, .safetensors, .json), cabinets (.wav) or folders anywhere.";
    type Sound = Loader;

    fn opened(&mut self, sound: &Loader) {
        self.tuning.recall(MODELS.memory);
        let folder = self.browser.recall();
        if let Some(path) = current_model(&sound.0.instance.params).filter(|path| path.is_file()) {
            self.browser.follow(&path);
        } else if let Some(folder) = folder {
            self.browser.open(&folder);
        } else {
            self.browser.list(files::shipped());
        }
    }

    fn open(&mut self, path: &Path, tools: &mut Tools<'_, Loader>) {
        if path.is_dir() {
            if !self.browser.choose(path) {
                tools.refuse(path, "there is no model (.nam, .safetensors, .json) in this folder");
            }
        } else if has_ending(path, CABINET_ENDINGS) {
            load_cabinet(path, tools);
        } else if has_ending(path, MODEL_ENDINGS) {
            self.awaited = Some(path.to_owned());
            load_model(path, tools);
        } else {
            let reason = "neither a model (.nam, .safetensors, .json) nor an impulse response (.wav) nor a \
                          preset (.vstpreset)";
            tools.refuse(path, reason);
        }
    }

    fn update(&mut self, tools: &mut Tools<'_, Loader>) {
        self.follow(tools);
        self.tell_host(tools);
    }

    fn switches(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        let tunes = self.tuner.is_some();
        let text = RichText::new("Tuner").color(if tunes { theme::WELL } else { TEXT });
        let fill = if tunes { theme::ACCENT } else { theme::PANEL };
        let button = egui::Button::new(text).fill(fill).min_size(vec2(64.0, 24.0));
        if ui.add(button).clicked() {
            self.show_tuner(!tunes);
        }
        ui.add_space(4.0);
        bypass(ui, &tools.params.bypass, &tools.setter());
        ui.add_space(4.0);
    }

    fn ui(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Loader>) {
        let playing = self.shared.playing.lock().clone();
        layout::side_panel(ui, 268.0, |ui| self.left(ui, tools));
        layout::centre(ui, |ui| self.centre(ui, &playing, tools));
    }

    fn closed(&mut self) {
        self.show_tuner(false);
    }
}
