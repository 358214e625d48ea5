//! The harmony and the melody network as what plans chords and continues melodies.

use super::chords::{ChordModel, N_CHORDS, N_FEATURES};
use super::networks::{MusicPart, MusicRun};
use super::tunes::{MelodyModel, N_CONDITION, N_TOKENS};
use crate::error::{Error, Result};

impl ChordModel for MusicRun {
    fn probabilities(&mut self, features: &[[f32; N_FEATURES]]) -> Result<Vec<[f32; N_CHORDS]>> {
        check(self, MusicPart::Harmony, N_FEATURES, N_CHORDS)?;
        let mut answers = vec![[0.0; N_CHORDS]; features.len()];
        for (row, answer) in features.iter().zip(&mut answers) {
            self.step(row, answer);
        }
        Ok(answers)
    }
}

impl MelodyModel for MusicRun {
    fn reset(&mut self) {
        MusicRun::reset(self);
    }

    fn step(&mut self, token: u8, condition: &[f32; N_CONDITION]) -> Result<[f32; N_TOKENS]> {
        check(self, MusicPart::Melody, 1 + N_CONDITION, N_TOKENS)?;
        let (mut input, mut logits) = ([0.0; 1 + N_CONDITION], [0.0; N_TOKENS]);
        input[0] = f32::from(token);
        input[1..].copy_from_slice(condition);
        MusicRun::step(self, &input, &mut logits);
        Ok(logits)
    }
}

/// Checks that a network is the one that is asked for, with the usual inputs and outputs.
fn check(run: &MusicRun, part: MusicPart, n_inputs: usize, n_outputs: usize) -> Result<()> {
    let network = run.network();
    let found = (network.part(), network.n_inputs(), network.n_outputs());
    if found == (part, n_inputs, n_outputs) {
        return Ok(());
    }
    Err(Error::OutOfRange {
        name: "the network".into(),
        got: format!("{} with {} inputs and {} outputs", found.0.name(), found.1, found.2),
        expected: format!("{} with {n_inputs} inputs and {n_outputs} outputs", part.name()),
    })
}
