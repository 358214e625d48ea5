//! The kick instrument's window: the kick at the top, what it is made of, how it sounds and is played, and its variations.

mod cells;
mod controls;
mod wave;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui::{Pos2, Ui};
use nice_plug::prelude::Param;
use parking_lot::Mutex;

use super::export;
use super::maker::{Maker, Rendered};
use super::own;
use super::params::SEEDS;
use super::shared::{Shared, Shown};
use crate::shell::{Contents, Tools};
use crate::state::{Resource, files};
use crate::ui::controls::set;
use crate::ui::dialogs::{Dialogs, Pick};
use crate::ui::dragging::DragOut;
use crate::ui::layout::{self, section};
use crate::ui::meters::LevelMeter;
use crate::ui::theme::GRID;

/// The kind of the tasks that write files.
const SAVE: &str = "save";
/// Heights of the three rows, in points.
const ROWS: [f32; 3] = [140.0, 178.0, 174.0];

/// The contents of the window of one instance.
pub(crate) struct KickEditor {
    shared: Arc<Shared>,
    /// The kicks as they were at the begin of this frame.
    shown: Shown,
    saves: Dialogs,
    folders: Dialogs,
    meter: LevelMeter,
    /// Where copies go.
    folder: Option<PathBuf>,
    /// The file that was dragged out last.
    dragged: DragOut,
    /// What was written last.
    notice: Arc<Mutex<Option<String>>>,
}

impl KickEditor {
    pub(super) fn new(shared: &Arc<Shared>) -> KickEditor {
        KickEditor {
            shared: Arc::clone(shared),
            shown: Shown::default(),
            saves: Dialogs::default(),
            folders: Dialogs::default(),
            meter: LevelMeter::default(),
            folder: None,
            dragged: DragOut::default(),
            notice: Arc::default(),
        }
    }

    fn copy_to(&self, folder: &Path, tools: &Tools<'_, Maker>) {
        let folder = folder.to_owned();
        self.write(tools, move |kick| export::unused(&folder, kick));
    }

