//! How kicks end: by themselves, with their note, by another hit.

use super::host::{Press, generated, rendered, steepest};
use super::{NOTE, hit, left, placed, playing};

/// Samples of the fade of a kick that another chokes: 3 ms.
const CHOKE: usize = 144;

#[test]
fn a_second_hit_chokes_the_first_and_is_then_alone() {
    let kick = rendered(&generated(&[], 0), 48_000, 0.0);
    let len = kick.len() + 30_000;
    let played = left(&mut playing("{}"), len, &[hit(0), hit(20_000)]);
    let second = placed(&kick, 20_000, len);
    assert!(played[..20_000] == kick[..20_000] && played[20_000 + CHOKE..] == second[20_000 + CHOKE..]);
    assert!(played[20_000] != second[20_000]);
    // Without choke both sound.
    let played = left(&mut playing(r#"{"choke": {"bool": false}}"#), len, &[hit(0), hit(20_000)]);
    let both = placed(&kick, 0, len).iter().zip(&second).map(|(a, b)| a + b).collect::<Vec<f32>>();
    assert!(played == both);
}

#[test]
fn a_quieter_hit_in_the_tail_makes_no_step() {
    let kick = rendered(&generated(&["deep", "long"], 3), 48_000, 0.0);
    let own = steepest(&kick[..20]);
    for set in [r#""choke": {"bool": true}"#, r#""choke": {"bool": false}"#] {
        let set = format!(
            r#"{{{set}, "word_deep": {{"string": "on"}}, "word_long": {{"string": "on"}}, "seed": {{"i32": 3}}}}"#
        );
        for at in (3000..9000).step_by(611) {
            let played = left(&mut playing(&set), 12_000, &[hit(0), Press::on(at, NOTE, 0.05)]);
            let at = at as usize;
            let around = &played[at - 20..at + 400];
            // The tail's own slope, that of a fade over 3 ms, and that of the second hit.
            let tail = steepest(&kick[at - 20..at + 400]);
            let level = kick[at - 20..at + 400].iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            let bound =
                tail + level * 1.5 / CHOKE as f32 + 0.05 * steepest(&kick).max(own) + 0.05 * kick[0].abs();
            let step = steepest(around);
            assert!(step <= bound, "{at}: {step} > {bound}");
        }
    }
}

#[test]
fn the_end_of_a_note_does_what_the_mode_says() {
    let kick = rendered(&generated(&[], 0), 48_000, 0.0);
    let play = |set: &str| left(&mut playing(set), 30_000, &[hit(0), Press::off(10_000, NOTE)]);
    assert!(play("{}") == kick[..30_000]);
    let cut = play(r#"{"mode": {"string": "cut"}}"#);
    assert!(cut[..10_000] == kick[..10_000] && cut[10_000 + CHOKE..].iter().all(|x| *x == 0.0));
    assert!(steepest(&cut[9_990..10_200]) < steepest(&kick[9_990..10_200]) + 0.015);
    let release = 100 * 48;
    let faded = play(r#"{"mode": {"string": "note_off"}, "release": {"f32": 100.0}}"#);
    assert!(faded[..10_000] == kick[..10_000] && faded[10_000 + release..].iter().all(|x| *x == 0.0));
    let half = 10_000 + release / 2;
    let ratio = faded[half] / kick[half];
    assert!((0.45..0.55).contains(&ratio), "{ratio}");
    // The end of another note is not its.
    let other = [hit(0), Press::off(10_000, NOTE + 1)];
    assert!(left(&mut playing(r#"{"mode": {"string": "cut"}}"#), 30_000, &other) == kick[..30_000]);
}

#[test]
fn more_kicks_than_voices_fade_the_oldest() {
    let kick = rendered(&generated(&[], 0), 48_000, 0.0);
    let notes: Vec<Press> = (0..9).map(|i| hit(500 * i)).collect();
    let played = left(&mut playing(r#"{"choke": {"bool": false}}"#), 20_000, &notes);
    // After the ninth has begun and the first has faded, eight are left.
    for at in [4000 + CHOKE, 8000, 19_999] {
        let sum: f32 = (1..9).map(|i| kick[at - 500 * i]).sum();
        assert!((played[at] - sum).abs() < 1e-5, "{at}");
    }
}
