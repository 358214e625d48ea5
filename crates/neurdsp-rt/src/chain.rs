//! The signal path from instrument to loudspeaker: gain, gate, model, DC block, tone, cabinet, level and mix.

use crate::error::{Error, Result};
use crate::handle::ChainHandle;
use crate::levels::ModelLevels;
use crate::monitor::Monitor;
use crate::parameters::{ChainSettings, Parameter, SharedSettings};
use crate::planes::{MAX_CHUNK, Planes};
use crate::slot::{Slot, slot};
use crate::switch::Switch;
use neurdsp_dsp::live::{
    DcBlock, Delay, GateSettings, LiveBlock, NoiseGate, Ramp, ToneStack, clean, db_to_gain,
};
use neurdsp_simd::FlushDenormals;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest latency of a model, in samples, which the dry signal can be delayed by.
const MAX_LATENCY: usize = 1 << 15;
/// The length of changes of gains and switches.
const RAMP_MS: f64 = 20.0;
/// The cut-off of the DC block.
const DC_BLOCK_HZ: f64 = 5.0;

/// The convolver of a cabinet keeps samples for up to two of its longest partitions more than the response lasts.
const LONGEST_PARTITION: usize = 2 * 4096;

/// The most channels of a chain.
const MAX_CHANNELS: usize = 64;

/// A chain of effects around an amp model, for one or several channels.
///
/// Input gain → gate → model → DC block → tone stack → cabinet → output gain → mix with the input. Each part can be
/// switched off during playback, with a fade of 20 ms and no change of latency. Channels share weights and settings, and
/// have a state each.
///
/// No part plays what it heard before it was switched off: gate, DC block and tone stack run while they are off; the cabinet
/// hears silence until its tail is over; the model starts from rest, and fades in after its latency. The DC block takes off
/// what the model puts out at rest before it filters, so that neither a start nor a new model is heard through it.
///
/// Samples of a model or a cabinet that are not finite, or over 120 dB of full scale, count as zero;
/// [`Monitor::dropped_samples`] counts them.
///
/// [`process`](Self::process) neither allocates nor locks, whatever the samples and the size of the block. The output is the
/// same bit for bit however the audio is cut into blocks; changes take effect at the start of a block.
///
/// # Example
///
/// ```no_run
/// use neurdsp_rt::{AmpChain, ImpulseResponse, Operation, Parameter};
///
/// let (mut chain, mut handle) = AmpChain::new(48_000.0, 2)?; // stereo
/// handle.load_model(&neurdsp_models::load("amp.safetensors")?, Operation::at(48_000.0))?;
/// handle.load_cabinet(&ImpulseResponse::load("cabinet.wav")?, true)?;
/// handle.settings().set(Parameter::TrebleDb, 3.0);
///
/// // On the audio thread:
/// let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
/// chain.process(&mut [&mut left, &mut right]);
/// # Ok::<(), neurdsp_rt::Error>(())
/// ```
#[derive(Debug)]
pub struct AmpChain {
    sample_rate: f64,
    settings: ChainSettings,
    shared: Arc<SharedSettings>,
    version: u64,
    monitor: Arc<Monitor>,
    input_gain: Ramp,
    gate: Switch,
    gates: Vec<NoiseGate>,
    model: Switch,
    models: Slot,
    /// Delays of the path around the model, and of the dry signal for the mix.
    model_delays: Vec<Delay>,
    dry_delays: Vec<Delay>,
    tone: Switch,
    tones: Vec<ToneStack>,
    cabinet: Switch,
    cabinets: Slot,
    /// Samples of silence that the cabinet has heard since it was switched off.
    cabinet_silence: usize,
    dc_block: Switch,
    dc_blocks: Vec<DcBlock>,
    output_gain: Ramp,
    mix: Switch,
    planes: Planes,
    before: Planes,
    dry: Planes,
    /// What the model's stage puts out at rest, one channel; and silence.
    rest: Planes,
    silence: Planes,
}

