//! MIDI files that are worked on as a whole: what comes in is kept, what comes out can be saved.
//!
//! ```text
//! drums    humanised drums, as the command line does it
//! melody   chords for a melody, and a melody continued
//! dynamics velocities reshaped
//! ```

mod drums;
mod dynamics;
mod melody;

use std::path::Path;

use neurdsp_midi::{MidiFile, NewNote};
use neurdsp_models::music::MusicPart;
use neurdsp_models::music::groove::{Bars, Feel};

use super::reference::{MAX_MIDI_BYTES, midi};
use super::{live, networks};
use crate::state::{Refusal, files};

/// What can be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Humanise,
    Reshape,
    Harmonise,
    Continue,
}

impl Work {
    pub(super) const ALL: [Work; 4] = [Work::Humanise, Work::Reshape, Work::Harmonise, Work::Continue];

    /// Its name, and what it does.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Work::Humanise => ("Humanise drums", "Give the drums the feel of the knobs and of the reference"),
            Work::Reshape => ("Reshape dynamics", "Give each part the dynamics of a player"),
            Work::Harmonise => ("Add chords", "Add a track of chords under the melody"),
            Work::Continue => ("Continue", "Add four bars that go on with the melody"),
        }
    }

    /// Why it cannot be done, if its network is missing.
    pub(super) fn missing(self) -> Option<&'static str> {
        let (part, missing) = match self {
            Work::Humanise => return None,
            Work::Reshape => (MusicPart::Dynamics, "No dynamics network comes with this build"),
            Work::Harmonise => (MusicPart::Harmony, "No harmony network comes with this build"),
            Work::Continue => (MusicPart::Melody, "No melody network comes with this build"),
        };
        networks::network(part).is_none().then_some(missing)
    }

    /// What the name of the new file ends in.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Work::Humanise => "humanised",
            Work::Reshape => "reshaped",
            Work::Harmonise => "harmonised",
            Work::Continue => "continued",
        }
    }
}

/// A file that is worked on.
#[derive(Clone, Debug)]
pub(super) struct Clip {
    /// Its name, and what was done with it.
    pub(super) name: String,
    pub(super) file: MidiFile,
    /// What the last work tells of itself.
    pub(super) told: String,
}

impl Clip {
    /// Reads a MIDI file.
    pub(super) fn read(path: &Path) -> Result<Clip, Refusal> {
        let bytes = files::read(path, MAX_MIDI_BYTES)?;
        let file = MidiFile::from_bytes(&bytes).map_err(|error| Refusal::of(path, error))?;
        let told = format!("{} notes", file.notes().len());
        Ok(Clip { name: files::stem(path), file, told })
    }

    /// Bars that were played.
    ///
    /// # Errors
    ///
    /// In words for the user.
    pub(super) fn played(bars: &live::Bars) -> Result<Clip, String> {
        let note = |note: &live::Passed| NewNote {
            start_ticks: note.start,
            end_ticks: note.end,
            pitch: note.pitch,
            velocity: note.velocity,
            channel: note.channel,
        };
        let notes: Vec<NewNote> = bars.notes.iter().map(note).collect();
        let told = format!("{} notes", notes.len());
        let file = midi("Played", notes, bars.ticks, bars.quarter_us, bars.meter);
        Ok(Clip { name: "played".to_owned(), file: file.map_err(|error| error.to_string())?, told })
    }

    /// The file with work done.
    ///
    /// # Errors
    ///
    /// In words for the user.
    pub(super) fn worked(&self, work: Work, feel: &Feel, reference: Option<&Bars>) -> Result<Clip, String> {
        let (file, told) = match work {
            Work::Humanise => drums::humanise(&self.file, feel, reference)?,
            Work::Reshape => dynamics::reshape(&self.file)?,
            Work::Harmonise => melody::harmonise(&self.file)?,
            Work::Continue => melody::continue_on(&self.file, feel.seed)?,
        };
        Ok(Clip { name: format!("{} {}", self.name, work.suffix()), file, told })
    }

    /// Writes the file.
    pub(super) fn write(&self, path: &Path) -> Result<(), Refusal> {
        let bytes = self.file.to_bytes().map_err(|error| Refusal::from(error.to_string()))?;
        files::replace(path, &bytes).map_err(|error| Refusal::system(path, &error))
    }
}

