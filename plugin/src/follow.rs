//! Lets the model follow what it has to be prepared anew for: its knobs, its size, its oversampling.
//!
//! One preparation is asked for at a time, and the next one once it has faded in: a turned knob is followed in steps of one fade
//! each, so that there are never more than 50 of them a second, whatever the automation does, and the audio thread waits for
//! none of them.
//!
//! A render that runs faster than the sound lasts is another thing: steps that take milliseconds of a machine would be heard
//! late there. It does wait, and asks at points that do not depend on the blocks, so the same automation gives the same
//! sound however fast the machine is. That it is such a render is measured; of the first moments the host's word counts.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use neurdsp_rt::AmpChain;

use crate::params::{AmpParams, Preparation};
use crate::shared::Shared;

/// Samples between the points where a fast render looks for changes.
const GRID: usize = 64;
/// Samples over which the speed is measured.
const WINDOW: usize = 12_000;
/// So many times faster than it lasts no sound is heard.
const FAST: f64 = 1.25;
/// The longest that a fast render waits for a model.
const LIMIT: Duration = Duration::from_secs(1);
/// How often it looks.
const LOOK: Duration = Duration::from_micros(100);

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    asked: Option<Preparation>,
    /// Samples since the sound was reset.
    position: usize,
    sample_rate: f64,
    /// Where and when the present window began.
    window: Option<(usize, Instant)>,
    is_fast: bool,
    /// What the host says.
    is_offline: bool,
}

impl Follower {
    /// Begins with a new chain.
    pub(crate) fn start(&mut self, sample_rate: f64, is_offline: bool) {
        *self = Follower { sample_rate, is_offline, ..Follower::default() };
    }

    /// The sound begins anew.
    pub(crate) fn reset(&mut self) {
        (self.position, self.window, self.is_fast) = (0, None, self.is_offline);
    }

    /// Whether something is wanted that was not asked for yet.
    pub(crate) fn is_behind(&self, params: &AmpParams, shared: &Shared) -> bool {
        self.asked != Some(wanted(params, shared))
    }

    /// Counts samples that are not played.
    pub(crate) fn skip(&mut self, len: usize) {
        self.position = self.position.wrapping_add(len);
    }

    /// Plays `channels` while the model follows; `ask` lets the loader prepare it.
    pub(crate) fn play(
        &mut self,
        chain: &mut AmpChain,
        channels: &mut [&mut [f32]],
        params: &AmpParams,
        shared: &Shared,
        ask: impl Fn(),
    ) {
        let len = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let wanted = wanted(params, shared);
        self.measure();
        let mut at = 0;
        while self.is_fast && self.asked != Some(wanted) && at < len {
            let past = self.position % GRID;
            if past == 0 && !chain.is_fading() {
                self.request(wanted, shared, &ask);
                self.is_fast = wait(shared);
                if self.position == 0 {
                    // Nothing has sounded yet: it begins as it is wanted.
                    chain.reset();
                }
                break;
            }
            let count = (GRID - past).min(len - at);
            play_part(chain, channels, at..at + count);
            (at, self.position) = (at + count, self.position.wrapping_add(count));
        }
        if !self.is_fast && self.asked != Some(wanted) && is_answered(shared) && !chain.is_fading() {
            self.request(wanted, shared, &ask);
        }
        play_part(chain, channels, at..len);
        self.position = self.position.wrapping_add(len - at);
    }

    /// Finds out whether the sound is rendered faster than it could be heard.
    fn measure(&mut self) {
        let Some((begin, then)) = self.window else {
            self.window = Some((self.position, Instant::now()));
            return;
        };
        let played = self.position.wrapping_sub(begin);
        if played >= WINDOW {
            let now = Instant::now();
            let lasted = (now - then).as_secs_f64();
            self.is_fast = played as f64 / self.sample_rate > FAST * lasted;
            self.window = Some((self.position, now));
        }
    }

    fn request(&mut self, wanted: Preparation, shared: &Shared, ask: &impl Fn()) {
        self.asked = Some(wanted);
        shared.requested.fetch_add(1, Ordering::Release);
        ask();
    }
}

fn wanted(params: &AmpParams, shared: &Shared) -> Preparation {
    params.preparation(shared.n_knobs.load(Ordering::Relaxed))
}

fn is_answered(shared: &Shared) -> bool {
    shared.answered.load(Ordering::Acquire) == shared.requested.load(Ordering::Relaxed)
}

/// Whether the model came in time.
fn wait(shared: &Shared) -> bool {
    let start = Instant::now();
    while !is_answered(shared) && start.elapsed() < LIMIT {
        std::thread::sleep(LOOK);
    }
    is_answered(shared)
}

/// Plays a part of the block; nothing here allocates, so there are as many cases as layouts.
fn play_part(chain: &mut AmpChain, channels: &mut [&mut [f32]], part: std::ops::Range<usize>) {
    match channels {
        [mono] => chain.process(&mut [&mut mono[part]]),
        [left, right, ..] => chain.process(&mut [&mut left[part.clone()], &mut right[part]]),
        [] => {}
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::Ordering;

    use neurdsp_rt::{AmpChain, Operation};

    use super::Follower;
    use crate::params::AmpParams;
    use crate::shared::Shared;

    /// Plays a second in which the knob moves in each block; returns how often the model was asked for.
    fn second_of_turning(is_fast: bool, answers: bool) -> usize {
        let (mut chain, handle) = AmpChain::new(48_000.0, 1).unwrap();
        let model = neurdsp_models::load_bytes(
            br#"{"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
                 "config": {"receptive_field": 1, "bias": false}, "weights": [0.5]}"#,
        );
        let (model, handle) = (model.unwrap(), std::cell::RefCell::new(handle));
        let (params, shared) = (AmpParams::default(), Shared::default());
        shared.n_knobs.store(1, Ordering::Relaxed);
        let mut follower = Follower::default();
        // By such a clock nothing is fast.
        follower.start(if is_fast { 48_000.0 } else { 1e12 }, is_fast);
        follower.reset();
        let asked = Cell::new(0);
        let ask = || {
            asked.set(asked.get() + 1);
            if answers {
                handle.borrow_mut().turn_knobs(&model, Operation::at(48_000.0)).unwrap();
                shared.answered.store(shared.requested.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        };
        for block in 0..750 {
            params.knobs.set(&[block as f32 / 750.0]);
            follower.play(&mut chain, &mut [&mut [0.1; 64]], &params, &shared, ask);
        }
        asked.get()
    }

    #[test]
    fn a_knob_that_never_rests_is_followed_in_at_most_fifty_steps_a_second() {
        for is_fast in [false, true] {
            let asked = second_of_turning(is_fast, true);
            assert!((40..=50).contains(&asked), "{asked}");
        }
    }

    #[test]
    fn while_a_request_is_not_answered_there_is_no_other_and_nothing_waits() {
        assert_eq!(second_of_turning(false, false), 1);
    }
}