impl AmpChain {
    /// A chain without model and cabinet, at a sample rate in Hz, with its handle.
    ///
    /// # Errors
    /// A sample rate outside 8 to 768 kHz, or `n_channels` outside 1 to 64.
    pub fn new(sample_rate: f64, n_channels: usize) -> Result<(AmpChain, ChainHandle)> {
        if !(1..=MAX_CHANNELS).contains(&n_channels) {
            let allowed = format!("it must be 1 to {MAX_CHANNELS}");
            return Err(Error::parameter("n_channels", n_channels, allowed));
        }
        let gate = NoiseGate::new(sample_rate, GateSettings::default())?;
        let ramp_samples = (RAMP_MS * 1e-3 * sample_rate) as u32;
        let delay = Delay::new(0, MAX_LATENCY, ramp_samples)?;
        let settings = ChainSettings::default();
        let shared = Arc::new(SharedSettings::new(&settings));
        let monitor = Arc::new(Monitor::new());
        let (models, model_slot) = slot(n_channels, ramp_samples, MAX_LATENCY)?;
        let (cabinets, cabinet_slot) = slot(n_channels, ramp_samples, 0)?;
        let ramp = |value: f32| Ramp::new(value, ramp_samples);
        let switch = |share: f32| Switch::new(share, ramp_samples);
        let chain = AmpChain {
            sample_rate,
            settings,
            shared: Arc::clone(&shared),
            version: 0,
            monitor: Arc::clone(&monitor),
            input_gain: ramp(1.0),
            gate: switch(0.0),
            gates: vec![gate; n_channels],
            model: switch(1.0),
            models: model_slot,
            model_delays: vec![delay.clone(); n_channels],
            dry_delays: vec![delay; n_channels],
            tone: switch(1.0),
            tones: vec![ToneStack::new(sample_rate)?; n_channels],
            cabinet: switch(1.0),
            cabinets: cabinet_slot,
            cabinet_silence: 0,
            dc_block: switch(1.0),
            dc_blocks: vec![DcBlock::new(sample_rate, DC_BLOCK_HZ)?; n_channels],
            output_gain: ramp(1.0),
            mix: switch(1.0),
            planes: Planes::new(n_channels),
            before: Planes::new(n_channels),
            dry: Planes::new(n_channels),
            rest: Planes::new(1),
            silence: Planes::new(1),
        };
        let handle = ChainHandle { sample_rate, n_channels, shared, monitor, models, cabinets, latency: 0 };
        Ok((chain, handle))
    }

    /// The latency in samples, which is that of the model at this rate. While models of different latencies fade it is the
    /// longer one; see [`ChainHandle::hold_latency`].
    #[must_use]
    pub fn latency(&self) -> usize {
        self.models.latency()
    }

    /// The receptive field of model and cabinet, in samples; filters ring longer.
    #[must_use]
    pub fn receptive_field(&self) -> usize {
        self.models.receptive_field().saturating_add(self.cabinets.receptive_field())
    }

    /// Whether the gate is open, which it always is while switched off.
    #[must_use]
    pub fn gate_is_open(&self) -> bool {
        let mut playing = self.gates.iter().take(self.planes.n_channels());
        !self.settings.is_on(Parameter::GateOn) || playing.any(NoiseGate::is_passing)
    }

    /// Whether a model or a cabinet is fading in.
    #[must_use]
    pub fn is_fading(&self) -> bool {
        self.models.is_fading() || self.cabinets.is_fading()
    }

    /// Plays only the first `n_channels` channels from the next sample on, or more of them again: at least one, at most those
    /// of the chain. The others cost nothing and are left as they are; one that begins again has forgotten its signal.
    pub fn set_channels(&mut self, n_channels: usize) {
        let (before, n_channels) = (self.planes.n_channels(), n_channels.clamp(1, self.gates.len()));
        for index in before..n_channels {
            self.gates[index].reset();
            self.tones[index].reset();
            self.dc_blocks[index].reset();
            self.model_delays[index].reset();
            self.dry_delays[index].reset();
            self.models.reset_channel(index);
            self.cabinets.reset_channel(index);
        }
        for planes in [&mut self.planes, &mut self.before, &mut self.dry] {
            planes.set_n_channels(n_channels);
        }
    }

    /// Changes the settings from the audio thread itself, from the next sample on. The handle's settings stay as they are;
    /// the next change there replaces these.
    pub fn set(&mut self, settings: &ChainSettings) {
        self.settings = *settings;
        let s = &self.settings;
        let share = |switch: Parameter| if s.is_on(switch) { 1.0 } else { 0.0 };
        self.input_gain.set(db_to_gain(s.get(Parameter::InputGainDb)));
        self.output_gain.set(db_to_gain(s.get(Parameter::OutputGainDb)));
        self.gate.set(share(Parameter::GateOn));
        if self.model.is_off() && s.is_on(Parameter::ModelOn) {
            // It was not run, so what it remembers is old.
            self.models.reset();
            self.model.listen(self.models.latency());
        }
        self.model.set(share(Parameter::ModelOn));
        self.tone.set(share(Parameter::ToneOn));
        self.cabinet.set(share(Parameter::CabinetOn));
        self.dc_block.set(share(Parameter::DcBlockOn));
        self.mix.set(s.get(Parameter::Mix));
        self.gates.iter_mut().for_each(|gate| gate.set(s.gate()));
        self.tones.iter_mut().for_each(|tone| tone.set(s.tone()));
    }

    /// Plays the next samples of every channel in place, up to the length of the shortest. Channels beyond those of the chain
    /// are left as they are; missing ones count as silent.
    pub fn process(&mut self, channels: &mut [&mut [f32]]) {
        let start = Instant::now();
        let _guard = FlushDenormals::new();
        let length = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
        self.update();
        let mut at = 0;
        while at < length {
            let count = MAX_CHUNK.min(length - at);
            self.planes.set_len(count);
            for (index, plane) in self.planes.channels_mut().enumerate() {
                match channels.get(index) {
                    Some(channel) => {
                        let samples = channel[at..at + count].iter();
                        plane.iter_mut().zip(samples).for_each(|(to, sample)| *to = clean(*sample));
                    }
                    None => plane.fill(0.0),
                }
            }
            self.play();
            for (index, channel) in channels.iter_mut().enumerate().take(self.planes.n_channels()) {
                channel[at..at + count].copy_from_slice(self.planes.channel(index));
            }
            at += count;
        }
        if length > 0 {
            let budget = Duration::from_secs_f64(length as f64 / self.sample_rate);
            self.monitor.record(start.elapsed(), budget);
        }
    }

