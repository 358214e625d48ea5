//! Threads beside the audio thread. Each instance has its own, so a slow file delays neither the sound nor other instances.

mod mailbox;
mod outbox;
mod patience;
mod tasks;
mod worker;

pub(crate) use mailbox::Mailbox;
pub(crate) use outbox::Outbox;
pub(crate) use patience::Patience;
pub(crate) use tasks::Tasks;
pub(crate) use worker::{Requests, WorkerSlot};
