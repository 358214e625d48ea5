//! The editor: a browser of models on the left, the model's card, the chain from input to output, and a status line.

mod browser;
mod card;
mod chain;
mod history;
mod memory;
mod presets;
mod recall;
mod theme;
mod tuner;
mod widgets;

pub(crate) use tuner::WINDOW as TUNER_WINDOW;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui::{Panel, RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::Param;
use parking_lot::Mutex;

use crate::loader::Loader;
use crate::opened;
use crate::params::{AmpParams, REVISIONS};
use crate::preset;
use crate::shared::{Shared, Status};
use crate::state::Resource;
use crate::window::{App, AppEditor};
use browser::Browser;
use history::History;
use presets::{Around, Presets};
use recall::Recall;
use theme::{ACCENT, ALERT, DIM, TEXT};
use widgets::{Icon, icon_button};

/// The editor of one instance.
pub(crate) struct AmpEditor {
    params: Arc<AmpParams>,
    shared: Arc<Shared>,
    loader: Loader,
    context: Option<GuiContext>,
    browser: Browser,
    history: History,
    recall: Recall,
    presets: Presets,
    tuner: Option<Vec<f32>>,
    meters: chain::Meters,
    /// What a file dialog on another thread has come back with.
    picked: Arc<Mutex<Option<PathBuf>>>,
    /// As many of the loader's changes as the host was told of.
    told: u32,
}

impl AmpEditor {
    /// The editor that the framework is given.
    pub(crate) fn create(
        params: Arc<AmpParams>,
        shared: Arc<Shared>,
        loader: Loader,
    ) -> AppEditor<AmpEditor> {
        let repaint = shared.repaint.clone();
        let app = AmpEditor {
            params,
            shared,
            loader,
            context: None,
            browser: Browser::default(),
            history: History::default(),
            recall: Recall::default(),
            presets: Presets::default(),
            tuner: None,
            meters: chain::Meters::default(),
            picked: Arc::default(),
            told: 0,
        };
        AppEditor::new(app, "neurdsp", repaint, |app, context| app.context = Some(context))
    }

    /// Loads whatever `path` is: a model, a cabinet, a preset, or a folder to browse.
    fn open(&mut self, path: &Path, context: &GuiContext) {
        if preset::is_preset(path) {
            let (params, shared, loader, recall) = (&*self.params, &*self.shared, &self.loader, &self.recall);
            self.presets.recall(path.to_owned(), &Around { params, shared, loader, recall, context });
        } else if path.is_dir() {
            self.browser.choose(path);
        } else if browser::is_cabinet(path) {
            self.loader.load_cabinet(path);
        } else if browser::is_model(path) {
            self.browser.follow(path);
            self.loader.load_model(path);
        } else {
            self.loader.refuse(format!(
                "{} is neither a model (.nam, .safetensors, .json) nor an impulse response (.wav) nor a preset \
                 (.vstpreset)",
                path.display()
            ));
        }
    }

    /// Shows a file dialog on a thread of its own, since the window may not wait for one.
    fn ask(&self, what: Ask) {
        let (picked, repaint) = (Arc::clone(&self.picked), self.shared.repaint.clone());
        std::thread::spawn(move || {
            let dialog = rfd::FileDialog::new();
            let path = match what {
                Ask::Model => dialog.add_filter("Models", &browser::MODEL_ENDINGS).pick_file(),
                Ask::Folder => dialog.pick_folder(),
                Ask::Cabinet => dialog.add_filter("Impulse responses", &["wav"]).pick_file(),
            };
            if let Some(path) = path {
                *picked.lock() = Some(path);
                repaint.request();
            }
        });
    }

    fn current_model(&self) -> Option<PathBuf> {
        self.params.session.read(|session| session.model.as_ref().map(|model| model.path.clone()))
    }

    fn step(&mut self, step: isize) {
        let current = self.current_model().unwrap_or_default();
        if let Some(path) = self.browser.neighbour(&current, step) {
            self.loader.load_model(&path);
        }
    }

    fn take_files(&mut self, ui: &Ui, context: &GuiContext) {
        let dropped = ui.ctx().input(|input| input.raw.dropped_files.clone());
        let picked = self.picked.lock().take();
        for path in dropped.iter().map(|file| file.path().to_owned()).chain(picked) {
            self.open(&path, context);
        }
    }

    /// Tells of the knobs that stand elsewhere since another model plays, and turns a hidden parameter when a file was loaded: hosts ask to save a project whose parameters have moved, and look
    /// at nothing else.
    fn tell_host(&mut self, context: &GuiContext) {
        let changes = self.shared.changes.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.told, changes) != changes {
            let (setter, revision) = (context.param_setter(), &self.params.revision);
            setter.begin_set_parameter(revision);
            setter.set_parameter(revision, (revision.value() + 1) % REVISIONS);
            setter.end_set_parameter(revision);
        }
        if self.shared.knobs_turned.swap(false, Ordering::Relaxed) {
            let setter = context.param_setter();
            for index in 0..self.shared.n_knobs.load(Ordering::Relaxed) {
                let Some(knob) = self.params.knobs.get(index) else { break };
                setter.begin_set_parameter(knob);
                setter.set_parameter(knob, knob.unmodulated_plain_value());
                setter.end_set_parameter(knob);
            }
        }
    }

    fn top(&mut self, ui: &mut Ui, context: &GuiContext) {
        ui.horizontal_centered(|ui| {
            ui.label(RichText::new("neurdsp").heading().strong());
            ui.add_space(16.0);
            let ways = (&self.recall, &self.loader, &*self.shared);
            self.history.ui(ui, &self.params, context, ways);
            ui.add_space(8.0);
            let (params, shared, loader, recall) = (&*self.params, &*self.shared, &self.loader, &self.recall);
            self.presets.ui(ui, &Around { params, shared, loader, recall, context });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let tuning = self.tuner.is_some();
                if ui.selectable_label(tuning, "Tuner").clicked() {
                    self.tuner = if tuning { None } else { Some(vec![0.0; tuner::WINDOW]) };
                    self.shared.tuner.set_listening(!tuning);
                }
                ui.add_space(8.0);
                card::load(ui, &self.shared);
            });
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
        let room = (ui.available_height() - 40.0).max(0.0);
        let size = egui::vec2(ui.available_width(), room);
        let picked = ui
            .allocate_ui_with_layout(size, egui::Layout::top_down(egui::Align::Min), |ui| {
                ui.set_min_size(size);
                self.browser.ui(ui, current.as_deref())
            })
            .inner;
        if let Some(path) = picked {
            self.loader.load_model(&path);
        }
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            if ui.button("Open…").on_hover_text("Open a model").clicked() {
                self.ask(Ask::Model);
            }
            if ui.button("Folder…").on_hover_text("Browse a folder of models").clicked() {
                self.ask(Ask::Folder);
            }
            if ui.button("Shipped").on_hover_text("Browse the amps that come with the plugin").clicked() {
                self.browser.list(opened::shipped());
            }
        });
    }

    fn centre(&mut self, ui: &mut Ui, context: &GuiContext, status: &Status) {
        if let Some(samples) = &mut self.tuner {
            self.shared.tuner.read(samples);
            let rate = self.shared.sample_rate_hz.load(Ordering::Relaxed) as f32;
            tuner::show(ui, tuner::pitch(samples, rate));
        } else {
            let waiting = self.params.session.read(|session| session.model.as_ref().map(Resource::name));
            card::model(ui, status, waiting);
        }
        let asked = chain::ui(ui, &self.params, &self.shared, status, context, &mut self.meters);
        match asked {
            Some(chain::Asked::OpenCabinet) => self.ask(Ask::Cabinet),
            Some(chain::Asked::RemoveCabinet) => self.loader.remove_cabinet(),
            None => {}
        }
    }
}

