//! How a whole sound of the amp player is recalled: parameters, model and cabinet.

use nice_plug::plugin::PluginState;

use super::factory;
use super::files::{OpenCabinet, OpenModel, OpenSession};
use super::identity::OWNER;
use super::loader::Loader;
use super::params::AmpParams;
use super::session::Session;
use crate::instance::Instance;
use crate::preset::Owner;
use crate::state::{Refusal, session};
use crate::ui::recall::{Recalled, Sound};

/// The files of a sound, open.
pub(crate) struct OpenFiles {
    model: Option<OpenModel>,
    cabinet: Option<OpenCabinet>,
    /// Positions of the model's knobs. A sound older than they are has none: they are at the model's defaults.
    knobs: Option<Vec<f32>>,
}

/// The session of a state, the values of the parameters without the knobs, and the knobs.
type Parts = (Session, Vec<(String, f32)>, Option<Vec<f32>>);

/// Takes a state apart.
fn parts(state: &PluginState) -> Result<Parts, String> {
    let (session, mut others) = session::parts::<AmpParams, Session>(state, Loader::APART)?;
    let session = session.unwrap_or_default();
    let knobs = others.extract_if(.., |(id, _)| id.starts_with("knob")).map(|(_, value)| value).collect();
    let knobs = Some(knobs).filter(|_| session.has_knobs());
    Ok((session, others, knobs))
}

impl Sound for Loader {
    const OWNER: Owner = OWNER;
    type Params = AmpParams;
    type Files = OpenFiles;

    fn instance(&self) -> &Instance<AmpParams> {
        &self.0.instance
    }

    fn file_hashes(&self) -> Vec<Option<String>> {
        self.0.instance.params.session.read(|session| {
            let files = [&session.model, &session.cabinet];
            files.map(|file| file.as_ref().map(|file| file.hash.clone())).to_vec()
        })
    }

    fn open_state(state: &PluginState) -> Result<Recalled<OpenFiles>, Refusal> {
        let (session, values, knobs) = parts(state)?;
        let OpenSession { model, cabinet } = OpenSession::open(&session);
        Ok(Recalled { values, files: OpenFiles { model: model?, cabinet: cabinet?, knobs } })
    }

    fn factory() -> Vec<&'static str> {
        factory::names()
    }

    fn factory_state(name: &str) -> Option<Result<PluginState, Refusal>> {
        factory::state(name)
    }

    fn play(&self, OpenFiles { model, cabinet, knobs }: OpenFiles) {
        self.play_opened(model, cabinet, knobs);
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
