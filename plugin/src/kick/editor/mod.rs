//! The kick instrument's window: the kick at the top, what it is made of, how it sounds and is played, and its variations.

mod cells;
mod controls;
mod wave;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui::{RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::Param;
use parking_lot::Mutex;

use super::export;
use super::identity::OWNER;
use super::own;
use super::params::SEEDS;
use super::shared::{Shared, Shown};
use super::sound::KickSound;
use crate::preset::folder::is_preset;
use crate::state::{Refusal, Resource, files};
use crate::ui::controls::set;
use crate::ui::dialogs::{Dialogs, Pick};
use crate::ui::dragging::DragOut;
use crate::ui::layout::section;
use crate::ui::meters::LevelMeter;
use crate::ui::recall::{Sound, SoundBar};
use crate::ui::theme::GRID;
use crate::ui::{layout, meters, theme};
use crate::window::{App, AppEditor};

const HINT: &str = "Click words, then Generate. Notes play the kick: C2 (36), or any with Keys.";
/// The kind of the tasks that write files.
const SAVE: &str = "save";
/// Heights of the three rows, in points.
const ROWS: [f32; 3] = [140.0, 178.0, 174.0];

/// The editor of one instance.
pub(crate) struct KickEditor {
    sound: KickSound,
    shared: Arc<Shared>,
    context: Option<GuiContext>,
    sounds: SoundBar<KickSound>,
    saves: Dialogs,
    folders: Dialogs,
    generators: Dialogs,
    meter: LevelMeter,
    /// Where copies go.
    folder: Option<PathBuf>,
    /// The file that was dragged out last.
    dragged: DragOut,
    /// What was written last.
    notice: Arc<Mutex<Option<String>>>,
}

impl KickEditor {
    /// The editor that the framework is given.
    pub(super) fn create(sound: KickSound, shared: Arc<Shared>) -> AppEditor<KickEditor> {
        let repaint = shared.repaint.clone();
        let app = KickEditor {
            sound,
            shared,
            context: None,
            sounds: SoundBar::default(),
            saves: Dialogs::default(),
            folders: Dialogs::default(),
            generators: Dialogs::default(),
            meter: LevelMeter::default(),
            folder: None,
            dragged: DragOut::default(),
            notice: Arc::default(),
        };
        AppEditor::new(app, OWNER.name, repaint, |app, context| app.context = Some(context))
    }

    fn take_files(&mut self, ui: &Ui, context: &GuiContext) {
        for file in ui.ctx().input(|input| input.raw.dropped_files.clone()) {
            if self.dragged.is_own(file.path()) {
                // Dropped where it came from.
            } else if is_preset(file.path()) {
                self.sounds.recall(file.path().to_owned(), &self.sound, context);
            } else if files::has_ending(file.path(), own::ENDINGS) {
                self.open(Some(file.path()), context);
            } else {
                let reason = "neither a generator (.safetensors) nor a preset (.vstpreset)";
                self.sound.tasks().refuse(Refusal::of(file.path(), reason));
            }
        }
        if let Some(path) = self.generators.take() {
            self.open(Some(&path), context);
        }
        if let Some(path) = self.saves.take() {
            let path = if path.extension().is_some() { path } else { path.with_extension("wav") };
            self.write(move |_| path);
        }
        if let Some(folder) = self.folders.take() {
            self.copy_to(&folder);
            self.folder = Some(folder);
        }
    }

    /// Has kicks made by the generator of a file, or by the one inside the plugin.
    fn open(&mut self, path: Option<&Path>, context: &GuiContext) {
        self.sounds.about_to_load(&self.sound, context);
        self.sound.maker.open(path);
    }

    fn copy_to(&self, folder: &Path) {
        let folder = folder.to_owned();
        self.write(move |kick| export::unused(&folder, kick));
    }

    /// Writes the kick on a thread.
    fn write(&self, path: impl FnOnce(&super::maker::Rendered) -> PathBuf + Send + 'static) {
        let (maker, notice) = (self.sound.maker.clone(), Arc::clone(&self.notice));
        self.sound.tasks().spawn(SAVE, move |_| {
            let Some(kick) = maker.rendered()? else {
                return Err("there is no kick yet; start the audio of the host first".to_owned().into());
            };
            let path = path(&kick);
            export::save(&kick, &path)?;
            *notice.lock() = path.file_name().map(|name| format!("Wrote {}.", name.to_string_lossy()));
            Ok(())
        });
    }

    /// Gives the kick to the window on which it is dropped.
    fn drag_out(&mut self) {
        let tasks = self.sound.tasks();
        match self.sound.maker.rendered() {
            Ok(Some(kick)) => {
                self.dragged.start(&export::name(&kick), "wav", tasks, |path| export::save(&kick, path));
            }
            Ok(None) => {}
            Err(refusal) => tasks.refuse(refusal),
        }
    }

