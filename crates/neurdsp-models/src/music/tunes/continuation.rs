//! A melody continued: step by step, drawn from the network mixed with the memory of the piece.

use super::condition::{N_CONDITION, Surroundings};
use super::grid::{HOLD, MAX_STEPS, N_TOKENS, REST};
use super::memory::MelodyMemory;
use super::mixture::Mixture;
use crate::error::{Error, Result};

/// What says how likely tokens are: the melody network.
pub trait MelodyModel {
    /// Returns to the state before the first step.
    fn reset(&mut self);

    /// Takes the token before, with the surroundings of the one to come, and gives the logits of that one.
    ///
    /// # Errors
    /// Those of the model.
    fn step(&mut self, token: u8, condition: &[f32; N_CONDITION]) -> Result<[f32; N_TOKENS]>;
}

/// How a melody is continued.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContinueOptions {
    /// How much the memory of the piece counts: 0 leaves it out, 1 is as learnt; up to 8.
    pub memory: f32,
    /// 1 draws tokens as likely as they are, less prefers likely ones, 0 takes the likeliest; up to 4.
    pub temperature: f32,
    /// Pitch classes that may begin, as bits, bit 0 for C; none stands for all.
    pub scale: Option<u16>,
    /// The lowest and the highest pitch that may begin.
    pub range: (u8, u8),
    /// The same seed gives the same melody.
    pub seed: u64,
    /// How network and memory are mixed.
    pub mixture: Mixture,
}

impl Default for ContinueOptions {
    fn default() -> Self {
        ContinueOptions {
            memory: 1.0,
            temperature: 0.9,
            scale: None,
            range: (2, 127),
            seed: 0,
            mixture: Mixture::default(),
        }
    }
}

/// Continues a melody.
///
/// # Arguments
/// * `prompt`: the tokens so far.
/// * `surroundings`: of each step of the prompt, then of each step to come; their number says how many come.
///
/// # Errors
/// [`Error::OutOfRange`] for options out of range, a scale without a pitch in the range, or fewer surroundings than prompt;
/// errors of the model.
pub fn continue_melody(
    prompt: &[u8],
    surroundings: &[Surroundings],
    options: &ContinueOptions,
    model: &mut dyn MelodyModel,
) -> Result<Vec<u8>> {
    check(prompt, surroundings, options)?;
    let mut random = Random(options.seed);
    let mut memory = MelodyMemory::new();
    let (mut condition, mut remembered) = ([0.0; N_CONDITION], [0.0; N_TOKENS]);
    let mut continued = Vec::with_capacity(surroundings.len() - prompt.len());
    let (mut before, mut sounding) = (REST, false);
    model.reset();
    for (at, around) in surroundings.iter().enumerate() {
        around.write(&mut condition);
        let logits = model.step(before, &condition)?;
        let token = match prompt.get(at) {
            Some(&token) => token.min(127),
            None => {
                let mut probabilities = softmax(&logits);
                let agreement = memory.predict(&mut remembered);
                options.mixture.mix(&mut probabilities, &remembered, agreement, options.memory);
                let token = draw(&mut probabilities, sounding, options, &mut random);
                continued.push(token);
                token
            }
        };
        memory.push(token);
        sounding = token != REST && (token != HOLD || sounding);
        before = token;
    }
    Ok(continued)
}

fn check(prompt: &[u8], surroundings: &[Surroundings], options: &ContinueOptions) -> Result<()> {
    let wrong = |name: &str, got: String, expected: String| {
        Err(Error::OutOfRange { name: name.into(), got, expected })
    };
    if surroundings.len() < prompt.len() || surroundings.len() > MAX_STEPS {
        let got = surroundings.len().to_string();
        return wrong("the number of steps", got, format!("{} to {MAX_STEPS}", prompt.len()));
    }
    if !(0.0..=8.0).contains(&options.memory) {
        return wrong("memory", options.memory.to_string(), "0 to 8".into());
    }
    if !(0.0..=4.0).contains(&options.temperature) {
        return wrong("temperature", options.temperature.to_string(), "0 to 4".into());
    }
    let (low, high) = options.range;
    if !(2..=127).contains(&low) || !(low..=127).contains(&high) {
        return wrong("range", format!("{low} to {high}"), "two pitches of 2 to 127, the lower first".into());
    }
    if !(low..=high).any(|pitch| allows(options.scale, pitch)) {
        return wrong(
            "the scale",
            format!("without a pitch from {low} to {high}"),
            "a scale with one".into(),
        );
    }
    Ok(())
}

fn allows(scale: Option<u16>, pitch: u8) -> bool {
    scale.is_none_or(|scale| scale >> (pitch % 12) & 1 == 1)
}

