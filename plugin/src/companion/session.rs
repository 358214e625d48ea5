//! What a project keeps beside the parameters: the reference groove.

use serde::{Deserialize, Serialize};

use crate::state::Resource;

/// Version of [`Session`]. A newer one is refused with a message.
pub(super) const VERSION: u32 = 1;

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The version that wrote it.
    pub(super) version: u32,
    /// The bars whose feel is taken over, as a MIDI file.
    pub(super) reference: Option<Resource>,
}

impl Session {
    /// Whether this version of the plugin understands it.
    ///
    /// # Errors
    ///
    /// A sentence for the user.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.version <= VERSION {
            return Ok(());
        }
        Err("the project was saved by a newer neurdsp; update this one to load its groove".to_owned())
    }
}

impl Default for Session {
    fn default() -> Session {
        Session { version: VERSION, reference: None }
    }
}
