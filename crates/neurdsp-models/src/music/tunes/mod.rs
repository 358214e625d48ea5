//! Melodies: tokens on a grid of sixteenths, what the network is told beside them, the memory of a piece, and melodies
//! continued with both.

mod condition;
mod continuation;
mod grid;
mod memory;
mod mixture;

pub use condition::{N_CONDITION, Surroundings};
pub use continuation::{ContinueOptions, MelodyModel, continue_melody};
pub use grid::{GridNote, HOLD, LOWEST_PITCH, MAX_STEPS, N_TOKENS, REST, notes, tokens};
pub use memory::{MAX_ORDER, MelodyMemory};
pub use mixture::{Mixture, N_WEIGHTS};
