//! The music networks as the job of a worker.

use crate::error::{Error, Result};
use crate::inference::Job;
use neurdsp_models::music::{MusicNetwork, MusicPart, MusicPipeline};
use std::sync::Arc;

/// Most values that a request or an answer has: those of the largest of the five networks.
pub const MAX_MUSIC_VALUES: usize = 128;

/// A step of a music network: what it takes, or what it gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MusicStep {
    /// The network.
    pub part: MusicPart,
    values: [f32; MAX_MUSIC_VALUES],
    len: usize,
}

impl MusicStep {
    /// A request; of more than [`MAX_MUSIC_VALUES`] values the first ones.
    #[must_use]
    pub fn new(part: MusicPart, values: &[f32]) -> MusicStep {
        let len = values.len().min(MAX_MUSIC_VALUES);
        let mut step = MusicStep { part, values: [0.0; MAX_MUSIC_VALUES], len };
        step.values[..len].copy_from_slice(&values[..len]);
        step
    }

    /// The values; none in the answer of a network that there is not.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values[..self.len]
    }
}

/// Up to five music networks as the job of a worker: each request is a step of one of them.
///
/// # Example
/// ```
/// use neurdsp_models::music::MusicPart;
/// use neurdsp_rt::inference::{InferenceMode, InferenceSettings, inference};
/// use neurdsp_rt::{Error, MusicJob, MusicStep};
///
/// let (mut audio, mut handle) = inference(InferenceMode::Inline, InferenceSettings::default())?;
/// handle.load(|| MusicJob::new([]))?;
/// audio.submit(&MusicStep::new(MusicPart::Groove, &[0.0; 64]), 0);
/// let (_, answer) = audio.due(0).expect("it is due");
/// assert!(answer.is_ok_and(|step| step.values().is_empty()), "there is no network");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MusicJob {
    pipeline: MusicPipeline,
}

impl MusicJob {
    /// Runs of these networks, at their first steps. Of several of a kind the last one counts.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a network that takes or gives more than [`MAX_MUSIC_VALUES`] values.
    pub fn new(networks: impl IntoIterator<Item = Arc<MusicNetwork>>) -> Result<MusicJob> {
        let networks: Vec<_> = networks.into_iter().collect();
        for network in &networks {
            let most = network.n_inputs().max(network.n_outputs());
            if most > MAX_MUSIC_VALUES {
                let allowed = format!("a worker takes at most {MAX_MUSIC_VALUES}");
                let name = format!("the number of values of {}", network.part().name());
                return Err(Error::parameter(name, most, allowed));
            }
        }
        Ok(MusicJob { pipeline: MusicPipeline::new(networks) })
    }
}

impl Job for MusicJob {
    type Request = MusicStep;
    type Answer = MusicStep;

    /// Makes the step. Values that the request lacks are 0.
    fn run(&mut self, request: &MusicStep) -> MusicStep {
        let mut answer = MusicStep::new(request.part, &[]);
        if let Some(network) = self.pipeline.network(request.part) {
            let (n_inputs, n_outputs) = (network.n_inputs(), network.n_outputs());
            answer.len = n_outputs;
            let input = &request.values[..n_inputs];
            self.pipeline.step(request.part, input, &mut answer.values[..n_outputs]);
        }
        answer
    }

    fn reset(&mut self) {
        self.pipeline.reset();
    }

    fn memory_bytes(&self) -> usize {
        let weights = MusicPart::ALL.iter().filter_map(|&part| self.pipeline.network(part));
        self.pipeline.memory_bytes() + weights.map(|network| network.n_bytes()).sum::<usize>()
    }
}
