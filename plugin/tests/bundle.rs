//! Plugins in one library: those of the project, and one of `bundle/pulse`, a MIDI instrument with two outputs that is made of the
//! shared parts. `bundle_window.rs` opens its window.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

mod host;

use std::collections::BTreeSet;

use host::{BARE, Module, TS9, more_plugins, noise, state_with};

const RATE: f64 = 48_000.0;
const AMP: usize = 0;
const PULSE: usize = 4;

#[test]
fn both_formats_list_all_plugins() {
    let names: Vec<String> = Module::open(more_plugins())
        .classes()
        .iter()
        .map(|class| class.cid.iter().map(|byte| char::from(*byte as u8)).collect())
        .collect();
    assert_eq!(
        names,
        ["neurdsp.AmpPlay1", "neurdsp.DrumSep1", "neurdsp.Compani1", "neurdsp.KickGen1", "neurdsp.TestPuls"]
    );
    let ids: Vec<String> = host::clap::classes(&more_plugins()).into_iter().map(|class| class.0).collect();
    assert_eq!(
        ids,
        [
            "org.neurdsp.amp",
            "org.neurdsp.drums",
            "org.neurdsp.companion",
            "org.neurdsp.kick",
            "org.neurdsp.test-pulse"
        ]
    );
}

#[test]
fn vst3_hosts_find_the_group_that_each_parameter_names() {
    let module = Module::open(more_plugins());
    let grouped = (0..module.classes().len()).map(|class| {
        let instance = module.create_class(class);
        let units = instance.units();
        assert!(units.contains(&0), "the root is missing");
        let used: BTreeSet<i32> = instance.parameters().iter().map(|info| info.unitId).collect();
        assert!(used.is_subset(&units), "plugin {class}: {used:?} of {units:?}");
        used.len()
    });
    // The strips of the drum separator are groups.
    assert!(grouped.max().unwrap() > 6);
}

#[test]
fn the_amp_player_plays_as_it_does_alone() {
    let signal = noise(5000, 0.3);
    let play = |module: &Module| {
        let mut instance = module.create_class(AMP);
        assert!(instance.set_state(&state_with(BARE, TS9)));
        instance.start(RATE, 512);
        (instance.play(&signal, &[512]), instance.state())
    };
    assert!(play(&Module::open(more_plugins())) == play(&Module::load()));
}

#[test]
fn notes_sound_at_their_samples_on_both_outputs_and_a_state_comes_back() {
    let module = Module::open(more_plugins());
    let mut instance = module.create_class(PULSE);
    let file = r#"{"path": "five", "hash": "ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d",
        "content": "NQ=="}"#;
    let saved = serde_json::json!({"version": "0.1.0", "params": {"level": {"f32": 0.25}, "revision": {"i32": 3}},
        "fields": {"file": file}});
    assert!(instance.set_state(saved.to_string().as_bytes()));
    instance.start(RATE, 512);
    let outputs = instance.play_notes(512, &[(100, 60, 1.0), (300, 64, 0.5)]);
    let pulse = |from: i32, value: f32| move |i: i32| if (from..from + 5).contains(&i) { value } else { 0.0 };
    let expected: Vec<f32> = (0..512).map(|i| pulse(100, 0.25)(i) + pulse(300, 0.125)(i)).collect();
    assert!(outputs.iter().all(|output| *output == expected));

    // A CLAP host has the same state, behind its length.
    let json = instance.state();
    let stored = [&(json.len() as u64).to_le_bytes()[..], &json].concat();
    let clap = host::clap::Instance::open(&more_plugins(), PULSE as u32);
    assert!(clap.load(&stored));
    assert_eq!(clap.save(), stored);
    assert!(!clap.load(b"damaged"));
}
