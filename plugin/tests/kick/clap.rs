//! The kick instrument in a CLAP host, from the same library.

use clap_sys::events::{CLAP_EVENT_NOTE_CHOKE, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON};

use super::host::clap::{Instance, note};
use super::host::{generated, library, rendered};
use super::{KICK, NOTE, state_of};

fn stored(json: &[u8]) -> Vec<u8> {
    [&(json.len() as u64).to_le_bytes()[..], json].concat()
}

#[test]
fn its_kick_is_that_of_the_engine_its_notes_end_and_its_state_comes_back() {
    let kick = rendered(&generated(&[], 0), 48_000, 0.0);
    let first = Instance::open(&library(), KICK as u32);
    assert_eq!((first.n_ports(true), first.n_ports(false)), (0, 1));
    assert!(first.load(&stored(&state_of(r#"{"duration": {"f32": 2.0}}"#))));
    first.start_at(48_000.0);
    let (played, ended) = first.play_instrument(512, &[note(CLAP_EVENT_NOTE_ON, 100, NOTE, 7, 1.0)]);
    assert!(played[0][100..] == kick[..412] && played[0] == played[1] && ended.is_empty());
    // The host is told at which sample a note is over, and at once of one that does not play.
    let (mut at, mut ends) = (512, Vec::new());
    while at < kick.len() + 600 {
        ends.extend(
            first
                .play_instrument(512, &[])
                .1
                .into_iter()
                .map(|(time, key, id)| (at + time as usize, key, id)),
        );
        at += 512;
    }
    let last = kick.iter().rposition(|x| *x != 0.0).unwrap();
    assert_eq!(ends, [(100 + last + 2, NOTE, 7)]);
    let (silent, ended) = first.play_instrument(64, &[note(CLAP_EVENT_NOTE_ON, 9, 50, 8, 1.0)]);
    assert!(silent[0].iter().all(|x| *x == 0.0));
    assert_eq!(ended, [(9, 50, 8)]);
    let saved = first.save();
    first.stop();

    let second = Instance::open(&library(), KICK as u32);
    assert!(!second.load(b"damaged") && second.load(&saved));
    second.start_at(48_000.0);
    assert!(second.play_instrument(512, &[note(CLAP_EVENT_NOTE_ON, 100, NOTE, 7, 1.0)]).0 == played);
    assert_eq!(second.save(), saved);
    second.stop();
}

#[test]
fn a_choke_of_the_host_ends_a_kick_that_the_end_of_its_note_does_not() {
    let kick = rendered(&generated(&[], 0), 48_000, 0.0);
    let instance = Instance::open(&library(), KICK as u32);
    assert!(instance.load(&stored(&state_of("{}"))));
    instance.start_at(48_000.0);
    let events = [
        note(CLAP_EVENT_NOTE_ON, 0, NOTE, 1, 1.0),
        note(CLAP_EVENT_NOTE_OFF, 50, NOTE, 1, 0.0),
        // That of another note, and then of any.
        note(CLAP_EVENT_NOTE_CHOKE, 100, NOTE, 2, 0.0),
        note(CLAP_EVENT_NOTE_CHOKE, 200, -1, -1, 0.0),
    ];
    let (played, ended) = instance.play_instrument(512, &events);
    assert!(played[0][..200] == kick[..200] && played[0][200] != 0.0);
    assert!(played[0][200 + 144..].iter().all(|x| *x == 0.0));
    assert_eq!(ended, [(200 + 143, NOTE, 1)]);
    instance.stop();
}
