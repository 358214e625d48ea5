//! A plugin that turns each note into a pulse, on two stereo outputs. It has no audio input. Its one parameter is the level; the
//! length of the pulse comes from a file.

mod editor;
mod sound;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nice_plug::prelude::*;

use crate::instance::Instance;
use crate::shell::{Player, Shell};
use editor::PulseEditor;
use sound::{PulseParams, PulseSound};

/// The plugin, as the framework asks for it.
pub(crate) type PulsePlugin = Shell<Pulse>;

pub(crate) struct Pulse(Arc<PulseSound>);

impl Player for Pulse {
    const CLAP_ID: &'static str = "org.neurdsp.test-pulse";
    const DESCRIPTION: &'static str = "Turns notes into pulses";
    const CLAP_FEATURES: &'static [ClapFeature] = &[ClapFeature::Instrument];
    const VST3_CATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Instrument];
    const LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_output_channels: NonZeroU32::new(2),
        aux_output_ports: &[new_nonzero_u32(2)],
        ..AudioIOLayout::const_default()
    }];
    const MIDI_INPUT: MidiConfig = MidiConfig::Basic;

    type Sound = Arc<PulseSound>;
    type Contents = PulseEditor;

    fn new(instance: &Arc<Instance<PulseParams>>) -> Pulse {
        Pulse(PulseSound::new(instance))
    }

    fn window(&self) -> (Arc<PulseSound>, PulseEditor) {
        (Arc::clone(&self.0), PulseEditor::default())
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        outputs: &mut [Buffer],
        context: &mut impl ProcessContext<PulsePlugin>,
    ) {
        let level = self.0.instance.params.level.value();
        let length = self.0.length.load(Ordering::Relaxed);
        let main = buffer.as_slice();
        main.iter_mut().for_each(|channel| channel.fill(0.0));
        while let Some(event) = context.next_event() {
            if let NoteEvent::NoteOn { timing, velocity, .. } = event {
                for channel in main.iter_mut() {
                    channel.iter_mut().skip(timing as usize).take(length).for_each(|x| *x = level * velocity);
                }
            }
        }
        for output in outputs.iter_mut() {
            for (copy, channel) in output.as_slice().iter_mut().zip(main.iter()) {
                copy.copy_from_slice(channel);
            }
        }
        if let Some(first) = main.first() {
            self.0.output.update(first);
        }
    }
}
