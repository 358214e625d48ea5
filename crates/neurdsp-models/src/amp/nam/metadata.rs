//! What a `.nam` file says about the device and the capture.

use serde_json::{Map, Value};

/// The metadata of a `.nam` file, with every key that the file has.
///
/// The methods give the keys that the format knows; a key that is absent, null or of another type gives `None`.
///
/// # Example
/// ```
/// use neurdsp_models::amp::nam::NamMetadata;
/// let mut metadata = NamMetadata::default();
/// metadata.0.insert("gear_make".into(), "Acme".into());
/// metadata.0.insert("loudness".into(), (-18.5).into());
/// assert_eq!(metadata.text("gear_make"), Some("Acme"));
/// assert_eq!(metadata.loudness_db(), Some(-18.5));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NamMetadata(pub Map<String, Value>);

impl NamMetadata {
    /// RMS of the output for the trainer's fixed clip, in dB of full scale.
    pub fn loudness_db(&self) -> Option<f64> {
        self.number("loudness")
    }

    /// How much the model compresses, from 0 to 1, by the trainer's measure.
    pub fn gain(&self) -> Option<f64> {
        self.number("gain")
    }

    /// The level of a 1 kHz sine that drove the device at 0 dBFS peak, in dBu.
    pub fn input_level_dbu(&self) -> Option<f64> {
        self.number("input_level_dbu")
    }

    /// The level of a 1 kHz sine that the interface recorded at 0 dBFS peak, in dBu.
    pub fn output_level_dbu(&self) -> Option<f64> {
        self.number("output_level_dbu")
    }

    /// The error-to-signal ratio that the trainer measured.
    pub fn validation_esr(&self) -> Option<f64> {
        self.0.get("training")?.get("validation_esr")?.as_f64()
    }

    /// A key that holds text: `name`, `modeled_by`, `gear_make`, `gear_model`, `gear_type` or `tone_type`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// All keys as a JSON object.
    pub fn to_json(&self) -> String {
        // The Display of a Value is JSON and cannot fail.
        Value::Object(self.0.clone()).to_string()
    }

    /// A key that holds a finite number.
    fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }
}
