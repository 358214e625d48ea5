//! Presets as files: Steinberg's `.vstpreset` (VST 3 SDK, `vstpresetfile.h`), in the folder where VST3 hosts look for those of
//! this plugin, so that hosts and the editor share them.
//!
//! A file is a header with the class of the plugin and the place of a list, the state, and the list of the parts. The state
//! is the framework's JSON: the values of all parameters, and the session with the files themselves.

use std::path::{Path, PathBuf};

use nice_plug::params::Params;
use nice_plug::params::internals::ParamPtr;
use nice_plug::plugin::{ParamValue, PluginState};
use nice_plug::prelude::Vst3Plugin;

use crate::AmpPlayer;
use crate::params::{AmpParams, unit};
use crate::state::{self, Session, WITH_KNOBS};

/// Largest preset: two files in base64, and the rest.
const MAX_BYTES: u64 = 32 << 20;
/// Most presets that are listed.
const MAX_LISTED: usize = 2000;
/// The longest name.
const MAX_NAME: usize = 60;
/// The ending of their names.
pub(crate) const ENDING: &str = "vstpreset";
/// Bytes before the state: `VST3`, a version, the class, and where the list is.
const HEADER: usize = 4 + 4 + 32 + 8;

/// What a preset says, ready to be set.
#[derive(Debug)]
pub(crate) struct Preset {
    /// Identifiers of parameters and their normalised values; those that the file does not name at their defaults.
    pub(crate) values: Vec<(String, f32)>,
    /// Where the model's knobs stand; none in a file older than they are, which has them at the model's defaults.
    pub(crate) knobs: Option<Vec<f32>>,
    pub(crate) session: Session,
}

impl Preset {
    /// Takes a state apart.
    ///
    /// # Errors
    ///
    /// A sentence for the player.
    pub(crate) fn from_state(state: &PluginState) -> Result<Preset, String> {
        let session: Session = match state.fields.get("session") {
            Some(text) => serde_json::from_str(text).map_err(|_| "the preset is damaged".to_owned())?,
            None => Session::default(),
        };
        session.check()?;
        let params = AmpParams::default();
        let mut values = Vec::new();
        let mut knobs = Vec::new();
        for (id, param, _) in params.param_map() {
            // SAFETY: `params` lives until the end of this function.
            let value = unsafe { normalised(param, state.params.get(&id)) };
            match id.strip_prefix("knob") {
                Some(_) => knobs.push(value),
                None if id == "revision" => {}
                None => values.push((id, value)),
            }
        }
        let knobs = Some(knobs).filter(|_| session.version >= WITH_KNOBS);
        Ok(Preset { values, knobs, session })
    }
}

/// A value of a state, or the default if there is none that fits, from 0 to 1.
///
/// # Safety
///
/// What `param` points to lives, and nobody else uses it.
unsafe fn normalised(param: ParamPtr, value: Option<&ParamValue>) -> f32 {
    // SAFETY: as the caller promises.
    let value = unsafe {
        match (param, value) {
            (ParamPtr::FloatParam(_), Some(ParamValue::F32(value))) => param.preview_normalized(*value),
            (ParamPtr::IntParam(_), Some(ParamValue::I32(value))) => param.preview_normalized(*value as f32),
            (ParamPtr::BoolParam(_), Some(ParamValue::Bool(value))) => f32::from(u8::from(*value)),
            (ParamPtr::EnumParam(inner), Some(ParamValue::String(id))) => {
                if (*inner).set_from_id(id) {
                    param.unmodulated_normalized_value()
                } else {
                    param.default_normalized_value()
                }
            }
            _ => param.default_normalized_value(),
        }
    };
    unit(value)
}

/// Where VST3 hosts keep a player's presets of this plugin; none where there is no home.
pub(crate) fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // VST 3 documentation, "Preset Locations".
    let presets = if cfg!(target_os = "windows") {
        variable("USERPROFILE")?.join("Documents").join("VST3 Presets")
    } else if cfg!(target_os = "macos") {
        variable("HOME")?.join("Library/Audio/Presets")
    } else {
        variable("HOME")?.join(".vst3/presets")
    };
    Some(presets.join("neurdsp").join("neurdsp"))
}

/// The presets in `folder`, by name.
pub(crate) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_LISTED);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_preset(path)).collect();
    paths.sort_by_key(|path| name(path).to_lowercase());
    paths
}

/// Whether the file's name ends as that of a preset does.
pub(crate) fn is_preset(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(ENDING))
}

/// The name to show.
pub(crate) fn name(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The file of the preset called `name`.
///
/// # Errors
///
/// A sentence for the player: a name that is empty, too long, or no file can have.
pub(crate) fn file(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let name = name.trim();
    let forbidden = |letter: &char| letter.is_control() || r#"/\:*?"<>|"#.contains(*letter);
    if name.is_empty() {
        return Err("type a name for the preset first".to_owned());
    }
    if name.chars().count() > MAX_NAME {
        return Err(format!("the name of a preset has at most {MAX_NAME} letters"));
    }
    if name.starts_with('.') || name.ends_with('.') {
        return Err("the name of a preset neither begins nor ends with a dot".to_owned());
    }
    match name.chars().find(forbidden) {
        Some(letter) => Err(format!("{letter:?} cannot be in the name of a preset; use another letter")),
        None => Ok(folder.join(format!("{name}.{ENDING}"))),
    }
}

/// Writes `state` as the preset `path`, over one that is there.
///
/// # Errors
///
/// A sentence for the player.
pub(crate) fn write(path: &Path, state: &PluginState) -> Result<(), String> {
    let unwritable = |error: std::io::Error| format!("{}: {error}", path.display());
    let json = serde_json::to_vec(state).map_err(|error| error.to_string())?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&temporary, container(&json)).map_err(unwritable)?;
    std::fs::rename(&temporary, path).map_err(unwritable)
}

