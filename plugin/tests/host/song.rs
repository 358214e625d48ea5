//! Notes through a plugin while the host's song plays: what comes out, at which sample.

use std::cell::RefCell;

use vst3::Steinberg::Vst::{
    AudioBusBuffers, Event, Event_::EventTypes_, Event__type0, IAudioProcessorTrait, IEventList,
    IEventListTrait, IMidiMapping, IMidiMappingTrait, IParameterChanges, NoteOffEvent, NoteOnEvent,
    PolyPressureEvent, ProcessContext, ProcessContext_::StatesAndFlags_, ProcessData,
};
use vst3::Steinberg::{kResultFalse, kResultOk, tresult};
use vst3::{Class, ComWrapper};

use super::Instance;
use super::plugin::bus;
use super::stream::Points;

/// A note that begins or ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    pub sample: i64,
    pub is_on: bool,
    pub channel: i16,
    pub key: i16,
    pub velocity: f32,
}

impl Note {
    pub fn on(sample: i64, key: i16, velocity: f32) -> Note {
        Note { sample, is_on: true, channel: 9, key, velocity }
    }

    pub fn off(sample: i64, key: i16) -> Note {
        Note { sample, is_on: false, channel: 9, key, velocity: 0.0 }
    }

    /// The note `samples` later.
    pub fn later(self, samples: i64) -> Note {
        Note { sample: self.sample + samples, ..self }
    }
}

/// Another MIDI message: its bytes, of which it may have fewer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message {
    pub sample: i64,
    pub bytes: [u8; 3],
}

impl Message {
    /// The message `samples` later.
    pub fn later(self, samples: i64) -> Message {
        Message { sample: self.sample + samples, ..self }
    }
}

/// The host's song during a block.
#[derive(Clone, Copy, Debug)]
pub struct Song {
    pub plays: bool,
    pub beat: f64,
    pub tempo: f64,
    pub loop_beats: Option<(f64, f64)>,
    pub meter: (i32, i32),
}

impl Default for Song {
    fn default() -> Song {
        Song { plays: true, beat: 0.0, tempo: 120.0, loop_beats: None, meter: (4, 4) }
    }
}

/// Events of a block.
#[derive(Default)]
struct Events(RefCell<Vec<Event>>);

impl Class for Events {
    type Interfaces = (IEventList,);
}

impl IEventListTrait for Events {
    unsafe fn getEventCount(&self) -> i32 {
        self.0.borrow().len() as i32
    }

    unsafe fn getEvent(&self, index: i32, event: *mut Event) -> tresult {
        let Some(found) = self.0.borrow().get(index as usize).copied() else { return kResultFalse };
        unsafe { *event = found };
        kResultOk
    }

    unsafe fn addEvent(&self, event: *mut Event) -> tresult {
        // Made with room for all of them: a plugin must not be the cause of an allocation here.
        self.0.borrow_mut().push(unsafe { *event });
        kResultOk
    }
}

fn event(note: &Note, begin: i64) -> Event {
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.sampleOffset = (note.sample - begin) as i32;
    let Note { channel, key: pitch, velocity, .. } = *note;
    if note.is_on {
        event.r#type = EventTypes_::kNoteOnEvent as u16;
        let note_on = NoteOnEvent { channel, pitch, tuning: 0.0, velocity, length: 0, noteId: -1 };
        event.__field0 = Event__type0 { noteOn: note_on };
    } else {
        event.r#type = EventTypes_::kNoteOffEvent as u16;
        let note_off = NoteOffEvent { channel, pitch, velocity, noteId: -1, tuning: 0.0 };
        event.__field0 = Event__type0 { noteOff: note_off };
    }
    event
}

fn note(event: &Event, begin: i64) -> Option<Note> {
    let sample = begin + i64::from(event.sampleOffset);
    unsafe {
        if event.r#type == EventTypes_::kNoteOnEvent as u16 {
            let NoteOnEvent { channel, pitch, velocity, .. } = event.__field0.noteOn;
            Some(Note { sample, is_on: true, channel, key: pitch, velocity })
        } else if event.r#type == EventTypes_::kNoteOffEvent as u16 {
            let NoteOffEvent { channel, pitch, velocity, .. } = event.__field0.noteOff;
            Some(Note { sample, is_on: false, channel, key: pitch, velocity })
        } else {
            None
        }
    }
}

/// A pressure of a key, which has an event of its own.
fn pressure(message: &Message, begin: i64) -> Event {
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.sampleOffset = (message.sample - begin) as i32;
    event.r#type = EventTypes_::kPolyPressureEvent as u16;
    let [status, key, value] = message.bytes;
    let (channel, pitch, pressure) = (i16::from(status & 15), i16::from(key), f32::from(value) / 127.0);
    event.__field0 =
        Event__type0 { polyPressure: PolyPressureEvent { channel, pitch, pressure, noteId: -1 } };
    event
}

