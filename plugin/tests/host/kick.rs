//! Kicks as the engine makes them, and as a state of the kick instrument holds them.

use neurdsp_models::kick::{Hybrid, KickCode, KickRenderer, RenderSpec, kick_key};
use neurdsp_models::{Header, ModelFile};

use super::Instance;

/// The network that ships.
const NETWORK: &[u8] = include_bytes!("../../../python/neurdsp/kick/shipped/default.safetensors");

/// A generator of the user's own: the one that ships, but it takes the first latent rather than the best.
pub fn own_generator() -> Vec<u8> {
    let (from, to) = (b"candidates\\\": 16", b"candidates\\\": 1 ");
    let at = NETWORK.windows(from.len()).position(|bytes| bytes == from).unwrap();
    [&NETWORK[..at], to, &NETWORK[at + from.len()..]].concat()
}

/// What the engine makes of words and a seed: a code, and the key of its noise.
pub fn generated(words: &[&str], seed: u64) -> (KickCode, u64) {
    generated_by(NETWORK, words, seed)
}

/// The same, of the generator of a file; `not deep` is a word that should not hold.
pub fn generated_by(file: &[u8], words: &[&str], seed: u64) -> (KickCode, u64) {
    let file = ModelFile::from_bytes(file).unwrap();
    let network = Hybrid::from_file(&file, &Header::from_metadata(&file.metadata).unwrap()).unwrap();
    let config = network.config();
    let wish = |name: &str| {
        let is_unwanted = words.iter().any(|word| word.strip_prefix("not ") == Some(name));
        f32::from(i8::from(words.contains(&name)) - i8::from(is_unwanted))
    };
    let keywords: Vec<f32> = config.keywords.iter().map(|word| wish(&word.name)).collect();
    let key = kick_key(seed, 0);
    let candidates = network.candidates(&keywords, &vec![None; config.attributes.len()], 2.0, key).unwrap();
    (network.decode(network.chosen(&candidates)).unwrap(), key)
}

/// A kick as it sounds at a rate in Hz, tuned by semitones; two seconds of it.
pub fn rendered((code, key): &(KickCode, u64), sample_rate: u32, tune_semitones: f64) -> Vec<f32> {
    let length = 2 * sample_rate as usize;
    let spec = RenderSpec { sample_rate, length, tune_semitones, ..RenderSpec::default() };
    KickRenderer::default().render(code, *key, &spec).unwrap()
}

/// The kick in the state of an instance, and its variations.
///
/// None in a project that has no kick yet.
pub fn codes(instance: &Instance) -> Vec<(KickCode, u64)> {
    use base64::Engine;
    let session = super::state(instance)["fields"]["session"].as_str().unwrap().to_owned();
    let session: serde_json::Value = serde_json::from_str(&session).unwrap();
    let kicks = &session["kicks"];
    if kicks.is_null() {
        return Vec::new();
    }
    let code = |kick: &serde_json::Value| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(kick["code"].as_str().unwrap()).unwrap();
        let values: Vec<f32> =
            bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
        (KickCode::new(&values).unwrap(), kick["key"].as_u64().unwrap())
    };
    std::iter::once(&kicks["kick"]).chain(kicks["variations"].as_array().unwrap()).map(code).collect()
}
