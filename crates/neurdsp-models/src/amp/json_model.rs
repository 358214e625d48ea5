//! Models in JSON: which of the formats a text is in.

use std::path::Path;

use crate::amp::fields::{Fields, is_text};
use crate::amp::nam::{MAX_NAM_BYTES, NamFile};
use crate::amp::rtneural::{from_layers, from_state_dict};
use crate::amp::seed_json::{MAX_JSON_BYTES, SeedModel};
use crate::container::format::Format;
use crate::container::json::one_line;
use crate::container::open::read_bytes;
use crate::container::text::in_text;
use crate::error::{Error, Result};

/// The format of a JSON file: `.nam`, `AIDA-X JSON`, `Proteus JSON`, or `JSON` for a residual network.
///
/// # Errors
/// [`Error::InFile`] with the path, around what its reader refuses.
pub fn json_format(path: impl AsRef<Path>) -> Result<&'static str> {
    let path = path.as_ref();
    let read = || {
        if Format::of_file(path)? == Format::Safetensors {
            let reason = "it is a safetensors model file, whose suffix is .safetensors".to_owned();
            return Err(Error::UnknownFormat { reason });
        }
        Ok(match JsonModel::from_bytes(&read_bytes(path, MAX_JSON_BYTES.max(MAX_NAM_BYTES))?)? {
            JsonModel::Nam(_) => ".nam",
            JsonModel::Foreign(_, format) => format,
            JsonModel::Seed(_) => "JSON",
        })
    };
    read().map_err(|error: Error| error.in_file(path))
}

/// The most keys that a message lists.
const LISTED: usize = 8;

/// A model in JSON.
pub(crate) enum JsonModel {
    /// A `.nam` file.
    Nam(NamFile),
    /// A file of another player, as the `.nam` model that computes the same; with the name of its format.
    Foreign(NamFile, &'static str),
    /// A residual network.
    Seed(SeedModel),
}

impl JsonModel {
    /// Reads a text in whichever format its keys name.
    ///
    /// # Errors
    /// What is not JSON, with line and column; keys of no format; what the reader of the format refuses.
    pub(crate) fn from_bytes(text: &[u8]) -> Result<JsonModel> {
        let read = || {
            let root = Fields::root("the file", text)?;
            let has = |key: &str| root.get(key).is_some();
            if root.get("architecture").is_some_and(is_text) || has("version") {
                return NamFile::from_fields(root).map(JsonModel::Nam);
            }
            if has("model_info") || has("architecture") {
                return SeedModel::from_fields(&root).map(JsonModel::Seed);
            }
            if has("layers") {
                return from_layers(&root).map(|file| JsonModel::Foreign(file, "AIDA-X JSON"));
            }
            if has("model_data") || has("state_dict") {
                return from_state_dict(&root).map(|file| JsonModel::Foreign(file, "Proteus JSON"));
            }
            let keys: Vec<_> = root.members.iter().take(LISTED).map(|(key, _)| one_line(key)).collect();
            let reason = format!(
                "the JSON of no amp model: its keys are {}, but a .nam file has version, architecture, config and weights, \
                 an AIDA-X file layers, and a Proteus file model_data and state_dict",
                if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
            );
            Err(Error::UnknownFormat { reason })
        };
        read().map_err(|error| in_text(error, text))
    }
}
