//! Runs of music networks: one alone, or all five in one memory.

use std::sync::Arc;

use neurdsp_simd::AlignedBuf;

use super::network::MusicNetwork;
use super::part::MusicPart;

/// One run of a network, and what it remembers between its steps.
///
/// # Example
/// ```no_run
/// use std::sync::Arc;
/// use neurdsp_models::music::{MusicNetwork, MusicRun};
/// use neurdsp_models::{Header, ModelFile};
/// let file = ModelFile::read("groove.safetensors")?;
/// let network = MusicNetwork::from_file(&file, &Header::from_metadata(&file.metadata)?)?;
/// let mut run = MusicRun::new(Arc::new(network));
/// let (features, mut output) = ([0.5; 64], [0.0; 32]);
/// run.step(&features, &mut output);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MusicRun {
    network: Arc<MusicNetwork>,
    memory: AlignedBuf,
}

impl MusicRun {
    /// A run at its first step.
    #[must_use]
    pub fn new(network: Arc<MusicNetwork>) -> MusicRun {
        MusicRun { memory: AlignedBuf::zeroed(network.memory()), network }
    }

    /// The weights.
    #[must_use]
    pub fn network(&self) -> &Arc<MusicNetwork> {
        &self.network
    }

    /// Returns to the state before the first step.
    pub fn reset(&mut self) {
        self.memory.fill(0.0);
    }

    /// Makes one step. Inputs that are no numbers count as zero.
    ///
    /// # Panics
    /// If the slices are not as long as the network says.
    pub fn step(&mut self, input: &[f32], output: &mut [f32]) {
        step(&self.network, &mut self.memory, input, output);
    }
}

/// Runs of up to five networks, one of each, whose states and scratch lie in one piece of memory.
///
/// # Example
/// ```no_run
/// use std::sync::Arc;
/// use neurdsp_models::music::{MusicNetwork, MusicPart, MusicPipeline};
/// use neurdsp_models::{Header, ModelFile};
/// let load = |name: &str| {
///     let file = ModelFile::read(name)?;
///     MusicNetwork::from_file(&file, &Header::from_metadata(&file.metadata)?).map(Arc::new)
/// };
/// let mut pipeline = MusicPipeline::new([load("emotion.safetensors")?, load("dynamics.safetensors")?]);
/// let (mel, mut emotion, mut velocities) = ([0.0; 128], [0.0; 64], [0.0; 16]);
/// assert!(pipeline.step(MusicPart::Emotion, &mel, &mut emotion));
/// assert!(pipeline.step(MusicPart::Dynamics, &emotion[..32], &mut velocities));
/// assert!(!pipeline.step(MusicPart::Melody, &[0.0; 65], &mut [0.0; 128]), "there is none");
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MusicPipeline {
    networks: [Option<Arc<MusicNetwork>>; MusicPart::ALL.len()],
    memory: AlignedBuf,
}

impl MusicPipeline {
    /// Runs of these networks, at their first steps. Of several of a kind the last one counts.
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = Arc<MusicNetwork>>) -> MusicPipeline {
        let mut pipeline = MusicPipeline::default();
        for network in networks {
            let place = network.part() as usize;
            pipeline.networks[place] = Some(network);
        }
        let values = pipeline.networks.iter().flatten().map(|network| network.memory()).sum();
        pipeline.memory = AlignedBuf::zeroed(values);
        pipeline
    }

    /// A network, if there is one.
    #[must_use]
    pub fn network(&self, part: MusicPart) -> Option<&Arc<MusicNetwork>> {
        self.networks[part as usize].as_ref()
    }

    /// Bytes of the memory of all runs.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.memory.len() * size_of::<f32>()
    }

    /// Returns all runs to their first step.
    pub fn reset(&mut self) {
        self.memory.fill(0.0);
    }

    /// Returns one run to its first step.
    pub fn reset_part(&mut self, part: MusicPart) {
        if let Some((_, memory)) = self.run(part) {
            memory.fill(0.0);
        }
    }

    /// Makes one step of a network; tells whether there is one. Without one, `output` stays as it was. Inputs that are no
    /// numbers count as zero.
    ///
    /// # Panics
    /// If the slices are not as long as the network says.
    pub fn step(&mut self, part: MusicPart, input: &[f32], output: &mut [f32]) -> bool {
        match self.run(part) {
            None => false,
            Some((network, memory)) => {
                step(network, memory, input, output);
                true
            }
        }
    }

    fn run(&mut self, part: MusicPart) -> Option<(&MusicNetwork, &mut [f32])> {
        let before = self.networks[..part as usize].iter().flatten();
        let first: usize = before.map(|network| network.memory()).sum();
        let network = self.networks[part as usize].as_deref()?;
        Some((network, &mut self.memory[first..][..network.memory()]))
    }
}

fn step(network: &MusicNetwork, memory: &mut [f32], input: &[f32], output: &mut [f32]) {
    assert_eq!(input.len(), network.n_inputs(), "as many inputs as the network takes");
    assert_eq!(output.len(), network.n_outputs(), "as many outputs as the network gives");
    network.step(memory, input, output);
}
