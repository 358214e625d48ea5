//! Kicks as WAV files: 24 bits, as loud as they are rendered, without the level of the output.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::maker::Rendered;
use crate::state::{Refusal, files};

/// Full scale of 24 bits.
const FULL_SCALE: f32 = 8_388_607.0;
/// Words in the name of a file.
const MAX_WORDS: usize = 4;

/// The contents of a file.
///
/// # Errors
///
/// In words for the user.
pub(super) fn wav(kick: &Rendered) -> Result<Vec<u8>, Refusal> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: kick.rate_hz,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let refused = |error: hound::Error| Refusal::from(error.to_string());
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).map_err(refused)?;
    for sample in &kick.samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * FULL_SCALE).round() as i32).map_err(refused)?;
    }
    writer.finalize().map_err(refused)?;
    Ok(bytes.into_inner())
}

/// Writes a kick as `path`, whole or not at all.
///
/// # Errors
///
/// In words for the user.
pub(super) fn save(kick: &Rendered, path: &Path) -> Result<(), Refusal> {
    files::replace(path, &wav(kick)?).map_err(|error| Refusal::system(path, &error))
}

/// A name for the file of a kick: its words and its seed, without the ending.
pub(super) fn name(kick: &Rendered) -> String {
    let words = kick.wishes.words_of(1);
    let words = words.iter().take(MAX_WORDS).fold(String::new(), |text, word| format!("{text}{word}_"));
    format!("kick_{words}{}", kick.wishes.seed)
}

/// A file in `folder` for the kick that is not there yet: `kick_<words>_<seed>_<number>.wav`.
pub(super) fn unused(folder: &Path, kick: &Rendered) -> PathBuf {
    files::unused(folder, &name(kick), "wav")
}

#[cfg(test)]
mod tests {
    use super::super::maker::Rendered;
    use super::super::wishes::Wishes;
    use super::{name, save, unused};

    #[test]
    fn a_kick_is_saved_whole_under_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut wishes = Wishes { seed: 412, ..Wishes::default() };
        (wishes.words[0], wishes.words[10]) = (1, 1);
        let kick = Rendered { wishes, samples: vec![0.5, -1.5, 0.0], rate_hz: 48_000 };
        assert_eq!(name(&kick), "kick_deep_punchy_412");
        for number in ["01", "02"] {
            let path = unused(folder.path(), &kick);
            assert!(path.ends_with(format!("kick_deep_punchy_412_{number}.wav")));
            save(&kick, &path).unwrap();
        }
        let mut read = hound::WavReader::open(folder.path().join("kick_deep_punchy_412_01.wav")).unwrap();
        assert_eq!((read.spec().sample_rate, read.spec().bits_per_sample), (48_000, 24));
        let samples: Vec<i32> = read.samples().collect::<Result<_, _>>().unwrap();
        assert_eq!(samples, [4_194_304, -8_388_607, 0]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
