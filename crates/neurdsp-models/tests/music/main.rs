//! Music networks.
#![allow(clippy::unwrap_used)]

mod hostile;
mod random;
mod steps;
