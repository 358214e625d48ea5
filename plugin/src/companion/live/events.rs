//! The framework's events, and those of a line.

use neurdsp_rt::{DelayedEvent, NoteName, NotePattern};
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::NoteEvent;

/// Which note a host means.
pub(super) fn named(channel: Channel, pitch: u8, id: VoiceID) -> NoteName {
    NoteName { channel: channel.number().unwrap_or(0), pitch, id: id.id() }
}

/// Which notes a host means to end.
pub(super) fn meant(channel: Channel, key: Key, id: VoiceID) -> NotePattern {
    NotePattern { channel: channel.number(), pitch: key.number(), id: id.id() }
}

/// The event, which is none of a note's beginning or end, at another sample of the block.
pub(super) fn at_sample(mut event: NoteEvent<()>, sample: u32) -> NoteEvent<()> {
    match &mut event {
        NoteEvent::PolyPressure { timing, .. }
        | NoteEvent::PolyVolume { timing, .. }
        | NoteEvent::PolyPan { timing, .. }
        | NoteEvent::PolyTuning { timing, .. }
        | NoteEvent::PolyVibrato { timing, .. }
        | NoteEvent::PolyExpression { timing, .. }
        | NoteEvent::PolyBrightness { timing, .. }
        | NoteEvent::MidiChannelPressure { timing, .. }
        | NoteEvent::MidiPitchBend { timing, .. }
        | NoteEvent::MidiCC { timing, .. }
        | NoteEvent::MidiProgramChange { timing, .. } => *timing = sample,
        _ => {}
    }
    event
}

/// What the host is told.
pub(super) fn told(event: DelayedEvent, timing: u32) -> NoteEvent<()> {
    let (is_on, name, velocity) = match event {
        DelayedEvent::On(name, velocity) => (true, name, velocity),
        DelayedEvent::Off(name, velocity) => (false, name, velocity),
    };
    let voice_id = name.id.map_or(VoiceID::Wildcard, VoiceID::ID);
    let (channel, key) = (Channel::Number(name.channel), Key::Number(name.pitch));
    if is_on {
        NoteEvent::NoteOn { timing, voice_id, channel, key, velocity }
    } else {
        NoteEvent::NoteOff { timing, voice_id, channel, key, velocity }
    }
}
