//! A plan of chords for a melody, by beam search over what the network says, and suggestions for each half bar.
//!
//! The network is told its own chords as the history, so a choice is a choice for what follows. Left alone, such a search
//! changes chords half as often as people do; the reward for a change makes up for that, and can be set so that the plan
//! changes at a wanted rate.

use super::chord::{Chord, N_CHORDS};
use super::features::{HarmonyFeatures, N_FEATURES};
use super::key::Key;
use super::segments::{Segment, covered};
use crate::error::{Error, Result};

/// Chords that each hypothesis is continued with.
const BRANCHES: usize = 6;
/// Steps of the search for a rate of change.
const RATE_STEPS: usize = 8;
/// Largest reward for a change that is tried, in nats.
const MAX_REWARD: f32 = 6.0;
const FLOOR: f32 = 1e-9;

/// What says how likely chords are: the harmony network.
pub trait ChordModel {
    /// Gives 64 probabilities for each row of 128 features.
    ///
    /// # Errors
    /// Those of the model.
    fn probabilities(&mut self, features: &[[f32; N_FEATURES]]) -> Result<Vec<[f32; N_CHORDS]>>;
}

/// How a plan is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanOptions {
    /// Hypotheses that are followed, 1 to 64.
    pub beam: usize,
    /// Reward for a change of chord, in nats.
    pub change_reward: f32,
    /// Reward for a half bar whose melody is all on tones of the chord, in nats.
    pub coverage_reward: f32,
    /// Part of the half bars in which the chord shall change, 0 to 1; the reward for a change then follows from it.
    pub change_rate: Option<f32>,
    /// Suggestions for each half bar, 1 to 64.
    pub suggestions: usize,
    /// Whether the network may look at the next two half bars.
    pub lookahead: bool,
}

impl Default for PlanOptions {
    /// The rewards are those with which plans for the validation songs of POP909 change chords as often as people do, and
    /// cover as much of the melody.
    fn default() -> Self {
        PlanOptions {
            beam: 16,
            change_reward: 0.5,
            coverage_reward: 0.6,
            change_rate: None,
            suggestions: 3,
            lookahead: true,
        }
    }
}

/// A chord and how likely it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suggestion {
    /// The chord.
    pub chord: Chord,
    /// What the network gives it, after the chords of the plan before it.
    pub probability: f32,
}

/// A chord for each half bar, and what else would fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The chords.
    pub chords: Vec<Chord>,
    /// For each half bar, the chord of the plan, then the others from the most likely on.
    pub suggestions: Vec<Vec<Suggestion>>,
}

/// Makes a plan.
///
/// # Arguments
/// * `locks`: chords that stay, by half bar; may be shorter than the piece.
///
/// # Errors
/// [`Error::OutOfRange`] for options out of range; errors of the model.
pub fn plan(
    segments: &[Segment],
    key: Key,
    locks: &[Option<Chord>],
    options: &PlanOptions,
    model: &mut dyn ChordModel,
) -> Result<Plan> {
    check(options)?;
    let features = HarmonyFeatures::new(segments, key, options.lookahead);
    let locks: Vec<Option<Chord>> =
        locks.iter().map(|lock| lock.map(|chord| features.turned_to_key(chord))).collect();
    let search = Search { segments, features: &features, locks: &locks, options };
    let chords = match options.change_rate {
        None => search.run(options.change_reward, model)?,
        Some(rate) => search.run_at_rate(rate, model)?,
    };
    let suggestions = search.suggest(&chords, model)?;
    Ok(Plan { chords: chords.into_iter().map(|chord| features.turned(chord)).collect(), suggestions })
}

/// Part of the half bars whose chord is another than the one before, 0 to 1.
#[must_use]
pub fn change_rate(chords: &[Chord]) -> f32 {
    let changes = chords.windows(2).filter(|pair| pair[0] != pair[1]).count();
    changes as f32 / (chords.len().max(2) - 1) as f32
}

fn check(options: &PlanOptions) -> Result<()> {
    let wrong = |name: &str, got: String, expected: &str| {
        Err(Error::OutOfRange { name: name.into(), got, expected: expected.into() })
    };
    if !(1..=64).contains(&options.beam) {
        return wrong("beam", options.beam.to_string(), "1 to 64");
    }
    if !(1..=N_CHORDS).contains(&options.suggestions) {
        return wrong("suggestions", options.suggestions.to_string(), "1 to 64");
    }
    for (name, value) in
        [("change_reward", options.change_reward), ("coverage_reward", options.coverage_reward)]
    {
        if value.is_nan() || value.abs() > 20.0 {
            return wrong(name, value.to_string(), "-20 to 20");
        }
    }
    match options.change_rate {
        Some(rate) if !(0.0..=1.0).contains(&rate) => wrong("change_rate", rate.to_string(), "0 to 1"),
        _ => Ok(()),
    }
}

