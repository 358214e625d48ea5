//! The plugin. Its audio thread passes notes on; nothing that `process` reaches allocates, locks or waits, but in an offline render
//! for answers.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;

use neurdsp_rt::Monitor;
use nice_plug::prelude::*;

use super::delay::SoundDelay;
use super::editor::CompanionEditor;
use super::identity::CLAP_ID;
use super::live::{Block, Line, Meter, Settings, workers};
use super::loader::Loader;
use super::params::CompanionParams;
use super::shared::Shared;
use crate::audio::BlockTimer;
use crate::instance::Instance;
use crate::shell::{Player, Shell};

/// The plugin.
pub(crate) struct CompanionPlayer {
    instance: Arc<Instance<CompanionParams>>,
    shared: Arc<Shared>,
    loader: Loader,
    line: Option<Line>,
    sound: SoundDelay,
    /// Takes recordings.
    recorder: Option<Thread>,
    monitor: Arc<Monitor>,
    /// Whether all notes were to end in the block before.
    panicked: bool,
    /// In Hz.
    sample_rate: f64,
}

impl CompanionPlayer {
    /// The latency that the switch asks for.
    fn wanted_latency(&self) -> u32 {
        if self.instance.params.late_only.value() { 0 } else { Line::max_latency(self.sample_rate) as u32 }
    }

    /// Delays the sound as the notes are delayed.
    fn follow_latency(&mut self) {
        let Some(line) = &self.line else { return };
        let latency = line.latency();
        self.sound.set(latency);
        self.shared.latency_samples.store(latency as u32, Ordering::Relaxed);
        self.instance.link.set_tail_samples(latency);
    }

    fn settings(&self) -> Settings {
        let params = &self.instance.params;
        Settings {
            feel: params.wanted_feel(),
            is_on: params.feel.value() && !params.bypass.value(),
            channel: params.drum_channel(),
            dynamics: params.wanted_dynamics(),
            plays_on: params.play_on.value() && !params.bypass.value(),
            chords: params.chord_settings(),
            mood: params.mood_settings(),
            listens: params.listen.value(),
            listen_bars: params.listen_bars.value() as u32,
            is_offline: self.instance.link.is_offline(),
        }
    }
}

/// The host's song.
fn song(transport: &Transport, sample_rate: f64) -> neurdsp_rt::Transport {
    let beats_per_sample = transport.tempo.map_or(0.0, |tempo| tempo / (60.0 * sample_rate));
    neurdsp_rt::Transport {
        is_playing: transport.playing,
        beat: transport.pos_beats().unwrap_or(f64::NAN),
        beats_per_sample,
        loop_beats: transport.loop_range_beats().map(|(begin, end)| [begin, end]),
    }
}

/// The host's meter; 4/4 where it has none.
fn meter(transport: &Transport) -> Meter {
    let beats = transport.time_sig_numerator.zip(transport.time_sig_denominator);
    let number = |value: i32| u8::try_from(value).ok().filter(|value| *value > 0);
    let beats = beats.and_then(|(top, bottom)| number(top).zip(number(bottom))).unwrap_or((4, 4));
    let bar_start = transport.bar_start_pos_beats().filter(|beat| beat.is_finite()).unwrap_or(0.0);
    Meter { beats, bar_start }
}

const STEREO: NonZeroU32 = new_nonzero_u32(2);

impl Player for CompanionPlayer {
    const CLAP_ID: &'static str = CLAP_ID;
    const DESCRIPTION: &'static str = "Plays notes with the feel of a drummer, or of your own bars";
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::NoteEffect, ClapFeature::Utility, ClapFeature::Stereo];
    // Hosts give notes to instruments; few give them to effects.
    const VST3_CATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Instrument, Vst3SubCategory::Tools];
    // Some hosts load no plugin without a sound; it passes this one.
    const LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_input_channels: Some(STEREO),
        main_output_channels: Some(STEREO),
        ..AudioIOLayout::const_default()
    }];
    // Controllers, bends and pressure pass too, as late as the notes.
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::MidiCCs;
    const EVENT_CAPACITY: usize = 4096;

    type Sound = Loader;
    type Contents = CompanionEditor;

    fn new(instance: &Arc<Instance<CompanionParams>>) -> CompanionPlayer {
        let shared = Arc::default();
        let loader = Loader::new(instance, &shared);
        CompanionPlayer {
            instance: Arc::clone(instance),
            shared,
            loader,
            line: None,
            sound: SoundDelay::default(),
            recorder: None,
            monitor: Arc::default(),
            panicked: false,
            sample_rate: 0.0,
        }
    }

    fn window(&self) -> (Loader, CompanionEditor) {
        (self.loader.clone(), CompanionEditor::new(&self.shared))
    }

    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        config: &BufferConfig,
        tell_latency: impl FnOnce(u32),
    ) -> bool {
        let rate = f64::from(config.sample_rate);
        self.shared.sample_rate_hz.store(config.sample_rate as u32, Ordering::Relaxed);
        self.instance.cpu.watch(Arc::clone(&self.monitor), rate, config.max_buffer_size as usize);
        let (inferences, handles) = match workers() {
            Ok(workers) => workers,
            Err(error) => {
                self.instance.tasks.refuse(error.to_string());
                return false;
            }
        };
        // Notes that sounded when the host stopped are ended when it plays again.
        let before = self.line.take();
        self.sample_rate = rate;
        let (line, taken) = Line::new(inferences, before, rate, self.instance.params.late_only.value());
        self.line = Some(line);
        self.sound = SoundDelay::new(Line::max_latency(rate));
        // Not in the background: the first block of an offline render must have the reference.
        self.recorder = self.loader.attach(handles, taken);
        self.instance.link.set_latency(self.wanted_latency(), tell_latency);
        self.follow_latency();
        true
    }

    fn reset(&mut self) {
        self.sound.clear();
        if let Some(line) = &mut self.line {
            line.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _outputs: &mut [Buffer],
        context: &mut impl ProcessContext<Shell<Self>>,
    ) {
        let timer = BlockTimer::start();
        let wanted = self.wanted_latency();
        if self.instance.link.change_latency(wanted, |samples| context.set_latency_samples(samples))
            && let Some(line) = &mut self.line
        {
            line.set_late_only(wanted == 0);
        }
        self.follow_latency();
        let (settings, rate, len) = (self.settings(), self.sample_rate, buffer.samples());
        let panics = self.instance.params.panic.value();
        let channels = buffer.as_slice();
        let heard = self.shared.line.mood.write(channels);
        self.sound.process(channels);
        let Some(line) = &mut self.line else { return };
        if panics && !std::mem::replace(&mut self.panicked, panics) {
            line.release();
        }
        self.panicked = panics;
        let (song, meter) = (song(context.transport(), rate), meter(context.transport()));
        let wake = || {
            if let Some(recorder) = &self.recorder {
                recorder.unpark();
            }
        };
        let host = std::cell::RefCell::new(context);
        let shared = &self.shared.line;
        line.process(
            &Block { transport: &song, meter, n_samples: len, heard, settings: &settings, shared },
            || host.borrow_mut().next_event(),
            // A host without room for an event loses it, and has nobody to tell.
            |event| _ = host.borrow_mut().try_send_event(event),
            wake,
        );
        self.instance.repaint.request();
        timer.stop(&self.monitor, len, rate);
    }

    fn deactivate(&mut self) {
        self.loader.detach();
        self.recorder = None;
        if let Some(line) = &mut self.line {
            line.reset();
        }
    }
}
