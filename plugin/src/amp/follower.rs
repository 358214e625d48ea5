//! Decides when a model is prepared again: for turned knobs, for another size, for other oversampling.
//!
//! One preparation is requested at a time, and the next one once it has faded in. A turned knob is thus followed in steps of one
//! fade each, at most 50 a second whatever the automation does, and the audio thread waits for none of them.
//!
//! A render that runs faster than real time is different: there a preparation of some milliseconds would be heard late. So it
//! waits, and makes requests at points that do not depend on the blocks, so the sound is the same however fast the machine is.
//! The speed is measured; until the first measurement the host's word counts.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::params::Preparation;
use crate::loading::Requests;

/// Samples between the points at which a fast render looks for changes.
const GRID: usize = 64;
/// Samples over which the speed is measured.
const WINDOW: usize = 12_000;
/// Speed, relative to real time, above which nobody is listening.
const FAST: f64 = 1.25;
/// The longest that a fast render waits for a preparation.
const LIMIT: Duration = Duration::from_secs(1);
/// How often it checks.
const POLL: Duration = Duration::from_micros(100);

/// Which preparation was requested, and how fast the sound is rendered.
#[derive(Debug, Default)]
pub(super) struct Follower {
    requested: Option<Preparation>,
    /// Samples since the sound was reset.
    position: usize,
    sample_rate: f64,
    /// Where and when the measurement of the speed began.
    window: Option<(usize, Instant)>,
    is_fast: bool,
    /// Whether the host calls the render offline.
    is_offline: bool,
}

/// The part of a block to play before the next call.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    pub(super) samples: Range<usize>,
    /// Whether the chain is to be reset first: nothing has sounded yet, and its new model begins without a fade.
    pub(super) resets: bool,
}

impl Follower {
    /// Begins with a new chain.
    pub(super) fn start(&mut self, sample_rate: f64, is_offline: bool) {
        *self = Follower { sample_rate, is_offline, ..Follower::default() };
    }

    /// Begins the sound again.
    pub(super) fn reset(&mut self) {
        (self.position, self.window, self.is_fast) = (0, None, self.is_offline);
    }

    /// Whether `wanted` was not requested yet.
    pub(super) fn is_behind(&self, wanted: &Preparation) -> bool {
        self.requested.as_ref() != Some(wanted)
    }

    /// Counts samples that are not played.
    pub(super) fn skip(&mut self, len: usize) {
        self.position = self.position.wrapping_add(len);
    }

    /// Measures the speed. To be called once for each block that is played.
    pub(super) fn begin_block(&mut self) {
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

    /// The part to play next of what is `left` of a block. Before that `wanted` is requested, and the worker woken by `wake`, if
    /// it is time for it; `is_fading` tells whether the chain still fades to the model before.
    pub(super) fn next(
        &mut self,
        wanted: &Preparation,
        left: Range<usize>,
        is_fading: bool,
        requests: &Requests,
        wake: impl Fn(),
    ) -> Part {
        let (mut samples, mut resets) = (left, false);
        if self.is_behind(wanted) {
            let past = self.position % GRID;
            if self.is_fast && (past != 0 || is_fading || samples.is_empty()) {
                samples.end = samples.end.min(samples.start + GRID - past);
            } else if self.is_fast {
                self.request(wanted, requests, wake);
                self.is_fast = wait(requests);
                resets = self.position == 0;
            } else if requests.are_met() && !is_fading {
                self.request(wanted, requests, wake);
            }
        }
        self.skip(samples.len());
        Part { samples, resets }
    }

    fn request(&mut self, wanted: &Preparation, requests: &Requests, wake: impl Fn()) {
        self.requested = Some(*wanted);
        requests.make();
        wake();
    }
}

/// Waits for the preparation; returns whether it came in time.
fn wait(requests: &Requests) -> bool {
    let start = Instant::now();
    while !requests.are_met() && start.elapsed() < LIMIT {
        std::thread::sleep(POLL);
    }
    requests.are_met()
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use neurdsp_rt::{AmpChain, Operation};

    use super::Follower;
    use crate::amp::params::AmpParams;
    use crate::loading::Requests;

    /// Plays a second in which the knob moves in each block; returns how many preparations were requested.
    fn second_of_turning(is_fast: bool, answers: bool) -> usize {
        let (mut chain, handle) = AmpChain::new(48_000.0, 1).unwrap();
        let model = neurdsp_models::load_bytes(
            br#"{"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
                 "config": {"receptive_field": 1, "bias": false}, "weights": [0.5]}"#,
        );
        let (model, handle) = (model.unwrap(), RefCell::new(handle));
        let (params, requests) = (AmpParams::default(), Requests::default());
        let mut follower = Follower::default();
        // By such a clock nothing is fast.
        follower.start(if is_fast { 48_000.0 } else { 1e12 }, is_fast);
        follower.reset();
        let requested = Cell::new(0);
        let wake = || {
            requested.set(requested.get() + 1);
            if answers {
                handle.borrow_mut().turn_knobs(&model, Operation::at(48_000.0)).unwrap();
                requests.meet();
            }
        };
        for block in 0..750 {
            params.knobs.set(&[block as f32 / 750.0]);
            let wanted = params.preparation(1);
            follower.begin_block();
            let part = follower.next(&wanted, 0..64, chain.is_fading(), &requests, wake);
            assert_eq!((part.samples, part.resets), (0..64, is_fast && block == 0));
            if part.resets {
                chain.reset();
            }
            chain.process(&mut [&mut [0.1; 64]]);
        }
        requested.get()
    }

    #[test]
    fn a_knob_that_never_rests_is_followed_in_at_most_fifty_steps_a_second() {
        for is_fast in [false, true] {
            let requested = second_of_turning(is_fast, true);
            assert!((40..=50).contains(&requested), "{requested}");
        }
    }

    #[test]
    fn while_a_request_is_not_met_there_is_no_other_and_nothing_waits() {
        assert_eq!(second_of_turning(false, false), 1);
    }

    #[test]
    fn a_fast_render_asks_at_the_same_samples_whatever_the_blocks() {
        let params = AmpParams::default();
        let first = params.preparation(1);
        params.knobs.set(&[0.9]);
        let second = params.preparation(1);
        for block in [1, 17, 64, 100] {
            let (requests, asked) = (Requests::default(), Cell::new(false));
            let wake = || {
                asked.set(true);
                requests.meet();
            };
            let mut follower = Follower::default();
            follower.start(48_000.0, true);
            follower.reset();
            let mut asked_at = Vec::new();
            for position in (0..1000).step_by(block) {
                let len = block.min(1000 - position);
                follower.begin_block();
                let mut at = 0;
                while at < len {
                    // From sample 100 on another position is wanted, and until 150 the chain fades.
                    let now = position + at;
                    let wanted = if now >= 100 { &second } else { &first };
                    let is_fading = (1..150).contains(&now);
                    let part = follower.next(wanted, at..len, is_fading, &requests, wake);
                    if asked.take() {
                        asked_at.push(now);
                    }
                    assert!(part.samples.start == at && part.samples.end > at);
                    at = part.samples.end;
                }
            }
            assert_eq!(asked_at, [0, 192], "blocks of {block}");
        }
    }
}
