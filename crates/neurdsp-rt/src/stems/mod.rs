//! A sound taken apart while it plays, and mixed again.
//!
//! ```text
//! mixer   the side that plays: network, faders, mix
//! handle  the side that sends networks
//! slot    a place for a network that can be replaced
//! bank    a network, and which stem each of its outputs is
//! ```

mod bank;
mod handle;
mod mixer;
mod slot;

pub use handle::StemHandle;
pub use mixer::StemMixer;