struct Search<'a> {
    segments: &'a [Segment],
    features: &'a HarmonyFeatures,
    /// Turned to the key.
    locks: &'a [Option<Chord>],
    options: &'a PlanOptions,
}

struct Hypothesis {
    score: f32,
    chords: Vec<Chord>,
}

impl Search<'_> {
    /// The best chords, turned to the key.
    fn run(&self, change_reward: f32, model: &mut dyn ChordModel) -> Result<Vec<Chord>> {
        let mut kept = vec![Hypothesis { score: 0.0, chords: Vec::new() }];
        for index in 0..self.segments.len() {
            let rows = self.rows(index, kept.iter().map(|hypothesis| hypothesis.chords.as_slice()));
            let answers = model.probabilities(&rows)?;
            let mut candidates: Vec<(f32, usize, Chord)> = Vec::with_capacity(kept.len() * BRANCHES);
            for (from, (hypothesis, probabilities)) in kept.iter().zip(&answers).enumerate() {
                let mut scores = self.scores(index, hypothesis.chords.last(), probabilities, change_reward);
                scores.sort_by(|a, b| b.0.total_cmp(&a.0));
                let lock = self.locks.get(index).copied().flatten();
                let fits = |chord: Chord| lock.is_none_or(|lock| lock == chord);
                let allowed = scores.into_iter().filter(|&(_, chord)| fits(chord)).take(BRANCHES);
                candidates.extend(allowed.map(|(score, chord)| (hypothesis.score + score, from, chord)));
            }
            // Ties fall to the earlier hypothesis, then to the lower chord: the plan depends on nothing else.
            candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
            candidates.truncate(self.options.beam);
            kept = candidates
                .into_iter()
                .map(|(score, from, chord)| {
                    let mut chords = kept[from].chords.clone();
                    chords.push(chord);
                    Hypothesis { score, chords }
                })
                .collect();
        }
        Ok(kept.into_iter().next().map(|hypothesis| hypothesis.chords).unwrap_or_default())
    }

    /// The chords with the reward that brings their rate of change closest to a wanted one.
    fn run_at_rate(&self, rate: f32, model: &mut dyn ChordModel) -> Result<Vec<Chord>> {
        let (mut low, mut high) = (-MAX_REWARD, MAX_REWARD);
        let mut best: Option<(f32, Vec<Chord>)> = None;
        for _ in 0..RATE_STEPS {
            let reward = 0.5 * (low + high);
            let chords = self.run(reward, model)?;
            let found = change_rate(&chords);
            if found < rate {
                low = reward;
            } else {
                high = reward;
            }
            let distance = (found - rate).abs();
            if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                best = Some((distance, chords));
            }
        }
        Ok(best.map(|(_, chords)| chords).unwrap_or_default())
    }

    fn suggest(&self, chords: &[Chord], model: &mut dyn ChordModel) -> Result<Vec<Vec<Suggestion>>> {
        let mut suggestions = Vec::with_capacity(chords.len());
        for (index, &chosen) in chords.iter().enumerate() {
            let answer = model.probabilities(&self.rows(index, std::iter::once(&chords[..index])))?;
            let Some(probabilities) = answer.first() else { continue };
            let mut ranked: Vec<Chord> = Chord::all().collect();
            let of = |chord: Chord| probabilities[chord.index()];
            ranked.sort_by(|&a, &b| {
                (b == chosen).cmp(&(a == chosen)).then(of(b).total_cmp(&of(a))).then(a.cmp(&b))
            });
            ranked.truncate(self.options.suggestions);
            let turned = |chord| Suggestion { chord: self.features.turned(chord), probability: of(chord) };
            suggestions.push(ranked.into_iter().map(turned).collect());
        }
        Ok(suggestions)
    }

    fn rows<'h>(&self, index: usize, histories: impl Iterator<Item = &'h [Chord]>) -> Vec<[f32; N_FEATURES]> {
        histories
            .map(|history| {
                let mut row = [0.0; N_FEATURES];
                self.features.write(index, history, &mut row);
                row
            })
            .collect()
    }

    fn scores(
        &self,
        index: usize,
        before: Option<&Chord>,
        probabilities: &[f32; N_CHORDS],
        change_reward: f32,
    ) -> Vec<(f32, Chord)> {
        let segment = &self.segments[index];
        let sounding: f32 = segment.durations.iter().sum();
        Chord::all()
            .zip(probabilities)
            .map(|(chord, probability)| {
                let mut score = probability.max(FLOOR).ln();
                if before.is_some_and(|&before| before != chord) {
                    score += change_reward;
                }
                if sounding > 0.0 {
                    let tones = self.features.turned(chord).tones();
                    score += self.options.coverage_reward * covered(segment, tones) / sounding;
                }
                (score, chord)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Likes the triad on the longest pitch class, and a little the chord before.
    struct Longest;

    impl ChordModel for Longest {
        fn probabilities(&mut self, features: &[[f32; N_FEATURES]]) -> Result<Vec<[f32; N_CHORDS]>> {
            let answer = |row: &[f32; N_FEATURES]| {
                let mut probabilities = [0.01; N_CHORDS];
                for class in 0..12 {
                    probabilities[5 * class] += row[class] + 0.4 * row[65 + class];
                }
                let sum: f32 = probabilities.iter().sum();
                probabilities.map(|probability| probability / sum)
            };
            Ok(features.iter().map(answer).collect())
        }
    }

    fn piece(classes: &[usize]) -> Vec<Segment> {
        classes
            .iter()
            .map(|&class| {
                let mut segment = Segment::default();
                segment.durations[class] = 0.6;
                segment.durations[(class + 1) % 12] = 0.4;
                segment
            })
            .collect()
    }

    const KEY: Key = Key { tonic: 2, minor: false };

    #[test]
    fn locked_chords_stay_and_the_rest_follows_the_model() {
        let lock = Chord::parse("Ebm7");
        let options = PlanOptions { change_reward: 0.0, coverage_reward: 0.0, ..PlanOptions::default() };
        let made = plan(&piece(&[0, 2, 7, 9]), KEY, &[None, lock], &options, &mut Longest).unwrap();
        let names: Vec<String> = made.chords.iter().map(|chord| chord.name()).collect();
        assert_eq!(names, ["C", "Ebm7", "G", "A"]);
        for (ranked, chord) in made.suggestions.iter().zip(&made.chords) {
            assert_eq!((ranked.len(), ranked[0].chord), (3, *chord));
            assert!(ranked[1].probability >= ranked[2].probability);
        }
    }

    #[test]
    fn the_plan_changes_about_as_often_as_asked() {
        let classes: Vec<usize> = (0..64).map(|at| at / 2 * 5 % 12).collect();
        let rates: Vec<f32> = [0.1, 0.5, 0.9]
            .iter()
            .map(|&rate| {
                let options = PlanOptions { change_rate: Some(rate), ..PlanOptions::default() };
                change_rate(&plan(&piece(&classes), KEY, &[], &options, &mut Longest).unwrap().chords)
            })
            .collect();
        assert!(rates[0] < rates[1] && rates[1] < rates[2], "{rates:?}");
        assert!((rates[1] - 0.5).abs() < 0.05, "{rates:?}");
    }

    #[test]
    fn a_reward_for_coverage_brings_the_melody_onto_chord_tones() {
        use super::super::segments::chord_tone_share;
        let segments = piece(&[0, 3, 5, 8, 1, 6]);
        let share = |coverage_reward| {
            let options = PlanOptions { coverage_reward, change_reward: 0.0, ..PlanOptions::default() };
            chord_tone_share(&segments, &plan(&segments, KEY, &[], &options, &mut Longest).unwrap().chords)
        };
        assert!((share(0.0) - 0.6).abs() < 1e-5);
        assert!(share(20.0) > 0.95);
    }

    #[test]
    fn options_out_of_range_are_refused() {
        for options in [
            PlanOptions { beam: 0, ..PlanOptions::default() },
            PlanOptions { suggestions: 65, ..PlanOptions::default() },
            PlanOptions { change_rate: Some(f32::NAN), ..PlanOptions::default() },
            PlanOptions { change_reward: f32::INFINITY, ..PlanOptions::default() },
        ] {
            assert!(plan(&[], KEY, &[], &options, &mut Longest).is_err(), "{options:?}");
        }
        let nothing = plan(&[], KEY, &[], &PlanOptions::default(), &mut Longest).unwrap();
        assert!(nothing.chords.is_empty() && nothing.suggestions.is_empty());
    }
}
