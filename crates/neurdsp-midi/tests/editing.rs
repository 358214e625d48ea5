//! Notes are changed and everything else stays; tracks are made anew.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Random, file, samples, track};
use neurdsp_midi::{
    Division, Error, Event, Message, MidiFile, NewNote, NewTrack, Note, TempoChange, TimeSignature,
};
use std::collections::BTreeMap;

fn others(midi: &MidiFile) -> Vec<(u64, Vec<u8>)> {
    let events = midi.tracks().flat_map(|track| track.events());
    let is_note = |message: &Message| message.note_on().is_some() || message.note_off().is_some();
    events
        .filter(|event| !is_note(&event.message))
        .map(|event| (event.tick, event.message.to_bytes()))
        .collect()
}

type Ticks = [Vec<u64>; 2];

/// Starts and ends of each channel, pitch and track, sorted: what survives whichever end belongs to which start.
fn ticks(notes: &[Note]) -> BTreeMap<(u32, u8, u8), Ticks> {
    let mut found: BTreeMap<_, Ticks> = BTreeMap::new();
    for note in notes {
        let [starts, ends] = found.entry((note.track, note.channel, note.pitch)).or_default();
        starts.push(note.start_ticks);
        ends.push(note.end_ticks);
    }
    found.values_mut().flatten().for_each(|ticks| ticks.sort_unstable());
    found
}

#[test]
fn a_moved_note_moves_alone_and_a_louder_one_changes_one_byte() {
    let bytes = file(
        0,
        480,
        &[&track(&[
            (0, &[0x99, 36, 100]),
            (1, &[36, 0]),
            (119, &[38, 50]),
            (0, &[42, 1]),
            (9, &[38, 0]),
            (0, &[42, 0]),
            (600, &[0xB9, 7, 1]),
        ])],
    );
    let midi = MidiFile::from_bytes(&bytes).unwrap();
    let mut notes = midi.notes();
    notes[1].velocity = 51;
    let louder = midi.with_notes(&notes).unwrap().to_bytes().unwrap();
    let differing: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at] != louder[at]).collect();
    assert_eq!((differing.len(), louder.len()), (1, bytes.len()));
    notes[1] = notes[1].starting_at(110);
    let moved = midi.with_notes(&notes).unwrap();
    let read = MidiFile::from_bytes(&moved.to_bytes().unwrap()).unwrap();
    let found: Vec<_> =
        read.notes().iter().map(|n| (n.start_ticks, n.end_ticks, n.pitch, n.velocity)).collect();
    assert_eq!(found, [(0, 1, 36, 100), (110, 119, 38, 51), (120, 129, 42, 1)]);
    assert_eq!(others(&read), others(&midi));
}

#[test]
fn new_velocities_change_no_other_byte_whatever_stands_at_one_tick() {
    let mut random = Random(9);
    for bytes in samples() {
        let midi = MidiFile::from_bytes(&bytes).unwrap();
        let mut notes = midi.notes();
        notes.iter_mut().for_each(|note| note.velocity = 1 + random.below(127) as u8);
        let louder = midi.with_notes(&notes).unwrap().to_bytes().unwrap();
        let differing = bytes.iter().zip(&louder).filter(|(a, b)| a != b).count();
        assert_eq!(louder.len(), bytes.len());
        assert!(differing <= notes.len(), "{differing} bytes for {} notes", notes.len());
    }
}

#[test]
fn a_clip_keeps_its_length() {
    let midi = MidiFile::from_bytes(&file(
        0,
        480,
        &[&track(&[(1800, &[0x90, 60, 1]), (120, &[60, 0]), (0, &[0xFF, 1, 0])])],
    ))
    .unwrap();
    let late = midi.with_notes(&[midi.notes()[0].starting_at(1850)]).unwrap();
    assert_eq!((late.notes()[0].end_ticks, late.end_ticks()), (1920, 1920));
    let later = midi.with_notes(&[midi.notes()[0].starting_at(2000)]).unwrap();
    assert_eq!((later.notes()[0].end_ticks, later.end_ticks()), (2000, 2000));
    let held =
        MidiFile::from_bytes(&file(0, 480, &[&track(&[(0, &[0x90, 60, 1]), (100, &[0xFF, 1, 0])])])).unwrap();
    let mut note = held.notes()[0];
    note.end_ticks = 50;
    let released = held.with_notes(&[note]).unwrap();
    assert_eq!((released.notes()[0].end_ticks, released.end_ticks()), (50, 100));
}

