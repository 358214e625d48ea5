//! What comes out of the main output and those of the strips.

use super::host::{Module, NETWORK_LATENCY, NETWORK_RATE, noise, separated, steepest};
use super::{DRUMS, file, null_db, peak, playing, playing_at};

#[test]
fn every_output_is_what_the_engine_gives_in_blocks_of_any_size() {
    let (left, right) = (noise(20_000, 0.3), noise(20_000, 0.3));
    let expected = separated(&file(), [&left, &right]);
    let whole = playing("{}").play_outputs([&left, &right], &[4096]);
    assert_eq!(whole.len(), 7);
    for (index, (played, expected)) in whole[1..].iter().zip(&expected).enumerate() {
        for side in 0..2 {
            if index < 5 {
                assert!(played[side] == expected[side], "{index}");
            } else {
                // What is left of the sound, here and there: the same but for rounding.
                assert!(super::host::null_db(&played[side], &expected[side]) < -110.0);
            }
        }
    }
    for blocks in [&[1][..], &[64], &[512], &[1000, 1, 333]] {
        assert!(playing("{}").play_outputs([&left, &right], blocks) == whole, "{blocks:?}");
    }
}

#[test]
fn with_all_faders_at_zero_the_mix_is_the_input_as_late_as_the_plugin_says() {
    let (left, right) = (noise(30_000, 0.5), noise(30_000, 0.5));
    for rate in [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0, 22_050.0, 45_678.9] {
        let mut instance = playing_at(rate, "{}");
        let late = instance.latency() as usize;
        assert_eq!(late == NETWORK_LATENCY, rate == NETWORK_RATE, "{rate}");
        let played = instance.play_outputs([&left, &right], &[512, 77]);
        for (side, signal) in [&left, &right].into_iter().enumerate() {
            let error_db = null_db(&played[0][side], signal, late);
            assert!(error_db < -120.0, "{rate}: {error_db} dB");
            let stems = played[1..6].iter().map(|stem| peak(&stem[side])).fold(0.0, f32::max);
            assert!(stems > 0.05, "{rate}: the stems are silent");
        }
    }
}

#[test]
fn one_input_gives_two_equal_sides_and_a_mono_host_one() {
    let signal = noise(9000, 0.3);
    let expected = separated(&file(), [&signal, &signal]);
    let start = |input: usize, outputs: &[usize]| {
        let mut instance = Module::load().create_class(DRUMS);
        assert!(instance.set_state(&super::drum_state("{}", &file())));
        assert!(instance.take_channels(input, outputs));
        instance.start(NETWORK_RATE, 512);
        instance
    };
    let mut instance = start(1, &[2]);
    // The second input is not the plugin's.
    let played = instance.play_outputs([&signal, &vec![0.9; 9000]], &[512]);
    for (index, output) in played[1..6].iter().enumerate() {
        assert!(output[0] == expected[index][0] && output[1] == output[0], "{index}");
    }
    assert!(played[0][0] == played[0][1]);
    let mut instance = start(1, &[1; 7]);
    assert!(instance.outputs().iter().all(|(_, channels, _)| *channels == 1));
    let (mut left, mut mix) = (signal[..512].to_vec(), vec![0.0; 512]);
    let mut kick = vec![0.0; 512];
    let outputs = [vec![mix.as_mut_ptr()], vec![kick.as_mut_ptr()]];
    unsafe { instance.process_outputs([left.as_mut_ptr(); 2], &outputs, 512) };
    assert!(kick == expected[0][0][..512] && super::null_db(&mix, &signal[..512], NETWORK_LATENCY) < -120.0);
}

#[test]
fn silence_is_silent_at_every_output_and_the_sound_after_it_is_that_of_a_new_start() {
    let sound = noise(8000, 0.3);
    let mut instance = playing("{}");
    let first = instance.play_outputs([&sound, &sound], &[512]);
    let tail = instance.tail();
    assert!((NETWORK_LATENCY..200_000).contains(&tail), "{tail}");
    let silence = vec![0.0; 400_000];
    let silent = instance.play_outputs([&silence, &silence], &[512]);
    for output in &silent {
        let after = output.iter().map(|side| peak(&side[tail..])).fold(0.0, f32::max);
        assert!(peak(&output[0][..NETWORK_LATENCY]) > 0.0 && after == 0.0, "{after}");
    }
    assert!(instance.play_outputs([&sound, &sound], &[512]) == first);
}

#[test]
fn at_a_rate_that_no_engine_plays_the_sound_passes() {
    let signal = noise(2000, 0.3);
    let mut instance = playing_at(1_234_567.8, "{}");
    assert_eq!(instance.latency(), 0);
    let played = instance.play_outputs([&signal, &signal], &[512]);
    assert!(played[0][0] == signal && peak(&played[1][0]) == 0.0);
    instance.stop();
    instance.start(NETWORK_RATE, 512);
    assert_eq!(instance.latency() as usize, NETWORK_LATENCY);
}

#[test]
fn a_network_that_replaces_another_while_it_plays_makes_no_step() {
    let tone: Vec<f32> = (0..40_000).map(|i| 0.3 * (0.02 * i as f32).sin()).collect();
    let mut instance = playing("{}");
    let mut outputs = instance.play_outputs([&tone[..20_000], &tone[..20_000]], &[512]);
    let other = super::network(&["cymbals", "kick"], 7);
    assert!(instance.set_state(&super::drum_state("{}", &other)));
    let after = instance.play_outputs([&tone[20_000..], &tone[20_000..]], &[512]);
    for (output, after) in outputs.iter_mut().zip(&after) {
        output[0].extend(&after[0]);
    }
    let late = NETWORK_LATENCY;
    assert!(null_db(&outputs[0][0], &tone, late) < -120.0);
    // The tone itself moves by 0.006 a sample.
    for output in &outputs {
        let step = steepest(&output[0][late..]);
        assert!(step < 0.02, "{step}");
    }
    // It has no snare, and what it has is where the strips are.
    assert!(peak(&after[2][0][10_000..]) == 0.0 && peak(&after[1][0][10_000..]) > 0.01);
}