/// Reads the state of the preset `path`.
///
/// # Errors
///
/// A sentence for the player: the file is missing, of another plugin, damaged.
pub(crate) fn read(path: &Path) -> Result<PluginState, String> {
    let bytes = state::read(path, MAX_BYTES)?;
    let json = component(&bytes).map_err(|reason| format!("{}: {reason}", path.display()))?;
    serde_json::from_slice(json).map_err(|_| format!("{}: the preset is damaged", path.display()))
}

fn class() -> String {
    AmpPlayer::VST3_CLASS_ID.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn container(state: &[u8]) -> Vec<u8> {
    let size = state.len() as u64;
    let mut file = b"VST3\x01\0\0\0".to_vec();
    file.extend(class().as_bytes());
    file.extend((HEADER as u64 + size).to_le_bytes());
    file.extend(state);
    file.extend(b"List\x01\0\0\0Comp");
    file.extend((HEADER as u64).to_le_bytes());
    file.extend(size.to_le_bytes());
    file
}

/// The part of the file that is the plugin's state.
fn component(file: &[u8]) -> Result<&[u8], &'static str> {
    const DAMAGED: &str = "the preset is damaged";
    let number = |at: usize| -> Option<usize> {
        let bytes = file.get(at..at.checked_add(8)?)?;
        usize::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    if !file.starts_with(b"VST3") {
        return Err("this is not a preset of VST3");
    }
    if !file.get(8..40).ok_or(DAMAGED)?.eq_ignore_ascii_case(class().as_bytes()) {
        return Err("this is a preset of another plugin");
    }
    let list = number(40).and_then(|at| file.get(at..)).ok_or(DAMAGED)?;
    let entries = list.strip_prefix(b"List").and_then(|rest| rest.get(4..)).ok_or(DAMAGED)?;
    let entry = entries.chunks_exact(20).find(|entry| entry.starts_with(b"Comp")).ok_or(DAMAGED)?;
    let at = file.len() - entries.len() + (entry.as_ptr() as usize - entries.as_ptr() as usize);
    let (start, size) = number(at + 4).zip(number(at + 12)).ok_or(DAMAGED)?;
    start.checked_add(size).and_then(|end| file.get(start..end)).ok_or(DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::{Preset, component, container, file, list, read, write};
    use crate::state::VERSION;
    use nice_plug::plugin::{ParamValue, PluginState};

    fn state(params: &[(&str, ParamValue)], session: &str) -> PluginState {
        PluginState {
            version: String::new(),
            params: params.iter().map(|(id, value)| ((*id).to_owned(), value.clone())).collect(),
            fields: [("session".to_owned(), session.to_owned())].into(),
        }
    }

    #[test]
    fn it_comes_back_from_its_file_and_is_listed_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let session = format!(r#"{{"version": {VERSION}, "model": null, "cabinet": null}}"#);
        let saved = state(
            &[
                ("bass", ParamValue::F32(10.0)),
                ("output_mode", ParamValue::String("calibrated".to_owned())),
                ("gate", ParamValue::Bool(false)),
                ("knob2", ParamValue::F32(0.25)),
                ("mix", ParamValue::F32(1e30)),
            ],
            &session,
        );
        for name in ["lead", "Crunch"] {
            write(&file(folder.path(), name).unwrap(), &saved).unwrap();
        }
        std::fs::write(folder.path().join("notes.txt"), "").unwrap();
        let listed = list(folder.path());
        assert_eq!(listed.iter().map(|path| super::name(path)).collect::<Vec<_>>(), ["Crunch", "lead"]);

        let preset = Preset::from_state(&read(&listed[1]).unwrap()).unwrap();
        let value = |id: &str| preset.values.iter().find(|(found, _)| found == id).unwrap().1;
        assert_eq!((value("bass"), value("output_mode"), value("gate")), (0.75, 1.0, 0.0));
        assert_eq!((value("tone"), value("middle"), value("bypass")), (1.0, 0.5, 0.0));
        assert_eq!(preset.knobs.unwrap()[..3], [0.5, 0.25, 0.5]);
    }

    #[test]
    fn an_older_one_leaves_the_knobs_to_the_model_and_a_newer_one_is_refused() {
        let of =
            |version| state(&[], &format!(r#"{{"version": {version}, "model": null, "cabinet": null}}"#));
        assert!(Preset::from_state(&of(1)).unwrap().knobs.is_none());
        assert!(Preset::from_state(&of(VERSION + 1)).unwrap_err().contains("newer"));
    }

    #[test]
    fn names_that_no_file_can_have_are_refused_in_words() {
        let refusal = |name: &str| file("presets".as_ref(), name).unwrap_err();
        assert!(refusal("  ").contains("type a name"));
        assert!(refusal("AC/DC").contains("'/' cannot be"));
        assert!(refusal("..").contains("dot"));
        assert!(refusal(&"x".repeat(61)).contains("at most 60"));
    }

    #[test]
    fn damaged_files_are_refused_and_never_read_beyond_their_end() {
        let whole = container(b"{\"params\": {}, \"fields\": {}}");
        assert_eq!(component(&whole).unwrap(), b"{\"params\": {}, \"fields\": {}}");
        for length in 0..whole.len() {
            assert!(component(&whole[..length]).is_err(), "{length}");
        }
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _ = component(&damaged);
            }
        }
        let mut other = whole.clone();
        other[8] = b'F';
        assert_eq!(component(&other).unwrap_err(), "this is a preset of another plugin");
        assert_eq!(component(b"RIFF").unwrap_err(), "this is not a preset of VST3");
    }
}
