//! Groove: drums played with the timing and the dynamics of a drummer, or of a reference that a musician gives.
//!
//! [`Bars`] puts hits on a grid; [`estimate`] says what a reference makes of them; [`calls`] is what the network
//! ([`N_INPUTS`] values to [`N_OUTPUTS`]) is asked, once for each voice of a window; [`humanise`] applies its answers.
//! Training and the plugin use the same code. [`GrooveAhead`] does the same for a beat that is yet to be played.
//!
//! ```
//! use neurdsp_models::music::Timeline;
//! use neurdsp_models::music::groove::{Bars, Feel, Reference, calls, estimate, humanise};
//! let timeline = Timeline::new(480, &[], &[])?;
//! let bars = Bars::new(timeline, &[0, 240, 480], &[36, 42, 38], &[100, 80, 110])?;
//! let estimates = estimate(&bars, Reference::None, true);
//! let asked = calls(&bars, &estimates, true);
//! let answers = vec![[0.0; 32]; asked.inputs.len()]; // of the network
//! let feel = Feel { lean_ms: 10.0, ..Feel::default() };
//! let played = humanise(&bars, &estimates, &asked, &answers, None, false, &feel)?;
//! assert_eq!(played.hits.iter().map(|hit| hit.tick).collect::<Vec<_>>(), [10, 250, 490]);
//! # Ok::<(), neurdsp_models::Error>(())
//! ```

mod ahead;
mod bars;
mod features;
mod humanise;
mod reference;
mod residuals;
mod voices;

pub use super::bar_ahead::TICKS_PER_QUARTER;
pub use ahead::{
    BEAT_STEPS, BeatFeel, BeatQuestion, Change, GrooveAhead, LiveHit, MAX_PAST, PastHit, StepFeel,
};
pub use bars::{Accent, Bars, Hit, N_STEPS};
pub use features::{Calls, N_INPUTS, N_OUTPUTS, OFFSET_SCALE, VELOCITY_SCALE, calls, predicted};
pub use humanise::{Feel, Performance, Played, humanise};
pub use reference::{EARLIER_WINDOWS, Estimate, Reference, estimate};
pub use residuals::{N_QUANTILES, Residuals};
pub(in crate::music) use voices::group_of;
pub use voices::{N_VOICES, VOICES, voice_of};
