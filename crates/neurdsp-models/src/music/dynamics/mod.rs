//! Dynamics: how loud each step of a part is, given its mood and its notes.
//!
//! [`conditions`] says what the network is asked, [`N_CONDITION`] values to [`N_STEPS`] velocities, once for each part in each
//! window of up to four quarter notes; [`reshape`] adds the shape of its answers to the velocities that are there.
//! [`DynamicsAhead`] does the same for a beat that is yet to be played.
//!
//! | condition | holds |
//! |---|---|
//! | 0, 1 | valence and arousal, −1 to 1: the first two outputs of the emotion network |
//! | 2, 3 | mean velocity of the part in the piece, 0 for 64 and 1 for 128, and its standard deviation in 32nds |
//! | 4 | quarter notes a minute: 0 for 120, 1 for 240 |
//! | 5 | notes of the window: 0 for 16, 1 for 32 |
//! | 6 | mean pitch of the part in the window: 0 for 64, 1 for 128; 0 for drums |
//! | 7 | 1 for drums |
//! | 8 to 12 | 1 for kick, snare, what keeps time, toms, crashes |
//! | 13 to 15 | 1 for a part below C3, from there to C5, above |
//! | 16 to 31 | each step: 0 without a note, else 1 and a twenty-fourth for each semitone of its highest note above the mean |

mod ahead;
mod condition;
mod reshape;

pub use ahead::{
    BEAT_STEPS, BeatShape, DynamicsAhead, MAX_PAST, N_PARTS, PartShape, PastNote, ShapeQuestion,
};
pub use condition::{Conditions, N_CONDITION, N_STEPS, Note, conditions};
pub use reshape::reshape;
