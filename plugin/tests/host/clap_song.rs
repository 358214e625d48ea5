//! Notes through a CLAP plugin while the host's song plays.

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_NOTE_EXPRESSION, CLAP_EVENT_NOTE_OFF,
    CLAP_EVENT_NOTE_ON, CLAP_EVENT_TRANSPORT, CLAP_NOTE_EXPRESSION_PRESSURE,
    CLAP_TRANSPORT_HAS_BEATS_TIMELINE, CLAP_TRANSPORT_HAS_TEMPO, CLAP_TRANSPORT_HAS_TIME_SIGNATURE,
    CLAP_TRANSPORT_IS_LOOP_ACTIVE, CLAP_TRANSPORT_IS_PLAYING, clap_event_header, clap_event_midi,
    clap_event_note, clap_event_note_expression, clap_event_transport, clap_input_events, clap_output_events,
};
use clap_sys::ext::note_ports::{CLAP_EXT_NOTE_PORTS, clap_plugin_note_ports};
use clap_sys::fixedpoint::CLAP_BEATTIME_FACTOR;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process};

use super::clap::Instance;
use super::{Message, Note, Song};

/// What a host tells a plugin, and is told.
#[derive(Clone, Copy)]
union Told {
    header: clap_event_header,
    note: clap_event_note,
    midi: clap_event_midi,
    expression: clap_event_note_expression,
}

unsafe extern "C" fn count(list: *const clap_input_events) -> u32 {
    unsafe { (*(*list).ctx.cast::<Vec<Told>>()).len() as u32 }
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    unsafe { &(&(*(*list).ctx.cast::<Vec<Told>>()))[index as usize].header }
}

unsafe extern "C" fn take(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    unsafe {
        let told = match (*event).type_ {
            CLAP_EVENT_NOTE_ON | CLAP_EVENT_NOTE_OFF => Told { note: *event.cast() },
            CLAP_EVENT_MIDI => Told { midi: *event.cast() },
            CLAP_EVENT_NOTE_EXPRESSION => Told { expression: *event.cast() },
            other => panic!("an event of type {other}"),
        };
        (*(*list).ctx.cast::<Vec<Told>>()).push(told);
    }
    true
}

fn header(size: usize, time: u32, type_: u16) -> clap_event_header {
    clap_event_header { size: size as u32, time, space_id: CLAP_CORE_EVENT_SPACE_ID, type_, flags: 0 }
}

fn event(note: &Note, begin: i64) -> clap_event_note {
    let kind = if note.is_on { CLAP_EVENT_NOTE_ON } else { CLAP_EVENT_NOTE_OFF };
    clap_event_note {
        header: header(size_of::<clap_event_note>(), (note.sample - begin) as u32, kind),
        note_id: -1,
        port_index: 0,
        channel: note.channel,
        key: note.key,
        velocity: f64::from(note.velocity),
    }
}

fn midi(message: &Message, begin: i64) -> clap_event_midi {
    let time = (message.sample - begin) as u32;
    let header = header(size_of::<clap_event_midi>(), time, CLAP_EVENT_MIDI);
    clap_event_midi { header, port_index: 0, data: message.bytes }
}

fn note(told: &Told, begin: i64) -> Option<Note> {
    unsafe {
        let is_on = match told.header.type_ {
            CLAP_EVENT_NOTE_ON => true,
            CLAP_EVENT_NOTE_OFF => false,
            _ => return None,
        };
        let clap_event_note { channel, key, velocity, .. } = told.note;
        let sample = begin + i64::from(told.header.time);
        Some(Note { sample, is_on, channel, key, velocity: velocity as f32 })
    }
}

fn message(told: &Told, begin: i64) -> Option<Message> {
    let bytes = unsafe {
        match told.header.type_ {
            CLAP_EVENT_MIDI => told.midi.data,
            CLAP_EVENT_NOTE_EXPRESSION => {
                let clap_event_note_expression { expression_id, channel, key, value, .. } = told.expression;
                assert_eq!(expression_id, CLAP_NOTE_EXPRESSION_PRESSURE);
                [0xa0 | channel as u8, key as u8, (127.0 * value).round() as u8]
            }
            _ => return None,
        }
    };
    Some(Message { sample: begin + i64::from(unsafe { told.header.time }), bytes })
}

