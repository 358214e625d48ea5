//! What hosts keep: the state with its reference, and what projects and automation are keyed by, which never changes.

use neurdsp_midi::{Division, MidiFile, NewNote, NewTrack};

use super::host::{Instance, Note, Song, number, state, text16};
use super::{LATENCY, QUARTER, RATE, beat, play, rendering, sounding, stopped};

/// A file of four bars whose hats, kicks and snares are all late by 30 of 480 ticks, 31.25 ms at 120.
fn dragging() -> Vec<u8> {
    let hit = |step: u64, pitch| NewNote {
        start_ticks: 240 * step + 30,
        end_ticks: 240 * step + 90,
        pitch,
        velocity: 70,
        channel: 9,
    };
    let notes = (0..32).flat_map(|step| [hit(step, 42), hit(step, if step % 4 == 2 { 38 } else { 36 })]);
    let file = MidiFile::new(Division::quarter(480).unwrap());
    file.with_track(&NewTrack::of(notes.collect())).unwrap().to_bytes().unwrap()
}

/// A state with a reference.
fn with_reference(parameters: &str, file: &[u8]) -> Vec<u8> {
    use base64::Engine;
    use sha2::Digest;
    let content = base64::engine::general_purpose::STANDARD.encode(file);
    let hash: String = sha2::Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
    let session = serde_json::json!({"version": 1, "reference": {"path": "a groove.mid", "hash": hash, "content": content}});
    let parameters: serde_json::Value = serde_json::from_str(parameters).unwrap();
    let fields = serde_json::json!({"session": session.to_string()});
    serde_json::json!({"version": "0.1.0", "params": parameters, "fields": fields}).to_string().into_bytes()
}

/// Mean shift of the hats in ms, after the first bar.
fn shift_ms(played: &[Note]) -> f64 {
    let starts = played.iter().filter(|note| note.is_on && note.key == 42 && note.sample > 4 * QUARTER);
    let shifts: Vec<f64> = starts
        .map(|note| {
            let since = note.sample - LATENCY + QUARTER / 4;
            (since.rem_euclid(QUARTER / 2) - QUARTER / 4) as f64 * 1e3 / RATE
        })
        .collect();
    assert!(shifts.len() > 10);
    shifts.iter().sum::<f64>() / shifts.len() as f64
}

#[test]
fn a_project_brings_back_reference_and_knobs_and_the_reference_tells_the_feel() {
    let notes = beat(4);
    let len = 16 * QUARTER;
    let mut first = stopped("{}");
    assert!(
        first
            .set_state(&with_reference(r#"{"tightness": {"f32": 1.0}, "lean": {"f32": -5.0}}"#, &dragging()))
    );
    first.start_offline(RATE, 4096);
    let played = play(&mut first, &notes, len, &[1024]);
    let shift = shift_ms(&played);
    assert!((18.0..34.0).contains(&shift), "{shift}");
    let saved = first.state();
    let mut second = stopped("{}");
    assert!(second.set_state(&saved));
    second.start_offline(RATE, 4096);
    assert!(play(&mut second, &notes, len, &[1024]) == played);
    assert_eq!(second.state(), saved);
    assert_eq!(state(&second)["params"]["lean"]["f32"], -5.0);
    // Without the reference the hats are elsewhere.
    assert!(shift_ms(&play(&mut rendering(r#"{"tightness": {"f32": 1.0}}"#), &notes, len, &[1024])) < 12.0);
}

#[test]
fn a_groove_that_does_not_open_leaves_a_plugin_that_plays() {
    for file in [&b"no file"[..], &dragging()[..60]] {
        let mut instance = stopped("{}");
        assert!(instance.set_state(&with_reference("{}", file)));
        instance.start_offline(RATE, 4096);
        let played = play(&mut instance, &beat(1), 5 * QUARTER, &[1024]);
        assert_eq!((sounding(&played), played.len()), (0, beat(1).len()));
    }
}

#[test]
fn what_is_played_while_it_listens_becomes_the_reference() {
    let mut instance = rendering(r#"{"amount": {"f32": 0.0}, "listen_bars": {"i32": 2}}"#);
    let late: Vec<Note> = beat(4).iter().map(|note| note.later(1_000)).collect();
    instance.automate("Listen", &[(0, 1.0)]);
    play(&mut instance, &late, 9 * QUARTER, &[512]);
    let reference = |instance: &Instance| {
        let session = state(instance)["fields"]["session"].as_str().unwrap().to_owned();
        serde_json::from_str::<serde_json::Value>(&session).unwrap()["reference"].clone()
    };
    let start = std::time::Instant::now();
    while reference(&instance).is_null() {
        assert!(start.elapsed().as_secs() < 10, "the recording is kept");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let kept = reference(&instance);
    assert_eq!(kept["path"], "recorded groove.mid");
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(kept["content"].as_str().unwrap()).unwrap();
    let file = MidiFile::from_bytes(&bytes).unwrap();
    let notes = file.notes();
    // Two bars: 16 hats, 4 kicks, 4 snares, each 1000 samples late: 40 of 960 ticks.
    assert_eq!((notes.len(), file.end_ticks()), (24, 8 * 960));
    assert!(notes.iter().all(|note| note.start_ticks % 480 == 40));
    instance.automate("Listen", &[(0, 0.0)]);
    instance.play_song(0, 64, &[], &Song::default());
}

const IDENTITY: &str = include_str!("../frozen/companion-identity.txt");

#[test]
fn parameters_are_those_that_projects_are_keyed_by() {
    let instance = stopped("{}");
    let saved = state(&instance);
    let ids: Vec<&str> = saved["params"].as_object().unwrap().keys().map(String::as_str).collect();
    let line = |info: &vst3::Steinberg::Vst::ParameterInfo| {
        let id = ids.iter().find(|id| number(id) == info.id).copied().unwrap_or("?");
        let shown = |value| instance.shown(info.id, value);
        let title = text16(&info.title);
        let (from, to, default) = (shown(0.0), shown(1.0), shown(info.defaultNormalizedValue));
        format!("{id} | {} | {title} | {} | {default} | {from} | {to}\n", info.id, info.stepCount)
    };
    // Controllers reach a VST3 plugin as parameters, which hosts do not show.
    let parameters = instance.parameters();
    let (own, controllers) = parameters.split_at(ids.len());
    assert_eq!(own.iter().map(line).collect::<String>(), IDENTITY);
    assert!(controllers.len() == 16 * 130 && controllers.iter().all(|info| info.flags & 1 << 4 != 0));
}
