//! The parameters, the file, and how both are recalled.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nice_plug::plugin::PluginState;
use nice_plug::prelude::*;

use crate::audio::Level;
use crate::loading::Tasks;
use crate::preset::Owner;
use crate::state::{Changes, Persisted, Refusal, Resource, files, revision, values};
use crate::ui::recall::{Recalled, Sound};
use crate::window::Repaint;

pub(super) const OWNER: Owner = Owner { class: *b"neurdsp.TestPuls", vendor: "neurdsp", name: "pulse" };
/// The kind of the task that reads the file.
const FILE: &str = "file";
const MAX_BYTES: u64 = 100;

#[derive(Params)]
pub(super) struct PulseParams {
    #[id = "level"]
    pub(super) level: FloatParam,
    #[id = "revision"]
    pub(super) revision: IntParam,
    #[persist = "file"]
    file: Persisted<Option<Resource>>,
}

impl Default for PulseParams {
    fn default() -> PulseParams {
        PulseParams {
            level: FloatParam::new("Level", 0.5, FloatRange::Linear { min: 0.0, max: 1.0 }),
            revision: revision(),
            file: Persisted::default(),
        }
    }
}

/// All of one instance.
pub(super) struct PulseSound {
    pub(super) params: Arc<PulseParams>,
    pub(super) tasks: Tasks,
    pub(super) repaint: Repaint,
    pub(super) changes: Changes,
    pub(super) output: Level,
    /// Samples of a pulse.
    pub(super) length: AtomicUsize,
}

impl PulseSound {
    pub(super) fn create() -> Arc<PulseSound> {
        let repaint = Repaint::default();
        let sound = Arc::new(PulseSound {
            params: Arc::default(),
            tasks: Tasks::new(repaint.clone()),
            repaint,
            changes: Changes::default(),
            output: Level::default(),
            length: AtomicUsize::new(1),
        });
        let weak = Arc::downgrade(&sound);
        sound.params.file.on_restore(move || {
            if let Some(sound) = weak.upgrade() {
                match length(sound.params.file.get().as_ref()) {
                    Ok(length) => sound.length.store(length, Ordering::Relaxed),
                    Err(reason) => sound.tasks.refuse(reason),
                }
            }
        });
        sound
    }

    pub(super) fn load(self: &Arc<PulseSound>, path: &Path) {
        let (sound, path) = (Arc::clone(self), path.to_owned());
        self.tasks.spawn(FILE, move |is_latest| {
            let resource = Some(Resource::new(&path, &files::read(&path, MAX_BYTES)?));
            let length = length(resource.as_ref())?;
            if is_latest() {
                sound.play((resource, length));
                sound.changes.note();
            }
            Ok(())
        });
    }
}

/// The length that the file has; 1 without one.
fn length(file: Option<&Resource>) -> Result<usize, Refusal> {
    let Some(file) = file else { return Ok(1) };
    let text = String::from_utf8_lossy(&file.bytes(MAX_BYTES)?).into_owned();
    text.trim().parse().map_err(|_| Refusal::of(&file.path, format!("'{text}' is not a number")))
}

impl Sound for Arc<PulseSound> {
    const OWNER: Owner = OWNER;
    type Files = (Option<Resource>, usize);

    fn params(&self) -> &dyn Params {
        &*self.params
    }

    fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        vec![self.params.file.read(|file| file.as_ref().map(|file| file.hash.clone()))]
    }

    fn open(state: &PluginState) -> Result<Recalled<Self::Files>, Refusal> {
        let file: Option<Resource> = match state.fields.get("file") {
            Some(text) => serde_json::from_str(text).map_err(|_| "the preset is damaged".to_owned())?,
            None => None,
        };
        let length = length(file.as_ref())?;
        let mut values = values::of_state(&PulseParams::default(), state);
        values.retain(|(id, _)| id == "level");
        Ok(Recalled { values, files: (file, length) })
    }

    fn play(&self, (file, length): Self::Files) {
        self.params.file.change(|kept| *kept = file);
        self.length.store(length, Ordering::Relaxed);
    }
}
