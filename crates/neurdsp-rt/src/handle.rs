//! The side of a chain off the audio thread.

use crate::adapter::{Operation, build_stream};
use crate::bank::Bank;
use crate::cabinet::ImpulseResponse;
use crate::error::Result;
use crate::levels::ModelLevels;
use crate::monitor::Monitor;
use crate::parameters::SharedSettings;
use crate::slot::SlotSender;
use neurdsp_models::LoadedModel;
use std::sync::Arc;

/// The side of a chain off the audio thread.
#[derive(Debug)]
pub struct ChainHandle {
    pub(crate) sample_rate: f64,
    pub(crate) n_channels: usize,
    pub(crate) shared: Arc<SharedSettings>,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) models: SlotSender,
    pub(crate) cabinets: SlotSender,
    pub(crate) latency: usize,
}

impl ChainHandle {
    /// Sends a model, which fades in; see [`Slot`]. Its weights are shared by all channels.
    ///
    /// The sample rate of `operation` is ignored; that of the chain counts.
    ///
    /// # Errors
    /// As [`build_stream`] and [`SlotSender::send`].
    pub fn load_model(&mut self, model: &LoadedModel, operation: Operation) -> Result<()> {
        let bank = self.bank(model, operation)?;
        self.send_model(bank)
    }

    /// Sends the current model with its knobs turned ([`LoadedModel::with_knobs`]). It runs unheard at first and fades in
    /// linearly, so that turning a knob makes no sound of its own; see [`Bank::following`].
    ///
    /// # Errors
    /// As [`load_model`](Self::load_model); [`Error::Busy`] while eight changes wait: send only the latest position.
    pub fn turn_knobs(&mut self, model: &LoadedModel, operation: Operation) -> Result<()> {
        let bank = self.bank(model, operation)?;
        self.send_model(bank.following())
    }

    fn bank(&self, model: &LoadedModel, operation: Operation) -> Result<Bank> {
        let operation = Operation { sample_rate: self.sample_rate, ..operation };
        let streams =
            (0..self.n_channels).map(|_| build_stream(model, operation)).collect::<Result<Vec<_>>>()?;
        Bank::new(streams, ModelLevels::from_capture(&model.capture()))
    }

    /// Sends any streams as the model, one for each channel, at the rate of the chain; [`Bank::passing`] removes the model.
    ///
    /// # Errors
    /// As [`SlotSender::send`].
    pub fn send_model(&mut self, bank: Bank) -> Result<()> {
        let latency = bank.latency();
        self.models.send(bank)?;
        self.latency = latency;
        Ok(())
    }

    /// Sets a minimum latency, so that changing to a model of shorter latency, or to none, does not shift the audio and the
    /// host need not be told. 0, the initial value, gives the latency of the model.
    ///
    /// # Errors
    /// More than 32768 samples.
    ///
    /// # Example
    ///
    /// ```
    /// use neurdsp_rt::AmpChain;
    ///
    /// let (_chain, handle) = AmpChain::new(48_000.0, 2)?;
    /// handle.hold_latency(162)?; // that of models that are twice or four times oversampled
    /// assert_eq!(handle.latency(), 162);
    /// # Ok::<(), neurdsp_rt::Error>(())
    /// ```
    pub fn hold_latency(&self, samples: usize) -> Result<()> {
        self.models.hold_latency(samples)
    }

    /// Sends an impulse response, which fades in; see [`ImpulseResponse::prepared`].
    ///
    /// # Errors
    /// As [`ImpulseResponse::bank`] and [`SlotSender::send`].
    pub fn load_cabinet(&mut self, response: &ImpulseResponse, normalise: bool) -> Result<()> {
        self.cabinets.send(response.bank(self.sample_rate, self.n_channels, normalise)?)
    }

    /// Removes the cabinet.
    ///
    /// # Errors
    /// As [`SlotSender::send`].
    pub fn remove_cabinet(&mut self) -> Result<()> {
        self.cabinets.send(Bank::passing())
    }

    /// The latency in samples to report to the host: that of the last model sent, or the minimum that is set.
    #[must_use]
    pub fn latency(&self) -> usize {
        self.latency.max(self.models.held_latency())
    }

    /// The settings, which any thread may change.
    #[must_use]
    pub fn settings(&self) -> &Arc<SharedSettings> {
        &self.shared
    }

    /// The times of the audio thread, which any thread may read.
    #[must_use]
    pub fn monitor(&self) -> &Arc<Monitor> {
        &self.monitor
    }

    /// Sets the fade-in time of models and cabinets sent from now on, in milliseconds, 0 to 10 000.
    pub fn set_fade_ms(&self, fade_ms: f64) {
        let samples = (fade_ms.clamp(0.0, 10_000.0) * 1e-3 * self.sample_rate) as u32;
        self.models.set_fade(samples);
        self.cabinets.set_fade(samples);
    }

    /// Frees the banks that have faded out, and returns their number. Sending does it too; call it now and then otherwise.
    pub fn collect(&mut self) -> usize {
        self.models.collect() + self.cabinets.collect()
    }
}
