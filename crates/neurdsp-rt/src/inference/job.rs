//! What a worker computes, and what comes of it.

/// A computation that an audio thread wants done, one request after the other.
///
/// Requests and answers are copied through queues, so neither side allocates or frees. Give both a fixed size.
///
/// # Example
///
/// ```
/// use neurdsp_rt::inference::Job;
///
/// /// The mean of the features so far.
/// #[derive(Default)]
/// struct Mean {
///     sum: f32,
///     count: f32,
/// }
///
/// impl Job for Mean {
///     type Request = f32;
///     type Answer = f32;
///
///     fn run(&mut self, feature: &f32) -> f32 {
///         self.sum += feature;
///         self.count += 1.0;
///         self.sum / self.count
///     }
///
///     fn reset(&mut self) {
///         *self = Mean::default();
///     }
/// }
/// ```
pub trait Job: Send + 'static {
    /// What is asked: features, say.
    type Request: Copy + Send + 'static;
    /// What is answered.
    type Answer: Copy + Send + 'static;

    /// Answers a request. In [`InferenceMode::Inline`](super::InferenceMode::Inline) it is called by the audio thread, and must
    /// not allocate, lock or wait.
    fn run(&mut self, request: &Self::Request) -> Self::Answer;

    /// Forgets the requests before, as after a seek.
    fn reset(&mut self) {}

    /// The memory that it holds, in bytes, for the monitor.
    fn memory_bytes(&self) -> usize {
        0
    }
}

/// Why there is no answer, so that a musician hears what would be there without a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// No model is loaded.
    NoModel,
    /// As many requests waited as may.
    Refused,
    /// A newer request took its place ([`DropPolicy::Latest`](super::DropPolicy::Latest)).
    Skipped,
    /// Its deadline passed before the worker came to it.
    Expired,
    /// The model failed while it ran; it is removed.
    Failed,
    /// The answer is not there yet at the step at which it is due.
    Late,
}

/// What is sent to a worker.
#[derive(Clone, Copy)]
pub(super) struct Request<R> {
    pub(super) sequence: u64,
    pub(super) submitted: std::time::Instant,
    /// Nobody minds waiting: it is never dropped.
    pub(super) is_offline: bool,
    /// The job begins anew with this request.
    pub(super) is_first: bool,
    pub(super) payload: R,
}

/// What comes back.
#[derive(Clone, Copy)]
pub(super) struct Reply<A> {
    pub(super) sequence: u64,
    pub(super) outcome: Result<A, Fallback>,
}
