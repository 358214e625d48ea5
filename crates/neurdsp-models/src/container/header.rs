//! What the metadata of a model file says: format version, architecture, config, audio, producer, metrics, parity.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::container::json::{in_words, one_line};
use crate::error::{Error, Result};

/// The version of the format that this crate writes, and the newest that it reads.
pub const FORMAT_VERSION: &str = "1.0";
const FORMAT_MAJOR: u64 = 1;

const FORMAT: &str = "neurdsp.format";
const ARCHITECTURE: &str = "neurdsp.architecture";
const CONFIG: &str = "neurdsp.config";
const AUDIO: &str = "neurdsp.audio";
const PRODUCER: &str = "neurdsp.producer";
const METRICS: &str = "neurdsp.metrics";
const PARITY_DB: &str = "neurdsp.parity_db";

/// The audio that a model takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AudioSpec {
    /// In Hz, 1000 to 768000; may be fractional.
    pub sample_rate: f64,
    /// 1 for mono.
    pub channels: usize,
}

/// The typed metadata of a model file.
///
/// # Example
/// ```
/// use neurdsp_models::{AudioSpec, Header};
/// let header = Header {
///     architecture: "amp.wavenet".into(),
///     config: r#"{"channels":2}"#.into(),
///     audio: AudioSpec { sample_rate: 48_000.0, channels: 1 },
///     producer: "an example".into(),
///     metrics: serde_json::Map::new(),
///     parity_db: -100.0,
/// };
/// assert_eq!(Header::from_metadata(&header.to_metadata())?, header);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Family and kind, such as `amp.wavenet`.
    pub architecture: String,
    /// The config of the architecture, a JSON object.
    pub config: String,
    /// The audio that the model takes and gives.
    pub audio: AudioSpec,
    /// The program that wrote the file, with its version.
    pub producer: String,
    /// What was measured at export, such as `esr`.
    pub metrics: serde_json::Map<String, serde_json::Value>,
    /// The error against `parity.output` that the model must stay below, in dB of the energy of that output.
    pub parity_db: f64,
}

impl Header {
    /// The error of a file whose architecture is none of those that are known.
    pub(crate) fn unknown_architecture(&self, known: &[&str]) -> Error {
        Error::UnknownArchitecture { name: one_line(&self.architecture), known: known.join(", ") }
    }

    /// Reads the `neurdsp.` keys of a file's metadata, after checking that its format version can be read.
    ///
    /// # Errors
    /// [`Error::MissingMetadata`], [`Error::InvalidMetadata`], or [`Error::NewerFormat`] for a later major version.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Result<Header> {
        check_version(required(metadata, FORMAT)?)?;

        let audio: AudioSpec = json(metadata, AUDIO, r#"JSON such as {"sample_rate":48000.0,"channels":1}"#)?;
        if !(1000.0..=768_000.0).contains(&audio.sample_rate) {
            return Err(invalid(AUDIO, &metadata[AUDIO], "JSON with sample_rate from 1000 to 768000 Hz"));
        }
        if audio.channels == 0 {
            return Err(invalid(AUDIO, &metadata[AUDIO], "JSON with channels of at least 1"));
        }
        let _: serde_json::Map<String, serde_json::Value> = json(metadata, CONFIG, "a JSON object")?;

        let parity_text = required(metadata, PARITY_DB)?;
        let parity_db = match parity_text.parse::<f64>() {
            Ok(value) if (-200.0..=-20.0).contains(&value) => value,
            _ => return Err(invalid(PARITY_DB, parity_text, "a number from -200 to -20, in dB")),
        };
        Ok(Header {
            architecture: required(metadata, ARCHITECTURE)?.to_owned(),
            config: required(metadata, CONFIG)?.to_owned(),
            audio,
            producer: required(metadata, PRODUCER)?.to_owned(),
            metrics: json(metadata, METRICS, "a JSON object")?,
            parity_db,
        })
    }

