//! A generator of the user's own, from a file. A project keeps its path and hash, not its bytes: the kick sounds without it.

use std::path::Path;
use std::sync::Arc;

use neurdsp_models::kick::{HYBRID, Hybrid};
use neurdsp_models::{Header, ModelFile};

use crate::state::{Refusal, Resource, files};

/// Endings of the files that hold generators.
pub(super) const ENDINGS: &[&str] = &["safetensors"];
/// Largest file of a generator.
const MAX_BYTES: u64 = 64 << 20;

/// A generator, and the file that it came from.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) resource: Resource,
    pub(super) network: Arc<Hybrid>,
}

impl Own {
    /// Reads the generator at `path`.
    pub(super) fn read(path: &Path) -> Result<Own, Refusal> {
        let bytes = files::read(path, MAX_BYTES)?;
        Own::new(Resource::by_name(path, &bytes), &bytes)
    }

    /// Reads the generator of a project again.
    pub(super) fn restore(resource: &Resource) -> Result<Own, Refusal> {
        Own::new(resource.clone(), &resource.bytes(MAX_BYTES)?)
    }

    fn new(resource: Resource, bytes: &[u8]) -> Result<Own, Refusal> {
        match network(bytes) {
            Ok(network) => Ok(Own { resource, network: Arc::new(network) }),
            Err(reason) => Err(Refusal::of(&resource.path, reason)),
        }
    }
}

/// The generator of a file's bytes.
///
/// # Errors
///
/// A sentence for the user.
pub(super) fn network(bytes: &[u8]) -> Result<Hybrid, String> {
    let file = ModelFile::from_bytes(bytes).map_err(|error| error.to_string())?;
    let header = Header::from_metadata(&file.metadata).map_err(|error| error.to_string())?;
    if header.architecture != HYBRID {
        let other = header.architecture.escape_debug().take(60).collect::<String>();
        return Err(format!(
            "a model of the kind {other}, not a generator of kicks of the preset fast ({HYBRID})"
        ));
    }
    Hybrid::from_file(&file, &header).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Own, network};

    #[test]
    fn what_is_no_generator_is_refused_in_a_line_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kick.safetensors");
        let missing = Own::read(&path).err().unwrap().to_string();
        assert!(missing.contains("kick.safetensors") && missing.contains("not there"), "{missing}");
        let amp = include_bytes!("../../../python/neurdsp/amp/shipped/ts9.safetensors");
        for bytes in [&b"no model"[..], &[0xff; 40], &amp[..]] {
            let reason = network(bytes).unwrap_err();
            assert!(!reason.contains('\n') && reason.len() < 300, "{reason}");
        }
        assert!(network(amp).unwrap_err().contains("not a generator of kicks"));
    }
}