/// What a file dialog is for.
#[derive(Clone, Copy)]
enum Ask {
    Model,
    Folder,
    Cabinet,
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
            self.browser.list(opened::shipped());
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        let Some(context) = self.context.clone() else { return };
        self.take_files(ui, &context);
        if let Some(path) = self.recall.apply(&self.params, &context, &self.loader) {
            self.presets.arrived(path);
        }
        self.tell_host(&context);
        let status = self.shared.status.lock().clone();
        let bar = egui::Frame::new().inner_margin(egui::Margin::symmetric(16, 8));
        Panel::top("top")
            .exact_size(48.0)
            .show_separator_line(false)
            .frame(bar)
            .show(ui, |ui| self.top(ui, &context));
        Panel::bottom("status")
            .exact_size(32.0)
            .show_separator_line(false)
            .frame(bar)
            .show(ui, |ui| status_line(ui, &status));
        let side = theme::panel().outer_margin(egui::Margin { left: 16, right: 0, top: 0, bottom: 0 });
        Panel::left("models")
            .exact_size(268.0)
            .resizable(false)
            .show_separator_line(false)
            .frame(side)
            .show(ui, |ui| self.left(ui));
        let rest = egui::Frame::new().inner_margin(egui::Margin { left: 8, right: 16, top: 0, bottom: 0 });
        egui::CentralPanel::default().frame(rest).show(ui, |ui| self.centre(ui, &context, &status));
        if ui.ctx().input(|input| !input.raw.hovered_files.is_empty()) {
            drop_hint(ui);
        }
    }

    fn closed(&mut self) {
        self.context = None;
        self.tuner = None;
        self.presets.close();
        self.shared.tuner.set_listening(false);
    }
}

fn status_line(ui: &mut Ui, status: &Status) {
    ui.horizontal_centered(|ui| {
        if let Some(error) = &status.error {
            ui.label(RichText::new(error).small().color(ALERT));
        } else if status.loading {
            ui.add(egui::Spinner::new().size(14.0).color(ACCENT));
            ui.label(RichText::new("Loading").small().color(DIM));
        } else {
            let text = "Drop models (.nam, .safetensors, .json), cabinets (.wav) or folders anywhere.";
            ui.label(RichText::new(text).small().color(DIM));
        }
    });
}

fn drop_hint(ui: &Ui) {
    let rect = ui.ctx().content_rect().shrink(8.0);
    let painter =
        ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, ui.scope_id().with("drop")));
    painter.rect_filled(rect, 8.0, theme::BACKGROUND.gamma_multiply(0.85));
    painter.rect_stroke(rect, 8.0, egui::Stroke::new(2.0, ACCENT), egui::StrokeKind::Inside);
    let font = egui::FontId::proportional(24.0);
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, "Drop to load", font, ACCENT);
}