    /// The metadata of a file of the current format version.
    pub fn to_metadata(&self) -> BTreeMap<String, String> {
        // The Display of a Value is JSON and cannot fail.
        let audio =
            serde_json::json!({ "sample_rate": self.audio.sample_rate, "channels": self.audio.channels });
        let metrics = serde_json::Value::Object(self.metrics.clone());
        [
            (FORMAT, FORMAT_VERSION.to_owned()),
            (ARCHITECTURE, self.architecture.clone()),
            (CONFIG, self.config.clone()),
            (AUDIO, audio.to_string()),
            (PRODUCER, self.producer.clone()),
            (METRICS, metrics.to_string()),
            (PARITY_DB, self.parity_db.to_string()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// The config as the type that the architecture gives it.
    ///
    /// # Errors
    /// [`Error::InvalidMetadata`] if a member is missing, unknown or of the wrong type.
    pub fn typed_config<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.config).map_err(|error| {
            invalid(
                CONFIG,
                &self.config,
                &format!("a config of {}: {}", one_line(&self.architecture), one_line(&in_words(&error))),
            )
        })
    }
}

/// Refuses what this crate cannot read.
///
/// A new minor version only adds keys that older readers may pass over. A new major version comes with a function from
/// the old metadata to the new, called here, so that every other line deals with one version only.
fn check_version(found: &str) -> Result<()> {
    let parts: Option<Vec<u64>> = found.split('.').map(|part| part.parse().ok()).collect();
    let Some([major, _minor]) = parts.as_deref() else {
        return Err(invalid(FORMAT, found, "a version such as 1.0"));
    };
    if *major > FORMAT_MAJOR {
        return Err(Error::NewerFormat {
            found: one_line(found),
            supported: FORMAT_VERSION.to_owned(),
            needed: *major,
        });
    }
    if *major < FORMAT_MAJOR {
        return Err(invalid(FORMAT, found, "1.0 or newer; there was no earlier format"));
    }
    Ok(())
}

fn required<'a>(metadata: &'a BTreeMap<String, String>, key: &str) -> Result<&'a str> {
    match metadata.get(key) {
        Some(value) => Ok(value),
        None => Err(Error::MissingMetadata { key: key.to_owned() }),
    }
}

fn json<T: DeserializeOwned>(metadata: &BTreeMap<String, String>, key: &str, expected: &str) -> Result<T> {
    let text = required(metadata, key)?;
    serde_json::from_str(text)
        .map_err(|error| invalid(key, text, &format!("{expected}: {}", one_line(&in_words(&error)))))
}

fn invalid(key: &str, got: &str, expected: &str) -> Error {
    Error::InvalidMetadata { key: key.to_owned(), got: one_line(got), expected: expected.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> BTreeMap<String, String> {
        let header = Header {
            architecture: "amp.wavenet".into(),
            config: r#"{"channels":2}"#.into(),
            audio: AudioSpec { sample_rate: 44_100.5, channels: 1 },
            producer: "a test".into(),
            metrics: serde_json::Map::new(),
            parity_db: -99.5,
        };
        header.to_metadata()
    }

    fn refusal(key: &str, value: &str) -> String {
        let mut metadata = metadata();
        metadata.insert(key.to_owned(), value.to_owned());
        Header::from_metadata(&metadata).unwrap_err().to_string()
    }

    #[test]
    fn a_newer_major_version_is_refused_and_a_newer_minor_is_read() {
        assert_eq!(
            refusal(FORMAT, "2.3"),
            "the file has format 2.3, but this neurdsp reads up to format 1.0; \
             install a newer neurdsp that reads format 2.x"
        );
        let mut minor = metadata();
        minor.insert(FORMAT.to_owned(), "1.7".to_owned());
        assert_eq!(Header::from_metadata(&minor).unwrap().audio.sample_rate, 44_100.5);
        for text in ["", "1", "1.0.0", "one.two", "-1.0", "99999999999999999999.0", "0.9"] {
            let message = refusal(FORMAT, text);
            assert!(
                message.starts_with(&format!("the metadata key neurdsp.format is {text:?}")),
                "{message}"
            );
        }
    }

    #[test]
    fn each_key_is_named_when_it_is_missing_or_wrong() {
        for key in metadata().keys() {
            let mut lacking = metadata();
            lacking.remove(key);
            let message = Header::from_metadata(&lacking).unwrap_err().to_string();
            assert!(message.starts_with(&format!("the metadata lacks {key}:")), "{message}");
        }
        let cases = [
            (AUDIO, r#"{"sample_rate":0.0,"channels":1}"#, "sample_rate from 1000 to 768000"),
            (AUDIO, r#"{"sample_rate":1e999,"channels":1}"#, "number out of range"),
            (AUDIO, r#"{"sample_rate":48000.0,"channels":0}"#, "channels of at least 1"),
            (AUDIO, r#"{"channels":1}"#, "sample_rate is missing"),
            (CONFIG, "[]", "a JSON object"),
            (CONFIG, "{", "it ends within an object"),
            (METRICS, "null", "a JSON object"),
            (PARITY_DB, "NaN", "a number from -200 to -20"),
            (PARITY_DB, "1000", "a number from -200 to -20"),
        ];
        for (key, value, expected) in cases {
            let message = refusal(key, value);
            assert!(message.contains(key) && message.contains(expected), "{message}");
        }
        let nested = refusal(METRICS, &"[".repeat(100_000));
        assert!(nested.contains("neurdsp.metrics") && nested.len() < 500, "{}", nested.len());
    }
}
