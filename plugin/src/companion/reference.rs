//! Reference grooves: MIDI files that are opened, and bars that were recorded.

use std::path::Path;
use std::sync::Arc;

use neurdsp_midi::{Division, MidiFile, NewNote, NewTrack, TempoChange, TimeSignature};
use neurdsp_models::music::groove::{Bars, N_VOICES};
use neurdsp_models::music::{Signature, Tempo, Timeline};

use super::live::{Heard, Taken};
use crate::state::{Refusal, Resource, files};

/// Endings of MIDI files.
pub(super) const MIDI_ENDINGS: &[&str] = &["mid", "midi"];
/// Largest MIDI file that is opened.
pub(super) const MAX_MIDI_BYTES: u64 = 8 << 20;
/// The channel of drums.
const DRUMS: u8 = 9;
/// How long a recorded hit is, in ticks.
const HIT_TICKS: u64 = 120;
/// The path under which a project keeps a recording.
const RECORDED: &str = "recorded groove.mid";

/// What the window shows of a reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReferenceCard {
    pub(super) name: String,
    pub(super) n_hits: usize,
    /// Of each hit: its voice, its place in the bar, 0 to 1, how late it is, and its velocity.
    pub(super) hits: Vec<(usize, f32, f32, u8)>,
    /// Mean lateness of each voice, if it has hits.
    pub(super) late_ms: [Option<f32>; N_VOICES],
}

/// A reference that can be asked.
#[derive(Clone)]
pub(crate) struct OpenReference {
    pub(super) resource: Resource,
    pub(super) bars: Arc<Bars>,
    pub(super) card: ReferenceCard,
}

impl OpenReference {
    /// Reads a MIDI file.
    pub(super) fn read(path: &Path) -> Result<OpenReference, Refusal> {
        let bytes = files::read(path, MAX_MIDI_BYTES)?;
        OpenReference::new(Resource::new(path, &bytes), &bytes)
    }

    /// Opens the reference of a session.
    pub(super) fn restore(resource: Resource) -> Result<OpenReference, Refusal> {
        let bytes = resource.bytes(MAX_MIDI_BYTES)?;
        OpenReference::new(resource, &bytes)
    }

    fn new(resource: Resource, bytes: &[u8]) -> Result<OpenReference, Refusal> {
        let refused = |error: &dyn std::fmt::Display| Refusal::of(&resource.path, error);
        let file = MidiFile::from_bytes(bytes).map_err(|error| refused(&error))?;
        let timeline = timeline(&file).map_err(|reason| refused(&reason))?;
        let all = file.notes();
        // Drums are on their channel; a file that has none there is taken whole.
        let has_drums = all.iter().any(|note| note.channel == DRUMS);
        let own: Vec<_> =
            all.iter().filter(|note| note.velocity > 0 && (!has_drums || note.channel == DRUMS)).collect();
        let ticks: Vec<u64> = own.iter().map(|note| note.start_ticks).collect();
        let keys: Vec<u8> = own.iter().map(|note| note.pitch).collect();
        let velocities: Vec<u8> = own.iter().map(|note| note.velocity).collect();
        let bars = Bars::new(timeline, &ticks, &keys, &velocities).map_err(|error| refused(&error))?;
        if bars.hits().is_empty() {
            let reason = "no drum of a kit is played in this file; give one with bars of a groove";
            return Err(refused(&reason));
        }
        let card = card(&resource, &bars);
        Ok(OpenReference { resource, bars: Arc::new(bars), card })
    }

    /// The reference that was recorded, of what the audio thread has heard; none if no hit was.
    pub(super) fn recorded(taken: &mut Taken) -> Option<Result<OpenReference, Refusal>> {
        let (mut hits, mut last) = (Vec::new(), None);
        while let Ok(heard) = taken.pop() {
            match heard {
                Heard::Begin => hits.clear(),
                Heard::Hit { tick, key, velocity } => hits.push((tick, key, velocity)),
                Heard::End { ticks, quarter_us, meter } => {
                    last = Some((std::mem::take(&mut hits), ticks, quarter_us, meter));
                }
            }
        }
        let (hits, ticks, quarter_us, meter) = last.filter(|last| !last.0.is_empty())?;
        let bytes = write(&hits, ticks, quarter_us, meter).map_err(|error| Refusal::from(error.to_string()));
        Some(bytes.and_then(|bytes| OpenReference::new(Resource::new(Path::new(RECORDED), &bytes), &bytes)))
    }
}

