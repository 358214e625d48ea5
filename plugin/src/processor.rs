//! The audio side of an instance: it plays the chain, and nothing that it reaches allocates, locks or waits.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;

use neurdsp_rt::{AmpChain, ChainSettings, Parameter};
use nice_plug::prelude::*;

use crate::editor::AmpEditor;
use crate::follow::Follower;
use crate::loader::Loader;
use crate::params::AmpParams;
use crate::rest::{Rest, is_silent};
use crate::shared::Shared;
use crate::window::AppEditor;

/// The plugin.
pub(crate) struct AmpPlayer {
    params: Arc<AmpParams>,
    shared: Arc<Shared>,
    loader: Loader,
    chain: Option<AmpChain>,
    settings: ChainSettings,
    mono_input: bool,
    latency: u32,
    follower: Follower,
    /// Prepares the model anew.
    worker: Option<Thread>,
    rest: Rest,
    /// Samples in a second.
    sample_rate: usize,
}

impl Default for AmpPlayer {
    fn default() -> AmpPlayer {
        let params = Arc::new(AmpParams::default());
        let shared = Arc::new(Shared::default());
        let loader = Loader::new(Arc::clone(&params), Arc::clone(&shared));
        AmpPlayer {
            params,
            shared,
            loader,
            chain: None,
            settings: ChainSettings::default(),
            mono_input: false,
            latency: 0,
            follower: Follower::default(),
            worker: None,
            rest: Rest::default(),
            sample_rate: 0,
        }
    }
}

impl Drop for AmpPlayer {
    fn drop(&mut self) {
        // A thread may still hold the loader, waiting for a chain that is gone.
        self.loader.detach();
    }
}

impl AmpPlayer {
    /// Tells the host the latency, if it is another than before.
    fn report_latency(&mut self, report: impl FnOnce(u32)) {
        let latency = self.chain.as_ref().map_or(0, AmpChain::latency) as u32;
        if std::mem::replace(&mut self.latency, latency) != latency {
            report(latency);
        }
    }

    /// The parameters in the words of the chain.
    fn settings(&self) -> ChainSettings {
        let params = &*self.params;
        let on = |param: &BoolParam| if param.value() { 1.0 } else { 0.0 };
        // Bypassed is dry: faded to, and delayed as the processed sound is.
        let mix = if params.bypass.value() { 0.0 } else { params.mix.value() };
        ChainSettings::default()
            .with(Parameter::InputGainDb, params.input.value())
            .with(Parameter::InterfaceLevelDbu, params.input_dbu.value())
            .with(Parameter::CalibrateInput, on(&params.calibrate))
            .with(Parameter::GateOn, on(&params.gate))
            .with(Parameter::GateThresholdDb, params.gate_threshold.value())
            .with(Parameter::ModelOn, on(&params.model))
            .with(Parameter::ToneOn, on(&params.tone))
            .with(Parameter::BassDb, params.bass.value())
            .with(Parameter::MidDb, params.middle.value())
            .with(Parameter::TrebleDb, params.treble.value())
            .with(Parameter::CabinetOn, on(&params.cabinet))
            .with(Parameter::DcBlockOn, on(&params.dc_block))
            .with(Parameter::OutputMode, f32::from(params.output_mode.value() as u8))
            .with(Parameter::OutputGainDb, params.output.value())
            .with(Parameter::Mix, mix)
    }
}

const fn layout(inputs: u32, outputs: u32) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: NonZeroU32::new(inputs),
        main_output_channels: NonZeroU32::new(outputs),
        ..AudioIOLayout::const_default()
    }
}

impl Plugin for AmpPlayer {
    const NAME: &'static str = "neurdsp";
    const VENDOR: &'static str = "neurdsp";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[layout(2, 2), layout(1, 2), layout(1, 1)];
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = AppEditor<AmpEditor>;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        Some(AmpEditor::create(Arc::clone(&self.params), Arc::clone(&self.shared), self.loader.clone()))
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        let n_channels = layout.main_output_channels.map_or(1, NonZeroU32::get) as usize;
        let sample_rate = f64::from(config.sample_rate);
        let Ok((chain, handle)) = AmpChain::new(sample_rate, n_channels) else { return false };
        self.shared.watch(Arc::clone(handle.monitor()), sample_rate, config.max_buffer_size as usize);
        handle.settings().store(&self.settings());
        // Not in the background: the first block of an offline render must have the model.
        self.worker = self.loader.attach(handle, sample_rate);
        self.chain = Some(chain);
        self.sample_rate = sample_rate as usize;
        self.mono_input = layout.main_input_channels.map_or(0, NonZeroU32::get) == 1;
        self.follower.start(sample_rate, config.process_mode == ProcessMode::Offline);
        self.reset();
        self.report_latency(|samples| context.set_latency_samples(samples));
        true
    }

    fn reset(&mut self) {
        self.settings = self.settings();
        self.rest.wake();
        self.follower.reset();
        if let Some(chain) = &mut self.chain {
            chain.set(&self.settings);
            chain.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let settings = self.settings();
        let changed = settings != std::mem::replace(&mut self.settings, settings);
        let Some(chain) = &mut self.chain else { return ProcessStatus::Normal };
        let channels = buffer.as_slice();
        if let [first, rest @ ..] = channels {
            if self.mono_input {
                rest.iter_mut().for_each(|channel| channel.copy_from_slice(first));
            }
            self.shared.input.update(first);
            self.shared.tuner.write(first);
        }
        if changed {
            chain.set(&settings);
        }
        if changed || self.follower.is_behind(&self.params, &self.shared) {
            self.rest.wake();
        }
        let was_silent = is_silent(channels);
        // A second more than the chain remembers, for the filters to fall silent.
        let after = chain.receptive_field().saturating_add(self.sample_rate);
        if was_silent && self.rest.may_skip(after) {
            self.follower.skip(channels.first().map_or(0, |channel| channel.len()));
            return ProcessStatus::Normal;
        }
        let ask = || {
            if let Some(worker) = &self.worker {
                worker.unpark();
            }
        };
        self.follower.play(chain, channels, &self.params, &self.shared, ask);
        self.rest.played(was_silent && !chain.is_fading(), channels);
        self.shared.gate_open.store(chain.gate_is_open(), Ordering::Relaxed);
        if let Some(first) = channels.first() {
            self.shared.output.update(first);
        }
        self.shared.repaint.request();
        self.report_latency(|samples| context.set_latency_samples(samples));
        ProcessStatus::Normal
    }

    fn deactivate(&mut self) {
        self.loader.detach();
        self.chain = None;
    }
}

impl ClapPlugin for AmpPlayer {
    const CLAP_ID: &'static str = "org.neurdsp.amp";
    const CLAP_DESCRIPTION: Option<&'static str> = Some("Plays neural models of amps and pedals");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::AudioEffect, ClapFeature::Stereo, ClapFeature::Mono, ClapFeature::Distortion];
}

impl Vst3Plugin for AmpPlayer {
    const VST3_CLASS_ID: [u8; 16] = *b"neurdsp.AmpPlay1";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Fx, Vst3SubCategory::Distortion];
}
