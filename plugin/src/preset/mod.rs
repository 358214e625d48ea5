//! Presets as files: Steinberg's `.vstpreset` (VST 3 SDK, `vstpresetfile.h`), in the folder where VST3 hosts look for those of
//! a plugin, so that hosts and the editor share them. The state in a file is the framework's JSON.

mod container;
pub(crate) mod folder;

use std::path::Path;

use nice_plug::plugin::PluginState;

use crate::state::{Refusal, files};

/// Largest preset: a few files in base64, and the parameters.
const MAX_BYTES: u64 = 32 << 20;

/// The plugin that presets belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The VST3 class ID.
    pub(crate) class: [u8; 16],
    pub(crate) vendor: &'static str,
    pub(crate) name: &'static str,
}

/// Writes `state` as the preset `path`, over one that is there.
///
/// # Errors
///
/// In words for the user.
pub(crate) fn write(path: &Path, owner: &Owner, state: &PluginState) -> Result<(), Refusal> {
    let json = serde_json::to_vec(state).map_err(|error| Refusal::of(path, error))?;
    files::replace(path, &container::around(&json, owner.class))
        .map_err(|error| Refusal::system(path, &error))
}

/// Reads the state of the preset `path`.
///
/// # Errors
///
/// In words for the user: the file is missing, damaged, or of another plugin.
pub(crate) fn read(path: &Path, owner: &Owner) -> Result<PluginState, Refusal> {
    let bytes = files::read(path, MAX_BYTES)?;
    let json = container::state(&bytes, owner.class).map_err(|reason| Refusal::of(path, reason))?;
    serde_json::from_slice(json).map_err(|_| Refusal::of(path, "the preset is damaged"))
}

#[cfg(test)]
mod tests {
    use super::{Owner, container, read};

    #[test]
    fn whatever_is_wrong_with_the_state_is_said_in_words_and_not_in_those_of_the_parser() {
        let owner = Owner { class: *b"neurdsp.TestOnly", vendor: "a vendor", name: "a test" };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vstpreset");
        let state = r#"{"version":"1","params":{"mix":{"f32":1.0}},"fields":{"session":"{}"}}"#;
        let mut texts: Vec<String> = (0..state.len()).map(|length| state[..length].to_owned()).collect();
        texts.extend(
            ["null", "[]", "3", r#"{"version":1}"#, r#"{"version":"1","params":[],"fields":{}}"#]
                .map(Into::into),
        );
        texts.push(state.replace("1.0", "NaN"));
        texts.push(state.replace(r#"{"f32":1.0}"#, r#"{"complex":1.0}"#));
        for text in texts {
            std::fs::write(&path, container::around(text.as_bytes(), owner.class)).unwrap();
            let message = read(&path, &owner).map(drop).unwrap_err();
            assert_eq!(message, crate::state::Refusal::of(&path, "the preset is damaged"), "{text}");
        }
    }
}