    /// Receives the changes that other threads have sent.
    fn update(&mut self) {
        if let Some(settings) = self.shared.changed_since(&mut self.version) {
            self.set(&settings);
        }
        self.models.receive();
        self.cabinets.receive();
        self.align();
        let interface_dbu = f64::from(self.settings.get(Parameter::InterfaceLevelDbu));
        let calibrate = self.settings.is_on(Parameter::CalibrateInput);
        let mode = self.settings.output_mode();
        self.models.set_gains(|levels: &ModelLevels| {
            let before = if calibrate { levels.input_gain_db(interface_dbu) } else { 0.0 };
            [before, levels.output_gain_db(mode, interface_dbu)]
        });
    }

    /// Delays the paths around the model by its latency.
    fn align(&mut self) {
        let latency = self.models.latency();
        for delay in self.model_delays.iter_mut().chain(&mut self.dry_delays) {
            delay.set(latency);
        }
    }

    /// Plays one chunk.
    fn play(&mut self) {
        let planes = &mut self.planes;
        self.dry.copy_from(planes);
        delay_all(&mut self.dry_delays, &mut self.dry);

        planes.scale(&mut self.input_gain);

        self.before.copy_from(planes);
        each(&mut self.gates, planes);
        self.gate.blend(&self.before, planes);

        self.before.copy_from(planes);
        delay_all(&mut self.model_delays, &mut self.before);
        run(&mut self.models, planes, self.model.needed(planes.len()));
        let mut dropped = planes.clean();
        self.rest.copy_from(self.models.rest());
        self.rest.set_len(planes.len());
        self.silence.set_len(planes.len());
        self.model.clone().blend(&self.silence, &mut self.rest);
        self.model.blend(&self.before, planes);

        self.before.copy_from(planes);
        planes.subtract(&self.rest);
        each(&mut self.dc_blocks, planes);
        self.dc_block.blend(&self.before, planes);

        self.before.copy_from(planes);
        each(&mut self.tones, planes);
        self.tone.blend(&self.before, planes);

        self.before.copy_from(planes);
        let needed = self.cabinet.needed(planes.len());
        run_out(&mut self.cabinets, planes, needed, &mut self.cabinet_silence);
        dropped += planes.clean();
        self.cabinet.blend(&self.before, planes);
        self.monitor.drop_samples(dropped);

        planes.scale(&mut self.output_gain);
        self.mix.blend(&self.dry, planes);
    }

    /// Forgets the signal, and completes every change in progress.
    pub fn reset(&mut self) {
        self.update();
        self.models.reset();
        self.cabinets.reset();
        self.cabinet_silence = usize::MAX;
        self.align();
        self.gates.iter_mut().for_each(NoiseGate::reset);
        self.tones.iter_mut().for_each(ToneStack::reset);
        self.dc_blocks.iter_mut().for_each(DcBlock::reset);
        self.model_delays.iter_mut().chain(&mut self.dry_delays).for_each(Delay::reset);
        let switches =
            [&mut self.gate, &mut self.model, &mut self.tone, &mut self.cabinet, &mut self.dc_block];
        switches.into_iter().chain([&mut self.mix]).for_each(Switch::finish);
        for ramp in [&mut self.input_gain, &mut self.output_gain] {
            ramp.snap(ramp.target());
        }
    }
}

fn each<B: LiveBlock>(blocks: &mut [B], planes: &mut Planes) {
    for (block, channel) in blocks.iter_mut().zip(planes.channels_mut()) {
        block.process(channel);
    }
}

fn delay_all(delays: &mut [Delay], planes: &mut Planes) {
    each(delays, planes);
}

/// Plays the first `needed` samples. A part that is switched off is not run.
fn run(slot: &mut Slot, planes: &mut Planes, needed: usize) {
    if needed == 0 {
        // A fade would be inaudible.
        return slot.finish();
    }
    let len = planes.len();
    planes.set_len(needed);
    slot.play(planes);
    planes.set_len(len);
}

/// As [`run`], but a part that is switched off hears silence for as long as it remembers, counted in `silence`. That costs no
/// more than playing it, while clearing a long memory at once could take longer than a block lasts.
fn run_out(slot: &mut Slot, planes: &mut Planes, needed: usize, silence: &mut usize) {
    if needed == planes.len() {
        *silence = 0;
        return slot.play(planes);
    }
    if needed > 0 {
        *silence = 0;
    }
    let left = slot.receptive_field().saturating_add(LONGEST_PARTITION).saturating_sub(*silence);
    if left == 0 && needed == 0 {
        return slot.finish();
    }
    let len = planes.len();
    let more = left.min(len - needed);
    planes.channels_mut().for_each(|channel| channel[needed..].fill(0.0));
    planes.set_len(needed + more);
    slot.play(planes);
    planes.set_len(len);
    *silence += more;
}
