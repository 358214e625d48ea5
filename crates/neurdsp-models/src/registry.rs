//! From a file of any known kind to a model that can be built and run: the one way in for the binding and the plugin.

use std::path::Path;

use crate::amp::loaded::LoadedModel;
use crate::amp::nam::{MAX_NAM_BYTES, NamFile, NamOptions};
use crate::amp::seed_json::{MAX_JSON_BYTES, SeedModel};
use crate::container::file::ModelFile;
use crate::container::open::{first_bytes, has_header, read_bytes};
use crate::error::{Error, Result};

/// Loads a model from a file, whatever its kind: a model file (safetensors), a `.nam` file or the older folder of one, or
/// the JSON of an amp model.
///
/// The kind is told from the content, not from the name.
///
/// # Errors
/// [`Error::InFile`] with the path, around what is wrong with the file or the model.
pub fn load(path: impl AsRef<Path>) -> Result<LoadedModel> {
    load_with(path, &NamOptions::default())
}

/// Loads a model as [`load`] does, and says how a `.nam` model is to be played.
///
/// # Errors
/// As [`load`], and a size outside 0 to 1.
pub fn load_with(path: impl AsRef<Path>, options: &NamOptions) -> Result<LoadedModel> {
    let path = path.as_ref();
    if NamFile::is_folder(path) {
        let file = NamFile::read_folder(path)?;
        return LoadedModel::from_nam(file, options).map_err(|error| error.in_file(path));
    }
    let load = || match sniff(&first_bytes(path)?)? {
        Kind::Safetensors => LoadedModel::from_file_with(&ModelFile::read(path)?, options),
        Kind::Json => from_json(&read_bytes(path, MAX_JSON_BYTES.max(MAX_NAM_BYTES))?, options),
    };
    load().map_err(|error: Error| error.in_file(path))
}

/// Loads a model from the bytes of a file, as [`load`] does: a model that a program carries inside itself, say.
///
/// # Errors
/// What is wrong with the file or the model.
pub fn load_bytes(bytes: &[u8]) -> Result<LoadedModel> {
    let options = NamOptions::default();
    match sniff(bytes)? {
        Kind::Safetensors => LoadedModel::from_file_with(&ModelFile::from_bytes(bytes)?, &options),
        Kind::Json => from_json(bytes, &options),
    }
}

fn from_json(text: &[u8], options: &NamOptions) -> Result<LoadedModel> {
    if NamFile::is_nam(text) {
        return LoadedModel::from_nam(NamFile::from_bytes(text)?, options);
    }
    SeedModel::from_bytes(text).and_then(LoadedModel::from_seed)
}

enum Kind {
    Safetensors,
    Json,
}

/// Tells the kind of a file from its first bytes.
fn sniff(start: &[u8]) -> Result<Kind> {
    if has_header(start) {
        return Ok(Kind::Safetensors);
    }
    match start.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok(Kind::Json),
        _ => Err(Error::UnknownFormat {
            reason:
                "neither a safetensors model file, a .nam file nor the JSON of an amp model; export or convert it again"
                    .to_owned(),
        }),
    }
}
