//! Files with a right answer, byte by byte: tempo, running status, overlapping notes, film time and damage.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{END, SLOW, chunk, file, header, samples, track};
use neurdsp_midi::{Chunk, Error, MidiFile, TimeSignature, Warning};

fn read(bytes: &[u8]) -> MidiFile {
    MidiFile::from_bytes(bytes).unwrap()
}

/// Start, end, pitch and velocity of each note.
fn notes(midi: &MidiFile) -> Vec<(u64, u64, u8, u8)> {
    midi.notes().iter().map(|note| (note.start_ticks, note.end_ticks, note.pitch, note.velocity)).collect()
}

#[test]
fn a_tempo_change_in_another_track_counts_during_a_note() {
    let midi =
        read(&file(1, 480, &[&track(&[(480, SLOW)]), &track(&[(0, &[0x90, 60, 64]), (960, &[60, 0])])]));
    let note = midi.notes()[0];
    let map = midi.tempo_map(1);
    assert_eq!(map.seconds(note.end_ticks) - map.seconds(note.start_ticks), 1.5);
    let without = read(&file(0, 480, &[&track(&[])]));
    assert_eq!(without.tempo_map(0).changes()[0].microseconds_per_quarter, 500_000);
}

#[test]
fn of_tempos_at_one_tick_the_last_counts_and_seconds_go_back_to_ticks() {
    let fast: &[u8] = &[0xFF, 0x51, 3, 0, 0, 7];
    let never: &[u8] = &[0xFF, 0x51, 3, 0, 0, 0];
    let midi = read(&file(0, 333, &[&track(&[(100, SLOW), (0, fast), (900, SLOW), (5, never)])]));
    let map = midi.tempo_map(0);
    assert_eq!(map.changes().iter().map(|change| change.tick).collect::<Vec<_>>(), [0, 100, 1000]);
    assert_eq!(map.exact_seconds(1001), (100 * 500_000 + 900 * 7 + 1_000_000, 333_000_000));
    for tick in (0..5000).step_by(7) {
        let back = map.ticks(map.seconds(tick));
        assert!((back - tick as f64).abs() < 1e-6, "{tick}: {back}");
    }
    assert_eq!((map.ticks(-1.0), map.ticks(f64::NAN)), (0.0, 0.0));
    // A long file at an odd tempo: the fraction has no error that could add up.
    let (units, per_second) = map.exact_seconds(1 << 40);
    assert_eq!(units, 100 * 500_000 + 900 * 7 + ((1u128 << 40) - 1000) * 1_000_000);
    assert!((map.seconds(1 << 40) / (units as f64 / per_second as f64) - 1.0).abs() < 1e-15);
}

#[test]
fn running_status_goes_on_across_a_meta_event() {
    let bytes = file(
        0,
        480,
        &[&track(&[
            (0, &[0x90, 60, 64]),
            (0, &[0xFF, 1, 1, 65]),
            (480, &[62, 65]),
            (0, &[60, 0]),
            (9, &[62, 0]),
        ])],
    );
    let midi = read(&bytes);
    assert_eq!(notes(&midi), [(0, 480, 60, 64), (480, 489, 62, 65)]);
    assert_eq!(midi.to_bytes().unwrap(), bytes);
}

#[test]
fn notes_of_one_pitch_end_in_the_order_in_which_they_began() {
    let midi = read(&file(
        0,
        480,
        &[&track(&[(0, &[0x90, 60, 1]), (240, &[60, 2]), (240, &[0x80, 60, 0]), (240, &[60, 0])])],
    ));
    assert_eq!(notes(&midi), [(0, 480, 60, 1), (240, 720, 60, 2)]);
}

#[test]
fn notes_that_meet_or_have_no_length_are_neither_prolonged_nor_lost() {
    let met = read(&file(
        0,
        96,
        &[&track(&[
            (0, &[0x99, 36, 1]),
            (10, &[36, 2]), // the next begins before the first ends, at one tick
            (0, &[36, 0]),
            (10, &[36, 0]),
            (5, &[36, 3]), // no length
            (0, &[36, 0]),
            (0, &[0x89, 36, 64]), // an end of nothing
            (0, &[0x99, 36, 4]),
            (7, &[0x89, 36, 64]),
        ])],
    ));
    assert_eq!(notes(&met), [(0, 10, 36, 1), (10, 20, 36, 2), (25, 25, 36, 3), (25, 32, 36, 4)]);
    assert_eq!(met.warnings(), []);
}

