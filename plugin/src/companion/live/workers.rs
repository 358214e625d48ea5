//! The workers beside the audio thread of one instance, one for each network.

use neurdsp_rt::inference::{self, Inference, InferenceHandle, InferenceMode, InferenceSettings, Job};

use super::chords::ChordJob;
use super::dynamics::DynamicsJob;
use super::groove::GrooveJob;
use super::mood::MoodJob;
use super::play_on::MelodyJob;

/// The audio thread's sides of all workers.
pub(crate) struct Inferences {
    pub(crate) groove: Inference<GrooveJob>,
    pub(crate) dynamics: Inference<DynamicsJob>,
    pub(crate) chords: Inference<ChordJob>,
    pub(crate) melody: Inference<MelodyJob>,
    pub(crate) mood: Inference<MoodJob>,
}

/// The loader's sides of all workers.
pub(crate) struct Handles {
    pub(crate) groove: InferenceHandle<GrooveJob>,
    pub(crate) dynamics: InferenceHandle<DynamicsJob>,
    pub(crate) chords: InferenceHandle<ChordJob>,
    pub(crate) melody: InferenceHandle<MelodyJob>,
    pub(crate) mood: InferenceHandle<MoodJob>,
}

/// Both sides of all workers.
///
/// # Errors
///
/// The system cannot create a thread.
pub(crate) fn workers() -> neurdsp_rt::Result<(Inferences, Handles)> {
    let (groove, to_groove) = worker(GrooveJob::settings())?;
    let (dynamics, to_dynamics) = worker(DynamicsJob::settings())?;
    let (chords, to_chords) = worker(ChordJob::settings())?;
    let (melody, to_melody) = worker(MelodyJob::settings())?;
    let (mood, to_mood) = worker(MoodJob::settings())?;
    let handles = Handles {
        groove: to_groove,
        dynamics: to_dynamics,
        chords: to_chords,
        melody: to_melody,
        mood: to_mood,
    };
    Ok((Inferences { groove, dynamics, chords, melody, mood }, handles))
}

fn worker<J: Job>(settings: InferenceSettings) -> neurdsp_rt::Result<(Inference<J>, InferenceHandle<J>)> {
    inference::inference(InferenceMode::Worker, settings)
}
