//! What hosts keep: states, and what projects and automation are keyed by, which never changes.

use super::host::{Module, NETWORK_RATE, identity, noise, null_db, separated, state};
use super::{DRUMS, drum_state, file, peak, playing};

const IDENTITY: &str = include_str!("../frozen/drums-identity.txt");

#[test]
fn class_and_parameters_are_those_that_projects_are_keyed_by() {
    assert_eq!(identity(DRUMS), IDENTITY);
}

#[test]
fn a_project_brings_back_network_and_faders_without_the_file() {
    let signal = noise(6000, 0.3);
    let set = r#"{"kick": {"f32": -9.0}, "cymbals_solo": {"bool": true}, "master": {"f32": 4.5}}"#;
    let mut first = playing(set);
    let played = first.play_outputs([&signal, &signal], &[512]);
    let saved = first.state();
    let mut second = Module::load().create_class(DRUMS);
    assert!(second.set_state(&saved));
    second.start(NETWORK_RATE, 512);
    assert!(second.play_outputs([&signal, &signal], &[512]) == played);
    assert_eq!(second.state(), saved);
    assert_eq!(state(&second)["params"]["kick"]["f32"], -9.0);
}

#[test]
fn a_new_instance_plays_the_network_that_ships_and_keeps_it() {
    let signal = noise(30_000, 0.3);
    let mut instance = Module::load().create_class(DRUMS);
    instance.start(NETWORK_RATE, 512);
    let late = instance.latency() as usize;
    assert_eq!(late, 512);
    let played = instance.play_outputs([&signal, &signal], &[512]);
    assert!(super::null_db(&played[0][0], &signal, late) < -120.0);
    let session: serde_json::Value =
        serde_json::from_str(state(&instance)["fields"]["session"].as_str().unwrap()).unwrap();
    assert_eq!(session["model"]["path"], "shipped/draft");
    assert!(session["model"]["content"].is_string() && peak(&played[1][0]) > 0.0);
}

#[test]
fn networks_that_do_not_fit_leave_a_plugin_that_passes_the_sound() {
    let signal = noise(3000, 0.3);
    let vocals = super::network(&["kick", "vocals"], 3);
    let mut damaged = file();
    damaged.truncate(damaged.len() - 100);
    let amp = super::host::TS9.to_vec();
    for network in [vocals, damaged, amp, b"no file".to_vec()] {
        let mut instance = Module::load().create_class(DRUMS);
        assert!(instance.set_state(&drum_state("{}", &network)));
        instance.start(NETWORK_RATE, 512);
        let played = instance.play_outputs([&signal, &signal], &[512]);
        assert!(instance.latency() == 0 && played[0][0] == signal);
    }
    // And one that does plays after any of them.
    let mut instance = Module::load().create_class(DRUMS);
    assert!(instance.set_state(&drum_state("{}", b"no file")));
    instance.start(NETWORK_RATE, 512);
    assert!(instance.set_state(&drum_state("{}", &file())));
    instance.stop();
    instance.start(NETWORK_RATE, 512);
    let played = instance.play_outputs([&signal, &signal], &[512]);
    let kick = &separated(&file(), [&signal, &signal])[0][0];
    assert!(null_db(&played[1][0], kick) < -120.0);
}