#[test]
fn film_time_is_the_same_at_any_tempo_and_pieces_of_format_2_stay_apart() {
    let midi = read(&file(0, 0xE728, &[&track(&[(0, SLOW), (1000, &[0x90, 60, 1]), (1, &[60, 0])])]));
    assert_eq!(midi.tempo_map(0).seconds(1000), 1.0);
    assert_eq!(midi.tempo_map(0).ticks(0.25), 250.0);
    let drop = read(&file(0, 0xE364, &[&track(&[])]));
    assert_eq!(drop.tempo_map(0).exact_seconds(300), (300_300, 3_000_000));
    let pieces =
        read(&file(2, 480, &[&track(&[(0, SLOW)]), &track(&[(0, &[0x90, 60, 1]), (480, &[60, 0])])]));
    assert_eq!((pieces.tempo_map(0).seconds(480), pieces.tempo_map(1).seconds(480)), (1.0, 0.5));
    assert_eq!(pieces.tempo_map(2).seconds(480), 0.5);
}

#[test]
fn a_note_that_is_never_released_ends_with_the_track() {
    let midi = read(&file(0, 480, &[&track(&[(0, &[0x90, 60, 1]), (10, &[62, 1]), (10, &[0xFF, 1, 0])])]));
    assert_eq!(notes(&midi), [(0, 20, 60, 1), (10, 20, 62, 1)]);
    assert_eq!(midi.warnings(), [Warning::Held { track: 0, notes: 2 }]);
}

#[test]
fn of_a_track_that_announces_too_much_or_too_little_what_exists_is_read() {
    let one = track(&[(0, &[0x90, 60, 1]), (10, &[60, 0])]);
    let plain = file(1, 480, &[&one, &one]);
    let wanted = [(0, 10, 60, 1), (0, 10, 60, 1)];
    for (place, change) in [
        (18, 50i64),
        (18, -3),
        (18, -15),
        (plain.len() - one.len() - 4, 50),
        (plain.len() - one.len() - 4, -5),
    ] {
        let mut bytes = plain.clone();
        let length = (one.len() as i64 + change) as u32;
        bytes[place..place + 4].copy_from_slice(&length.to_be_bytes());
        let midi = read(&bytes);
        assert_eq!(notes(&midi), wanted, "{place} {change}");
        let [Warning::Length { announced, found, .. }] = midi.warnings() else {
            panic!("{:?}", midi.warnings())
        };
        assert_eq!((*announced, *found), (length, one.len()));
        assert_eq!(midi.to_bytes().unwrap(), plain, "it is repaired");
    }
}

#[test]
fn damage_costs_the_rest_of_its_track_only() {
    let good = track(&[(0, &[0x90, 60, 1]), (10, &[60, 0])]);
    let bad: &[u8] = &[0, 0x90, 60, 1, 10, 0x90, 60, 0x80, 0, 1];
    for (bad, warning) in [
        (bad, Warning::Damaged { track: 0, at: 26 }),
        (&bad[..7], Warning::Cut { track: 0 }),
        (&[0, 0x90, 60, 1, 0x81, 0x81, 0x81, 0x81, 0][..], Warning::Damaged { track: 0, at: 26 }),
        (&[0, 0x90, 60, 1, 0, 0xFF, 1, 9, 65][..], Warning::Cut { track: 0 }),
    ] {
        let midi = read(&file(1, 480, &[bad, &good]));
        assert_eq!(midi.warnings()[0], warning);
        assert!(warning.is_loss());
        assert_eq!(notes(&midi), [(0, 0, 60, 1), (0, 10, 60, 1)]);
        let again = read(&midi.to_bytes().unwrap());
        assert_eq!(again.warnings(), [Warning::Held { track: 0, notes: 1 }]);
        assert_eq!(again.notes(), midi.notes());
    }
    let unfinished = read(&file(0, 480, &[&good[..good.len() - 4]]));
    assert_eq!(unfinished.warnings(), [Warning::NoEnd { track: 0 }]);
    assert_eq!(unfinished.to_bytes().unwrap(), file(0, 480, &[&good]));
}

