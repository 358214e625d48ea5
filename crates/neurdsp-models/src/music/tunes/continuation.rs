//! A melody continued: step by step, drawn from the network mixed with the memory of the piece.

use super::super::chords::Key;
use super::condition::{N_CONDITION, Surroundings};
use super::grid::{HOLD, LOWEST_PITCH, MAX_STEPS, N_TOKENS, REST};
use super::memory::MelodyMemory;
use super::mixture::Mixture;
use crate::error::{Error, Result};

/// What says how likely tokens are: the melody network. It hears all melodies in C major or A minor.
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
    // The melody as a whole is moved: where its key changes, the model is told so.
    let key = surroundings.first().and_then(|around| around.key);
    let semitones = key.map_or(0, Key::semitones_to_c);
    model.reset();
    for (at, around) in surroundings.iter().enumerate() {
        around.transposed(semitones).write(&mut condition);
        let logits = moved_back(&model.step(moved(before, semitones), &condition)?, semitones);
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

/// A token in the key that the model knows; pitches beyond the range become its ends.
fn moved(token: u8, semitones: i32) -> u8 {
    if token < LOWEST_PITCH {
        return token;
    }
    (i32::from(token) + semitones).clamp(i32::from(LOWEST_PITCH), N_TOKENS as i32 - 1) as u8
}

/// Logits in the key of the melody; what the model has no pitch for never comes.
fn moved_back(logits: &[f32; N_TOKENS], semitones: i32) -> [f32; N_TOKENS] {
    std::array::from_fn(|token| {
        let asked = token as i32 + if token < usize::from(LOWEST_PITCH) { 0 } else { semitones };
        let exists = token < usize::from(LOWEST_PITCH) || asked >= i32::from(LOWEST_PITCH);
        logits.get(asked as usize).copied().filter(|_| exists).unwrap_or(f32::NEG_INFINITY)
    })
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
    use super::super::super::chords::Chord;
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

    /// Wants the note above the last one, and writes down what it hears.
    struct Rising(Vec<(u8, f32, f32)>);

    impl MelodyModel for Rising {
        fn reset(&mut self) {
            self.0.clear();
        }

        fn step(&mut self, token: u8, condition: &[f32; N_CONDITION]) -> Result<[f32; N_TOKENS]> {
            // C and D as tonics, and the root of a chord.
            self.0.push((token, condition[33] - condition[35], condition[46]));
            Ok(std::array::from_fn(|next| if next == usize::from(token) + 1 { 9.0 } else { 0.0 }))
        }
    }

    #[test]
    fn a_model_hears_each_melody_in_c_and_answers_in_its_key() {
        for (tonic, turn) in [(0_u8, 0_i32), (2, -2), (6, -6), (7, 5)] {
            let key = Some(Key { tonic, minor: false });
            let chord = Chord::parse("C").map(|chord| chord.transposed(i32::from(tonic)));
            let mut surroundings = around(6);
            surroundings.iter_mut().for_each(|step| (step.key, step.chord) = (key, chord));
            surroundings[5].key = Some(Key { tonic: tonic + 2, minor: false });
            let options = ContinueOptions { memory: 0.0, temperature: 0.0, ..ContinueOptions::default() };
            let mut model = Rising(Vec::new());
            let melody = continue_melody(&[60, 62], &surroundings, &options, &mut model).unwrap();
            assert_eq!(melody, [63, 64, 65, 66]);
            let heard: Vec<i32> = model.0.iter().map(|step| i32::from(step.0)).collect();
            assert_eq!(heard, [0, 60 + turn, 62 + turn, 63 + turn, 64 + turn, 65 + turn]);
            assert!(model.0[..5].iter().all(|step| (step.1, step.2) == (1.0, 1.0)));
            assert_eq!(model.0[5].1, -1.0, "a key that changes is told");
        }
        assert_eq!([moved(0, 5), moved(1, -6), moved(125, 5), moved(3, -6)], [0, 1, 127, 2]);
        let logits = moved_back(&std::array::from_fn(|token| token as f32), -6);
        assert_eq!((logits[1], logits[7], logits[8], logits[127]), (1.0, f32::NEG_INFINITY, 2.0, 121.0));
        let logits = moved_back(&[0.5; N_TOKENS], 5);
        assert_eq!((logits[122], logits[123]), (0.5, f32::NEG_INFINITY));
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
