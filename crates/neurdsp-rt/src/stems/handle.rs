//! The side of a mixer of stems off the audio thread.

use super::bank::StemBank;
use super::slot::{CAPACITY, Mail};
use crate::adapter::{Operation, adapt};
use crate::error::{Error, Result};
use crate::monitor::Monitor;
use neurdsp_models::{StreamSource, StreamingModel};
use std::sync::Arc;

/// The side of a [`StemMixer`](super::StemMixer) off the audio thread: it sends networks, and frees those that come back.
#[derive(Debug)]
pub struct StemHandle {
    pub(super) mail: Mail,
    pub(super) monitor: Arc<Monitor>,
    pub(super) sample_rate: f64,
    pub(super) n_stems: usize,
    pub(super) max_latency: usize,
    pub(super) fade_samples: u32,
}

impl StemHandle {
    /// Sends a network, which fades in. Its last output is what is in no stem; of the others `places` says which stem of the
    /// mixer each one is. A stem that no output is stays silent. At another rate than its own the network is resampled.
    ///
    /// # Errors
    /// A network that has not two channels for each of its inputs and outputs; a rate too far from its own;
    /// [`Error::Busy`] while eight wait.
    pub fn load(&mut self, network: &dyn StreamSource, places: &[usize]) -> Result<()> {
        let mut build = || Ok(network.build_stream()?);
        let operation = Operation::at(self.sample_rate);
        let stream = adapt(&mut build, network.audio().sample_rate, operation)?;
        self.send(stream, places)
    }

    /// Sends any stream at the rate of the mixer, as [`load`](Self::load) does.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn send(&mut self, stream: Box<dyn StreamingModel>, places: &[usize]) -> Result<()> {
        let bank = StemBank::new(stream, places, self.n_stems, self.max_latency, self.fade_samples)?;
        self.push(bank)
    }

    /// Removes the network: all stems fade out, and the residual is the whole sound.
    ///
    /// # Errors
    /// [`Error::Busy`] while eight changes wait.
    pub fn remove(&mut self) -> Result<()> {
        let bank = StemBank::empty(self.max_latency, self.fade_samples)?;
        self.push(bank)
    }

    fn push(&mut self, mut bank: StemBank) -> Result<()> {
        self.collect();
        bank.prewarm();
        self.mail.0.push(Box::new(bank)).map_err(|_| Error::Busy { waiting: CAPACITY })
    }

    /// The times of the audio thread, which any thread may read.
    #[must_use]
    pub fn monitor(&self) -> &Arc<Monitor> {
        &self.monitor
    }

    /// Frees the networks that have faded out, and returns their number. Sending does it too.
    pub fn collect(&mut self) -> usize {
        let mut count = 0;
        while self.mail.1.pop().is_ok() {
            count += 1;
        }
        count
    }
}
