//! The plugin. Its audio thread plays the chain; nothing that `process` reaches allocates, locks or waits, but for offline
//! renders.

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;

use neurdsp_rt::{AmpChain, ChainSettings};
use nice_plug::prelude::*;

use super::editor::AmpEditor;
use super::follower::Follower;
use super::identity::CLAP_ID;
use super::input::Input;
use super::loader::Loader;
use super::params::{AmpParams, Preparation};
use super::shared::Shared;
use crate::audio::{Ceiling, Level, Mute, Rest, is_silent};
use crate::instance::Instance;
use crate::shell::{Player, Shell};

/// The length of fades of inputs and of the ceiling, in seconds.
const RAMP_S: f64 = 0.02;

/// The plugin.
pub(crate) struct AmpPlayer {
    instance: Arc<Instance<AmpParams>>,
    shared: Arc<Shared>,
    loader: Loader,
    chain: Option<AmpChain>,
    settings: ChainSettings,
    input: Input,
    ceiling: Ceiling,
    latency: u32,
    follower: Follower,
    /// Prepares the model again.
    worker: Option<Thread>,
    rest: Rest,
    mute: Mute,
    /// In Hz.
    sample_rate: usize,
}

impl AmpPlayer {
    /// Tells the host the latency, if it has changed.
    fn report_latency(&mut self, report: impl FnOnce(u32)) {
        let latency = self.chain.as_ref().map_or(0, AmpChain::latency) as u32;
        if std::mem::replace(&mut self.latency, latency) != latency {
            report(latency);
        }
    }

    /// Tells the host for how long sound may go on.
    fn report_tail(&self) {
        let tail = self.chain.as_ref().map_or(0, |chain| chain.latency() + memory(chain, self.sample_rate));
        self.instance.link.set_tail_samples(tail);
    }

    /// Passes the sound on, at a sample rate that the engine does not play. Hosts offer such rates only to see what happens.
    fn pass(&self, channels: &mut [&mut [f32]]) {
        if let ([first, rest @ ..], true) = (channels, self.input.is_mono()) {
            rest.iter_mut().for_each(|channel| channel.copy_from_slice(first));
        }
    }

    /// The preparation of the model that the parameters ask for.
    fn wanted(&self) -> Preparation {
        self.instance.params.preparation(self.shared.n_knobs.load(Ordering::Relaxed))
    }

    /// Plays a block, in the parts that the follower returns.
    fn play(&mut self, channels: &mut [&mut [f32]], wanted: &Preparation) {
        let Some(chain) = &mut self.chain else { return };
        let wake = || {
            if let Some(worker) = &self.worker {
                worker.unpark();
            }
        };
        let len = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let mut at = 0;
        self.follower.begin_block(self.instance.link.is_offline(), &self.shared.requests);
        // An empty block is played too: the chain receives new models with it.
        loop {
            let (is_fading, requests) = (chain.is_fading(), &self.shared.requests);
            let part = self.follower.next(wanted, at..len, is_fading, requests, wake);
            if part.resets {
                chain.reset();
            }
            at = part.samples.end;
            play_part(chain, channels, part.samples);
            if at >= len {
                break;
            }
        }
    }
}

/// Samples after which the chain has forgotten its input: its receptive field, and a second in which its filters decay.
fn memory(chain: &AmpChain, sample_rate: usize) -> usize {
    chain.receptive_field().saturating_add(sample_rate)
}

/// The louder of up to two channels: a guitar may be on either.
fn louder<'a>(channels: &'a [&mut [f32]]) -> Option<&'a [f32]> {
    let peak = |channel: &[f32]| channel.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    match channels {
        [left, right, ..] if peak(right) > peak(left) => Some(right),
        [first, ..] => Some(first),
        [] => None,
    }
}

/// Shows the level of up to two channels.
fn show(level: &Level, channels: &[&mut [f32]]) {
    channels.iter().take(2).for_each(|channel| level.update(channel));
}

/// Plays a part of a block. Slicing any number of channels would allocate, so there is a case for each layout.
fn play_part(chain: &mut AmpChain, channels: &mut [&mut [f32]], part: Range<usize>) {
    match channels {
        [mono] => chain.process(&mut [&mut mono[part]]),
        [left, right, ..] => chain.process(&mut [&mut left[part.clone()], &mut right[part]]),
        [] => {}
    }
}

const fn layout(inputs: u32, outputs: u32) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: NonZeroU32::new(inputs),
        main_output_channels: NonZeroU32::new(outputs),
        ..AudioIOLayout::const_default()
    }
}

