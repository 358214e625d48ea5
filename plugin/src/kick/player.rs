//! The plugin. Its audio thread plays rendered kicks; nothing that `process` reaches allocates, frees, locks or waits, but for
//! offline renders.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;

use neurdsp_rt::Monitor;
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::*;

use super::editor::KickEditor;
use super::identity::CLAP_ID;
use super::job::Job;
use super::maker::Maker;
use super::params::{Keys, KickParams, PlayMode};
use super::shared::Shared;
use super::voices::{Hit, Note, Notes, Voices};
use crate::audio::{BlockTimer, Ramp};
use crate::instance::Instance;
use crate::loading::Patience;
use crate::shell::{Player, Shell};

/// How long the level takes to move, in seconds.
const RAMP_S: f32 = 0.02;
/// Farther than this many semitones from its note, a pitch does not follow.
const FARTHEST: i32 = 36;

/// The plugin.
pub(crate) struct KickPlayer {
    instance: Arc<Instance<KickParams>>,
    shared: Arc<Shared>,
    maker: Maker,
    voices: Voices,
    level: Ramp,
    monitor: Arc<Monitor>,
    /// Makes and renders kicks.
    worker: Option<Thread>,
    /// What was requested of it last.
    requested: Option<Job>,
    patience: Patience,
    /// Auditions that were played.
    auditions: u32,
    /// In Hz.
    sample_rate: f32,
}

impl KickPlayer {
    /// Requests what the parameters ask for, one request at a time; an offline render waits until it is made.
    fn follow_controls(&mut self) {
        let requests = &self.shared.requests;
        let is_offline = self.instance.link.is_offline();
        if is_offline {
            self.patience.wait(requests);
        }
        let job = self.instance.params.job();
        if self.requested != Some(job) && requests.are_met() {
            self.requested = Some(job);
            requests.make();
            if let Some(worker) = &self.worker {
                worker.unpark();
            }
            if is_offline {
                self.patience.wait(requests);
            }
        }
    }

    /// The hit of a note; none if it does not play.
    fn hit(&self, note: Note, velocity: f32) -> Option<Hit> {
        let distance = i32::from(note.key) - self.instance.params.note.value();
        let keys = self.instance.params.keys.value();
        if keys == Keys::One && distance != 0 {
            return None;
        }
        let semitones = if keys == Keys::Pitch { distance.clamp(-FARTHEST, FARTHEST) } else { 0 };
        Some(Hit {
            note: Some(note),
            gain: self.instance.params.hit_gain(velocity),
            speed: if semitones == 0 { 1.0 } else { (f64::from(semitones) / 12.0).exp2() },
            chokes: self.instance.params.choke.value(),
        })
    }

    /// For how many samples a kick sounds on after its note; none if to its end.
    fn release_samples(&self) -> Option<u32> {
        match self.instance.params.mode.value() {
            PlayMode::Full => None,
            PlayMode::NoteOff => {
                Some((self.instance.params.release.value() * self.sample_rate / 1000.0) as u32)
            }
            PlayMode::Cut => Some(0),
        }
    }

    /// Follows an event; the notes whose kicks it ends at once are told by `ended`.
    fn follow_event(&mut self, event: &NoteEvent<()>, ended: impl FnMut(Note)) {
        match *event {
            NoteEvent::NoteOn { voice_id, channel, key, velocity, .. } => {
                let note = Note {
                    key: key.number().unwrap_or(0),
                    channel: channel.number().unwrap_or(0),
                    id: voice_id.id(),
                };
                match self.hit(note, velocity) {
                    Some(hit) => self.voices.hit(&hit, ended),
                    None => std::iter::once(note).for_each(ended),
                }
            }
            NoteEvent::NoteOff { voice_id, channel, key, .. } => {
                let fade_samples = self.release_samples();
                self.voices.release(notes(voice_id, channel, key), fade_samples);
            }
            NoteEvent::Choke { voice_id, channel, key, .. } => {
                self.voices.choke(notes(voice_id, channel, key));
            }
            _ => {}
        }
    }

    /// Takes a new kick, and plays it if the editor wants to hear it.
    fn take_kick(&mut self) {
        let mut is_heard = self.voices.update(&self.shared.exchange);
        let auditions = self.shared.auditions.load(Ordering::Relaxed);
        is_heard |= std::mem::replace(&mut self.auditions, auditions) != auditions;
        if is_heard {
            self.voices.hit(&Hit { note: None, gain: 1.0, speed: 1.0, chokes: true }, |_| {});
        }
    }
}

fn notes(id: VoiceID, channel: Channel, key: Key) -> Notes {
    Notes { key: key.number(), channel: channel.number(), id: id.id() }
}

