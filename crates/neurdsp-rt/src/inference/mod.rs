//! Inference beside an audio thread: questions and answers through queues, answers applied at a fixed musical step.
//!
//! [`inference`] gives two sides. [`Inference`] belongs to the audio thread: it submits requests and takes answers at the step at
//! which they are due, so that what is heard depends neither on threads nor on the size of blocks. [`InferenceHandle`] loads
//! models, on any other thread. Between the two, a worker with a priority of its own runs a [`Job`]; or the audio thread does so
//! itself ([`InferenceMode::Inline`]). An [`InferenceMonitor`] counts and measures.
//!
//! It knows nothing of music or networks: a [`Job`] is any computation from a request to an answer of fixed size.

mod handle;
mod job;
mod monitor;
mod priority;
mod requests;
mod schedule;
mod settings;
mod worker;

pub use handle::InferenceHandle;
pub use job::{Fallback, Job};
pub use monitor::{InferenceMonitor, InferenceReport, Priority};
pub use requests::{Inference, inference};
pub use schedule::Schedule;
pub use settings::{DropPolicy, InferenceMode, InferenceSettings};
