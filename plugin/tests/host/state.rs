//! States of the amp player.

use std::path::PathBuf;

use super::Instance;

/// A shipped amp without knobs.
pub const TS9: &[u8] = include_bytes!("../../../python/neurdsp/amp/shipped/ts9.safetensors");
/// Parameters under which the model plays alone.
pub const BARE: &str = r#"{"gate": {"bool": false}, "tone": {"bool": false}, "dc_block": {"bool": false},
    "output_mode": {"string": "raw"}}"#;

/// A state of the amp player with these parameters, as JSON, and the file of a model, from before models had knobs.
pub fn state_with(parameters: &str, model: &[u8]) -> Vec<u8> {
    state_of_version(1, parameters, model)
}

/// As [`state_with`], of another version of the session.
pub fn state_of_version(version: u32, parameters: &str, model: &[u8]) -> Vec<u8> {
    use base64::Engine;
    use sha2::Digest;
    let content = base64::engine::general_purpose::STANDARD.encode(model);
    let hash: String = sha2::Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect();
    let session = serde_json::json!({
        "version": version,
        "model": { "path": "amp", "hash": hash, "content": content },
        "cabinet": null,
    });
    let parameters: serde_json::Value = serde_json::from_str(parameters).unwrap();
    let state = serde_json::json!({
        "version": "0.1.0",
        "params": parameters,
        "fields": { "session": session.to_string() },
    });
    state.to_string().into_bytes()
}

/// The state of an instance, as JSON.
pub fn state(instance: &Instance) -> serde_json::Value {
    serde_json::from_slice(&instance.state()).unwrap()
}

/// The path of the model in the state of an instance.
pub fn model_path(instance: &Instance) -> PathBuf {
    loaded_path(instance, "model")
}

/// The path of the `model` or the `cabinet` in the state of an instance.
pub fn loaded_path(instance: &Instance, what: &str) -> PathBuf {
    let session = state(instance)["fields"]["session"].as_str().unwrap().to_owned();
    let session: serde_json::Value = serde_json::from_str(&session).unwrap();
    session[what]["path"].as_str().unwrap_or_default().into()
}
