//! What hosts do beyond playing a block: how they render, set, name and lay out, and what they are told. The library is a debug
//! build: an allocation while it plays ends the process.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]
#![allow(clippy::undocumented_unsafe_blocks, reason = "all of it is calls of VST3 by its rules")]

#[path = "../host/mod.rs"]
mod host;

use std::sync::atomic::Ordering;

use host::{BARE, Instance, Module, TS9, noise, state, state_of_version, state_with};
use vst3::Steinberg::Vst::RestartFlags_::kParamTitlesChanged;
use vst3::Steinberg::Vst::{IAudioProcessorTrait, IComponentTrait, IEditControllerTrait, ProcessSetup};
use vst3::Steinberg::kResultOk;

const CRUNCH: &[u8] = include_bytes!("../../../python/neurdsp/amp/shipped/crunch.safetensors");
const FROZEN: &[u8] = include_bytes!("../frozen/project.vst3.json");
const RATE: f64 = 48_000.0;
/// Parameters under which the model plays alone, to be followed by others.
const ALONE: &str = r#""gate": {"bool": false}, "tone": {"bool": false}, "dc_block": {"bool": false},
    "output_mode": {"string": "raw"}"#;

fn ts9(signal: &[f32]) -> Vec<f32> {
    let mut stream = neurdsp_models::load_bytes(TS9).unwrap().build_stream().unwrap();
    let mut output = vec![0.0; signal.len()];
    stream.process(signal, &mut output);
    output
}

fn playing(module: &Module, more: &str) -> Instance {
    let mut instance = module.create();
    assert!(instance.set_state(&state_with(&format!("{{{ALONE}{more}}}"), TS9)));
    instance.start(RATE, 512);
    instance
}

/// The level of the loudest sample in dB.
fn peak_db(samples: &[f32]) -> f32 {
    20.0 * samples.iter().fold(1e-9f32, |peak, x| peak.max(x.abs())).log10()
}

