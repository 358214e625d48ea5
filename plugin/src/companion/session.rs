//! What a project keeps beside the parameters: the reference groove.

use serde::{Deserialize, Serialize};

use crate::state::{Resource, SavedSession};

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

impl SavedSession for Session {
    const VERSION: u32 = VERSION;
    const PURPOSE: &'static str = "load its groove";

    fn version(&self) -> u32 {
        self.version
    }
}

impl Default for Session {
    fn default() -> Session {
        Session { version: VERSION, reference: None }
    }
}
