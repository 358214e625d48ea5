//! Outputs as hosts lay them out: fewer than there are, switched off, crossed, doubled.

use super::host::{Module, NETWORK_LATENCY, noise, separated};
use super::{DRUMS, file, playing};

#[test]
fn there_is_an_output_for_the_mix_and_one_for_each_strip() {
    let instance = Module::load().create_class(DRUMS);
    let outputs = instance.outputs();
    let names: Vec<&str> = outputs.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["Output", "Kick", "Snare", "Toms", "Hi-hat", "Cymbals", "Residual"]);
    assert!(outputs.iter().all(|(_, channels, _)| *channels == 2));
    let active: Vec<bool> = outputs.iter().map(|(_, _, is_active)| *is_active).collect();
    assert_eq!(active, [true, false, false, false, false, false, false]);
}

#[test]
fn channels_are_taken_as_hosts_ask_for_them() {
    let instance = Module::load().create_class(DRUMS);
    for (input, outputs) in [
        (2, &[2; 7][..]),
        (2, &[2]),
        (2, &[2, 0, 0, 0, 0, 0, 0]),
        (1, &[2; 7]),
        (1, &[2]),
        (1, &[1; 7]),
        (1, &[1]),
    ] {
        assert!(instance.take_channels(input, outputs), "{input} to {outputs:?}");
        let expected = i32::try_from(outputs[0]).unwrap();
        assert!(instance.outputs().iter().all(|(_, channels, _)| *channels == expected));
    }
    for (input, outputs) in [(2, &[1][..]), (2, &[2; 8]), (0, &[2]), (2, &[])] {
        assert!(!instance.take_channels(input, outputs), "{input} to {outputs:?}");
    }
}

#[test]
fn outputs_that_a_host_leaves_out_or_crosses_change_no_other() {
    let (left, right) = (noise(480, 0.3), noise(480, 0.3));
    let stems = separated(&file(), [&left, &right]);
    let null = std::ptr::null_mut();
    let mut memory = vec![vec![9.0f32; 480]; 16];
    let at: Vec<*mut f32> = memory.iter_mut().map(|channel| channel.as_mut_ptr()).collect();
    let (to_left, to_right) = (left.clone().leak().as_mut_ptr(), right.clone().leak().as_mut_ptr());
    let play = |outputs: &[Vec<*mut f32>]| unsafe {
        playing("{}").process_outputs([to_left, to_right], outputs, 480);
    };
    let pairs = |from: usize, count: usize| (from..from + count).map(|i| vec![at[2 * i], at[2 * i + 1]]);

    // The main output alone; with the first; with the others switched off in the ways that hosts have; with one more.
    play(&pairs(0, 1).collect::<Vec<_>>());
    let mix = [memory[0].clone(), memory[1].clone()];
    assert!(super::null_db(&mix[1], &right, NETWORK_LATENCY) < -120.0);
    play(&pairs(0, 2).collect::<Vec<_>>());
    assert!(memory[2] == stems[0][0] && memory[3] == stems[0][1]);
    let mut some: Vec<Vec<*mut f32>> = pairs(0, 7).collect();
    (some[1], some[3], some[4]) = (vec![], vec![null, null], vec![null, at[9]]);
    memory.iter_mut().for_each(|channel| channel.fill(9.0));
    play(&some);
    assert!(memory[0] == mix[0] && memory[4] == stems[1][0] && memory[9] == stems[3][1]);
    assert!([2, 3, 6, 7, 8].iter().all(|index| memory[*index].iter().all(|x| *x == 9.0)));
    play(&pairs(0, 8).collect::<Vec<_>>());
    assert!(memory[2] == stems[0][0] && memory[14].iter().chain(&memory[15]).all(|x| *x == 9.0));

    // The input is that of the host in place, crossed, or the memory of a strip.
    let copy = |from: &[f32], to: *mut f32| unsafe { std::ptr::copy(from.as_ptr(), to, 480) };
    let mut crossed: Vec<Vec<*mut f32>> = pairs(0, 7).collect();
    crossed[0] = vec![at[1], at[0]];
    copy(&left, at[0]);
    copy(&right, at[1]);
    unsafe { playing("{}").process_outputs([at[0], at[1]], &crossed, 480) };
    assert!(memory[1] == mix[0] && memory[0] == mix[1] && memory[4] == stems[1][0]);
    copy(&left, at[4]);
    copy(&right, at[5]);
    unsafe { playing("{}").process_outputs([at[4], at[5]], &pairs(0, 7).collect::<Vec<_>>(), 480) };
    assert!(memory[0] == mix[0] && memory[1] == mix[1] && memory[4] == stems[1][0]);
}
