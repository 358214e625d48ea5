//! Makes kicks of requests. The network inside the plugin is read once for all instances, by the first that needs it.

use std::sync::{Arc, LazyLock};

use neurdsp_models::kick::{Hybrid, HybridConfig, kick_key};

use super::codes::{Kick, Kicks, VARIATIONS};
use super::own;
use super::wishes::{ATTRIBUTES, WORDS, Wishes};

/// The generators that ship.
const SHIPPED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/kicks.rs"));

static GENERATOR: LazyLock<Result<Arc<Hybrid>, String>> = LazyLock::new(|| {
    let (_, bytes) = SHIPPED.first().ok_or("this build has no network that makes kicks")?;
    own::network(bytes).map(Arc::new)
});

/// The network inside the plugin.
///
/// # Errors
///
/// A sentence for the user: this build has none.
pub(super) fn shipped() -> Result<Arc<Hybrid>, String> {
    GENERATOR.clone()
}

/// What words and attributes mean, for people.
pub(super) fn meaning(name: &str) -> Option<&'static str> {
    let config = GENERATOR.as_ref().ok()?.config();
    let word = config.keywords.iter().find(|word| word.name == name).map(|word| word.meaning.as_str());
    let attribute = || config.attributes.iter().find(|attribute| attribute.name == name);
    word.or_else(|| attribute().map(|attribute| attribute.meaning.as_str()))
}

/// The kick of a request, with its variations.
///
/// # Errors
///
/// A sentence for the user.
pub(super) fn generate(network: &Hybrid, wishes: &Wishes, amount_percent: u8) -> Result<Kicks, String> {
    let config = network.config();
    let key = kick_key(u64::from(wishes.seed), 0);
    let (words, attributes) = conditions(config, wishes);
    let guidance = f32::from(wishes.guidance_tenths) / 10.0;
    let candidates =
        network.candidates(&words, &attributes, guidance, key).map_err(|error| error.to_string())?;
    let latent = network.chosen(&candidates);
    let code = network.decode(latent).map_err(|error| error.to_string())?;
    let noise = candidates.noise[candidates.best * config.latent..][..config.latent].to_vec();
    vary(network, wishes, Kick { code, key, noise }, amount_percent)
}

/// A kick with variations: what it was made of, mixed with other noise.
///
/// # Errors
///
/// As [`generate`].
pub(super) fn vary(
    network: &Hybrid,
    wishes: &Wishes,
    kick: Kick,
    amount_percent: u8,
) -> Result<Kicks, String> {
    let config = network.config();
    let (words, attributes) = conditions(config, wishes);
    let guidance = f32::from(wishes.guidance_tenths) / 10.0;
    let amount = f64::from(amount_percent.min(100)) / 100.0;
    let (stays, comes) = ((1.0 - amount * amount).sqrt() as f32, amount as f32);
    let mut variations = Vec::with_capacity(VARIATIONS);
    for index in 0..VARIATIONS as u64 {
        // A seed of its own, which Python takes too: there is no room for the last bit.
        let key = kick_key(kick.key >> 1, index);
        // A kick of another network has other noise.
        if amount_percent == 0 || kick.noise.len() != config.latent {
            variations.push(kick.clone());
            continue;
        }
        let fresh = network.noise(key, 1);
        let noise: Vec<f32> =
            kick.noise.iter().zip(fresh).map(|(old, new)| stays * old + comes * new).collect();
        let latents =
            network.latents(&noise, &words, &attributes, guidance).map_err(|error| error.to_string())?;
        let code = network.decode(&latents).map_err(|error| error.to_string())?;
        variations.push(Kick { code, key, noise });
    }
    Ok(Kicks { wishes: *wishes, kick, amount_percent, variations })
}

/// A request in the order of the network. Words that it does not know have no effect.
fn conditions(config: &HybridConfig, wishes: &Wishes) -> (Vec<f32>, Vec<Option<f32>>) {
    let wish = |name: &str| {
        let at = WORDS.iter().position(|word| *word == name);
        at.map_or(0.0, |at| f32::from(wishes.words[at]))
    };
    let share = |name: &str| wishes.attributes[ATTRIBUTES.iter().position(|known| *known == name)?];
    let words = config.keywords.iter().map(|word| wish(&word.name)).collect();
    let attributes = config.attributes.iter().map(|attribute| {
        let share = f64::from(share(&attribute.name)?) / 100.0;
        // As in Python, in double precision.
        let (low, high) = (f64::from(attribute.low), f64::from(attribute.high));
        Some((low + share * (high - low)).clamp(low, high) as f32)
    });
    (words, attributes.collect())
}

#[cfg(test)]
mod tests {
    use super::super::wishes::{ATTRIBUTES, WORDS, Wishes};
    use super::{SHIPPED, generate, meaning, shipped};

    #[test]
    fn the_network_that_ships_knows_every_word_and_attribute() {
        assert_eq!(SHIPPED[0].0, "default");
        assert!(WORDS.iter().chain(&ATTRIBUTES).all(|name| meaning(name).is_some()));
    }

    #[test]
    fn a_request_gives_the_same_kicks_each_time_and_a_kick_comes_back_from_its_text() {
        let mut wishes = Wishes { seed: 7, ..Wishes::default() };
        wishes.words[0] = 1;
        let network = shipped().unwrap();
        let kicks = generate(&network, &wishes, 30).unwrap();
        assert_eq!(kicks, generate(&network, &wishes, 30).unwrap());
        assert!(kicks.variations.iter().all(|variation| variation.code != kicks.kick.code));
        let still = generate(&network, &wishes, 0).unwrap();
        assert!(still.variations.iter().all(|variation| *variation == kicks.kick));
        let text = serde_json::to_string(&kicks).unwrap();
        assert_eq!(serde_json::from_str::<super::Kicks>(&text).unwrap(), kicks);
        for damage in [text.replace("\"variations\":[{", "\"variations\":[{},{"), text.replace("AA", "/8")] {
            assert!(serde_json::from_str::<super::Kicks>(&damage).is_err());
        }
    }
}