fn beats(beats: f64) -> i64 {
    (beats * CLAP_BEATTIME_FACTOR as f64).round() as i64
}

impl Instance {
    /// How many note ports it has on a side.
    pub fn n_note_ports(&self, is_input: bool) -> u32 {
        unsafe {
            let ports = (*self.plugin).get_extension.unwrap()(self.plugin, CLAP_EXT_NOTE_PORTS.as_ptr());
            (*ports.cast::<clap_plugin_note_ports>()).count.unwrap()(self.plugin, is_input)
        }
    }

    /// Plays a block of silence that begins at sample `begin` of the test, with those of `notes` that are in it; returns the notes
    /// that come out.
    pub fn play_song(&self, begin: i64, len: usize, notes: &[Note], song: &Song) -> Vec<Note> {
        self.play_events(begin, &mut [vec![0.0; len], vec![0.0; len]], notes, &[], song).0
    }

    /// The same with a sound, which is replaced by what comes out, and with other messages.
    pub fn play_events(
        &self,
        begin: i64,
        sound: &mut [Vec<f32>; 2],
        notes: &[Note],
        messages: &[Message],
        song: &Song,
    ) -> (Vec<Note>, Vec<Message>) {
        let len = sound[0].len();
        let here = begin..begin + len as i64;
        let notes = notes.iter().filter(|note| here.contains(&note.sample));
        let messages = messages.iter().filter(|given| here.contains(&given.sample));
        let mut input: Vec<Told> = notes.map(|note| Told { note: event(note, begin) }).collect();
        input.extend(messages.map(|given| Told { midi: midi(given, begin) }));
        input.sort_by_key(|told| unsafe { told.header.time });
        let mut output: Vec<Told> = Vec::with_capacity(4096);
        let in_events = clap_input_events { ctx: (&raw mut input).cast(), size: Some(count), get: Some(get) };
        let out_events = clap_output_events { ctx: (&raw mut output).cast(), try_push: Some(take) };
        let mut transport: clap_event_transport = unsafe { std::mem::zeroed() };
        transport.header = header(size_of::<clap_event_transport>(), 0, CLAP_EVENT_TRANSPORT);
        transport.flags =
            CLAP_TRANSPORT_HAS_TEMPO | CLAP_TRANSPORT_HAS_BEATS_TIMELINE | CLAP_TRANSPORT_HAS_TIME_SIGNATURE;
        if song.plays {
            transport.flags |= CLAP_TRANSPORT_IS_PLAYING;
        }
        (transport.tempo, transport.song_pos_beats) = (song.tempo, beats(song.beat));
        (transport.tsig_num, transport.tsig_denom) = (song.meter.0 as u16, song.meter.1 as u16);
        let bar = 4.0 * f64::from(song.meter.0) / f64::from(song.meter.1);
        transport.bar_start = beats((song.beat / bar).floor() * bar);
        if let Some((from, to)) = song.loop_beats {
            transport.flags |= CLAP_TRANSPORT_IS_LOOP_ACTIVE;
            (transport.loop_start_beats, transport.loop_end_beats) = (beats(from), beats(to));
        }
        let mut pointers = sound.each_mut().map(|channel| channel.as_mut_ptr());
        let port = |data32| clap_audio_buffer {
            data32,
            data64: std::ptr::null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let (from, mut to) = (port(pointers.as_mut_ptr()), port(pointers.as_mut_ptr()));
        let process = clap_process {
            steady_time: -1,
            frames_count: len as u32,
            transport: &transport,
            audio_inputs: &from,
            audio_outputs: &mut to,
            audio_inputs_count: 1,
            audio_outputs_count: 1,
            in_events: &in_events,
            out_events: &out_events,
        };
        let status = unsafe { (*self.plugin).process.unwrap()(self.plugin, &process) };
        assert_ne!(status, CLAP_PROCESS_ERROR);
        assert!(output.is_sorted_by_key(|told| unsafe { told.header.time }), "events out of order");
        let notes = output.iter().filter_map(|told| note(told, begin)).collect();
        (notes, output.iter().filter_map(|told| message(told, begin)).collect())
    }
}