#[test]
fn the_largest_delta_allocates_nothing_and_a_gap_that_is_too_long_is_told() {
    let midi = read(&file(0, 480, &[&track(&[(0x0FFF_FFFF, &[0x90, 60, 1]), (0x0FFF_FFFF, &[60, 0])])]));
    assert_eq!(notes(&midi), [(0x0FFF_FFFF, 0x1FFF_FFFE, 60, 1)]);
    let mut longer = midi.notes();
    (longer[0].start_ticks, longer[0].end_ticks) = (0x1FFF_FFFE, 0x1FFF_FFFE);
    let error = midi.with_notes(&longer).unwrap().to_bytes().unwrap_err();
    assert_eq!(error, Error::Gap { track: 0, ticks: 0x1FFF_FFFE });
}

#[test]
fn what_is_no_file_is_refused_with_a_reason() {
    let said = |bytes: &[u8]| MidiFile::from_bytes(bytes).unwrap_err().to_string();
    assert!(said(b"").contains("begins with nothing"));
    assert!(said(b"RIFFxxxxxxxxxxxx").contains("'RIFF'"));
    assert!(said(b"MThd\0\0\0\x06\0\0").contains("ends after 10 bytes"));
    assert!(said(b"MThd\0\0\0\x05\0\0\0\0\x01\xE0").contains("announces 5"));
    assert!(said(b"MThd\xFF\0\0\x06\0\0\0\0\x01\xE0").contains("that are there"));
    assert!(said(&header(3, 0, 480)).contains("format 3"));
    assert!(said(&header(0, 0, 0)).contains("0 ticks"));
    assert!(said(&header(0, 0, 0xE700)).contains("25 frames a second of 0 ticks"));
    assert!(said(&vec![b'M'; MidiFile::MAX_BYTES + 1]).contains("33554433"));
}

#[test]
fn every_file_of_the_standard_is_written_as_it_was_read() {
    for bytes in samples() {
        let midi = read(&bytes);
        assert_eq!(midi.warnings(), []);
        assert_eq!(midi.to_bytes().unwrap(), bytes);
        assert_eq!(midi.with_notes(&midi.notes()).unwrap().to_bytes().unwrap(), bytes, "no note is changed");
    }
}

#[test]
fn chunks_of_other_kinds_and_bytes_after_the_end_are_kept_apart_from_tracks() {
    let midi = read(&samples()[3]);
    assert_eq!(midi.tracks().count(), 2);
    assert_eq!(midi.chunks()[0], Chunk::Other { id: *b"XYZ ", data: b"kept".to_vec() });
    let announced = read(&[header(1, 3, 96), chunk(b"MTrk", END)].concat());
    assert_eq!(announced.warnings(), [Warning::TrackCount { announced: 3, found: 1 }]);
    let cut = read(&[header(1, 0, 96), chunk(b"XYZ ", b"abcd")[..10].to_vec()].concat());
    assert_eq!(cut.warnings(), [Warning::Length { track: None, announced: 4, found: 2 }]);
}

#[test]
fn bare_system_messages_are_written_as_the_standard_wants_them() {
    let bytes =
        file(0, 96, &[&track(&[(0, &[0x90, 60, 1]), (3, &[0xF8]), (0, &[0xF2, 1, 2]), (1, &[60, 0])])]);
    let midi = read(&bytes);
    assert_eq!(midi.warnings(), [Warning::BareSystemMessage { track: 0 }]);
    assert_eq!(notes(&midi), [(0, 4, 60, 1)]);
    let again = read(&midi.to_bytes().unwrap());
    assert_eq!((again.warnings(), again.notes()), (&[][..], midi.notes()));
}

#[test]
fn signatures_and_names_are_those_of_the_meta_events() {
    let midi = read(&samples()[1]);
    assert_eq!(midi.time_signatures(), [TimeSignature { tick: 106, numerator: 6, denominator: 8 }]);
    let keys: Vec<_> = midi.key_signatures().iter().map(|key| (key.tick, key.sharps, key.is_minor)).collect();
    assert_eq!(keys, [(116, -3, true)]);
    assert_eq!(midi.tracks().nth(1).unwrap().name(), Some(&b"piano"[..]));
}
