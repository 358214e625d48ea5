//! What the plugins beside the amp player play, so that two builds of them can be compared.

use super::{Module, Note, Press, Song, drum_state, network, noise};

const RATE: f64 = 48_000.0;
const MAX_BLOCK: usize = 4096;
const DRUMS: usize = 1;
const COMPANION: usize = 2;
const KICK: usize = 3;

/// A state with default parameters.
const DEFAULTS: &[u8] = br#"{"version": "0.1.0", "params": {}, "fields": {}}"#;

/// Plays each plugin offline; returns its name, and samples. Those of the companion are its notes: sample, key and velocity.
pub fn tour(module: &Module) -> Vec<(&'static str, Vec<f32>)> {
    vec![("drums", drums(module)), ("companion", companion(module)), ("kick", kick(module))]
}

/// The mix and every further output of a second of noise, with a strip moved.
fn drums(module: &Module) -> Vec<f32> {
    let file = network(&["kick", "snare", "toms", "hihat", "cymbals"], 1);
    let mut instance = module.create_class(DRUMS);
    assert!(instance.set_state(&drum_state(r#"{"snare": {"f32": -7.0}}"#, &file)));
    instance.start_offline(RATE, MAX_BLOCK);
    let signal = noise(48_000, 0.3);
    instance.play_outputs([&signal, &signal], &[441, 1000]).into_iter().flatten().flatten().collect()
}

/// What comes of two bars of eighths.
fn companion(module: &Module) -> Vec<f32> {
    let mut instance = module.create_class(COMPANION);
    assert!(instance.set_state(DEFAULTS));
    instance.start_offline(RATE, MAX_BLOCK);
    let eighth = 12_000;
    let notes: Vec<Note> = (0..16)
        .flat_map(|k| {
            let key = [42, 36, 42, 38][k as usize % 4];
            [Note::on(k * eighth, key, 0.7), Note::off(k * eighth + 6_000, key)]
        })
        .collect();
    let mut played = Vec::new();
    for block in 0..240 {
        let begin = block * 1000;
        let song = Song { beat: begin as f64 / 24_000.0, ..Song::default() };
        played.extend(instance.play_song(begin, 1000, &notes, &song));
    }
    played
        .into_iter()
        .filter(|note| note.is_on)
        .flat_map(|note| [note.sample as f32, f32::from(note.key), note.velocity])
        .collect()
}

/// Two hits of the kick that an empty project makes.
fn kick(module: &Module) -> Vec<f32> {
    let mut instance = module.create_class(KICK);
    assert!(instance.set_state(DEFAULTS));
    instance.start_offline(RATE, MAX_BLOCK);
    let hits = [Press::on(100, 36, 1.0), Press::on(24_000, 36, 0.5)];
    let [left, right] = instance.play_instrument(96_000, &[512, 77], &hits);
    assert!(left == right);
    left
}
