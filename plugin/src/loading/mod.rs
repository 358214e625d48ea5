//! Threads beside the audio thread. Each instance has its own, so a slow file delays neither the sound nor other instances.

mod tasks;
mod worker;

pub(crate) use tasks::Tasks;
pub(crate) use worker::{Requests, Worker};
