//! Controls that move while it plays, and kicks in turn.

use std::time::{Duration, Instant};

use super::host::{Module, codes, generated, rendered};
use super::{KICK, hit, left, placed, playing, state_of};

#[test]
fn in_turn_each_hit_plays_another_variation_and_then_the_first_again() {
    let mut instance = playing(r#"{"round_robin": {"bool": true}}"#);
    let kicks: Vec<Vec<f32>> = codes(&instance)[1..].iter().map(|code| rendered(code, 48_000, 0.0)).collect();
    assert_eq!(kicks.len(), 8);
    for first in 1..8 {
        assert!(kicks[..first].iter().all(|other| *other != kicks[first]));
    }
    for turn in 0..10 {
        // Each in silence, after the one before.
        let played = left(&mut instance, kicks[0].len(), &[hit(0)]);
        assert!(played == kicks[turn % 8], "{turn}");
    }
}

#[test]
fn an_offline_render_follows_automation_at_its_sample_whatever_the_blocks() {
    let code = generated(&[], 0);
    let (low, high) = (rendered(&code, 48_000, 0.0), rendered(&code, 48_000, 12.0));
    let play = |blocks: &[usize], at: i32| {
        let mut instance = Module::load().create_class(KICK);
        assert!(instance.set_state(&state_of("{}")));
        instance.start_offline(48_000.0, 4096);
        let first = left(&mut instance, 4096, &[hit(0)]);
        instance.automate("Tune", &[(at, 1.0)]);
        let [second, _] = instance.play_instrument(10_000, blocks, &[hit(1500)]);
        [first, second].concat()
    };
    let whole = play(&[4096, 1000], 1000);
    assert!(whole[..4096 + 1500] == low[..5596], "the kick that sounds goes on");
    let from = 4096 + 1500 + 144;
    assert!(whole[from..] == placed(&high, 5596, 14_096)[from..], "the next has the new pitch");
    assert!(play(&[1001], 1000) == whole);
    // After the note the next one is still as before.
    let late = play(&[4096], 1501);
    assert!(late[from..] == placed(&low, 5596, 14_096)[from..]);
}

#[test]
fn while_it_plays_live_a_moved_control_is_heard_soon() {
    let mut instance = playing("{}");
    let (len, start) = (512, Instant::now());
    let kick = rendered(&generated(&["high"], 0), 48_000, 0.0);
    instance.automate("High", &[(0, 0.5)]);
    while left(&mut instance, len, &[hit(0)])[200..] != kick[200..len] {
        assert!(start.elapsed() < Duration::from_secs(20), "the word is not heard");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_level_moves_without_a_step() {
    let mut instance = playing("{}");
    let kick = rendered(&generated(&[], 0), 48_000, 0.0);
    let mut played = left(&mut instance, 6000, &[hit(0)]);
    instance.automate("Level", &[(0, 0.0)]);
    played.extend(left(&mut instance, 2000, &[]));
    let before = super::host::steepest(&kick[5900..8000]);
    assert!(super::host::steepest(&played[5900..]) < before + 0.001);
    assert!(played[6000 + 960..].iter().all(|x| *x == 0.0) && played[6500] != 0.0);
}