    /// Writes the kick on a thread.
    fn write(&self, tools: &Tools<'_, Maker>, path: impl FnOnce(&Rendered) -> PathBuf + Send + 'static) {
        let (maker, notice) = (tools.sound.clone(), Arc::clone(&self.notice));
        tools.tasks().spawn(SAVE, move |_| {
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
    fn drag_out(&mut self, tools: &Tools<'_, Maker>) {
        let tasks = tools.tasks();
        match tools.sound.rendered() {
            Ok(Some(kick)) => {
                self.dragged.start(&export::name(&kick), "wav", tasks, |path| export::save(&kick, path));
            }
            Ok(None) => {}
            Err(refusal) => tasks.refuse(refusal),
        }
    }

    fn kick(&mut self, ui: &mut Ui, tools: &Tools<'_, Maker>) {
        let folder = self.folder.as_ref().map(|folder| folder.display().to_string());
        match wave::ui(ui, tools.params, &self.shared, &self.shown, folder.as_deref()) {
            Some(wave::Asked::Play) => _ = self.shared.auditions.fetch_add(1, Ordering::Relaxed),
            Some(wave::Asked::Save) => {
                let name = match tools.sound.rendered() {
                    Ok(Some(kick)) => export::name(&kick),
                    _ => "kick".to_owned(),
                };
                let pick = Pick::Save { name: "WAV files", endings: &["wav"], file: format!("{name}.wav") };
                self.saves.show(pick, tools.tasks());
            }
            Some(wave::Asked::Copy { elsewhere }) => match &self.folder {
                Some(folder) if !elsewhere => self.copy_to(folder, tools),
                _ => self.folders.show(Pick::Folder, tools.tasks()),
            },
            Some(wave::Asked::DragOut) => self.drag_out(tools),
            None => {}
        }
    }

    fn words(ui: &mut Ui, tools: &mut Tools<'_, Maker>) {
        let (params, setter) = (tools.params, tools.context.param_setter());
        let seed = params.seed.unmodulated_plain_value();
        let own = params.session.read(|session| session.model.as_ref().map(Resource::name));
        let next = match words::ui(ui, params, own.as_deref(), &setter) {
            Some(words::Asked::Open) => {
                let pick = Pick::File { name: "Kick generators", endings: own::ENDINGS };
                return tools.pick(pick);
            }
            Some(words::Asked::Shipped) => return generate_by(None, tools),
            Some(words::Asked::Step(step)) => seed + step,
            // Any other; which one need not be hard to guess.
            Some(words::Asked::Generate) => {
                let time = ui.input(|input| input.time);
                seed + 1 + ((time * 1e6) as i32).rem_euclid(SEEDS - 1)
            }
            None => return,
        };
        set(ui, &params.seed, &setter, params.seed.preview_normalized(next.rem_euclid(SEEDS)));
        tools.sound.hear_next();
    }

    /// Has the worker make what the parameters ask for, which the audio thread cannot while the host stops it.
    fn follow(&self, tools: &Tools<'_, Maker>) {
        let job = tools.params.job();
        if self.shown.job.is_some_and(|made| made != job) && self.shown.failed != Some(job) {
            tools.sound.nudge();
        }
    }
}

/// Has kicks made by the generator of a file, or by the one inside the plugin.
fn generate_by(path: Option<&Path>, tools: &mut Tools<'_, Maker>) {
    tools.about_to_load();
    tools.sound.open(path);
}

impl Contents for KickEditor {
    const SIZE: egui::Vec2 = egui::vec2(960.0, 588.0);
    const HINT: &'static str = "Click words, then Generate. Notes play the kick: C2 (36), or any with Keys.";
    type Sound = Maker;

    fn takes(&mut self, path: &Path, _at: Option<Pos2>, _tools: &mut Tools<'_, Maker>) -> bool {
        // Dropped where it came from.
        self.dragged.is_own(path)
    }

    fn open(&mut self, path: &Path, tools: &mut Tools<'_, Maker>) {
        if files::has_ending(path, own::ENDINGS) {
            generate_by(Some(path), tools);
        } else {
            tools.refuse(path, "neither a generator (.safetensors) nor a preset (.vstpreset)");
        }
    }

    fn update(&mut self, tools: &mut Tools<'_, Maker>) {
        if let Some(path) = self.saves.take() {
            let path = if path.extension().is_some() { path } else { path.with_extension("wav") };
            self.write(tools, move |_| path);
        }
        if let Some(folder) = self.folders.take() {
            self.copy_to(&folder, tools);
            self.folder = Some(folder);
        }
        self.shown = self.shared.shown.lock().clone();
        self.follow(tools);
    }

    fn notice(&self) -> Option<String> {
        self.notice.lock().clone()
    }

    fn ui(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Maker>) {
        layout::whole(ui, |ui| {
            ui.spacing_mut().item_spacing.y = GRID;
            let width = ui.available_width();
            let (params, setter) = (tools.params, tools.context.param_setter());
            section(ui, width, ROWS[0], |ui| self.kick(ui, tools));
            let row = |ui: &mut Ui, contents: &mut dyn FnMut(&mut Ui)| {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = GRID;
                    contents(ui);
                });
            };
            row(ui, &mut |ui| {
                section(ui, 608.0, ROWS[1], |ui| Self::words(ui, tools));
                section(ui, width - 608.0 - GRID, ROWS[1], |ui| controls::attributes(ui, params, &setter));
            });
            row(ui, &mut |ui| {
                section(ui, 260.0, ROWS[2], |ui| controls::edits(ui, params, &setter));
                section(ui, 362.0, ROWS[2], |ui| {
                    controls::playing(ui, params, &mut self.meter, &self.shared.level, &setter);
                });
                let rest = ui.available_width();
                section(ui, rest, ROWS[2], |ui| {
                    if let Some(index) = cells::ui(ui, params, &self.shared, &self.shown, &setter) {
                        tools.about_to_load();
                        tools.sound.take(index);
                    }
                });
            });
        });
    }
}