    fn top(&mut self, ui: &mut Ui, context: &GuiContext) {
        ui.label(RichText::new(OWNER.name).heading().strong());
        ui.add_space(16.0);
        self.sounds.ui(ui, &self.sound, context);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            meters::cpu(ui, &self.shared.cpu);
        });
    }

    fn kick(&mut self, ui: &mut Ui, shown: &Shown) {
        let folder = self.folder.as_ref().map(|folder| folder.display().to_string());
        match wave::ui(ui, &self.sound.params, &self.shared, shown, folder.as_deref()) {
            Some(wave::Asked::Play) => _ = self.shared.auditions.fetch_add(1, Ordering::Relaxed),
            Some(wave::Asked::Save) => {
                let name = match self.sound.maker.rendered() {
                    Ok(Some(kick)) => export::name(&kick),
                    _ => "kick".to_owned(),
                };
                let pick = Pick::Save { name: "WAV files", endings: &["wav"], file: format!("{name}.wav") };
                self.saves.show(pick, self.sound.tasks());
            }
            Some(wave::Asked::Copy { elsewhere }) => match &self.folder {
                Some(folder) if !elsewhere => self.copy_to(folder),
                _ => self.folders.show(Pick::Folder, self.sound.tasks()),
            },
            Some(wave::Asked::DragOut) => self.drag_out(),
            None => {}
        }
    }

    fn words(&mut self, ui: &mut Ui, context: &GuiContext) {
        let params = Arc::clone(&self.sound.params);
        let setter = context.param_setter();
        let seed = params.seed.unmodulated_plain_value();
        let own = params.session.read(|session| session.model.as_ref().map(Resource::name));
        let next = match words::ui(ui, &params, own.as_deref(), &setter) {
            Some(words::Asked::Open) => {
                let pick = Pick::File { name: "Kick generators", endings: own::ENDINGS };
                return self.generators.show(pick, self.sound.tasks());
            }
            Some(words::Asked::Shipped) => return self.open(None, context),
            Some(words::Asked::Step(step)) => seed + step,
            // Any other; which one need not be hard to guess.
            Some(words::Asked::Generate) => {
                let time = ui.input(|input| input.time);
                seed + 1 + ((time * 1e6) as i32).rem_euclid(SEEDS - 1)
            }
            None => return,
        };
        set(ui, &params.seed, &setter, params.seed.preview_normalized(next.rem_euclid(SEEDS)));
        self.sound.maker.hear_next();
    }

    /// Has the worker make what the parameters ask for, which the audio thread cannot while the host stops it.
    fn follow(&self, shown: &Shown) {
        let job = self.sound.params.job();
        if shown.job.is_some_and(|made| made != job) && shown.failed != Some(job) {
            self.sound.maker.nudge();
        }
    }
}

impl App for KickEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 588.0);

    fn opened(&mut self, context: &egui::Context) {
        theme::apply(context);
    }

    fn ui(&mut self, ui: &mut Ui) {
        let Some(context) = self.context.clone() else { return };
        self.take_files(ui, &context);
        self.sounds.update(ui, &self.sound, &context);
        self.shared.changes.report(&self.sound.params.revision, &context);
        let shown = self.shared.shown.lock().clone();
        self.follow(&shown);
        layout::top_bar(ui, |ui| self.top(ui, &context));
        let notice = self.notice.lock().clone();
        layout::status_bar(ui, self.sound.tasks(), notice.as_deref().unwrap_or(HINT));
        layout::whole(ui, |ui| {
            ui.spacing_mut().item_spacing.y = GRID;
            let width = ui.available_width();
            let params = Arc::clone(&self.sound.params);
            let setter = context.param_setter();
            section(ui, width, ROWS[0], |ui| self.kick(ui, &shown));
            let row = |ui: &mut Ui, contents: &mut dyn FnMut(&mut Ui)| {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = GRID;
                    contents(ui);
                });
            };
            row(ui, &mut |ui| {
                section(ui, 608.0, ROWS[1], |ui| self.words(ui, &context));
                section(ui, width - 608.0 - GRID, ROWS[1], |ui| controls::attributes(ui, &params, &setter));
            });
            row(ui, &mut |ui| {
                section(ui, 260.0, ROWS[2], |ui| controls::edits(ui, &params, &setter));
                section(ui, 362.0, ROWS[2], |ui| {
                    controls::playing(ui, &params, &mut self.meter, &self.shared.level, &setter);
                });
                let rest = ui.available_width();
                section(ui, rest, ROWS[2], |ui| {
                    if let Some(index) = cells::ui(ui, &params, &self.shared, &shown, &setter) {
                        self.sounds.about_to_load(&self.sound, &context);
                        self.sound.maker.take(index);
                    }
                });
            });
        });
        layout::drop_hint(ui);
    }

    fn closed(&mut self) {
        self.context = None;
        self.sounds.close();
    }
}
