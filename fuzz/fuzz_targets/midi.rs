//! Any bytes are a MIDI file or refused; what is written from them is a valid file of the same notes.
#![no_main]

use neurdsp_midi::{MidiFile, Warning};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(midi) = MidiFile::from_bytes(bytes) else { return };
    let written = midi.to_bytes().expect("what was read can be written");
    let again = MidiFile::from_bytes(&written).expect("what was written can be read");
    assert!(again.warnings().iter().all(|warning| matches!(warning, Warning::Held { .. })));
    assert_eq!(again.notes(), midi.notes());
    let mut notes = midi.notes();
    for note in &mut notes {
        *note = note.starting_at(note.start_ticks.saturating_sub(u64::from(note.velocity)));
    }
    let moved = midi.with_notes(&notes).expect("notes may begin earlier");
    assert_eq!(moved.notes().len(), notes.len());
    let _ = moved.to_bytes();
    let map = midi.tempo_map(0);
    let _ = map.ticks(map.seconds(midi.end_ticks()));
});
