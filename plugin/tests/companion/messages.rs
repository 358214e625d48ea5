//! Controllers, bends, pressure and programs: they pass unchanged, as late as the notes.

use super::host::clap::Instance as ClapInstance;
use super::host::{Message, Module, Note, Song, library};
use super::{LATENCY, QUARTER, beat, class, rendering};

const LEN: i64 = 2 * QUARTER;

/// Messages of every kind on several channels, some with a note.
fn messages(with_programs: bool) -> Vec<Message> {
    let kinds: [[u8; 3]; 8] = [
        [0xb0, 1, 5],
        [0xe0, 17, 64],
        [0xd3, 99, 0],
        [0xa9, 36, 80],
        [0xbf, 64, 127],
        [0xe9, 127, 127],
        [0xb9, 123, 0],
        [0xc2, 42, 0],
    ];
    let count = if with_programs { 8 } else { 7 };
    (0..160)
        .map(|at: i64| {
            let mut bytes = kinds[(at % count) as usize];
            if bytes[0] & 0xf0 == 0xe0 {
                bytes[1] ^= at as u8 & 127;
            }
            Message { sample: 251 * at, bytes }
        })
        .collect()
}

/// What comes out is what came in, in the order of time.
fn check(played: &[Message], given: &[Message], what: &str) {
    let late: Vec<Message> = given.iter().map(|message| message.later(LATENCY)).collect();
    assert!(played == late, "{what}: {} of {}", played.len(), late.len());
}

/// Lengths of blocks, over and over, up to the end.
fn blocks(sizes: &[usize]) -> Vec<(i64, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    for size in sizes.iter().cycle() {
        let count = (*size as i64).min(LEN - at);
        found.push((at, count as usize));
        at += count;
        if at == LEN {
            break;
        }
    }
    found
}

fn song(at: i64, plays: bool) -> Song {
    Song { plays, beat: at as f64 / QUARTER as f64, ..Song::default() }
}

#[test]
fn a_vst3_host_gets_every_message_at_its_sample_in_blocks_of_any_size() {
    let (given, notes) = (messages(false), beat(1));
    for (sizes, parameters, plays) in [
        (&[4096][..], "{}", true),
        (&[1], "{}", true),
        (&[480, 1, 333, 4096, 7], "{}", true),
        (&[512], r#"{"bypass": {"bool": true}}"#, true),
        (&[512], "{}", false),
    ] {
        let mut instance = rendering(parameters);
        let mut played = Vec::new();
        for (at, count) in blocks(sizes) {
            let mut sound = [vec![0.0; count], vec![0.0; count]];
            played.extend(instance.play_events(at, &mut sound, &notes, &given, &song(at, plays)).1);
        }
        check(&played, &given, &format!("blocks of {sizes:?}, {parameters}, {plays}"));
    }
}

#[test]
fn a_clap_host_gets_them_too_and_programs() {
    let (given, notes): (_, Vec<Note>) = (messages(true), beat(1));
    for sizes in [&[4096][..], &[1], &[480, 1, 333, 4096, 7]] {
        let instance = ClapInstance::open(&library(), class(&Module::load()) as u32);
        assert!(instance.set_offline(true));
        instance.start();
        let mut played = Vec::new();
        for (at, count) in blocks(sizes) {
            let mut sound = [vec![0.0; count], vec![0.0; count]];
            played.extend(instance.play_events(at, &mut sound, &notes, &given, &song(at, true)).1);
        }
        check(&played, &given, &format!("blocks of {sizes:?}"));
        instance.stop();
    }
}

#[test]
fn only_plugins_that_pass_controllers_offer_them_to_a_vst3_host() {
    let module = Module::load();
    let ours = module.create_class(class(&module));
    let ids: std::collections::BTreeSet<u32> = (0..16)
        .flat_map(|channel| (0..130).map(move |number| (channel, number)))
        .filter_map(|(channel, number)| ours.controller(channel, number))
        .collect();
    assert_eq!(ids.len(), 16 * 130);
    assert_eq!(module.create().controller(0, 1), None);
}