impl Player for AmpPlayer {
    const CLAP_ID: &'static str = CLAP_ID;
    const DESCRIPTION: &'static str = "Plays neural models of amps and pedals";
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::AudioEffect, ClapFeature::Stereo, ClapFeature::Mono, ClapFeature::Distortion];
    const VST3_CATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Fx, Vst3SubCategory::Distortion];
    const LAYOUTS: &'static [AudioIOLayout] = &[layout(2, 2), layout(1, 2), layout(1, 1)];

    type Sound = Loader;
    type Contents = AmpEditor;

    fn new(instance: &Arc<Instance<AmpParams>>) -> AmpPlayer {
        let shared = Arc::default();
        let loader = Loader::new(instance, &shared);
        AmpPlayer {
            instance: Arc::clone(instance),
            shared,
            loader,
            chain: None,
            settings: ChainSettings::default(),
            input: Input::new(true, 0, 0),
            ceiling: Ceiling::new(0),
            latency: 0,
            follower: Follower::default(),
            worker: None,
            rest: Rest::default(),
            mute: Mute::default(),
            sample_rate: 0,
        }
    }

    fn window(&self) -> (Loader, AmpEditor) {
        (self.loader.clone(), AmpEditor::new(&self.shared))
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        tell_latency: impl FnOnce(u32),
    ) -> bool {
        let n_channels = layout.main_output_channels.map_or(1, NonZeroU32::get) as usize;
        let n_inputs = layout.main_input_channels.map_or(0, NonZeroU32::get) as usize;
        let sample_rate = f64::from(config.sample_rate);
        let ramp_samples = (RAMP_S * sample_rate) as u32;
        self.sample_rate = sample_rate as usize;
        self.input = Input::new(n_inputs == n_channels, self.sample_rate, ramp_samples);
        self.ceiling = Ceiling::new(ramp_samples);
        let (chain, handle) = match AmpChain::new(sample_rate, n_channels) {
            Ok(parts) => parts,
            Err(error) => {
                self.deactivate();
                self.instance.tasks.refuse(format!("{error}; the sound passes unchanged"));
                self.report_latency(tell_latency);
                self.report_tail();
                return true;
            }
        };
        self.shared.sample_rate_hz.store(sample_rate as u32, Ordering::Relaxed);
        self.instance.cpu.watch(Arc::clone(handle.monitor()), sample_rate, config.max_buffer_size as usize);
        handle.settings().store(&self.instance.params.settings());
        // Not in the background: the first block of an offline render must have the model.
        self.worker = self.loader.attach(handle, sample_rate);
        self.chain = Some(chain);
        self.mute.start(config.sample_rate);
        self.follower.start();
        self.reset();
        self.report_latency(tell_latency);
        self.report_tail();
        true
    }

    fn reset(&mut self) {
        self.settings = self.instance.params.settings();
        self.rest.wake();
        self.follower.reset();
        self.ceiling.set(self.instance.params.has_ceiling());
        self.ceiling.finish();
        if let Some(chain) = &mut self.chain {
            chain.set(&self.settings);
            chain.reset();
            self.input.reset(self.instance.params.input_channels.value(), chain);
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _outputs: &mut [Buffer],
        context: &mut impl ProcessContext<Shell<Self>>,
    ) {
        let settings = self.instance.params.settings();
        let changed = settings != std::mem::replace(&mut self.settings, settings);
        let wanted = self.wanted();
        let choice = self.instance.params.input_channels.value();
        let channels = buffer.as_slice();
        let Some(chain) = &mut self.chain else {
            self.pass(channels);
            return;
        };
        let is_choosing = self.input.is_changing(choice);
        self.input.take(choice, chain, channels);
        show(&self.shared.input, channels);
        if let Some(channel) = louder(channels) {
            self.shared.tuner.write(channel);
        }
        if changed {
            chain.set(&settings);
        }
        if changed || is_choosing || self.follower.is_behind(&wanted) {
            self.rest.wake();
        }
        let was_silent = is_silent(channels);
        if was_silent && self.rest.may_skip(memory(chain, self.sample_rate)) {
            self.follower.skip(channels.first().map_or(0, |channel| channel.len()));
            return;
        }
        self.play(channels, &wanted);
        self.input.spread(channels);
        self.ceiling.set(self.instance.params.has_ceiling());
        self.ceiling.process(channels);
        let Some(chain) = &self.chain else { return };
        self.rest.played(was_silent && !chain.is_fading(), channels);
        // A render in a file is never muted.
        let is_muted = self.shared.muted.load(Ordering::Relaxed) && !self.instance.link.is_offline();
        self.mute.process(channels, is_muted);
        self.shared.gate_open.store(chain.gate_is_open(), Ordering::Relaxed);
        show(&self.shared.output, channels);
        self.instance.repaint.request();
        self.report_latency(|samples| context.set_latency_samples(samples));
        self.report_tail();
    }

    fn deactivate(&mut self) {
        self.loader.detach();
        self.chain = None;
    }
}