/// The message that an event stands for.
fn message(event: &Event, begin: i64) -> Option<Message> {
    let sample = begin + i64::from(event.sampleOffset);
    let bytes = unsafe {
        if event.r#type == EventTypes_::kPolyPressureEvent as u16 {
            let PolyPressureEvent { channel, pitch, pressure, .. } = event.__field0.polyPressure;
            [0xa0 | channel as u8, pitch as u8, (127.0 * pressure).round() as u8]
        } else if event.r#type == EventTypes_::kLegacyMIDICCOutEvent as u16 {
            let out = event.__field0.midiCCOut;
            let (channel, value, more) = (out.channel as u8, out.value as u8, out.value2 as u8);
            match out.controlNumber {
                128 => [0xd0 | channel, value, 0],
                129 => [0xe0 | channel, value, more],
                130 => [0xc0 | channel, value, 0],
                number => [0xb0 | channel, number, value],
            }
        } else {
            return None;
        }
    };
    Some(Message { sample, bytes })
}

impl Instance {
    /// Plays a block of silence that begins at sample `begin` of the test, with those of `notes` that are in it; returns the notes
    /// that come out.
    pub fn play_song(&mut self, begin: i64, count: usize, notes: &[Note], song: &Song) -> Vec<Note> {
        let mut sound = [vec![0.0f32; count], vec![0.0f32; count]];
        self.play_song_with(begin, &mut sound, notes, song)
    }

    /// The same with a sound, which is replaced by what comes out.
    pub fn play_song_with(
        &mut self,
        begin: i64,
        sound: &mut [Vec<f32>; 2],
        notes: &[Note],
        song: &Song,
    ) -> Vec<Note> {
        self.play_events(begin, sound, notes, &[], song).0
    }

    /// The parameter that stands for a controller of a channel, 128 for its pressure and 129 for its bend.
    pub fn controller(&self, channel: u8, number: u8) -> Option<u32> {
        let mapping = self.component.cast::<IMidiMapping>()?;
        let mut id = 0;
        let found =
            unsafe { mapping.getMidiControllerAssignment(0, i16::from(channel), i16::from(number), &mut id) };
        (found == kResultOk).then_some(id)
    }

    /// The same with other messages, as a host gives them: as values of parameters, and pressures of keys as events.
    pub fn play_events(
        &mut self,
        begin: i64,
        sound: &mut [Vec<f32>; 2],
        notes: &[Note],
        messages: &[Message],
        song: &Song,
    ) -> (Vec<Note>, Vec<Message>) {
        let count = sound[0].len();
        let here = begin..begin + count as i64;
        let mut input: Vec<Event> =
            notes.iter().filter(|note| here.contains(&note.sample)).map(|note| event(note, begin)).collect();
        for given in messages.iter().filter(|given| here.contains(&given.sample)) {
            let [status, first, second] = given.bytes;
            let (number, value) = match status & 0xf0 {
                0xa0 => {
                    input.push(pressure(given, begin));
                    continue;
                }
                0xd0 => (128, f64::from(first) / 127.0),
                0xe0 => (129, (f64::from(first) + 128.0 * f64::from(second)) / 16_383.0),
                _ => (first, f64::from(second) / 127.0),
            };
            let id = self.controller(status & 15, number).unwrap();
            self.edits.entry(id).or_default().push(((given.sample - begin) as i32, value));
        }
        input.sort_by_key(|event| event.sampleOffset);
        let input = ComWrapper::new(Events(RefCell::new(input)));
        let output = ComWrapper::new(Events(RefCell::new(Vec::with_capacity(4096))));
        let changes = Points::new(std::mem::take(&mut self.edits)).to_com_ptr::<IParameterChanges>().unwrap();
        let [events_in, events_out] =
            [&input, &output].map(|events| events.to_com_ptr::<IEventList>().unwrap());
        let mut context: ProcessContext = unsafe { std::mem::zeroed() };
        #[allow(clippy::unnecessary_cast)] // They are signed on Windows.
        let flags = [
            (StatesAndFlags_::kPlaying as u32, song.plays),
            (StatesAndFlags_::kTempoValid as u32, true),
            (StatesAndFlags_::kTimeSigValid as u32, true),
            (StatesAndFlags_::kProjectTimeMusicValid as u32, true),
            (StatesAndFlags_::kCycleActive as u32, song.loop_beats.is_some()),
            (StatesAndFlags_::kCycleValid as u32, song.loop_beats.is_some()),
        ];
        context.state = flags.iter().filter(|flag| flag.1).map(|flag| flag.0).sum();
        (context.sampleRate, context.tempo, context.projectTimeMusic) = (48_000.0, song.tempo, song.beat);
        (context.timeSigNumerator, context.timeSigDenominator) = song.meter;
        if let Some((from, to)) = song.loop_beats {
            (context.cycleStartMusic, context.cycleEndMusic) = (from, to);
        }
        let pointers = sound.each_mut().map(|channel| channel.as_mut_ptr());
        let (mut inputs, mut outputs): (AudioBusBuffers, AudioBusBuffers) = (bus(&pointers), bus(&pointers));
        let mut data: ProcessData = unsafe { std::mem::zeroed() };
        (data.numSamples, data.processMode) = (count as i32, self.mode);
        (data.numInputs, data.numOutputs) = (1, 1);
        (data.inputs, data.outputs) = (&raw mut inputs, &raw mut outputs);
        data.inputParameterChanges = changes.as_ptr();
        (data.inputEvents, data.outputEvents) = (events_in.as_ptr(), events_out.as_ptr());
        data.processContext = &mut context;
        assert_eq!(unsafe { self.processor.process(&mut data) }, kResultOk);
        let output = output.0.borrow();
        let notes = output.iter().filter_map(|event| note(event, begin)).collect();
        (notes, output.iter().filter_map(|event| message(event, begin)).collect())
    }
}
