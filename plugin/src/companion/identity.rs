//! What hosts and presets know the companion by. None of it may change: projects and presets are keyed by it.

use crate::preset::Owner;

/// The VST3 class, and the folder of the presets.
pub(super) const OWNER: Owner =
    Owner { class: *b"neurdsp.Compani1", vendor: "neurdsp", name: "neurdsp companion" };
pub(super) const CLAP_ID: &str = "org.neurdsp.companion";
