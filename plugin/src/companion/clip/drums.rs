//! The drums of a file with a feel; all other notes stay as they are.

use std::collections::BTreeMap;

use neurdsp_midi::{MidiFile, Note};
use neurdsp_models::music::groove::{Bars, Feel, N_OUTPUTS, Reference, calls, estimate, humanise as play};
use neurdsp_models::music::{MusicPart, MusicRun};

use crate::companion::networks;
use crate::companion::reference::timeline;

/// The channel of drums.
const DRUMS: u8 = 9;

/// Humanises a file; returns what to tell of it, too.
pub(super) fn humanise(
    file: &MidiFile,
    feel: &Feel,
    reference: Option<&Bars>,
) -> Result<(MidiFile, String), String> {
    let notes = file.notes();
    let own: Vec<usize> = (0..notes.len()).filter(|&at| notes[at].channel == DRUMS).collect();
    let of = |value: &dyn Fn(&Note) -> u8| own.iter().map(|&at| value(&notes[at])).collect::<Vec<u8>>();
    let ticks: Vec<u64> = own.iter().map(|&at| notes[at].start_ticks).collect();
    let words = |error: neurdsp_models::Error| error.to_string();
    let bars = Bars::new(timeline(file)?, &ticks, &of(&|note| note.pitch), &of(&|note| note.velocity))
        .map_err(words)?;
    if bars.hits().is_empty() {
        return Err("this file has no drums of a kit on channel 10; put them there".to_owned());
    }
    let estimates = estimate(&bars, reference.map_or(Reference::None, Reference::Bars), true);
    let asked = calls(&bars, &estimates, true);
    let network = networks::network(MusicPart::Groove);
    let mut outputs = vec![[0.0; N_OUTPUTS]; asked.inputs.len()];
    if let Some(network) = network {
        let mut run = MusicRun::new(network.weights.clone());
        for (inputs, outputs) in asked.inputs.iter().zip(&mut outputs) {
            run.step(inputs, outputs);
        }
    }
    let residuals = network.and_then(networks::Network::residuals);
    // A file has no latency to spare: its hits may be early.
    let feel = Feel { late_only: false, ..*feel };
    let played = play(&bars, &estimates, &asked, &outputs, residuals.as_ref(), reference.is_some(), &feel)
        .map_err(words)?;
    let mut changed = notes.clone();
    let last = file.end_ticks();
    for hit in &played.hits {
        let note = &mut changed[own[hit.note]];
        *note = note.starting_at(hit.tick.min(last.max(note.start_ticks)));
        note.velocity = hit.velocity;
    }
    release_in_time(&notes, &mut changed);
    let moved =
        notes.iter().zip(&changed).filter(|(one, other)| one.start_ticks != other.start_ticks).count();
    let file = file.with_notes(&changed).map_err(|error| error.to_string())?;
    Ok((file, format!("{moved} of {} hits moved", played.hits.len())))
}

/// Ends each note before the next of its pitch starts, where it did so before.
fn release_in_time(before: &[Note], after: &mut [Note]) {
    let mut order: Vec<usize> = (0..before.len()).collect();
    let alike = |note: &Note| (note.track, note.channel, note.pitch);
    order.sort_by_key(|&at| (alike(&before[at]), before[at].start_ticks));
    let mut starts = BTreeMap::new();
    for pair in order.windows(2) {
        let [one, other] = [&before[pair[0]], &before[pair[1]]];
        if alike(one) == alike(other) && one.end_ticks <= other.start_ticks {
            starts.insert(pair[0], after[pair[1]].start_ticks);
        }
    }
    for (at, next) in starts {
        let note = &mut after[at];
        note.end_ticks = note.end_ticks.min(next).max(note.start_ticks);
    }
}
