//! The real-world levels of a model, and the gains that follow from them.

use neurdsp_models::amp::nam::NamMetadata;

/// The loudness that [`OutputMode::Normalised`] aims at, in dB RMS of full scale.
pub const NORMALISED_LOUDNESS_DB: f32 = -18.0;

/// The largest gain that follows from metadata, up or down.
const MAX_GAIN_DB: f64 = 60.0;

/// The treatment of a model's output level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputMode {
    /// Left as it is.
    #[default]
    Raw,
    /// Brought to a loudness of −18 dB, so that models can be compared.
    Normalised,
    /// The level of the device itself, at the user's interface.
    Calibrated,
}

/// The levels in a model's file. A level that is absent leaves the gain at 0 dB.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ModelLevels {
    /// RMS of the output for the trainer's fixed clip, in dB of full scale.
    pub loudness_db: Option<f64>,
    /// Level in dBu of a 1 kHz sine that drove the device at 0 dBFS peak.
    pub input_level_dbu: Option<f64>,
    /// Level in dBu of a 1 kHz sine that was recorded at 0 dBFS peak.
    pub output_level_dbu: Option<f64>,
}

impl ModelLevels {
    /// The levels in a file's description of the capture.
    #[must_use]
    pub fn from_capture(capture: &NamMetadata) -> ModelLevels {
        ModelLevels {
            loudness_db: capture.loudness_db(),
            input_level_dbu: capture.input_level_dbu(),
            output_level_dbu: capture.output_level_dbu(),
        }
    }

    /// The gain before the model, so that an interface where a sine of `interface_dbu` reaches 0 dBFS drives it as the device
    /// was driven.
    #[must_use]
    pub fn input_gain_db(&self, interface_dbu: f64) -> f64 {
        bounded(self.input_level_dbu.map(|level| interface_dbu - level))
    }

    /// The gain after the model.
    #[must_use]
    pub fn output_gain_db(&self, mode: OutputMode, interface_dbu: f64) -> f64 {
        bounded(match mode {
            OutputMode::Raw => None,
            OutputMode::Normalised => {
                self.loudness_db.map(|loudness| f64::from(NORMALISED_LOUDNESS_DB) - loudness)
            }
            OutputMode::Calibrated => self.output_level_dbu.map(|level| level - interface_dbu),
        })
    }
}

fn bounded(gain_db: Option<f64>) -> f64 {
    gain_db.filter(|gain| gain.is_finite()).unwrap_or(0.0).clamp(-MAX_GAIN_DB, MAX_GAIN_DB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_of_one_volt_drives_the_model_as_it_drove_the_device() {
        // At the interface 12 dBu is full scale, at the capture 18.3 dBu was: the same voltage was 6.3 dB lower there.
        let levels = ModelLevels {
            loudness_db: Some(-24.5),
            input_level_dbu: Some(18.3),
            output_level_dbu: Some(15.0),
        };
        assert!((levels.input_gain_db(12.0) + 6.3).abs() < 1e-12);
        assert_eq!(levels.output_gain_db(OutputMode::Normalised, 12.0), 6.5);
        assert_eq!(levels.output_gain_db(OutputMode::Calibrated, 12.0), 3.0);
        assert_eq!(levels.output_gain_db(OutputMode::Raw, 12.0), 0.0);
    }

    #[test]
    fn what_is_not_known_or_absurd_changes_little() {
        let unknown = ModelLevels::default();
        assert_eq!(unknown.input_gain_db(12.0), 0.0);
        assert_eq!(unknown.output_gain_db(OutputMode::Normalised, 12.0), 0.0);
        let absurd = ModelLevels { loudness_db: Some(-1e9), ..unknown };
        assert_eq!(absurd.output_gain_db(OutputMode::Normalised, 12.0), 60.0);
    }
}
