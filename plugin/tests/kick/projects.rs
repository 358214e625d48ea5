//! What hosts keep: states, and what projects and automation are keyed by, which never changes.

use super::host::{Module, codes, generated, generated_by, identity, own_generator, rendered, state};
use super::{KICK, RATE, hit, left, playing, state_of};

const IDENTITY: &str = include_str!("../frozen/kick-identity.txt");

#[test]
fn class_and_parameters_are_those_that_projects_are_keyed_by() {
    assert_eq!(identity(KICK), IDENTITY);
}

#[test]
fn a_project_brings_back_its_kick_to_the_byte() {
    let set = r#"{"word_boomy": {"string": "on"}, "seed": {"i32": 12}, "tune": {"f32": 1.5}, "round_robin": {"bool": true}}"#;
    let mut first = playing(set);
    let played = left(&mut first, 20_000, &[hit(5), hit(7000)]);
    let saved = first.state();
    let mut second = Module::load().create_class(KICK);
    assert!(second.set_state(&saved));
    second.start(RATE, 512);
    assert!(left(&mut second, 20_000, &[hit(5), hit(7000)]) == played);
    assert_eq!(second.state(), saved);
}

#[test]
fn the_kick_of_a_project_plays_and_not_what_this_network_would_make() {
    let other = generated(&["bright", "short"], 99);
    let first = playing("{}");
    let mut saved = state(&first);
    let mut session: serde_json::Value =
        serde_json::from_str(saved["fields"]["session"].as_str().unwrap()).unwrap();
    let from = state(&playing(
        r#"{"word_bright": {"string": "on"}, "word_short": {"string": "on"}, "seed": {"i32": 99}}"#,
    ));
    let from: serde_json::Value = serde_json::from_str(from["fields"]["session"].as_str().unwrap()).unwrap();
    session["kicks"]["kick"] = from["kicks"]["kick"].clone();
    saved["fields"]["session"] = session.to_string().into();
    let mut second = Module::load().create_class(KICK);
    assert!(second.set_state(saved.to_string().as_bytes()));
    second.start(RATE, 512);
    let kick = rendered(&other, 48_000, 0.0);
    assert!(left(&mut second, 9000, &[hit(0)]) == kick[..9000]);
    assert!(codes(&second)[0] == other);
    // Other words are another request, for which there is no kick yet.
    second.stop();
    assert!(second.set_state(&state_of(r#"{"word_deep": {"string": "on"}}"#)));
    second.start(RATE, 512);
    assert!(left(&mut second, 9000, &[hit(0)]) == rendered(&generated(&["deep"], 0), 48_000, 0.0)[..9000]);
}

#[test]
fn a_project_names_its_generator_and_its_kick_sounds_without_the_file() {
    use sha2::{Digest, Sha256};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.safetensors");
    let own = own_generator();
    std::fs::write(&path, &own).unwrap();
    let hash: String = Sha256::digest(&own).iter().map(|byte| format!("{byte:02x}")).collect();
    let session = serde_json::json!({"version": 1, "kicks": null, "model": {"path": path, "hash": hash}});
    let mut asked: serde_json::Value =
        serde_json::from_slice(&state_of(r#"{"word_noisy": {"string": "on"}}"#)).unwrap();
    asked["fields"]["session"] = session.to_string().into();
    let mut first = Module::load().create_class(KICK);
    assert!(first.set_state(asked.to_string().as_bytes()));
    first.start(RATE, 512);
    let kick = generated_by(&own, &["noisy"], 0);
    assert!(kick != generated(&["noisy"], 0));
    let played = rendered(&kick, 48_000, 0.0);
    assert!(left(&mut first, 9000, &[hit(0)]) == played[..9000]);
    let saved = first.state();
    let kept = state(&first)["fields"]["session"].as_str().unwrap().to_owned();
    assert!(kept.contains("mine.safetensors") && kept.len() < 200_000);

    // The file is gone: the kick sounds, and what asks for another leaves it as it is.
    std::fs::remove_file(&path).unwrap();
    let mut second = Module::load().create_class(KICK);
    assert!(second.set_state(&saved));
    second.start(RATE, 512);
    assert!(left(&mut second, 9000, &[hit(0)]) == played[..9000]);
    assert!(codes(&second)[0] == kick);
    second.automate("seed", &[(0, 0.5)]);
    for _ in 0..20 {
        left(&mut second, 4800, &[]);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(left(&mut second, 9000, &[hit(0)]) == played[..9000]);
    assert!(codes(&second)[0] == kick);
    second.stop();
    // It is back, and so are its kicks.
    std::fs::write(&path, &own).unwrap();
    second.start(RATE, 512);
    let seed = state(&second)["params"]["seed"]["i32"].as_u64().unwrap();
    let other = rendered(&generated_by(&own, &["noisy"], seed), 48_000, 0.0);
    assert!(left(&mut second, 9000, &[hit(0)]) == other[..9000]);
}

#[test]
fn damaged_and_newer_kicks_leave_an_instrument_that_plays_again_after_them() {
    let saved = state(&playing("{}"));
    let session = saved["fields"]["session"].as_str().unwrap();
    let changed = |from: &str, to: &str| {
        assert!(session.contains(from), "{from}");
        let mut state = saved.clone();
        state["fields"]["session"] = session.replacen(from, to, 1).into();
        state.to_string().into_bytes()
    };
    for (damaged, sounds) in [
        (changed("\"code\":\"", "\"code\":\"AAAA"), true),
        (changed("\"key\":", "\"key\":-"), true),
        (changed("{\"version\":1", "[{\"version\":1"), true),
        (changed("\"version\":1", "\"version\":2"), false),
    ] {
        let mut instance = Module::load().create_class(KICK);
        instance.set_state(&damaged);
        instance.start(RATE, 512);
        let played = left(&mut instance, 512, &[hit(0)]);
        assert_eq!(played.iter().any(|x| *x != 0.0), sounds);
        assert!(instance.set_state(saved.to_string().as_bytes()));
        instance.stop();
        instance.start(RATE, 512);
        let kick = rendered(&generated(&[], 0), 48_000, 0.0);
        assert!(left(&mut instance, 512, &[hit(0)]) == kick[..512]);
    }
}
