//! The plugin. Its audio thread plays the mixer; nothing that `process` reaches allocates, locks or waits.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use neurdsp_rt::{Monitor, StemMixer};
use nice_plug::prelude::*;

use super::editor::DrumEditor;
use super::identity::CLAP_ID;
use super::loader::Loader;
use super::params::DrumParams;
use super::shared::Shared;
use super::strips::{STEMS, STRIPS, TITLES};
use crate::audio::BlockTimer;
use crate::instance::Instance;
use crate::shell::{Player, Shell};

/// The plugin.
pub(crate) struct DrumPlayer {
    instance: Arc<Instance<DrumParams>>,
    shared: Arc<Shared>,
    loader: Loader,
    mixer: Option<StemMixer>,
    monitor: Arc<Monitor>,
    /// In Hz.
    sample_rate: f64,
    /// Whether there is one input.
    is_mono: bool,
}

impl DrumPlayer {
    /// The latency, which the window is told.
    fn latency(&self) -> u32 {
        let latency = self.mixer.as_ref().map_or(0, StemMixer::latency) as u32;
        self.shared.latency_samples.store(latency, Ordering::Relaxed);
        latency
    }

    /// Tells the host for how long sound may go on.
    fn report_tail(&self) {
        self.instance
            .link
            .set_tail_samples(self.mixer.as_ref().map_or(0, |mixer| tail(mixer, self.sample_rate)));
    }

    /// Moves every gain to where its fader is.
    fn follow_faders(&mut self) {
        let Some(mixer) = &mut self.mixer else { return };
        for (index, gain) in self.instance.params.gains().into_iter().enumerate() {
            mixer.set_gain(index, gain);
        }
        mixer.set_level(self.instance.params.level());
        mixer.set_bypass(self.instance.params.bypass.value());
    }
}

/// Samples after which silence is silent at every output: the latency, and a second for what the network has seen before. Its
/// masks remember longer, but there is nothing left to mask.
fn tail(mixer: &StemMixer, sample_rate: f64) -> usize {
    mixer.latency() + mixer.receptive_field().min(sample_rate as usize)
}

/// Passes the sound on, at a sample rate that the engine does not play. Hosts offer such rates only to see what happens.
fn pass(channels: &mut [&mut [f32]], is_mono: bool) {
    if let ([first, rest @ ..], true) = (channels, is_mono) {
        rest.iter_mut().for_each(|channel| channel.copy_from_slice(first));
    }
}

/// Plays a block in place, and the strips to the further outputs.
fn play(
    mixer: &mut StemMixer,
    shared: &Shared,
    main: &mut [&mut [f32]],
    outputs: &mut [Buffer],
    is_mono: bool,
) {
    let len = main.iter().map(|channel| channel.len()).min().unwrap_or(0);
    let mut at = 0;
    while at < len {
        let count = match &*main {
            [] => return,
            [only] => mixer.play(&only[at..len], &only[at..len]),
            [left, ..] if is_mono => mixer.play(&left[at..len], &left[at..len]),
            [left, right, ..] => mixer.play(&left[at..len], &right[at..len]),
        };
        for (side, channel) in main.iter_mut().enumerate().take(2) {
            channel[at..at + count].copy_from_slice(mixer.mix(side));
            shared.master[side].update(mixer.mix(side));
        }
        for (index, levels) in shared.strips.iter().enumerate() {
            for (level, samples) in levels.iter().zip(mixer.output(index)) {
                level.update(samples);
            }
        }
        for (index, output) in outputs.iter_mut().enumerate().take(STRIPS) {
            for (channel, samples) in output.as_slice().iter_mut().zip(mixer.output(index)) {
                if let Some(part) = channel.get_mut(at..at + count) {
                    part.copy_from_slice(samples);
                }
            }
        }
        at += count;
    }
}

const STEREO: NonZeroU32 = new_nonzero_u32(2);
const MONO: NonZeroU32 = new_nonzero_u32(1);

const fn layout(inputs: NonZeroU32, outputs: NonZeroU32, strips: &'static [NonZeroU32]) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: Some(inputs),
        main_output_channels: Some(outputs),
        aux_output_ports: strips,
        names: PortNames { aux_outputs: &TITLES, ..PortNames::const_default() },
        ..AudioIOLayout::const_default()
    }
}

impl Player for DrumPlayer {
    const CLAP_ID: &'static str = CLAP_ID;
    const DESCRIPTION: &'static str = "Takes drum recordings apart as they play";
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::AudioEffect, ClapFeature::Stereo, ClapFeature::Mono, ClapFeature::Mixing];
    const VST3_CATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Fx, Vst3SubCategory::Tools];
    const LAYOUTS: &'static [AudioIOLayout] = &[
        layout(STEREO, STEREO, &[STEREO; STRIPS]),
        layout(MONO, STEREO, &[STEREO; STRIPS]),
        layout(MONO, MONO, &[MONO; STRIPS]),
    ];

    type Sound = Loader;
    type Contents = DrumEditor;

    fn new(instance: &Arc<Instance<DrumParams>>) -> DrumPlayer {
        let shared = Arc::default();
        let loader = Loader::new(instance, &shared);
        DrumPlayer {
            instance: Arc::clone(instance),
            shared,
            loader,
            mixer: None,
            monitor: Arc::default(),
            sample_rate: 0.0,
            is_mono: false,
        }
    }

    fn window(&self) -> (Loader, DrumEditor) {
        (self.loader.clone(), DrumEditor::new(&self.shared))
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        tell_latency: impl FnOnce(u32),
    ) -> bool {
        self.is_mono = layout.main_input_channels == Some(MONO);
        self.sample_rate = f64::from(config.sample_rate);
        self.shared.sample_rate_hz.store(config.sample_rate as u32, Ordering::Relaxed);
        match StemMixer::new(self.sample_rate, STEMS) {
            Ok((mixer, handle)) => {
                self.monitor = Arc::clone(handle.monitor());
                let max_block = config.max_buffer_size as usize;
                self.instance.cpu.watch(Arc::clone(&self.monitor), self.sample_rate, max_block);
                self.mixer = Some(mixer);
                // Not in the background: the first block of an offline render must have the network.
                self.loader.attach(handle);
                self.reset();
            }
            Err(error) => {
                self.deactivate();
                self.instance.tasks.refuse(format!("{error}; the sound passes unchanged"));
            }
        }
        self.instance.link.set_latency(self.latency(), tell_latency);
        self.report_tail();
        true
    }

    fn reset(&mut self) {
        self.follow_faders();
        if let Some(mixer) = &mut self.mixer {
            mixer.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        outputs: &mut [Buffer],
        context: &mut impl ProcessContext<Shell<Self>>,
    ) {
        let timer = BlockTimer::start();
        self.follow_faders();
        let main = buffer.as_slice();
        let Some(mixer) = &mut self.mixer else {
            pass(main, self.is_mono);
            return;
        };
        let rested = mixer.is_resting();
        play(mixer, &self.shared, main, outputs, self.is_mono);
        if !(rested && mixer.is_resting()) {
            self.instance.repaint.request();
        }
        let len = main.first().map_or(0, |channel| channel.len());
        timer.stop(&self.monitor, len, self.sample_rate);
        self.instance.link.change_latency(self.latency(), |samples| context.set_latency_samples(samples));
        self.report_tail();
    }

    fn deactivate(&mut self) {
        self.loader.detach();
        self.mixer = None;
    }
}