fn softmax(logits: &[f32; N_TOKENS]) -> [f32; N_TOKENS] {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut probabilities = logits.map(|logit| (logit - highest).exp());
    let sum: f32 = probabilities.iter().sum();
    for probability in &mut probabilities {
        *probability /= sum;
    }
    probabilities
}

/// Draws a token of those that are allowed.
fn draw(
    probabilities: &mut [f32; N_TOKENS],
    sounding: bool,
    options: &ContinueOptions,
    random: &mut Random,
) -> u8 {
    let (low, high) = options.range;
    for (token, probability) in (0_u8..).zip(probabilities.iter_mut()) {
        let allowed = match token {
            REST => true,
            HOLD => sounding,
            pitch => (low..=high).contains(&pitch) && allows(options.scale, pitch),
        };
        // NaN compares with nothing, and goes too.
        if !(allowed && *probability > 0.0) {
            *probability = 0.0;
        }
    }
    let highest = probabilities.iter().copied().fold(0.0, f32::max);
    if highest <= 0.0 {
        return if sounding { HOLD } else { REST };
    }
    if options.temperature > 0.0 {
        for probability in probabilities.iter_mut() {
            *probability = (*probability / highest).powf(1.0 / options.temperature);
        }
    } else {
        return (0_u8..)
            .zip(probabilities.iter())
            .find(|&(_, &value)| value == highest)
            .map_or(REST, |(at, _)| at);
    }
    let mut left = random.unit() * probabilities.iter().sum::<f32>();
    let mut last = REST;
    for (token, &probability) in (0_u8..).zip(probabilities.iter()).filter(|&(_, &value)| value > 0.0) {
        last = token;
        left -= probability;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    /// 0 to below 1.
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows nothing: all tokens are equally likely.
    struct Flat;

    impl MelodyModel for Flat {
        fn reset(&mut self) {}

        fn step(&mut self, _: u8, _: &[f32; N_CONDITION]) -> Result<[f32; N_TOKENS]> {
            Ok([0.0; N_TOKENS])
        }
    }

    fn around(n: usize) -> Vec<Surroundings> {
        let at = |step: usize| Surroundings {
            place: step as u32 % 16,
            bar: 16,
            compound: false,
            key: None,
            chord: None,
        };
        (0..n).map(at).collect()
    }

    #[test]
    fn a_seed_tells_the_melody_and_the_scale_is_kept() {
        let options = ContinueOptions {
            scale: Some(0b1010_1011_0101),
            range: (55, 79),
            seed: 3,
            ..ContinueOptions::default()
        };
        let play = |options| continue_melody(&[60, 1, 1, 1], &around(404), &options, &mut Flat).unwrap();
        let melody = play(options);
        assert_eq!(melody, play(options));
        assert_ne!(melody, play(ContinueOptions { seed: 4, ..options }));
        assert_eq!(melody.len(), 400);
        let pitches: Vec<u8> = melody.into_iter().filter(|&token| token > 1).collect();
        assert!(pitches.len() > 100);
        for pitch in pitches {
            assert!((55..=79).contains(&pitch) && 0b1010_1011_0101 >> (pitch % 12) & 1 == 1, "{pitch}");
        }
    }

    #[test]
    fn a_strong_memory_repeats_the_piece_and_none_does_not() {
        let phrase = [60, 1, 62, 1, 64, 1, 65, 67, 0, 72, 1, 1, 71, 1, 0, 0];
        let prompt = phrase.repeat(4);
        let repeats = |memory| {
            let options = ContinueOptions { memory, temperature: 0.5, ..ContinueOptions::default() };
            let melody = continue_melody(&prompt, &around(128), &options, &mut Flat).unwrap();
            melody.iter().zip(phrase.iter().cycle()).filter(|(a, b)| a == b).count()
        };
        assert_eq!(repeats(8.0), 64);
        assert!(repeats(0.0) < 8);
    }

    #[test]
    fn no_note_goes_on_from_silence() {
        let options = ContinueOptions { range: (60, 60), ..ContinueOptions::default() };
        let melody = continue_melody(&[], &around(500), &options, &mut Flat).unwrap();
        let mut before = REST;
        for token in melody {
            assert!(token != HOLD || before != REST);
            before = token;
        }
    }

    #[test]
    fn options_out_of_range_are_refused() {
        for options in [
            ContinueOptions { memory: -1.0, ..ContinueOptions::default() },
            ContinueOptions { temperature: f32::NAN, ..ContinueOptions::default() },
            ContinueOptions { range: (70, 60), ..ContinueOptions::default() },
            ContinueOptions { range: (60, 60), scale: Some(0b10), ..ContinueOptions::default() },
        ] {
            assert!(continue_melody(&[], &around(1), &options, &mut Flat).is_err(), "{options:?}");
        }
        assert!(continue_melody(&[0; 4], &around(3), &ContinueOptions::default(), &mut Flat).is_err());
    }
}
