//! What a family of models gives to the registry.

use std::path::Path;

use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::error::Result;
use crate::kinds::AnyModel;

/// A family of models: its name, its architectures, and how a file of it is loaded.
pub trait Family: Sync {
    /// The name, which is that of its folder, such as `amp`.
    fn name(&self) -> &'static str;

    /// The architectures that its model files name, such as `amp.wavenet`. No other family has one of them.
    fn architectures(&self) -> &'static [&'static str];

    /// Takes a model out of a model file of one of its architectures, after checking every key and tensor.
    ///
    /// # Errors
    /// What is wrong with the file.
    fn load(&self, file: &ModelFile, header: &Header) -> Result<AnyModel>;

    /// Loads a file or a folder in a format of the family's own, or gives `None` if it is in no such format.
    ///
    /// # Errors
    /// What is wrong with the file.
    fn load_foreign(&self, _path: &Path) -> Option<Result<AnyModel>> {
        None
    }
}
