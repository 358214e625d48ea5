//! What hosts and presets know the kick instrument by. None of it may change: projects and presets are keyed by it.

use crate::preset::Owner;

/// The VST3 class, and the folder of the presets.
pub(super) const OWNER: Owner =
    Owner { class: *b"neurdsp.KickGen1", vendor: "neurdsp", name: "neurdsp kick" };
pub(super) const CLAP_ID: &str = "org.neurdsp.kick";
