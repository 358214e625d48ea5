//! What every plugin does alike. A plugin states by traits what is its own, and the shell around it makes of that what the
//! framework asks for: [`Player`] is its audio thread, [`Contents`] its window, and [`Sound`](crate::ui::recall::Sound) what both
//! play and recall.

mod player;
mod window;

pub(crate) use player::{Player, Shell};
pub(crate) use window::{Contents, Tools};