#[test]
fn no_edit_loses_a_note_or_touches_another_event() {
    let mut random = Random(5);
    for bytes in samples() {
        let midi = MidiFile::from_bytes(&bytes).unwrap();
        for _ in 0..200 {
            let mut notes = midi.notes();
            for note in &mut notes {
                let near = note.start_ticks.saturating_sub(300) + random.below(600) as u64;
                match random.below(4) {
                    0 => *note = note.starting_at(near.min(200_400)),
                    1 => note.velocity = 1 + random.below(127) as u8,
                    2 => note.end_ticks = note.start_ticks + random.below(3) as u64 * 120,
                    _ => {}
                }
                let end = midi.tracks().nth(note.track as usize).unwrap().end_ticks();
                note.end_ticks = note.end_ticks.min(end.max(note.start_ticks));
            }
            let edited = midi.with_notes(&notes).unwrap();
            let read = MidiFile::from_bytes(&edited.to_bytes().unwrap()).unwrap();
            assert_eq!(read.warnings(), []);
            assert_eq!(ticks(&read.notes()), ticks(&notes));
            let ends = |midi: &MidiFile| midi.tracks().map(|track| track.end_ticks()).collect::<Vec<_>>();
            if ends(&read) == ends(&midi) {
                assert_eq!(others(&read), others(&midi));
            }
        }
    }
}

#[test]
fn values_that_midi_cannot_express_are_refused_with_the_number_of_the_note() {
    let midi = MidiFile::from_bytes(&samples()[0]).unwrap();
    let refused = |change: &dyn Fn(&mut Note)| {
        let mut notes = midi.notes();
        change(&mut notes[1]);
        midi.with_notes(&notes).unwrap_err().to_string()
    };
    assert!(refused(&|note| note.pitch = 128).starts_with("note 1: the pitch is 128"));
    assert!(refused(&|note| note.velocity = 0).contains("the velocity is 0"));
    assert!(refused(&|note| note.end_ticks = 0).contains("not be before the start"));
    assert!(refused(&|note| note.channel = 3).contains("cannot be changed"));
    assert_eq!(midi.with_notes(&[]), Err(Error::NoteCount { expected: 2, got: 0 }));
}

#[test]
fn a_new_file_says_what_it_was_given() {
    let note =
        |start_ticks, end_ticks, pitch| NewNote { start_ticks, end_ticks, pitch, velocity: 70, channel: 2 };
    let conductor = NewTrack {
        tempos: vec![TempoChange { tick: 0, microseconds_per_quarter: 400_000 }],
        time_signatures: vec![TimeSignature { tick: 0, numerator: 7, denominator: 8 }],
        ..NewTrack::default()
    };
    let melody = NewTrack {
        name: "Melodie é".to_owned(),
        programs: vec![(2, 40)],
        end_ticks: 4 * 960,
        ..NewTrack::of(vec![note(480, 960, 62), note(0, 480, 60), note(480, 480, 60), note(960, 1000, 62)])
    };
    let made = MidiFile::new(Division::quarter(480).unwrap())
        .with_track(&conductor)
        .unwrap()
        .with_track(&melody)
        .unwrap();
    let read = MidiFile::from_bytes(&made.to_bytes().unwrap()).unwrap();
    assert_eq!((read.format(), read.warnings(), read.end_ticks()), (1, &[][..], 3840));
    let found: Vec<_> =
        read.notes().iter().map(|n| (n.start_ticks, n.end_ticks, n.pitch, n.channel, n.track)).collect();
    assert_eq!(
        found,
        [(0, 480, 60, 2, 1), (480, 960, 62, 2, 1), (480, 480, 60, 2, 1), (960, 1000, 62, 2, 1)]
    );
    assert_eq!(read.tempo_map(1).seconds(480), 0.4);
    assert_eq!(read.time_signatures()[0].numerator, 7);
    assert_eq!(read.tracks().nth(1).unwrap().name(), Some("Melodie é".as_bytes()));
    let first: &Event = &read.tracks().nth(1).unwrap().events()[1];
    assert_eq!(first.message.to_bytes(), [0xC2, 40]);

    let single = MidiFile::from_bytes(&samples()[0]).unwrap();
    assert_eq!(single.with_track(&melody).unwrap().format(), 1);
    let refused = NewTrack {
        time_signatures: vec![TimeSignature { tick: 0, numerator: 4, denominator: 3 }],
        ..NewTrack::default()
    };
    assert!(single.with_track(&refused).unwrap_err().to_string().contains("4/3"));
    let refused = single.with_track(&NewTrack::of(vec![note(5, 4, 60)])).unwrap_err();
    assert!(refused.to_string().contains("must not be before the start"));
}
