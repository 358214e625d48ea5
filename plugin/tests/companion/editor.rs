//! The companion's window: a groove that is dropped, a lock, knobs, a clip that is worked on; and pictures of it.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[path = "../host/mod.rs"]
mod host;

use std::time::{Duration, Instant};

use host::display::Display;
use host::editor::{Editor, MOMENT, play, play_until};
use host::{Instance, Module, Note, Song, loaded_path, state};
use neurdsp_midi::{Division, MidiFile, NewNote, NewTrack};

/// The size of the window.
const WIDTH: u16 = 960;
const HEIGHT: u16 = 884;
/// Samples of a quarter note at 120 beats a minute.
const QUARTER: i64 = 24_000;

// Points of the window.
const LOCK_SNARE: (i16, i16) = (45, 323);
const CLIP: (i16, i16) = (100, 758);
const HUMANISE: (i16, i16) = (375, 774);
const LAST_TWO: (i16, i16) = (652, 740);
const CHORDS: (i16, i16) = (44, 540);
const HOLD: (i16, i16) = (44, 568);
const SECOND_CHORD: (i16, i16) = (401, 562);
const NEXT_CHORD: (i16, i16) = (552, 559);
const LAST_CHORD: (i16, i16) = (847, 559);

/// How many points near a place have the colour of what is chosen.
fn lit(display: &Display, (x, y): (i16, i16)) -> usize {
    let (picture, width) = (display.picture(WIDTH, HEIGHT), usize::from(WIDTH));
    let near = |at: i16, by: i16| (at - by) as usize..(at + by) as usize;
    let points = near(y, 12).flat_map(|y| near(x, 26).map(move |x| 3 * (y * width + x)));
    points
        .filter(|&at| picture[at] > 200 && (100..200).contains(&picture[at + 1]) && picture[at + 2] < 110)
        .count()
}

/// A chord that is struck in eighths, as sound for the meters.
fn chord(begin: i64, len: i64) -> [Vec<f32>; 2] {
    let sample = |at: i64| {
        let time = at as f32 / 48_000.0;
        let tones = [261.63, 329.63, 392.0].map(|hz| (std::f32::consts::TAU * hz * (time % 1.0)).sin());
        0.15 * (-8.0 * (time % 0.25)).exp() * tones.iter().sum::<f32>()
    };
    let sound: Vec<f32> = (begin..begin + len).map(sample).collect();
    [sound.clone(), sound]
}

/// Plays a beat and a tune for a while, as a host does.
fn play_beat(instance: &mut Instance, at: &mut i64, time: Duration) -> Vec<Note> {
    let start = Instant::now();
    let mut played = Vec::new();
    while start.elapsed() < time {
        let mut notes = Vec::new();
        let (block, len) = (*at, 480);
        for eighth in block * 2 / QUARTER..(block + len) * 2 / QUARTER + 1 {
            let sample = eighth * QUARTER / 2;
            let mut hit = |key: i16, channel: i16, velocity: f32| {
                notes.push(Note { channel, ..Note::on(sample, key, velocity) });
                notes.push(Note { channel, ..Note::off(sample + 400, key) });
            };
            hit(42, 9, if eighth % 2 == 0 { 0.75 } else { 0.5 });
            match eighth % 8 {
                0 | 5 => hit(36, 9, 0.8),
                2 | 6 => hit(38, 9, 0.85),
                _ => {}
            }
            hit([72, 76, 79, 76, 74, 77, 81, 77][(eighth % 8) as usize], 0, 0.7);
        }
        let song = Song { beat: block as f64 / QUARTER as f64, ..Song::default() };
        played.extend(instance.play_song_with(block, &mut chord(block, len), &notes, &song));
        *at += len;
        std::thread::sleep(Duration::from_millis(4));
    }
    played
}

fn groove() -> Vec<u8> {
    let hit = |step: u64, pitch, velocity| NewNote {
        start_ticks: 240 * step + if step % 2 == 1 { 42 } else { 18 },
        end_ticks: 240 * step + 90,
        pitch,
        velocity,
        channel: 9,
    };
    let notes = (0..32).flat_map(|step| {
        [hit(step, 42, 60 + 20 * (step % 2) as u8), hit(step, if step % 4 == 2 { 38 } else { 36 }, 100)]
    });
    let file = MidiFile::new(Division::quarter(480).unwrap());
    file.with_track(&NewTrack::of(notes.collect())).unwrap().to_bytes().unwrap()
}

