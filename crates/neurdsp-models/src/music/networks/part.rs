//! The five networks by name.

/// One of the five networks.
///
/// # Example
/// ```
/// use neurdsp_models::music::MusicPart;
/// assert_eq!(MusicPart::ALL.map(MusicPart::name)[4], "groove");
/// assert_eq!(MusicPart::from_architecture("music.melody"), Some(MusicPart::Melody));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MusicPart {
    /// Valence and arousal from mel frames.
    Emotion,
    /// The next sixteenth of a melody.
    Melody,
    /// The chord under a melody.
    Harmony,
    /// Velocities from a condition.
    Dynamics,
    /// Offsets and velocities of a voice.
    Groove,
}

impl MusicPart {
    /// All of them, in their order.
    pub const ALL: [MusicPart; 5] =
        [MusicPart::Emotion, MusicPart::Melody, MusicPart::Harmony, MusicPart::Dynamics, MusicPart::Groove];

    /// Their names in model files, in that order.
    pub(crate) const ARCHITECTURES: [&'static str; 5] =
        ["music.emotion", "music.melody", "music.harmony", "music.dynamics", "music.groove"];

    /// The name, such as `groove`.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.architecture()["music.".len()..]
    }

    /// The name in model files, such as `music.groove`.
    #[must_use]
    pub fn architecture(self) -> &'static str {
        MusicPart::ARCHITECTURES[self as usize]
    }

    /// The network of an architecture.
    #[must_use]
    pub fn from_architecture(name: &str) -> Option<MusicPart> {
        MusicPart::ALL.into_iter().find(|part| part.architecture() == name)
    }
}
