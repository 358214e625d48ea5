//! Chords for the melody of a file, and a melody that goes on.

use neurdsp_midi::{MidiFile, NewNote, NewTrack, Note, TimeSignature};
use neurdsp_models::music::chords::{
    Chord, Key, MAX_SEGMENTS, MelodyNote, PlanOptions, Segment, Voicing, key_of, plan, segments, voice,
};
use neurdsp_models::music::tunes::{
    ContinueOptions, Surroundings, continue_melody, notes as of_tokens, tokens,
};
use neurdsp_models::music::{MusicPart, MusicRun};

use crate::companion::networks;

/// The channel of drums, and that of the chords.
const DRUMS: u8 = 9;
const CHORDS: u8 = 1;
const VELOCITY: u8 = 70;
/// Bars that are added to a melody, and the longest one, in sixteenths.
const MORE_BARS: u64 = 4;
const MAX_PROMPT: u64 = 1 << 16;
/// Semitones around the melody in which it goes on.
const MARGIN: u8 = 4;

/// The notes of the melody: all that are not drums.
fn melody(file: &MidiFile) -> Result<Vec<Note>, String> {
    let notes: Vec<Note> = file
        .notes()
        .into_iter()
        .filter(|note| note.channel != DRUMS && note.end_ticks > note.start_ticks)
        .collect();
    if notes.is_empty() {
        return Err("this file has no notes but drums; give one with a melody".to_owned());
    }
    Ok(notes)
}

fn quarter(file: &MidiFile) -> Result<u64, String> {
    let ticks = file.division().ticks_per_quarter();
    ticks.map(u64::from).ok_or_else(|| "this file counts frames of film instead of beats".to_owned())
}

/// Stretches in one meter up to `end`: from, until (none for the last), beats of a bar and the note of a beat.
fn meters(file: &MidiFile, end: u64) -> Vec<(u64, Option<u64>, u64, u64)> {
    let first = TimeSignature { tick: 0, numerator: 4, denominator: 4 };
    let mut found: Vec<TimeSignature> = vec![first];
    for signature in
        file.time_signatures().into_iter().filter(|one| one.tick < end.max(1) && one.numerator > 0)
    {
        if found.last().is_some_and(|last| last.tick == signature.tick) {
            found.pop();
        }
        found.push(signature);
    }
    let until = |at: usize| found.get(at + 1).map(|next| next.tick);
    let stretch = |(at, one): (usize, &TimeSignature)| {
        (one.tick, until(at), u64::from(one.numerator), u64::from(one.denominator))
    };
    found.iter().enumerate().map(stretch).collect()
}

/// Where half bars begin and the last one ends, and which begin a bar. Bars that do not halve are one each.
fn half_bars(file: &MidiFile, end: u64) -> Result<(Vec<u64>, Vec<bool>), String> {
    let quarter = quarter(file)?;
    let (mut bounds, mut downbeats, mut last) = (Vec::new(), Vec::new(), 0);
    for (from, until, numerator, denominator) in meters(file, end) {
        let length = (4 * quarter * numerator / denominator).max(2);
        let parts = if numerator % 2 == 0 && length > 2 * quarter { 2 } else { 1 };
        let mut start = from;
        while start < until.unwrap_or(end.max(1)) {
            for part in 0..parts {
                let at = start + part * length / parts;
                if until.is_none_or(|until| at < until) {
                    bounds.push(at);
                    downbeats.push(part == 0);
                }
            }
            if bounds.len() > MAX_SEGMENTS {
                return Err("this file is too long".to_owned());
            }
            start += length;
            last = start;
        }
    }
    bounds.push(last);
    Ok((bounds, downbeats))
}

/// Adds chords to a file; returns what to tell of it, too.
pub(super) fn harmonise(file: &MidiFile) -> Result<(MidiFile, String), String> {
    let network = networks::network(MusicPart::Harmony)
        .ok_or_else(|| "no harmony network comes with this build".to_owned())?;
    let notes = melody(file)?;
    let end = notes.iter().map(|note| note.end_ticks).max().unwrap_or(0);
    let (bounds, downbeats) = half_bars(file, end)?;
    let of = |note: &Note| MelodyNote {
        start: note.start_ticks as f64,
        end: note.end_ticks as f64,
        pitch: note.pitch,
    };
    let words = |error: neurdsp_models::Error| error.to_string();
    let times: Vec<f64> = bounds.iter().map(|&tick| tick as f64).collect();
    let cut: Vec<Segment> =
        segments(&notes.iter().map(of).collect::<Vec<_>>(), &times, &downbeats).map_err(words)?;
    let key = key_of(&cut);
    let mut run = MusicRun::new(network.weights.clone());
    let made = plan(&cut, key, &[], &PlanOptions::default(), &mut run).map_err(words)?;
    let voiced = voice(&made.chords, &cut);
    let track = NewTrack {
        name: "Chords".to_owned(),
        end_ticks: bounds.last().copied().unwrap_or(0),
        ..NewTrack::of(held(&bounds, &voiced))
    };
    let file = file.with_track(&track).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = made.chords.iter().map(|chord: &Chord| chord.name()).collect();
    names.dedup();
    Ok((file, format!("{}: {}", key.name(), names.join(" "))))
}

