//! What a `.nam` file says about the device and the capture.

use serde_json::{Map, Value};

/// The metadata of a `.nam` file, with every key that the file has.
///
/// The methods give the keys that the format knows; a key that is absent, null or of another type gives `None`. A number
/// that was written as text, such as `"-18"` or `"-18 dB"`, is read as that number.
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

    /// A key that holds a finite number, or text that says one.
    fn number(&self, key: &str) -> Option<f64> {
        let number = match self.0.get(key)? {
            Value::String(text) => number_in(text),
            value => value.as_f64(),
        };
        number.filter(|number| number.is_finite())
    }

    /// The same facts with the levels that were written as text as numbers; text that says none is left.
    pub(crate) fn with_numbers(mut self) -> NamMetadata {
        for key in LEVELS {
            if let Some(number) = self.number(key)
                && let Some(value @ Value::String(_)) = self.0.get_mut(key)
            {
                *value = number.into();
            }
        }
        self
    }

    /// The facts of one size of a model, completed by those of the whole file. The levels of a size are its own; what the
    /// file says about the device holds for all sizes.
    pub(crate) fn of_size(whole: NamMetadata, size: &NamMetadata) -> NamMetadata {
        let mut facts = whole.0;
        for (key, value) in &size.0 {
            let known = facts.get(key).is_some_and(|value| !value.is_null());
            if !value.is_null() && (!known || LEVELS.contains(&key.as_str())) {
                facts.insert(key.clone(), value.clone());
            }
        }
        NamMetadata(facts)
    }

    /// The same facts with those about the device that only another size of the model gives.
    pub(crate) fn completed_by(mut self, other: &NamMetadata) -> NamMetadata {
        for (key, value) in &other.0 {
            let known = self.0.get(key).is_some_and(|value| !value.is_null());
            if !known && !value.is_null() && !OF_A_SIZE.contains(&key.as_str()) {
                self.0.insert(key.clone(), value.clone());
            }
        }
        self
    }
}

/// The keys that hold for one size of a model only.
const OF_A_SIZE: [&str; 3] = ["loudness", "gain", "training"];

/// The keys of levels and of the measure of compression, which are numbers.
const LEVELS: [&str; 4] = ["loudness", "gain", "input_level_dbu", "output_level_dbu"];

/// The number in a text such as `-18`, `−18,5` or `-18 dB`.
fn number_in(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase().replace('\u{2212}', "-");
    let units = ["dbfs", "dbu", "db"];
    let number = units.iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(&text).trim_end();
    let dots = number.matches(['.', ',']).count();
    if dots > 1 { None } else { number.replace(',', ".").parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts(value: Value) -> NamMetadata {
        NamMetadata(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn a_level_as_text_is_the_number_that_it_says() {
        for (text, number) in [
            ("-18", Some(-18.0)),
            (" -18.5 ", Some(-18.5)),
            ("-18,5", Some(-18.5)),
            ("\u{2212}18 dB", Some(-18.0)),
            ("12.3 dBu", Some(12.3)),
            ("-18 dBFS", Some(-18.0)),
            ("loud", None),
            ("", None),
            ("dB", None),
            ("nan", None),
            ("inf", None),
            ("1e999", None),
            ("1.000,5", None),
        ] {
            assert_eq!(facts(json!({ "loudness": text })).loudness_db(), number, "{text}");
        }
        for value in [json!(null), json!(true), json!([-18]), json!({ "db": -18 })] {
            assert_eq!(facts(json!({ "loudness": value })).loudness_db(), None);
        }
    }

    #[test]
    fn what_says_no_number_is_kept_as_it_was() {
        let read = facts(json!({ "loudness": "-18", "gain": "much", "name": "-1" })).with_numbers();
        assert_eq!(read, facts(json!({ "loudness": -18.0, "gain": "much", "name": "-1" })));
    }

    #[test]
    fn a_size_has_its_own_levels_and_the_device_of_the_file() {
        let whole = facts(json!({ "name": "Both", "loudness": -20, "gear_make": null }));
        let size = facts(json!({ "name": "Lite", "loudness": -30, "gear_make": "Acme", "gain": null }));
        let found = NamMetadata::of_size(whole, &size);
        assert_eq!(found, facts(json!({ "name": "Both", "loudness": -30, "gear_make": "Acme" })));
        let full =
            facts(json!({ "loudness": -20, "gain": 0.8, "input_level_dbu": 18.3, "gear_make": "Other" }));
        let expected =
            json!({ "name": "Both", "loudness": -30, "gear_make": "Acme", "input_level_dbu": 18.3 });
        assert_eq!(found.completed_by(&full), facts(expected));
    }
}
