//! What the audio thread, the loader and the editor of one instance share. The audio thread touches atomics only.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use neurdsp_rt::inference::InferenceMonitor;
use parking_lot::Mutex;

use super::live::LineShared;
use super::reference::ReferenceCard;

/// State that all parts of one instance share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) line: LineShared,
    /// The latency in samples, and the rate in Hz.
    pub(super) latency_samples: AtomicU32,
    pub(super) sample_rate_hz: AtomicU32,
    /// Of the worker that answers now.
    pub(super) monitor: Mutex<Option<Arc<InferenceMonitor>>>,
    /// The reference.
    pub(super) reference: Mutex<Option<ReferenceCard>>,
}
