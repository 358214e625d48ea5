//! The parameters, the file, and how both are recalled.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nice_plug::plugin::PluginState;
use nice_plug::prelude::*;

use crate::audio::Level;
use crate::instance::Instance;
use crate::preset::Owner;
use crate::state::{Persisted, Refusal, Resource, SavedParams, files, revision, values};
use crate::ui::recall::{Recalled, Sound};

const OWNER: Owner = Owner { class: *b"neurdsp.TestPuls", vendor: "neurdsp", name: "pulse" };
/// The kind of the task that reads the file.
const FILE: &str = "file";
const MAX_BYTES: u64 = 100;

#[derive(Params)]
pub(crate) struct PulseParams {
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

impl SavedParams for PulseParams {
    fn revision(&self) -> &IntParam {
        &self.revision
    }
}

/// All of one instance.
pub(crate) struct PulseSound {
    pub(super) instance: Arc<Instance<PulseParams>>,
    pub(super) output: Level,
    /// Samples of a pulse.
    pub(super) length: AtomicUsize,
}

impl PulseSound {
    pub(super) fn new(instance: &Arc<Instance<PulseParams>>) -> Arc<PulseSound> {
        let sound = Arc::new(PulseSound {
            instance: Arc::clone(instance),
            output: Level::default(),
            length: AtomicUsize::new(1),
        });
        sound.instance.params.file.on_restore(&sound, |sound| {
            match length(sound.instance.params.file.get().as_ref()) {
                Ok(length) => sound.length.store(length, Ordering::Relaxed),
                Err(reason) => sound.instance.tasks.refuse(reason),
            }
        });
        sound
    }

    pub(super) fn load(self: &Arc<PulseSound>, path: &Path) {
        let (sound, path) = (Arc::clone(self), path.to_owned());
        self.instance.tasks.spawn(FILE, move |is_latest| {
            let resource = Some(Resource::new(&path, &files::read(&path, MAX_BYTES)?));
            let length = length(resource.as_ref())?;
            if is_latest() {
                sound.play((resource, length));
                sound.instance.changes.note();
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
    type Params = PulseParams;
    type Files = (Option<Resource>, usize);

    fn instance(&self) -> &Instance<PulseParams> {
        &self.instance
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        vec![self.instance.params.file.read(|file| file.as_ref().map(|file| file.hash.clone()))]
    }

    fn open_state(state: &PluginState) -> Result<Recalled<Self::Files>, Refusal> {
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
        self.instance.params.file.change(|kept| *kept = file);
        self.length.store(length, Ordering::Relaxed);
    }
}