#[test]
fn a_guitar_on_one_input_is_heard_where_the_choice_says() {
    let module = Module::load();
    let (guitar, silence) = (noise(4800, 0.3), vec![0.0; 4800]);
    let (played, rest) = (ts9(&guitar), ts9(&silence));
    for (choice, expected) in [
        ("stereo", [&rest, &played]),
        ("left", [&rest, &rest]),
        ("right", [&played, &played]),
        ("sum", [&played, &played]),
    ] {
        let more = format!(r#", "input_channels": {{"string": "{choice}"}}"#);
        let sides = playing(&module, &more).play_both(&silence, &guitar, 480);
        assert!(sides[0] == *expected[0] && sides[1] == *expected[1], "{choice}");
    }
}

#[test]
fn one_input_is_heard_on_both_outputs() {
    let module = Module::load();
    let mut instance = module.create();
    assert!(instance.set_state(&state_with(BARE, TS9)) && instance.take_mono());
    instance.start(RATE, 512);
    let signal = noise(4800, 0.3);
    let sides = instance.play_both(&signal, &vec![0.7; 4800], 480);
    assert!(sides[0] == ts9(&signal) && sides[1] == sides[0]);
}

#[test]
fn a_changed_choice_of_input_ends_where_it_should() {
    let module = Module::load();
    let mut instance = playing(&module, "");
    let (guitar, blank) = (noise(96_000, 0.3), vec![0.0; 96_000]);
    let (played, rest) = (ts9(&guitar), ts9(&blank));
    // Stereo, left, right and sum are at 0, 1/3, 2/3 and 1.
    for (value, left) in [(1.0, &played), (0.0, &rest), (2.0 / 3.0, &played), (1.0 / 3.0, &rest)] {
        instance.automate("input_channels", &[(0, value)]);
        let sides = instance.play_both(&blank, &guitar, 480);
        let right = if value == 1.0 / 3.0 { &rest } else { &played };
        for (side, expected) in sides.iter().zip([left, right]) {
            let error = side[90_000..].iter().zip(&expected[90_000..]).map(|(a, b)| (a - b).abs());
            let error = error.fold(0.0, f32::max);
            assert!(error < 1e-4, "{value}: {error}");
        }
    }
}

#[test]
fn crossed_and_doubled_buffers_play_as_separate_ones() {
    let module = Module::load();
    let (left, right) = (noise(480, 0.3), noise(480, 0.3));
    let [first, second] = playing(&module, "").play_both(&left, &right, 480);
    let (mut a, mut b) = (left.clone(), right.clone());
    let (to_a, to_b) = (a.as_mut_ptr(), b.as_mut_ptr());
    unsafe { playing(&module, "").process_apart([to_a, to_b], [to_b, to_a], 480) };
    assert!(b == first && a == second);

    let (mut a, mut b, mut c) = (left.clone(), right.clone(), vec![9.0; 480]);
    let (to_a, to_b, to_c) = (a.as_mut_ptr(), b.as_mut_ptr(), c.as_mut_ptr());
    unsafe { playing(&module, "").process_apart([to_a, to_b], [to_b, to_c], 480) };
    assert!(b == first && c == second && a == left);
    // One input that is both, and an output that is missing.
    unsafe { playing(&module, "").process_apart([to_a, to_a], [to_c, std::ptr::null_mut()], 480) };
    assert!(c == first);
}

#[test]
fn every_rate_that_validators_ask_for_is_played_and_none_that_is_no_rate() {
    let module = Module::load();
    let mut instance = module.create();
    assert!(instance.set_state(&state_with(BARE, TS9)));
    for rate in [
        22_050.0,
        32_000.0,
        44_100.0,
        88_200.0,
        192_000.0,
        384_000.0,
        768_000.0,
        1234.5678,
        12_345.678,
        45_678.901,
        123_456.78,
        1_234_567.8,
    ] {
        instance.start(rate, 512);
        // Longer than the latency at the highest of them.
        let signal = noise(12_000, 0.3);
        let played = instance.play(&signal, &[512, 100]);
        assert!(played.iter().all(|x| x.is_finite()) && peak_db(&played) > -60.0, "{rate}");
        // Outside of 8 to 768 kHz the sound passes.
        assert!((8000.0..=768_000.0).contains(&rate) || played == signal, "{rate}");
        instance.stop();
    }
    let refuses = |rate: f64, size: i32| {
        let mut setup = ProcessSetup {
            processMode: 0,
            symbolicSampleSize: size,
            maxSamplesPerBlock: 512,
            sampleRate: rate,
        };
        (unsafe { instance.processor.setupProcessing(&mut setup) }) != kResultOk
    };
    assert!(refuses(0.0, 0) && refuses(-48_000.0, 0) && refuses(f64::NAN, 0) && refuses(48_000.0, 1));
    assert!(!refuses(48_000.0, 0));
    instance.start(RATE, 512);
    let signal = noise(2048, 0.3);
    assert!(instance.play(&signal, &[512]) == ts9(&signal));
}

#[test]
fn a_value_that_the_host_sets_between_blocks_is_in_its_state() {
    let module = Module::load();
    let mut instance = playing(&module, "");
    instance.play(&noise(512, 0.3), &[512]);
    let saved = |instance: &Instance, id: &str| state(instance)["params"][id].clone();
    // From -24 to 24 dB; raw, normalised and calibrated; off or on; from 0 to 100 %.
    for (name, value) in [("Input", 0.75), ("Output mode", 1.0), ("Gate", 1.0), ("Mix", 0.25)] {
        instance.set_beside(name, value);
        assert!((instance.value(name) - value).abs() < 1e-6, "{name}");
    }
    assert_eq!(saved(&instance, "input"), serde_json::json!({"f32": 12.0}));
    assert_eq!(saved(&instance, "output_mode"), serde_json::json!({"string": "calibrated"}));
    assert_eq!(saved(&instance, "gate"), serde_json::json!({"bool": true}));
    assert_eq!(saved(&instance, "mix"), serde_json::json!({"f32": 0.25}));
    // A block that brings another value counts; one that brings none changes nothing.
    instance.automate("Input", &[(0, 0.5)]);
    instance.play(&noise(512, 0.3), &[512]);
    instance.play(&noise(512, 0.3), &[512]);
    assert_eq!((saved(&instance, "input"), instance.value("Input")), (serde_json::json!({"f32": 0.0}), 0.5));
    assert_eq!(saved(&instance, "mix"), serde_json::json!({"f32": 0.25}));
    // Without blocks the values stay.
    instance.stop();
    assert_eq!((saved(&instance, "mix"), instance.value("Mix")), (serde_json::json!({"f32": 0.25}), 0.25));
}

#[test]
fn a_restored_state_restores_every_parameter_whatever_was_set_before() {
    let module = Module::load();
    let mut instance = playing(&module, "");
    let before = instance.state();
    let values = |instance: &Instance| -> Vec<f64> {
        let value = |id| unsafe { instance.controller.getParamNormalized(id) };
        instance.parameters().iter().map(|info| value(info.id)).collect()
    };
    let expected = values(&instance);
    for beside in [true, false] {
        for info in instance.parameters() {
            if beside {
                unsafe { instance.controller.setParamNormalized(info.id, 0.9) };
            } else {
                instance.automate(&host::text16(&info.title), &[(0, 0.9)]);
            }
        }
        instance.play(&noise(512, 0.3), &[512]);
        assert!(instance.set_state(&before));
        assert_eq!(values(&instance), expected);
        assert!(instance.state() == before);
    }
    // A state without a value for them restores the defaults.
    instance.automate("Input", &[(0, 1.0)]);
    instance.play(&noise(512, 0.3), &[512]);
    assert!(instance.set_state(&state_with("{}", TS9)));
    assert_eq!(instance.value("Input"), 0.5);
}

#[test]
fn the_tail_is_reported_and_nothing_sounds_after_it() {
    let module = Module::load();
    let mut instance = module.create();
    assert!(instance.set_state(FROZEN));
    instance.start(RATE, 512);
    let tail = instance.tail();
    assert!((24_000..480_000).contains(&tail), "{tail}");
    instance.play(&noise(48_000, 0.5), &[512]);
    assert_eq!(instance.tail(), tail);
    let after = instance.play(&vec![0.0; tail + 4800], &[512]);
    // This model has an offset at rest, and the DC block is off.
    let rest = after[after.len() - 1];
    let moving = |part: &[f32]| peak_db(&part.iter().map(|x| x - rest).collect::<Vec<f32>>());
    let (first, last) = (moving(&after[..480]), moving(&after[tail..]));
    assert!(first > -60.0 && last < -120.0, "{first} dB, {last} dB");
}

#[test]
fn parameters_have_the_names_of_the_models_knobs() {
    let module = Module::load();
    let mut instance = module.create();
    assert_eq!([instance.title("knob1"), instance.title("knob2")], ["Knob 1", "Knob 2"]);
    // A host may ask before it starts the plugin.
    assert!(instance.set_state(&state_of_version(2, &format!("{{{ALONE}}}"), CRUNCH)));
    let titles = |instance: &Instance| ["knob1", "knob2", "knob3"].map(|id| instance.title(id));
    assert_eq!(titles(&instance), ["Gain", "Tone", "Knob 3"]);
    instance.start(RATE, 512);
    instance.play(&noise(512, 0.3), &[512]);
    assert_eq!(titles(&instance), ["Gain", "Tone", "Knob 3"]);
    assert_ne!(instance.handler.restarts.load(Ordering::Relaxed) & kParamTitlesChanged, 0);
    assert!(instance.set_state(&state_with(BARE, TS9)));
    assert_eq!(instance.title("knob1"), "Knob 1");
}

#[test]
fn the_ceiling_keeps_the_output_below_full_scale_until_it_is_switched_off() {
    let module = Module::load();
    let signal = noise(9600, 1.0);
    let mut instance = module.create();
    assert_eq!(instance.value("Ceiling"), 1.0);
    instance.start(RATE, 512);
    instance.automate("Output", &[(0, 1.0)]);
    let loud = instance.play(&signal, &[512]);
    assert!(loud.iter().all(|x| x.abs() < 1.0) && peak_db(&loud[4800..]) > -0.1);
    instance.automate("Ceiling", &[(0, 0.0)]);
    let louder = instance.play(&signal, &[512]);
    assert!(peak_db(&louder[4800..]) > 20.0, "{} dB", peak_db(&louder[4800..]));
    // Quiet sound is the same to the bit with and without it.
    let quiet = noise(4800, 0.1);
    let with = playing(&module, r#", "ceiling": {"bool": true}"#).play(&quiet, &[512]);
    assert!(peak_db(&with) < -3.1 && with == ts9(&quiet), "{} dB", peak_db(&with));
}

#[test]
fn a_host_that_errs_is_refused_and_nothing_worse() {
    let module = Module::load();
    let instance = module.create();
    unsafe {
        let mut data: vst3::Steinberg::Vst::ProcessData = std::mem::zeroed();
        assert_ne!(instance.processor.process(&mut data), kResultOk);
        let count = instance.controller.getParameterCount();
        let mut info = std::mem::zeroed();
        assert_ne!(instance.controller.getParameterInfo(count, &mut info), kResultOk);
        assert_ne!(instance.controller.getParameterInfo(-1, &mut info), kResultOk);
        assert!(instance.controller.createView(c"other".as_ptr()).is_null());
        assert_ne!(instance.component.setActive(1), kResultOk);
    }
}
