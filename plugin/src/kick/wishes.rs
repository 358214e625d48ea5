//! What is asked of a kick: words, attributes, guidance and a seed. In whole numbers, so that two requests that a host has passed
//! through its own rounding are still the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The words, each above its opposite where it has one. A word begins the ID of its parameter, so it never changes.
pub(super) const WORDS: [&str; 18] = [
    "deep",
    "high",
    "long",
    "short",
    "boomy",
    "tight",
    "bright",
    "dark",
    "clicky",
    "soft",
    "punchy",
    "flat",
    "distorted",
    "clean",
    "noisy",
    "dry",
    "sub",
    "mid",
];
/// The attributes. Their names are those of parameters too.
pub(super) const ATTRIBUTES: [&str; 5] = ["pitch", "length", "brightness", "click", "punch"];

/// One request. Without words and attributes it is for any kick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Named", into = "Named")]
pub(super) struct Wishes {
    /// 1 for a word that should hold, -1 for one that should not, 0 for one that may.
    pub(super) words: [i8; WORDS.len()],
    /// From 0 to 100; none where any value will do.
    pub(super) attributes: [Option<u8>; ATTRIBUTES.len()],
    /// How strictly the words are followed, in tenths: 10 to 80.
    pub(super) guidance_tenths: u8,
    pub(super) seed: u32,
}

impl Default for Wishes {
    fn default() -> Wishes {
        Wishes { words: [0; WORDS.len()], attributes: [None; ATTRIBUTES.len()], guidance_tenths: 20, seed: 0 }
    }
}

impl Wishes {
    /// The words of one side: those that should hold (1), or should not (-1).
    pub(super) fn words_of(&self, side: i8) -> Vec<&'static str> {
        WORDS.iter().zip(self.words).filter(|(_, wish)| *wish == side).map(|(word, _)| *word).collect()
    }

    /// A name to show, of the words that should hold and those that should not.
    pub(super) fn title(&self) -> String {
        let (wanted, unwanted) = (self.words_of(1), self.words_of(-1));
        let mut parts: Vec<String> = wanted.iter().map(|word| (*word).to_owned()).collect();
        parts.extend(unwanted.iter().map(|word| format!("not {word}")));
        if parts.is_empty() { "any kick".to_owned() } else { parts.join(" · ") }
    }
}

/// A request as a project and a preset keep it. What this version does not know is left out.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Named {
    keywords: Vec<String>,
    negative: Vec<String>,
    attributes: BTreeMap<String, f32>,
    guidance: f32,
    seed: u32,
}

impl From<Wishes> for Named {
    fn from(wishes: Wishes) -> Named {
        let words = |side| wishes.words_of(side).into_iter().map(str::to_owned).collect();
        let given = ATTRIBUTES.iter().zip(wishes.attributes);
        let attributes =
            given.filter_map(|(name, share)| Some(((*name).to_owned(), f32::from(share?) / 100.0)));
        Named {
            keywords: words(1),
            negative: words(-1),
            attributes: attributes.collect(),
            guidance: f32::from(wishes.guidance_tenths) / 10.0,
            seed: wishes.seed,
        }
    }
}

impl From<Named> for Wishes {
    fn from(named: Named) -> Wishes {
        let is_in = |list: &[String], word: &str| list.iter().any(|listed| listed == word);
        let side = |word: &str| match (is_in(&named.keywords, word), is_in(&named.negative, word)) {
            (true, false) => 1,
            (false, true) => -1,
            _ => 0,
        };
        let share = |name: &str| Some(percent(*named.attributes.get(name)?));
        Wishes {
            words: WORDS.map(side),
            attributes: ATTRIBUTES.map(share),
            guidance_tenths: guidance_tenths(named.guidance),
            seed: named.seed,
        }
    }
}

/// A share from 0 to 1 in percent. What is no number is 0.
pub(super) fn percent(share: f32) -> u8 {
    (100.0 * share.clamp(0.0, 1.0)).round() as u8
}

/// A guidance from 1 to 8 in tenths.
pub(super) fn guidance_tenths(guidance: f32) -> u8 {
    (10.0 * guidance.clamp(1.0, 8.0)).round().max(10.0) as u8
}

#[cfg(test)]
mod tests {
    use super::Wishes;

    #[test]
    fn a_request_comes_back_from_its_text_and_unknown_words_are_left_out() {
        let mut wishes = Wishes { guidance_tenths: 23, seed: 7, ..Wishes::default() };
        (wishes.words[0], wishes.words[11], wishes.attributes[3]) = (1, -1, Some(29));
        let text = serde_json::to_string(&wishes).unwrap();
        assert!(text.contains(r#""keywords":["deep"],"negative":["flat"]"#), "{text}");
        assert_eq!(serde_json::from_str::<Wishes>(&text).unwrap(), wishes);
        assert_eq!(wishes.title(), "deep · not flat");
        let other = r#"{"keywords": ["deep", "wobbly"], "negative": ["deep"], "attributes": {"pitch": 1e30},
            "guidance": -4, "more": 1}"#;
        let read: Wishes = serde_json::from_str(other).unwrap();
        assert_eq!((read.words, read.attributes[0], read.guidance_tenths), ([0; 18], Some(100), 10));
    }
}
