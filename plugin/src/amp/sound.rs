//! How a whole sound of the amp player is recalled: parameters, model and cabinet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nice_plug::params::Params;
use nice_plug::plugin::PluginState;

use super::factory;
use super::files::{OpenCabinet, OpenModel, OpenSession};
use super::identity::OWNER;
use super::loader::Loader;
use super::params::AmpParams;
use super::session::Session;
use crate::loading::Tasks;
use crate::preset::{self, Owner};
use crate::state::{Refusal, values};
use crate::ui::recall::{Recalled, Sound};

/// The sound of one instance.
pub(super) struct AmpSound {
    pub(super) params: Arc<AmpParams>,
    pub(super) loader: Loader,
}

/// The files of a sound, open.
pub(super) struct OpenFiles {
    model: Option<OpenModel>,
    cabinet: Option<OpenCabinet>,
    /// Positions of the model's knobs. A sound older than they are has none: they are at the model's defaults.
    knobs: Option<Vec<f32>>,
}

impl AmpSound {
    pub(super) fn new(params: Arc<AmpParams>, loader: Loader) -> AmpSound {
        AmpSound { params, loader }
    }
}

/// The session of a state, the values of the parameters without the knobs, and the knobs.
type Parts = (Session, Vec<(String, f32)>, Option<Vec<f32>>);

/// Takes a state apart.
fn parts(state: &PluginState) -> Result<Parts, String> {
    let mut state = state.clone();
    AmpParams::complete(&mut state);
    let session: Session = match state.fields.get("session") {
        Some(text) => serde_json::from_str(text).map_err(|_| "the preset is damaged".to_owned())?,
        None => Session::default(),
    };
    session.check()?;
    let (mut others, mut knobs) = (Vec::new(), Vec::new());
    for (id, value) in values::of_state(&AmpParams::default(), &state) {
        if id.starts_with("knob") {
            knobs.push(value);
        } else if !AmpSound::APART.contains(&id.as_str()) {
            others.push((id, value));
        }
    }
    let knobs = Some(knobs).filter(|_| session.has_knobs());
    Ok((session, others, knobs))
}

impl Sound for AmpSound {
    const OWNER: Owner = OWNER;
    type Files = OpenFiles;

    fn params(&self) -> &dyn Params {
        &*self.params
    }

    fn tasks(&self) -> &Tasks {
        self.loader.tasks()
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        self.params.session.read(|session| {
            let files = [&session.model, &session.cabinet];
            files.map(|file| file.as_ref().map(|file| file.hash.clone())).to_vec()
        })
    }

    fn open(state: &PluginState) -> Result<Recalled<OpenFiles>, Refusal> {
        let (session, values, knobs) = parts(state)?;
        let OpenSession { model, cabinet } = OpenSession::open(&session);
        Ok(Recalled { values, files: OpenFiles { model: model?, cabinet: cabinet?, knobs } })
    }

    fn factory() -> Vec<PathBuf> {
        factory::paths()
    }

    fn read(path: &Path) -> Result<PluginState, Refusal> {
        factory::read(path).unwrap_or_else(|| preset::read(path, &OWNER))
    }

    fn play(&self, OpenFiles { model, cabinet, knobs }: OpenFiles) {
        self.loader.play(model, cabinet, knobs);
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::plugin::{ParamValue, PluginState};

    use super::super::identity::OWNER;
    use super::super::session::VERSION;
    use super::parts;
    use crate::preset;

    fn state(params: &[(&str, ParamValue)], version: u32) -> PluginState {
        let session = format!(r#"{{"version": {version}, "model": null, "cabinet": null}}"#);
        PluginState {
            version: String::new(),
            params: params.iter().map(|(id, value)| ((*id).to_owned(), value.clone())).collect(),
            fields: [("session".to_owned(), session)].into(),
        }
    }

    #[test]
    fn a_preset_comes_back_from_its_file_with_defaults_for_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lead.vstpreset");
        let saved = state(
            &[
                ("bass", ParamValue::F32(10.0)),
                ("output_mode", ParamValue::String("calibrated".to_owned())),
                ("gate", ParamValue::Bool(false)),
                ("knob2", ParamValue::F32(0.25)),
                ("mix", ParamValue::F32(1e30)),
                ("input", ParamValue::Bool(true)),
            ],
            VERSION,
        );
        preset::write(&path, &OWNER, &saved).unwrap();
        let (_, values, knobs) = parts(&preset::read(&path, &OWNER).unwrap()).unwrap();
        let value = |id: &str| values.iter().find(|(found, _)| found == id).unwrap().1;
        assert_eq!((value("bass"), value("output_mode"), value("gate")), (0.75, 1.0, 0.0));
        assert_eq!((value("tone"), value("middle"), value("bypass")), (1.0, 0.5, 0.0));
        assert_eq!((value("mix"), value("input")), (1.0, 0.5));
        assert_eq!(knobs.unwrap()[..3], [0.5, 0.25, 0.5]);
        assert!(values.iter().all(|(id, _)| id != "revision" && id != "knob1"));
    }

    #[test]
    fn an_older_one_leaves_the_knobs_to_the_model_and_a_newer_one_is_refused() {
        assert!(parts(&state(&[], 1)).unwrap().2.is_none());
        assert!(parts(&state(&[], VERSION + 1)).unwrap_err().contains("newer"));
    }
}
