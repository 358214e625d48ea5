//! What hosts and users have stored, written by version 0.1.0 and never again: a project of a VST3 and of a CLAP host,
//! and what a host keys its automation by, to which lines are only added. `frozen_preset.rs` holds the preset.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use std::fmt::Write;

use host::{Module, library, noise, null_db, number, text16};
use neurdsp_rt::{AmpChain, ChainSettings, ImpulseResponse, Operation, Parameter};

const IDENTITY: &str = include_str!("../frozen/identity.txt");
const VST3: &[u8] = include_bytes!("../frozen/project.vst3.json");
const CLAP: &[u8] = include_bytes!("../frozen/project.clap.bin");
/// The first samples that the project plays of [`noise`], as 32-bit floats.
const PLAYED: &[u8] = include_bytes!("../frozen/played.f32");
const RATE: f64 = 48_000.0;

/// The classes of the library and the parameters of the user, one to a line.
fn identity(module: &Module) -> String {
    let mut text = String::new();
    for class in module.classes() {
        let cid: String = class.cid.iter().map(|byte| char::from(*byte as u8)).collect();
        let [category, name, subcategories, vendor] =
            [&class.category[..], &class.name, &class.subCategories, &class.vendor].map(|text| {
                text.iter()
                    .take_while(|letter| **letter != 0)
                    .map(|letter| char::from(*letter as u8))
                    .collect::<String>()
            });
        writeln!(text, "vst3 {cid} | {vendor} | {name} | {category} | {subcategories}").unwrap();
    }
    for (id, vendor, name, features) in host::clap::classes(&library()) {
        writeln!(text, "clap {id} | {vendor} | {name} | {}", features.join(" ")).unwrap();
    }
    let instance = module.create();
    let state: serde_json::Value = serde_json::from_slice(&instance.state()).unwrap();
    let ids: Vec<&str> = state["params"].as_object().unwrap().keys().map(String::as_str).collect();
    text.push_str("\nid | number | title | unit | steps | flags | default | from | to\n");
    for info in instance.parameters() {
        let id = ids.iter().find(|id| number(id) == info.id).copied().unwrap_or("?");
        let shown = |value| instance.shown(info.id, value);
        let (title, unit) = (text16(&info.title), text16(&info.units));
        let (steps, flags, default) = (info.stepCount, info.flags, info.defaultNormalizedValue);
        let (from, to) = (shown(0.0), shown(1.0));
        let default = format!("{} ({default})", shown(default));
        writeln!(
            text,
            "{id} | {} | {title} | {unit} | {steps} | {flags} | {default} | {from} | {to}",
            info.id
        )
        .unwrap();
    }
    text
}

/// What the engine plays with everything as the project has it.
fn expected(signal: &[f32]) -> Vec<f32> {
    use base64::Engine;
    let state: serde_json::Value = serde_json::from_slice(VST3).unwrap();
    let session: serde_json::Value =
        serde_json::from_str(state["fields"]["session"].as_str().unwrap()).unwrap();
    let content = |what: &str| {
        let text = session[what]["content"].as_str().unwrap();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    };
    let (mut chain, mut handle) = AmpChain::new(RATE, 1).unwrap();
    let settings = ChainSettings::default()
        .with(Parameter::InputGainDb, 3.5)
        .with(Parameter::InterfaceLevelDbu, 10.5)
        .with(Parameter::CalibrateInput, 1.0)
        .with(Parameter::GateOn, 1.0)
        .with(Parameter::GateThresholdDb, -62.5)
        .with(Parameter::BassDb, 4.2)
        .with(Parameter::MidDb, -3.1)
        .with(Parameter::TrebleDb, 2.3)
        .with(Parameter::DcBlockOn, 0.0)
        .with(Parameter::OutputMode, 2.0)
        .with(Parameter::OutputGainDb, -6.4)
        .with(Parameter::Mix, 0.75);
    handle.settings().store(&settings);
    let model = neurdsp_models::load_bytes(&content("model")).unwrap().with_knobs(&[0.8, 0.3]).unwrap();
    handle.load_model(&model, Operation { oversample: 2, ..Operation::at(RATE) }).unwrap();
    handle.load_cabinet(&ImpulseResponse::from_wav(&content("cabinet")).unwrap(), true).unwrap();
    chain.reset();
    let mut output = signal.to_vec();
    chain.process(&mut [&mut output]);
    output
}

fn assert_plays_as_frozen(played: &[f32], signal: &[f32]) {
    assert!(played == expected(signal), "the engine plays another sound");
    let (frozen, _) = PLAYED.as_chunks::<4>();
    let frozen: Vec<f32> = frozen.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let error_db = null_db(played, &frozen);
    // Machines differ in the last bits, which the knee of the gate and the network do not blow up.
    assert!(frozen.len() == signal.len() && error_db < -100.0, "{error_db} dB");
}

/// Asserts that a state has all that the frozen one has, and what came later at values that leave its sound as it was.
fn assert_is_frozen(state: &[u8], frozen: &[u8]) {
    let [mut state, frozen] =
        [state, frozen].map(|json| serde_json::from_slice::<serde_json::Value>(json).unwrap());
    let added = state["params"].as_object_mut().unwrap();
    assert_eq!(added.remove("ceiling").unwrap(), serde_json::json!({"bool": false}));
    assert_eq!(added.remove("input_channels").unwrap(), serde_json::json!({"string": "stereo"}));
    assert_eq!(state, frozen);
}

#[test]
fn classes_and_parameters_are_those_that_projects_are_keyed_by() {
    let text = identity(&Module::load());
    assert_eq!(text, IDENTITY);
}

#[test]
fn a_frozen_project_of_a_vst3_host_has_its_values_and_its_sound() {
    let signal = noise(4800, 0.3);
    let mut instance = Module::load().create();
    assert!(instance.set_state(VST3));
    assert_is_frozen(&instance.state(), VST3);
    instance.start(RATE, 512);
    assert_plays_as_frozen(&instance.play(&signal, &[333, 512, 1]), &signal);
    assert_is_frozen(&instance.state(), VST3);
}

#[test]
fn a_frozen_project_of_a_clap_host_has_its_values_and_its_sound() {
    let signal = noise(4800, 0.3);
    let instance = host::clap::Instance::create();
    assert!(instance.load(CLAP));
    assert_is_frozen(&instance.save()[8..], &CLAP[8..]);
    instance.start();
    assert_plays_as_frozen(&instance.play(&signal, 500), &signal);
    assert_is_frozen(&instance.save()[8..], &CLAP[8..]);
    instance.stop();
}
