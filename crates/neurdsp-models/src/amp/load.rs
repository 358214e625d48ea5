//! From a file to an amp model, and the line of the amp family in the registry.

use std::path::Path;

use crate::amp::architectures::NAMES;
use crate::amp::json_model::JsonModel;
use crate::amp::loaded::LoadedModel;
use crate::amp::nam::{MAX_NAM_BYTES, NamFile, NamOptions};
use crate::amp::seed_json::MAX_JSON_BYTES;
use crate::container::file::ModelFile;
use crate::container::format::Format;
use crate::container::header::Header;
use crate::container::open::read_bytes;
use crate::error::{Error, Result};
use crate::family::Family;
use crate::kinds::AnyModel;

/// The amp family.
pub const FAMILY: Amp = Amp;

/// The amp family; see [`FAMILY`].
#[derive(Debug, Clone, Copy)]
pub struct Amp;

/// Loads an amp model from a file: a model file (safetensors), a `.nam` file or the older folder of one, the JSON of an amp
/// model, or that of AIDA-X or Proteus.
///
/// The format is told from the content, not from the name.
///
/// # Errors
/// [`Error::InFile`] with the path, around what is wrong with the file or the model.
pub fn load(path: impl AsRef<Path>) -> Result<LoadedModel> {
    load_with(path, &NamOptions::default())
}

/// Loads an amp model as [`load`] does, with options for a `.nam` model.
///
/// # Errors
/// As [`load`], and a size outside 0 to 1.
pub fn load_with(path: impl AsRef<Path>, options: &NamOptions) -> Result<LoadedModel> {
    let path = path.as_ref();
    if NamFile::is_folder(path) {
        let file = NamFile::read_folder(path)?;
        return LoadedModel::from_nam(file, options).map_err(|error| error.in_file(path));
    }
    let load = || match Format::of_file(path)? {
        Format::Safetensors => LoadedModel::from_file_with(&ModelFile::read(path)?, options),
        Format::Json => from_json(&read_bytes(path, MAX_JSON_BYTES.max(MAX_NAM_BYTES))?, options),
    };
    load().map_err(|error: Error| error.in_file(path))
}

/// Loads an amp model from the bytes of a file, as [`load`] does: a model that a program carries inside itself, say.
///
/// # Errors
/// What is wrong with the file or the model.
pub fn load_bytes(bytes: &[u8]) -> Result<LoadedModel> {
    let options = NamOptions::default();
    match Format::of_bytes(bytes)? {
        Format::Safetensors => LoadedModel::from_file_with(&ModelFile::from_bytes(bytes)?, &options),
        Format::Json => from_json(bytes, &options),
    }
}

fn from_json(text: &[u8], options: &NamOptions) -> Result<LoadedModel> {
    match JsonModel::from_bytes(text)? {
        JsonModel::Nam(file) => LoadedModel::from_nam(file, options),
        JsonModel::Foreign(file, format) => LoadedModel::from_foreign(file, format, options),
        JsonModel::Seed(seed) => LoadedModel::from_seed(seed),
    }
}

impl Family for Amp {
    fn name(&self) -> &'static str {
        "amp"
    }

    fn architectures(&self) -> &'static [&'static str] {
        &NAMES
    }

    fn load(&self, file: &ModelFile, _: &Header) -> Result<AnyModel> {
        LoadedModel::from_file(file).map(AnyModel::from)
    }

    fn load_foreign(&self, path: &Path) -> Option<Result<AnyModel>> {
        let is_own =
            NamFile::is_folder(path) || Format::of_file(path).is_ok_and(|format| format == Format::Json);
        is_own.then(|| load(path).map(AnyModel::from))
    }
}
