//! The velocities of a file with the shape of a player.

use neurdsp_midi::{MidiFile, Note as MidiNote};
use neurdsp_models::music::dynamics::{Note, conditions, reshape as shape};
use neurdsp_models::music::{MusicPart, MusicRun};

use crate::companion::networks;
use crate::companion::reference::timeline;

/// The channel of drums.
const DRUMS: u8 = 9;

/// Reshapes a file; returns what to tell of it, too.
pub(super) fn reshape(file: &MidiFile) -> Result<(MidiFile, String), String> {
    let network = networks::network(MusicPart::Dynamics)
        .ok_or_else(|| "no dynamics network comes with this build".to_owned())?;
    let notes = file.notes();
    if notes.is_empty() {
        return Err("this file has no notes".to_owned());
    }
    let note = |note: &MidiNote| Note {
        tick: note.start_ticks,
        pitch: note.pitch,
        velocity: note.velocity.max(1),
        part: 16 * note.track + u32::from(note.channel),
        drum: note.channel == DRUMS,
        valence: 0.0,
        arousal: 0.0,
    };
    let asked: Vec<Note> = notes.iter().map(note).collect();
    let words = |error: neurdsp_models::Error| error.to_string();
    let found = conditions(&timeline(file)?, &asked).map_err(words)?;
    let mut run = MusicRun::new(network.weights.clone());
    let mut outputs = vec![[0.0; 16]; found.inputs.len()];
    for (inputs, outputs) in found.inputs.iter().zip(&mut outputs) {
        run.step(inputs, outputs);
    }
    // Without a mood, what it says is also what is usual.
    let velocities = shape(&asked, &found, &outputs, &outputs, 1.0).map_err(words)?;
    let mut changed = notes.clone();
    for (note, velocity) in changed.iter_mut().zip(&velocities) {
        note.velocity = *velocity;
    }
    let count = notes.iter().zip(&changed).filter(|(one, other)| one.velocity != other.velocity).count();
    let file = file.with_notes(&changed).map_err(|error| error.to_string())?;
    Ok((file, format!("{count} of {} velocities changed", notes.len())))
}
