//! What hosts and presets know the drum separator by. None of it may change: projects and presets are keyed by it.

use crate::preset::Owner;

/// The VST3 class, and the folder of the presets.
pub(super) const OWNER: Owner =
    Owner { class: *b"neurdsp.DrumSep1", vendor: "neurdsp", name: "neurdsp drums" };
pub(super) const CLAP_ID: &str = "org.neurdsp.drums";