#[test]
fn a_groove_is_dropped_a_voice_locked_and_chords_follow() {
    let Some(display) = Display::start(2000, 1800) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this process reads the environment yet.
    unsafe { std::env::set_var("HOME", folder.path()) };
    let module = Module::load();
    let class = module
        .classes()
        .iter()
        .position(|class| class.cid.iter().map(|byte| *byte as u8).eq(*b"neurdsp.Compani1"));
    let mut instance = module.create_class(class.unwrap());
    instance.start(48_000.0, 512);
    let mut at = 0;
    let mut editor = Editor::ready(&display, &mut instance, 1);
    play_beat(&mut instance, &mut at, 2 * MOMENT);
    editor.save(&display, "companion-start");

    let path = folder.path().join("my four bars.mid");
    std::fs::write(&path, groove()).unwrap();
    editor.drop_file(&display, &mut instance, &path);
    play_until(&mut instance, "the groove is kept", |instance| loaded_path(instance, "reference") == path);
    let revision = instance.parameter("Revision");
    play_until(&mut instance, "the host is told", |instance| {
        instance.handler.edited.lock().unwrap().contains_key(&revision)
    });
    let wrong = folder.path().join("words.txt");
    std::fs::write(&wrong, "words").unwrap();
    editor.drop_file(&display, &mut instance, &wrong);
    assert_eq!(loaded_path(&instance, "reference"), path);
    editor.click(&display, &mut instance, (916, 72));

    editor.click(&display, &mut instance, LOCK_SNARE);
    editor.click(&display, &mut instance, CHORDS);
    play_until(&mut instance, "a lock and chords are on", |instance| {
        let saved = state(instance);
        saved["params"]["lock_snare"]["bool"] == true && saved["params"]["chords"]["bool"] == true
    });

    // Chords: another suggestion, a lock, which a second click frees, and Hold.
    play_beat(&mut instance, &mut at, 4 * MOMENT);
    assert_eq!([NEXT_CHORD, LAST_CHORD].map(|cell| lit(&display, cell)), [0, 0]);
    editor.click(&display, &mut instance, SECOND_CHORD);
    editor.click(&display, &mut instance, LAST_CHORD);
    let all_lit = |cells: &[(i16, i16)]| cells.iter().all(|&cell| lit(&display, cell) > 8);
    play_until(&mut instance, "both are lit", |_| all_lit(&[NEXT_CHORD, LAST_CHORD]));
    editor.click(&display, &mut instance, LAST_CHORD);
    play_until(&mut instance, "the lock is free", |_| lit(&display, LAST_CHORD) == 0);
    editor.click(&display, &mut instance, HOLD);
    let played = play_beat(&mut instance, &mut at, 6 * MOMENT);
    let held = played.iter().filter(|note| note.is_on && note.channel == 1).count();
    assert!(state(&instance)["params"]["hold"]["bool"] == true && (3..=5).contains(&held), "{held}");
    editor.click(&display, &mut instance, HOLD);

    // A file that is dropped on the clip is no reference.
    let clip = folder.path().join("verse.mid");
    std::fs::write(&clip, groove()).unwrap();
    editor.drop_file_at(&display, &mut instance, &clip, CLIP);
    editor.click(&display, &mut instance, HUMANISE);
    assert_eq!(loaded_path(&instance, "reference"), path);
    display.point(editor.target(&display), 500, 870, false);
    play_beat(&mut instance, &mut at, 4 * MOMENT);
    editor.save(&display, "companion");
    let humanised = drag_out(&display, &mut instance);
    assert_eq!(humanised.notes().len(), 64);

    // What was passed on in the last two bars is a clip, too.
    editor.click(&display, &mut instance, LAST_TWO);
    let last = drag_out(&display, &mut instance);
    assert_eq!(last.end_ticks(), 8 * 960);
    let of = |pitch| last.notes().iter().filter(|note| (note.channel, note.pitch) == (9, pitch)).count();
    assert_eq!([of(42), of(36), of(38)], [16, 4, 4]);
    assert!(last.notes().iter().any(|note| note.channel == 1));

    editor.resize(&display, 2 * WIDTH, 2 * HEIGHT);
    play_beat(&mut instance, &mut at, MOMENT);
    editor.save(&display, "companion-2x");
    editor.close(&display);
}

/// Drags the clip to another window; returns the file that comes there.
fn drag_out(display: &Display, instance: &mut Instance) -> MidiFile {
    let taker = display.taker(1500, 700);
    let mut drag = |x: i16, pressed: Option<bool>| {
        display.mouse(x, CLIP.1);
        pressed.into_iter().for_each(|pressed| display.mouse_button(pressed));
        play(instance, Duration::from_millis(150));
    };
    drag(CLIP.0, None);
    drag(CLIP.0, Some(true));
    [CLIP.0 + 20, CLIP.0 + 60, 900, 1540].into_iter().for_each(|x| drag(x, None));
    let files = display.take_drop(taker, || play(instance, Duration::from_millis(20)));
    let path = files.strip_prefix("file://").unwrap().trim_end().to_owned();
    assert!(path.contains("/neurdsp/") && path.ends_with(".mid"), "{path}");
    display.close(taker);
    MidiFile::from_bytes(&std::fs::read(path).unwrap()).unwrap()
}
