//! What notes play: at which sample, how loud, how high, and in blocks of any size.

use std::time::Instant;

use super::host::{Press, generated, rendered};
use super::{NOTE, hit, left, placed, playing, playing_at};

#[test]
fn a_hit_is_the_kick_of_the_engine_from_its_sample_on_at_every_rate() {
    let code = generated(&[], 0);
    for rate in [44_100, 48_000, 88_200, 96_000, 192_000] {
        let kick = rendered(&code, rate, 0.0);
        let len = kick.len() + 1000;
        let played = left(&mut playing_at(f64::from(rate), "{}"), len, &[hit(700)]);
        assert!(played == placed(&kick, 700, len), "{rate}");
        assert!(kick.last() == Some(&0.0));
    }
    // At a rate between, and above those of the renderer, it is resampled: as long, and as loud.
    let kick = rendered(&code, 192_000, 0.0);
    let end = kick.iter().rposition(|x| *x != 0.0).unwrap() as f64 / 192_000.0;
    let loudest = |sound: &[f32]| sound.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    for rate in [45_678.9, 384_000.0] {
        let len = (2.2 * rate) as usize;
        let played = left(&mut playing_at(rate, "{}"), len, &[hit(0)]);
        let last = played.iter().rposition(|x| *x != 0.0).unwrap() as f64 / rate;
        let ratio = loudest(&played) / loudest(&kick);
        assert!(
            (last - end).abs() < 0.01 && (0.97..1.03).contains(&ratio),
            "{rate}: {last} s of {end}, {ratio}"
        );
    }
}

#[test]
fn words_and_a_seed_give_the_kick_that_they_give_everywhere() {
    let set = r#"{"word_deep": {"string": "on"}, "word_punchy": {"string": "on"}, "seed": {"i32": 7}, "tune": {"f32": -2.5}}"#;
    let kick = rendered(&generated(&["deep", "punchy"], 7), 48_000, -2.5);
    assert!(left(&mut playing(set), kick.len(), &[hit(0)]) == kick);
}

#[test]
fn blocks_of_any_size_play_the_same() {
    let notes = [
        hit(3),
        Press::on(700, 48, 0.7),
        Press::off(2000, 48),
        Press::on(2001, 43, 0.3),
        hit(4095),
        hit(4096),
        Press::on(9000, 24, 0.9),
        Press::off(9999, 24),
    ];
    let set = r#"{"choke": {"bool": false}, "keys": {"string": "pitch"}, "mode": {"string": "note_off"},
        "round_robin": {"bool": true}}"#;
    let play = |blocks: &[usize]| playing(set).play_instrument(12_000, blocks, &notes);
    let whole = play(&[4096]);
    assert!(whole[0].iter().filter(|x| **x != 0.0).count() > 11_000);
    for blocks in [&[1][..], &[64], &[512], &[1000, 1, 333]] {
        assert!(play(blocks) == whole, "{blocks:?}");
    }
}

#[test]
fn other_notes_are_silent_unless_all_play_and_then_at_their_own_pitch_if_it_follows() {
    let kick = rendered(&generated(&[], 0), 48_000, 0.0);
    let len = kick.len() + 100;
    let play = |set: &str, key: i16| left(&mut playing(set), len, &[Press::on(0, key, 1.0)]);
    assert!(play("{}", 37).iter().all(|x| *x == 0.0));
    assert!(play(r#"{"note": {"i32": 40}}"#, NOTE).iter().all(|x| *x == 0.0));
    let same = placed(&kick, 0, len);
    assert!(play(r#"{"note": {"i32": 40}}"#, 40) == same);
    assert!(play(r#"{"keys": {"string": "all"}}"#, 60) == same);
    let follow = r#"{"keys": {"string": "pitch"}}"#;
    assert!(play(follow, NOTE) == same);
    // An octave up is every second sample, but for what would fold: the low tail of the kick is there whole.
    let higher = play(follow, NOTE + 12);
    assert!(higher[kick.len() / 2..].iter().all(|x| *x == 0.0));
    let tail = 4800..24_000;
    let expected: Vec<f32> = tail.clone().map(|i| kick[2 * i]).collect();
    let error_db = super::host::null_db(&higher[tail], &expected);
    assert!(error_db < -30.0, "{error_db} dB");
}

#[test]
fn a_soft_hit_is_softer_by_its_velocity() {
    let kick = rendered(&generated(&[], 0), 48_000, 0.0);
    for (velocity, gain) in [(0.0, 1.0), (0.5, 0.5), (1.0, 0.25)] {
        let set = format!(r#"{{"velocity": {{"f32": {velocity}}}}}"#);
        let played = left(&mut playing(&set), 5000, &[Press::on(0, NOTE, 0.5)]);
        assert!(played.iter().zip(&kick).all(|(played, x)| *played == gain * x), "{velocity}");
    }
    let quiet = left(&mut playing(r#"{"level": {"f32": -6.0}}"#), 5000, &[hit(0)]);
    assert!(quiet.iter().zip(&kick).all(|(played, x)| (played - 0.501_187 * x).abs() < 1e-6));
    assert!(left(&mut playing(r#"{"level": {"f32": -60.0}}"#), 5000, &[hit(0)]).iter().all(|x| *x == 0.0));
}

#[test]
fn notes_beside_the_block_and_floods_of_them_are_played_somewhere_in_it() {
    let mut instance = playing(r#"{"choke": {"bool": false}}"#);
    let mut to = [vec![0.0; 64], vec![0.0; 64]];
    for at in [64, 65, 100_000, i32::MAX, -1, i32::MIN] {
        instance.play_block(&mut to, 0..64, &[hit(at), Press::off(at, NOTE)]);
        instance.play_block(&mut to, 0..0, &[hit(at)]);
    }
    let flood: Vec<Press> = (0..1000).map(|i| Press::on(i % 64, NOTE, 0.01)).collect();
    instance.play_block(&mut to, 0..64, &flood);
    let strange = [
        Press::on(0, -1, 1.0),
        Press::on(0, 300, 1.0),
        Press::on(0, NOTE, f32::NAN),
        Press::on(0, NOTE, 9.0),
    ];
    instance.play_block(&mut to, 0..64, &strange);
    assert!(to[0].iter().all(|x| x.is_finite() && x.abs() < 20.0));
}

#[test]
fn ten_idle_instances_cost_next_to_nothing() {
    let mut instances: Vec<_> = (0..10).map(|_| playing("{}")).collect();
    let mut to = [vec![0.0; 64], vec![0.0; 64]];
    let mut best_s = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..750 {
            instances.iter_mut().for_each(|instance| instance.play_block(&mut to, 0..64, &[]));
        }
        best_s = best_s.min(start.elapsed().as_secs_f64());
    }
    // A second of sound of ten instances, in a debug build and with the test host's own work.
    assert!(best_s < 0.5, "{best_s} s");
}