#[cfg(test)]
mod tests {
    use neurdsp_midi::{Division, MidiFile, NewNote, NewTrack};
    use neurdsp_models::music::groove::Feel;

    use super::{Clip, Work};

    fn clip(notes: impl Iterator<Item = (u64, u64, u8, u8, u8)>) -> Clip {
        let note = |(start_ticks, end_ticks, pitch, velocity, channel)| NewNote {
            start_ticks,
            end_ticks,
            pitch,
            velocity,
            channel,
        };
        let file = MidiFile::new(Division::quarter(480).unwrap());
        let file = file.with_track(&NewTrack::of(notes.map(note).collect())).unwrap();
        Clip { name: "a".to_owned(), file, told: String::new() }
    }

    fn beat() -> Clip {
        let hit = |step: u64| {
            let drum = if step % 4 == 2 { 38 } else { 36 };
            [(240 * step, 240 * step + 60, 42, 80, 9), (240 * step, 240 * step + 60, drum, 100, 9)]
        };
        clip((0..32).flat_map(hit))
    }

    fn tune() -> Clip {
        let pitches = [60, 64, 67, 64, 65, 69, 72, 69, 67, 71, 74, 71, 72, 67, 64, 60];
        clip(pitches.into_iter().zip(0..).map(|(pitch, at)| (480 * at, 480 * at + 400, pitch, 90, 0)))
    }

    #[test]
    fn drums_are_humanised_and_amount_zero_returns_the_file() {
        let beat = beat();
        let played = beat.worked(Work::Humanise, &Feel::default(), None).unwrap();
        let moved = |clip: &Clip| {
            let pairs = clip.file.notes().into_iter().zip(beat.file.notes());
            pairs.filter(|(one, other)| one.start_ticks != other.start_ticks).count()
        };
        assert!(moved(&played) > 20 && played.file.notes().len() == 64);
        assert_eq!(played.name, "a humanised");
        let none = Feel { amount: 0.0, ..Feel::default() };
        assert_eq!(beat.worked(Work::Humanise, &none, None).unwrap().file, beat.file);
        assert!(tune().worked(Work::Humanise, &Feel::default(), None).is_err());
    }

    #[test]
    fn a_melody_gets_chords_that_hold_it() {
        let made = tune().worked(Work::Harmonise, &Feel::default(), None).unwrap();
        let chords: Vec<_> = made.file.notes().into_iter().filter(|note| note.track == 1).collect();
        assert!(chords.len() >= 8 && chords.iter().all(|note| note.channel == 1));
        assert_eq!(chords.iter().map(|note| note.end_ticks).max(), Some(4 * 4 * 480));
        assert!(made.told.starts_with("C: "), "{}", made.told);
        assert!(beat().worked(Work::Harmonise, &Feel::default(), None).is_err());
    }

    #[test]
    fn a_melody_goes_on_after_its_last_bar_and_the_seed_tells_how() {
        let made =
            |seed| tune().worked(Work::Continue, &Feel { seed, ..Feel::default() }, None).unwrap().file;
        let added = |file: &MidiFile| {
            let notes = file.notes().into_iter().filter(|note| note.track == 1);
            notes.map(|note| (note.start_ticks, note.end_ticks, note.pitch)).collect::<Vec<_>>()
        };
        let (first, end) = (added(&made(1)), 4 * 4 * 480);
        assert!(first.len() > 4 && first.iter().all(|note| note.0 >= end && note.1 <= 2 * end));
        assert!(first.iter().all(|note| (56..=78).contains(&note.2)));
        assert_eq!(first, added(&made(1)));
        assert_ne!(first, added(&made(2)));
        assert_eq!(made(1).notes().into_iter().filter(|note| note.track == 0).count(), 16);
    }

    #[test]
    fn dynamics_change_velocities_alone_and_flatten_nothing() {
        let made = tune().worked(Work::Reshape, &Feel::default(), None).unwrap();
        let (before, after) = (tune().file.notes(), made.file.notes());
        assert!(before.iter().zip(&after).all(|(one, other)| one.start_ticks == other.start_ticks));
        let loudest = after.iter().map(|note| note.velocity).max();
        assert!(loudest > after.iter().map(|note| note.velocity).min());
    }

    #[test]
    fn a_file_is_written_whole_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.mid");
        beat().write(&path).unwrap();
        let read = Clip::read(&path).unwrap();
        assert_eq!((read.name.as_str(), read.file.notes()), ("b", beat().file.notes()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
