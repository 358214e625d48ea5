//! Any bytes are read or refused, and what is written from them is a valid file of the same notes.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Random, samples};
use neurdsp_midi::{MidiFile, Warning};

/// One change of a byte, of a length, or of the end.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let interesting = [0, 1, 0x7F, 0x80, 0x90, 0xF0, 0xF7, 0xF8, 0xFF, b'M'];
    match random.below(6) {
        0 => bytes[at] = random.below(256) as u8,
        1 => bytes[at] = interesting[random.below(interesting.len())],
        2 => bytes.truncate(at.max(1)),
        3 => bytes.insert(at, random.below(256) as u8),
        4 => {
            bytes.remove(at);
        }
        _ => {
            let piece: Vec<u8> = bytes[at..].iter().take(random.below(30)).copied().collect();
            let place = random.below(bytes.len());
            bytes.splice(place..place, piece);
        }
    }
    if bytes.is_empty() {
        bytes.push(0);
    }
}

#[test]
fn what_is_read_of_a_damaged_file_is_written_as_a_valid_one() {
    let mut random = Random(1);
    let (mut read, mut repaired) = (0, 0);
    for sample in samples() {
        for _ in 0..6000 {
            let mut bytes = sample.clone();
            for _ in 0..=random.below(4) {
                mutate(&mut bytes, &mut random);
            }
            let Ok(midi) = MidiFile::from_bytes(&bytes) else { continue };
            read += 1;
            repaired += usize::from(!midi.warnings().is_empty());
            // Lengths that announce too much stand in no proportion to what is kept.
            let n_events: usize = midi.tracks().map(|track| track.events().len()).sum();
            assert!(n_events <= bytes.len());
            let written = midi.to_bytes().unwrap();
            let again = MidiFile::from_bytes(&written).unwrap();
            let is_valid = |warning: &Warning| matches!(warning, Warning::Held { .. });
            assert!(again.warnings().iter().all(is_valid), "{:?} from {bytes:?}", again.warnings());
            assert_eq!(again.notes(), midi.notes());
            assert_eq!(again.to_bytes().unwrap(), written);
            if midi.warnings().iter().all(is_valid) {
                assert_eq!(written, bytes, "a file without a fault is kept");
            }
        }
    }
    assert!(read > 10_000 && repaired > 3_000, "{read} read, {repaired} repaired");
}
