//! The families that are known, and the way from a file to a model of any of them.

use std::path::Path;

use crate::amp;
use crate::container::file::ModelFile;
use crate::container::format::Format;
use crate::container::header::Header;
use crate::drumsep;
use crate::error::{Error, Result};
use crate::family::Family;
use crate::kick;
use crate::kinds::AnyModel;
use crate::music;

/// The families of this crate. A further one is its folder and its line here.
pub const FAMILIES: Registry = Registry::new(&[
    &amp::FAMILY, //
    &drumsep::FAMILY,
    &kick::FAMILY,
    &music::FAMILY,
]);

/// A list of families.
#[derive(Clone, Copy)]
pub struct Registry {
    families: &'static [&'static dyn Family],
}

/// Loads a model of any family from a file, or from a folder in a format of a family's own.
///
/// The format is told from the content, not from the name.
///
/// # Errors
/// [`Error::InFile`] with the path, around what is wrong with the file or the model.
pub fn load_any(path: impl AsRef<Path>) -> Result<AnyModel> {
    FAMILIES.load(path)
}

impl Registry {
    /// A registry of these families.
    #[must_use]
    pub const fn new(families: &'static [&'static dyn Family]) -> Registry {
        Registry { families }
    }

    /// The families in their order.
    #[must_use]
    pub fn families(&self) -> &'static [&'static dyn Family] {
        self.families
    }

    /// Loads a model as [`load_any`] does.
    ///
    /// # Errors
    /// As [`load_any`].
    pub fn load(&self, path: impl AsRef<Path>) -> Result<AnyModel> {
        let path = path.as_ref();
        let load = || {
            if !path.is_dir() && Format::of_file(path)? == Format::Safetensors {
                return self.from_file(&ModelFile::read(path)?);
            }
            let foreign = self.families.iter().find_map(|family| family.load_foreign(path));
            foreign.unwrap_or_else(|| {
                let names: Vec<_> = self.families.iter().map(|family| family.name()).collect();
                let reason = format!("no family reads files of this format ({})", names.join(", "));
                Err(Error::UnknownFormat { reason })
            })
        };
        load().map_err(|error: Error| error.in_file(path))
    }

    /// Takes a model out of a model file, after checking every key and tensor.
    ///
    /// # Errors
    /// See [`Header::from_metadata`]; [`Error::UnknownArchitecture`]; what the family finds wrong.
    pub fn from_file(&self, file: &ModelFile) -> Result<AnyModel> {
        let header = Header::from_metadata(&file.metadata)?;
        let architectures = || self.families.iter().map(|family| (*family, family.architectures()));
        match architectures().find(|(_, names)| names.contains(&header.architecture.as_str())) {
            Some((family, _)) => family.load(file, &header),
            None => {
                let known: Vec<_> = architectures().flat_map(|(_, names)| names.iter().copied()).collect();
                Err(header.unknown_architecture(&known))
            }
        }
    }
}