/// What a host is told when the kick of a note is over.
fn terminated(timing: usize, note: Note) -> NoteEvent<()> {
    NoteEvent::VoiceTerminated {
        timing: timing as u32,
        voice_id: note.id.map_or(VoiceID::Wildcard, VoiceID::ID),
        channel: Channel::Number(note.channel),
        key: Key::Number(note.key),
    }
}

/// Tells the host; one that takes no events need not know.
fn tell(context: &mut impl ProcessContext<Shell<KickPlayer>>, event: NoteEvent<()>) {
    let _ = context.try_send_event(event);
}

const fn layout(outputs: u32) -> AudioIOLayout {
    AudioIOLayout { main_output_channels: NonZeroU32::new(outputs), ..AudioIOLayout::const_default() }
}

impl Player for KickPlayer {
    const CLAP_ID: &'static str = CLAP_ID;
    const DESCRIPTION: &'static str = "Makes kick drums from words and plays them";
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::Instrument, ClapFeature::Drum, ClapFeature::Stereo, ClapFeature::Mono];
    const VST3_CATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Instrument, Vst3SubCategory::Drum];
    const LAYOUTS: &'static [AudioIOLayout] = &[layout(2), layout(1)];
    const MIDI_INPUT: MidiConfig = MidiConfig::Basic;

    type Sound = Maker;
    type Contents = KickEditor;

    fn new(instance: &Arc<Instance<KickParams>>) -> KickPlayer {
        let shared = Arc::default();
        let maker = Maker::new(instance, &shared);
        KickPlayer {
            instance: Arc::clone(instance),
            shared,
            maker,
            voices: Voices::new(),
            level: Ramp::new(1.0, 1),
            monitor: Arc::default(),
            worker: None,
            requested: None,
            patience: Patience::default(),
            auditions: 0,
            sample_rate: 0.0,
        }
    }

    fn window(&self) -> (Maker, KickEditor) {
        (self.maker.clone(), KickEditor::new(&self.shared))
    }

    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        config: &BufferConfig,
        _tell_latency: impl FnOnce(u32),
    ) -> bool {
        self.sample_rate = config.sample_rate;
        let max_block = config.max_buffer_size as usize;
        self.instance.cpu.watch(Arc::clone(&self.monitor), f64::from(config.sample_rate), max_block);
        self.level = Ramp::new(self.instance.params.gain(), (RAMP_S * config.sample_rate) as u32);
        self.voices.start(config.sample_rate);
        // Not in the background: the first block of an offline render must have the kick.
        self.requested = Some(self.instance.params.job());
        self.worker = self.maker.attach(f64::from(config.sample_rate));
        self.voices.update(&self.shared.exchange);
        self.instance.link.set_tail_samples(self.voices.longest());
        true
    }

    fn reset(&mut self) {
        self.voices.reset();
        self.level.set(self.instance.params.gain());
        self.level.finish();
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _outputs: &mut [Buffer],
        context: &mut impl ProcessContext<Shell<Self>>,
    ) {
        let timer = BlockTimer::start();
        self.follow_controls();
        self.take_kick();
        self.level.set(self.instance.params.gain());
        let [first, others @ ..] = buffer.as_slice() else { return };
        let len = first.len();
        first.fill(0.0);
        let (was_silent, mut at) = (self.voices.are_silent(), 0);
        let last = len.saturating_sub(1);
        while at < len {
            let event = context.next_event();
            let until = event.map_or(len, |event| (event.timing() as usize).clamp(at, len));
            self.voices.play(&mut first[at..until], |end, note| {
                tell(context, terminated((at + end).min(last), note));
            });
            at = until;
            let Some(event) = event else { break };
            self.follow_event(&event, |note| tell(context, terminated(at.min(last), note)));
        }
        // Those of an empty block.
        while let Some(event) = context.next_event() {
            self.follow_event(&event, |_| {});
        }
        if !self.level.rests_at(1.0) {
            first.iter_mut().for_each(|sample| *sample *= self.level.step());
        }
        self.shared.level.update(first);
        others.iter_mut().for_each(|channel| channel.copy_from_slice(first));
        let is_silent = was_silent && self.voices.are_silent();
        if !is_silent {
            self.shared.playhead.set(self.voices.playhead());
            self.instance.repaint.request();
        }
        self.instance.link.set_tail_samples(self.voices.longest());
        timer.stop(&self.monitor, len, f64::from(self.sample_rate));
    }

    fn deactivate(&mut self) {
        self.maker.detach();
        self.worker = None;
    }
}