/// The notes of chords; one that goes on is held.
fn held(bounds: &[u64], voiced: &[Voicing]) -> Vec<NewNote> {
    let mut notes = Vec::new();
    let mut at = 0;
    while at < voiced.len() {
        let same = voiced[at..].iter().take_while(|next| **next == voiced[at]).count();
        let (start_ticks, end_ticks) = (bounds[at], bounds[at + same]);
        notes.extend(voiced[at].iter().map(|&pitch| NewNote {
            start_ticks,
            end_ticks,
            pitch,
            velocity: VELOCITY,
            channel: CHORDS,
        }));
        at += same;
    }
    notes
}

/// Continues the melody of a file; returns what to tell of it, too.
pub(super) fn continue_on(file: &MidiFile, seed: u64) -> Result<(MidiFile, String), String> {
    let network = networks::network(MusicPart::Melody)
        .ok_or_else(|| "no melody network comes with this build".to_owned())?;
    let notes = melody(file)?;
    let step = quarter(file)? as f64 / 4.0;
    let end = notes.iter().map(|note| note.end_ticks).max().unwrap_or(0);
    let key = key_of_notes(&notes);
    let (places, n_prompt) = places(file, end, step, key)?;
    let times: Vec<(f64, f64, u8)> = notes
        .iter()
        .filter(|note| note.pitch > 1)
        .map(|note| (note.start_ticks as f64 / step, note.end_ticks as f64 / step, note.pitch))
        .collect();
    let words = |error: neurdsp_models::Error| error.to_string();
    let prompt = tokens(&times, n_prompt).map_err(words)?;
    let pitches = || prompt.iter().copied().filter(|token| *token > 1);
    let (low, high) = (pitches().min().unwrap_or(60), pitches().max().unwrap_or(72));
    let options = ContinueOptions {
        seed,
        range: (low.saturating_sub(MARGIN).max(2), (high + MARGIN).min(127)),
        mixture: network.mixture(),
        ..ContinueOptions::default()
    };
    let mut run = MusicRun::new(network.weights.clone());
    let found = continue_melody(&prompt, &places, &options, &mut run).map_err(words)?;
    let tick = |at: usize| ((at + n_prompt) as f64 * step).round() as u64;
    let (velocity, channel) = (median(&notes), notes.last().map_or(0, |note| note.channel));
    let added: Vec<NewNote> = of_tokens(&found)
        .into_iter()
        .map(|note| NewNote {
            start_ticks: tick(note.start),
            end_ticks: tick(note.end),
            pitch: note.pitch,
            velocity,
            channel,
        })
        .collect();
    let told = format!("{} notes more in {}", added.len(), key.name());
    let track = NewTrack {
        name: "Continuation".to_owned(),
        end_ticks: (places.len() as f64 * step).round() as u64,
        ..NewTrack::of(added)
    };
    Ok((file.with_track(&track).map_err(|error| error.to_string())?, told))
}

fn median(notes: &[Note]) -> u8 {
    let mut velocities: Vec<u8> = notes.iter().map(|note| note.velocity).collect();
    velocities.sort_unstable();
    velocities[velocities.len() / 2]
}

fn key_of_notes(notes: &[Note]) -> Key {
    let mut durations = [0.0; 12];
    for note in notes {
        durations[usize::from(note.pitch % 12)] += (note.end_ticks - note.start_ticks) as f32;
    }
    Key::estimate(&durations)
}

/// The sixteenths up to the end of the bar of the last note and of some bars more, and the number of those before.
fn places(file: &MidiFile, end: u64, step: f64, key: Key) -> Result<(Vec<Surroundings>, usize), String> {
    if end as f64 / step > MAX_PROMPT as f64 {
        return Err("this melody is too long".to_owned());
    }
    let mut places = Vec::new();
    let mut n_prompt = 0;
    let key = Some(key);
    for (from, until, numerator, denominator) in meters(file, end) {
        let bar = (numerator * 16 / denominator).clamp(1, 255);
        let compound = denominator == 8 && numerator % 3 == 0;
        let round = |tick: u64| (tick as f64 / step).round() as u64;
        let count = round(until.unwrap_or(end)).saturating_sub(round(from));
        // A meter that changes cuts its last bar short; the last one is filled.
        let whole = if until.is_none() { count.div_ceil(bar).max(1) * bar } else { count };
        let place =
            |at: u64| Surroundings { place: (at % bar) as u32, bar: bar as u8, compound, key, chord: None };
        places.extend((0..whole).map(place));
        n_prompt = places.len();
        if until.is_none() {
            places.extend((0..MORE_BARS * bar).map(place));
        }
    }
    Ok((places, n_prompt))
}
