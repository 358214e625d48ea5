//! What a slot plays: the streams of one model, and the gains and delays that belong to it.

use crate::error::{Error, Result};
use crate::levels::ModelLevels;
use crate::planes::Planes;
use neurdsp_dsp::live::{Delay, LiveBlock, Ramp, clean, db_to_gain};
use neurdsp_models::StreamingModel;

/// The longest time that a bank runs unheard, in samples.
const MAX_LISTENING: usize = 48_000;

/// What a slot plays: one stream for each channel, all of one model, and the gains that belong to it.
pub struct Bank {
    streams: Vec<Box<dyn StreamingModel>>,
    levels: ModelLevels,
    latency: usize,
    /// What it puts out after silence for ever, before the gain.
    rest: f32,
    /// Delays to the latency of its slot; empty in a slot without latency.
    delays: Vec<Delay>,
    input_gain: Ramp,
    output_gain: Ramp,
    has_gains: bool,
    /// For a bank that continues the previous one: the samples that it runs unheard, until both have the same past.
    follows: Option<u32>,
}

impl std::fmt::Debug for Bank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Bank { streams, levels, latency, .. } = self;
        write!(f, "Bank {{ {} streams, {levels:?}, latency {latency} }}", streams.len())
    }
}

impl Bank {
    /// One stream for each channel; they must have the same latency.
    ///
    /// # Errors
    /// There is none, or latencies differ.
    pub fn new(streams: Vec<Box<dyn StreamingModel>>, levels: ModelLevels) -> Result<Bank> {
        let Some(latency) = streams.first().map(|stream| stream.latency()) else {
            return Err(Error::parameter("streams", "empty", "there must be one for each channel"));
        };
        if let Some(other) = streams.iter().find(|stream| stream.latency() != latency) {
            let allowed = format!("all channels must have that of the first, {latency}");
            return Err(Error::parameter("the latency of a channel", other.latency(), allowed));
        }
        Ok(Bank { streams, latency, ..Bank::through(levels) })
    }

    /// A bank that passes the signal unchanged.
    #[must_use]
    pub fn passing() -> Bank {
        Bank::through(ModelLevels::default())
    }

    fn through(levels: ModelLevels) -> Bank {
        let unity = Ramp::new(1.0, 1024);
        let (input_gain, output_gain) = (unity.clone(), unity);
        let (streams, delays) = (Vec::new(), Vec::new());
        Bank {
            streams,
            levels,
            latency: 0,
            rest: 0.0,
            delays,
            input_gain,
            output_gain,
            has_gains: false,
            follows: None,
        }
    }

    /// Marks it as the current model with a knob turned: it runs unheard for a receptive field (a second at most), so that
    /// its start is not audible, and fades in linearly, because the two signals are alike.
    #[must_use]
    pub fn following(mut self) -> Bank {
        self.follows = Some(self.receptive_field().min(MAX_LISTENING) as u32);
        self
    }

    /// By how many samples its output lags behind.
    #[must_use]
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// How many streams it has: one for each channel, or none if it passes the signal.
    pub(crate) fn n_streams(&self) -> usize {
        self.streams.len()
    }

    /// How many samples back its output depends on the input.
    pub(crate) fn receptive_field(&self) -> usize {
        self.streams.iter().map(|stream| stream.receptive_field()).max().unwrap_or(0)
    }

    pub(crate) fn levels(&self) -> &ModelLevels {
        &self.levels
    }

    /// How many samples it runs unheard, if it [follows](Self::following) the previous bank.
    pub(crate) fn follows(&self) -> Option<u32> {
        self.follows
    }

    /// Brings it to rest, and learns what it puts out there.
    pub(crate) fn prewarm(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.prewarm());
        if let Some(stream) = self.streams.first_mut() {
            let mut output = [0.0];
            stream.process(&[0.0], &mut output);
            self.rest = clean(output[0]);
            stream.prewarm();
        }
    }

    /// Forgets the signal.
    pub(crate) fn reset(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.reset());
        self.delays.iter_mut().for_each(|delay| delay.settle(self.rest));
    }

    /// Forgets the signal of one channel.
    pub(crate) fn reset_channel(&mut self, index: usize) {
        if let Some(stream) = self.streams.get_mut(index) {
            stream.reset();
        }
        if let Some(delay) = self.delays.get_mut(index) {
            delay.reset();
        }
    }

    /// Adds delay lines for a latency of up to `max_latency`, which change over `ramp` samples.
    pub(crate) fn with_delays(mut self, n_channels: usize, max_latency: usize, ramp: u32) -> Result<Bank> {
        if max_latency > 0 {
            let mut delay = Delay::new(0, max_latency, ramp)?;
            delay.settle(self.rest);
            self.delays = vec![delay; n_channels];
        }
        Ok(self)
    }

    /// Delays it to `latency`, which is at least its own; tells whether that is a change.
    pub(crate) fn delay_to(&mut self, latency: usize, at_once: bool) -> bool {
        let samples = latency - self.latency;
        let changes = self.delays.iter().any(|delay| delay.samples() != samples);
        for delay in &mut self.delays {
            if at_once { delay.snap(samples) } else { delay.set(samples) }
        }
        changes
    }

    /// Sets the gains in dB: the first time at once, later over 1024 samples.
    pub(crate) fn set_gains(&mut self, gains_db: [f64; 2]) {
        for (ramp, db) in [&mut self.input_gain, &mut self.output_gain].into_iter().zip(gains_db) {
            let gain = db_to_gain(db as f32);
            if self.has_gains { ramp.set(gain) } else { ramp.snap(gain) }
        }
        self.has_gains = true;
    }

    /// Plays `planes` in place; `scratch` has as many channels. `rest` becomes what it would put out at rest: one channel.
    pub(crate) fn process(&mut self, planes: &mut Planes, scratch: &mut Planes, rest: &mut Planes) {
        planes.scale(&mut self.input_gain);
        if !self.streams.is_empty() {
            scratch.copy_from(planes);
            for (index, stream) in self.streams.iter_mut().enumerate().take(planes.n_channels()) {
                stream.process(scratch.channel(index), planes.channel_mut(index));
            }
        }
        for (delay, channel) in self.delays.iter_mut().zip(planes.channels_mut()) {
            delay.process(channel);
        }
        rest.set_len(planes.len());
        rest.channel_mut(0).fill(self.rest);
        rest.scale(&mut self.output_gain.clone());
        planes.scale(&mut self.output_gain);
    }
}
