//! Faders, solo, mute, master and bypass.

use super::host::{NETWORK_LATENCY, noise, null_db, steepest};
use super::{peak, playing};

/// Gain of a fader at a value in dB.
fn gain(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

#[test]
fn a_fader_scales_its_own_output_and_its_share_of_the_mix() {
    let (left, right) = (noise(9000, 0.3), noise(9000, 0.3));
    let flat = playing("{}").play_outputs([&left, &right], &[512]);
    let set = r#"{"kick": {"f32": -6.0}, "toms": {"f32": -60.0}, "residual": {"f32": 6.0}, "master": {"f32": 3.0},
        "snare_mute": {"bool": true}}"#;
    let played = playing(set).play_outputs([&left, &right], &[512]);
    let gains = [gain(-6.0), 0.0, 0.0, 1.0, 1.0, gain(6.0)];
    for side in 0..2 {
        let mut mix = vec![0.0f32; left.len()];
        for (index, gain) in gains.into_iter().enumerate() {
            let expected: Vec<f32> = flat[index + 1][side].iter().map(|x| gain * x).collect();
            if gain == 0.0 {
                assert_eq!(peak(&played[index + 1][side]), 0.0, "{index}");
            } else {
                assert!(null_db(&played[index + 1][side], &expected) < -120.0, "{index}");
            }
            mix.iter_mut().zip(&expected).for_each(|(sum, x)| *sum += x * 10f32.powf(3.0 / 20.0));
        }
        assert!(null_db(&played[0][side], &mix) < -120.0);
    }
}

#[test]
fn strips_in_solo_are_heard_alone_and_a_mute_wins() {
    let signal = noise(9000, 0.3);
    let flat = playing("{}").play_outputs([&signal, &signal], &[512]);
    let solo = r#"{"hihat_solo": {"bool": true}, "kick_solo": {"bool": true}, "kick_mute": {"bool": true}}"#;
    let played = playing(solo).play_outputs([&signal, &signal], &[512]);
    for (index, output) in played[1..].iter().enumerate() {
        let expected = if index == 3 { &flat[4][0] } else { &vec![0.0; 9000] };
        assert!(output[0] == *expected, "{index}");
    }
    assert!(played[0][0] == flat[4][0]);
}

#[test]
fn everything_that_moves_while_it_plays_moves_without_a_step() {
    let tone: Vec<f32> = (0..44_100).map(|i| 0.3 * (0.02 * i as f32).sin()).collect();
    let mut instance = playing("{}");
    let mut heard: Vec<Vec<f32>> = vec![vec![]; 7];
    let moves: [&[(&str, f64)]; 8] = [
        &[("Residual", 0.0)],
        &[("Residual", 1.0), ("Master", 0.5)],
        &[("Kick solo", 1.0)],
        &[("Kick solo", 0.0), ("Residual mute", 1.0)],
        &[("Residual mute", 0.0), ("Bypass", 1.0)],
        &[("Bypass", 0.0)],
        &[("Master", 0.0)],
        &[("Master", 0.694_4), ("Residual", 0.694_4)],
    ];
    for (index, part) in tone.chunks(5000).enumerate() {
        for (name, value) in moves.get(index.wrapping_sub(1)).copied().unwrap_or_default() {
            instance.automate(name, &[(100, *value)]);
        }
        let played = instance.play_outputs([part, part], &[500]);
        heard.iter_mut().zip(played).for_each(|(all, output)| all.extend(&output[0]));
    }
    for (index, output) in heard.iter().enumerate() {
        // The loudest is 0.3 by 12 dB, which takes 20 ms to come or go, and moves by 0.024 a sample by itself.
        let step = steepest(&output[NETWORK_LATENCY..]);
        assert!(step < 0.03, "{index}: {step}");
    }
}

#[test]
fn an_automated_fader_moves_at_its_sample_whatever_the_blocks() {
    let signal = vec![0.5; 8000];
    let play = |blocks: &[usize], at: i32| {
        let mut instance = playing("{}");
        let mut played = instance.play_outputs([&signal[..4000], &signal[..4000]], blocks);
        instance.automate("Residual", &[(at, 0.0)]);
        instance.automate("Kick", &[(at, 0.0)]);
        let after = instance.play_outputs([&signal[4000..], &signal[4000..]], &[2000]);
        played.iter_mut().zip(&after).for_each(|(all, after)| all[0].extend(&after[0]));
        played
    };
    let one = play(&[4000], 700);
    assert!(play(&[64], 700) == one);
    let flat = playing("{}").play_outputs([&signal, &signal], &[4000]);
    let (stem, flat) = (&one[1][0], &flat[1][0]);
    assert!(stem[..4700] == flat[..4700] && stem[4700] != flat[4700] && stem[4700 + 440] != 0.0);
    assert!(stem[4700 + 882..].iter().all(|x| *x == 0.0));
}

#[test]
fn bypass_is_the_input_as_late_as_before_and_silences_the_strips() {
    let (left, right) = (noise(9000, 0.3), noise(9000, 0.3));
    let set = r#"{"bypass": {"bool": true}, "master": {"f32": -20.0}, "kick_solo": {"bool": true}}"#;
    let mut instance = playing(set);
    assert_eq!(instance.latency() as usize, NETWORK_LATENCY);
    let played = instance.play_outputs([&left, &right], &[512]);
    for (side, signal) in [&left, &right].into_iter().enumerate() {
        assert!(played[0][side][NETWORK_LATENCY..] == signal[..9000 - NETWORK_LATENCY]);
        assert!(played[1..].iter().all(|output| peak(&output[side]) == 0.0));
    }
}
