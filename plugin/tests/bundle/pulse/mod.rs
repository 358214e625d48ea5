//! A plugin that turns each note into a pulse, on two stereo outputs. It has no audio input. Its one parameter is the level; the
//! length of the pulse comes from a file.

mod editor;
mod sound;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nice_plug::prelude::*;

use crate::window::AppEditor;
use editor::PulseEditor;
use sound::{OWNER, PulseParams, PulseSound};

/// The plugin.
pub(crate) struct Pulse(Arc<PulseSound>);

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse(PulseSound::create())
    }
}

impl Plugin for Pulse {
    const NAME: &'static str = OWNER.name;
    const VENDOR: &'static str = OWNER.vendor;
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_output_channels: NonZeroU32::new(2),
        aux_output_ports: &[new_nonzero_u32(2)],
        ..AudioIOLayout::const_default()
    }];
    const MIDI_INPUT: MidiConfig = MidiConfig::Basic;

    type Editor = AppEditor<PulseEditor>;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.0.params) as Arc<dyn Params>
    }

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        Some(PulseEditor::create(Arc::clone(&self.0)))
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let PulseParams { level, .. } = &*self.0.params;
        let (level, length) = (level.value(), self.0.length.load(Ordering::Relaxed));
        let main = buffer.as_slice();
        main.iter_mut().for_each(|channel| channel.fill(0.0));
        while let Some(event) = context.next_event() {
            if let NoteEvent::NoteOn { timing, velocity, .. } = event {
                for channel in main.iter_mut() {
                    channel.iter_mut().skip(timing as usize).take(length).for_each(|x| *x = level * velocity);
                }
            }
        }
        for output in aux.outputs.iter_mut() {
            for (copy, channel) in output.as_slice().iter_mut().zip(main.iter()) {
                copy.copy_from_slice(channel);
            }
        }
        if let Some(first) = main.first() {
            self.0.output.update(first);
        }
        ProcessStatus::Normal
    }
}

impl ClapPlugin for Pulse {
    const CLAP_ID: &'static str = "org.neurdsp.test-pulse";
    const CLAP_DESCRIPTION: Option<&'static str> = None;
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[ClapFeature::Instrument];
}

impl Vst3Plugin for Pulse {
    const VST3_CLASS_ID: [u8; 16] = OWNER.class;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Instrument];
}