/// The bars and tempi of a file.
///
/// # Errors
///
/// In words for the user.
pub(super) fn timeline(file: &MidiFile) -> Result<Timeline, String> {
    let ticks = file.division().ticks_per_quarter().ok_or_else(|| {
        "this file counts frames of film instead of beats; export it with quarter notes".to_owned()
    })?;
    let signature = |found: &TimeSignature| Signature {
        tick: found.tick,
        numerator: u32::from(found.numerator),
        denominator: u32::from(found.denominator),
    };
    // A note of a beat beyond a 128th is no meter that is played: the one before goes on.
    let signatures: Vec<Signature> = file
        .time_signatures()
        .iter()
        .map(signature)
        .filter(|found| (1..=128).contains(&found.denominator) && found.numerator > 0)
        .collect();
    let tempo = |change: &TempoChange| Tempo {
        tick: change.tick,
        quarter_us: change.microseconds_per_quarter.max(1),
    };
    let tempi: Vec<Tempo> = file.tempo_map(0).changes().iter().map(tempo).collect();
    Timeline::new(u32::from(ticks), &signatures, &tempi).map_err(|error| error.to_string())
}

fn write(
    hits: &[(u32, u8, u8)],
    ticks: u32,
    quarter_us: u32,
    meter: (u8, u8),
) -> neurdsp_midi::Result<Vec<u8>> {
    let note = |&(tick, pitch, velocity): &(u32, u8, u8)| NewNote {
        start_ticks: u64::from(tick),
        end_ticks: u64::from(tick) + HIT_TICKS,
        pitch,
        velocity,
        channel: DRUMS,
    };
    let notes = hits.iter().map(note).collect();
    midi("Recorded groove", notes, ticks.into(), quarter_us, meter)?.to_bytes()
}

/// A file of bars that were played, with 960 ticks of a quarter note.
///
/// # Errors
///
/// Times that no file can have.
pub(super) fn midi(
    name: &str,
    notes: Vec<NewNote>,
    end_ticks: u64,
    quarter_us: u32,
    (numerator, denominator): (u8, u8),
) -> neurdsp_midi::Result<MidiFile> {
    let track = NewTrack {
        name: name.to_owned(),
        tempos: vec![TempoChange { tick: 0, microseconds_per_quarter: quarter_us.clamp(1, 0xff_ffff) }],
        time_signatures: vec![TimeSignature { tick: 0, numerator, denominator: denominator.into() }],
        end_ticks,
        ..NewTrack::of(notes)
    };
    let division = Division::quarter(neurdsp_models::music::groove::TICKS_PER_QUARTER as u16)?;
    MidiFile::new(division).with_track(&track)
}

fn card(resource: &Resource, bars: &Bars) -> ReferenceCard {
    let late = |hit: &neurdsp_models::music::groove::Hit| (hit.offset - hit.base_offset()) * hit.sixteenth_ms;
    let hits = bars.hits().iter().map(|hit| (hit.voice, hit.step as f32 / 16.0, late(hit), hit.velocity));
    let mean = |voice| {
        let own: Vec<f32> = bars.hits().iter().filter(|hit| hit.voice == voice).map(late).collect();
        (!own.is_empty()).then(|| own.iter().sum::<f32>() / own.len() as f32)
    };
    ReferenceCard {
        name: resource.name(),
        n_hits: bars.hits().len(),
        hits: hits.collect(),
        late_ms: std::array::from_fn(mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(hits: &[(u32, u8, u8)]) -> Option<Result<OpenReference, Refusal>> {
        let (mut to, mut taken) = rtrb::RingBuffer::new(64);
        to.push(Heard::Hit { tick: 9, key: 36, velocity: 1 }).unwrap(); // of one that was interrupted
        to.push(Heard::Begin).unwrap();
        for &(tick, key, velocity) in hits {
            to.push(Heard::Hit { tick, key, velocity }).unwrap();
        }
        to.push(Heard::End { ticks: 3_840, quarter_us: 500_000, meter: (4, 4) }).unwrap();
        OpenReference::recorded(&mut taken)
    }

    #[test]
    fn a_recording_becomes_a_midi_file_that_a_project_keeps() {
        let hits = [(0, 36, 100), (500, 42, 70), (960, 38, 110)];
        let reference = recording(&hits).unwrap().unwrap();
        assert_eq!((reference.card.n_hits, reference.card.name.as_str()), (3, "recorded groove"));
        // 20 of 960 ticks at 120 beats a minute.
        assert!((reference.card.late_ms[2].unwrap() - 10.4).abs() < 0.1);
        assert_eq!(reference.card.late_ms[3], None);
        let again = OpenReference::restore(reference.resource.clone()).unwrap();
        assert_eq!(again.card, reference.card);
        assert!(recording(&[]).is_none());
    }

    #[test]
    fn files_without_drums_or_that_are_none_are_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mid");
        std::fs::write(&path, b"no file").unwrap();
        assert!(OpenReference::read(&path).is_err());
        let track =
            NewTrack::of(vec![NewNote { start_ticks: 0, end_ticks: 9, pitch: 90, velocity: 1, channel: 9 }]);
        let bytes = MidiFile::new(Division::quarter(480).unwrap()).with_track(&track).unwrap().to_bytes();
        std::fs::write(&path, bytes.unwrap()).unwrap();
        assert!(OpenReference::read(&path).err().unwrap().reason.contains("no drum of a kit"));
    }
}
