//! Kicks as codes: what a project keeps, so that it sounds the same without the network, or with a later one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use neurdsp_models::kick::KickCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::wishes::Wishes;

/// Variations of a kick: as many as are shown, and played in turn.
pub(super) const VARIATIONS: usize = 8;

/// One kick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kick {
    /// What is rendered.
    #[serde(serialize_with = "write_code", deserialize_with = "read_code")]
    pub(super) code: KickCode,
    /// Of its noise.
    pub(super) key: u64,
    /// What its latent was made of; variations begin there.
    #[serde(serialize_with = "write_floats", deserialize_with = "read_floats")]
    pub(super) noise: Vec<f32>,
}

/// A kick, what it was asked for, and its variations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kicks {
    pub(super) wishes: Wishes,
    pub(super) kick: Kick,
    /// How far the variations are from it, in percent.
    pub(super) amount_percent: u8,
    /// [`VARIATIONS`] of them.
    #[serde(deserialize_with = "read_variations")]
    pub(super) variations: Vec<Kick>,
}

fn write_floats<S: Serializer>(values: &[f32], to: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    to.serialize_str(&STANDARD.encode(bytes))
}

fn read_floats<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<f32>, D::Error> {
    let bytes = STANDARD.decode(String::deserialize(from)?).map_err(de::Error::custom)?;
    let (values, rest) = bytes.as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    if !rest.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return Err(de::Error::custom("the numbers of a kick are damaged"));
    }
    Ok(values)
}

fn write_code<S: Serializer>(code: &KickCode, to: S) -> Result<S::Ok, S::Error> {
    write_floats(code.values(), to)
}

fn read_code<'a, D: Deserializer<'a>>(from: D) -> Result<KickCode, D::Error> {
    KickCode::new(&read_floats(from)?).map_err(de::Error::custom)
}

fn read_variations<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<Kick>, D::Error> {
    let kicks = Vec::<Kick>::deserialize(from)?;
    if kicks.len() == VARIATIONS {
        Ok(kicks)
    } else {
        Err(de::Error::custom(format!("a kick has {VARIATIONS} variations, but here are {}", kicks.len())))
    }
}
