//! Decides when a model is prepared again: for turned knobs, for another size, for other oversampling.
//!
//! One preparation is requested at a time, and the next one once it has faded in. A turned knob is thus followed in steps of one
//! fade each, at most 50 a second whatever the automation does, and the audio thread waits for none of them.
//!
//! An offline render is different: nobody listens, it runs faster than real time, and a preparation of some milliseconds would be
//! heard late. So it waits, and makes requests at points that do not depend on the blocks, so the sound is the same however fast
//! the machine is. Only the host's word counts for that: whoever listens must never be made to wait.

use std::ops::Range;

use super::params::Preparation;
use crate::loading::{Patience, Requests};

/// Samples between the points at which an offline render looks for changes.
const GRID: usize = 64;

/// Which preparation was requested, and whether the host renders offline.
#[derive(Debug, Default)]
pub(super) struct Follower {
    requested: Option<Preparation>,
    /// Samples since the sound was reset.
    position: usize,
    is_offline: bool,
    patience: Patience,
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
    pub(super) fn start(&mut self) {
        *self = Follower::default();
    }

    /// Begins the sound again.
    pub(super) fn reset(&mut self) {
        self.position = 0;
    }

    /// Whether `wanted` was not requested yet.
    pub(super) fn is_behind(&self, wanted: &Preparation) -> bool {
        self.requested.as_ref() != Some(wanted)
    }

    /// Counts samples that are not played.
    pub(super) fn skip(&mut self, len: usize) {
        self.position = self.position.wrapping_add(len);
    }

    /// Begins a block. In an offline render it waits for what was requested before.
    pub(super) fn begin_block(&mut self, is_offline: bool, requests: &Requests) {
        self.is_offline = is_offline;
        if is_offline {
            self.patience.wait(requests);
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
            if self.is_offline && (past != 0 || is_fading || samples.is_empty()) {
                samples.end = samples.end.min(samples.start + GRID - past);
            } else if self.is_offline {
                self.request(wanted, requests, wake);
                self.patience.wait(requests);
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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use neurdsp_rt::{AmpChain, Operation};

    use super::Follower;
    use crate::amp::params::AmpParams;
    use crate::loading::Requests;

    /// Plays a second in which the knob moves in each block; returns how many preparations were requested.
    fn second_of_turning(is_offline: bool, answers: bool) -> usize {
        let (mut chain, handle) = AmpChain::new(48_000.0, 1).unwrap();
        let model = neurdsp_models::load_bytes(
            br#"{"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
                 "config": {"receptive_field": 1, "bias": false}, "weights": [0.5]}"#,
        );
        let (model, handle) = (model.unwrap(), RefCell::new(handle));
        let (params, requests) = (AmpParams::default(), Requests::default());
        let mut follower = Follower::default();
        follower.start();
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
            follower.begin_block(is_offline, &requests);
            let part = follower.next(&wanted, 0..64, chain.is_fading(), &requests, wake);
            assert_eq!((part.samples, part.resets), (0..64, is_offline && block == 0));
            if part.resets {
                chain.reset();
            }
            chain.process(&mut [&mut [0.1; 64]]);
        }
        requested.get()
    }

    #[test]
    fn a_knob_that_never_rests_is_followed_in_at_most_fifty_steps_a_second() {
        for is_offline in [false, true] {
            let requested = second_of_turning(is_offline, true);
            assert!((40..=50).contains(&requested), "{requested}");
        }
    }

    #[test]
    fn while_a_request_is_not_met_there_is_no_other_and_nothing_waits() {
        assert_eq!(second_of_turning(false, false), 1);
    }

    #[test]
    fn back_in_real_time_nothing_waits_for_what_is_not_met() {
        let params = AmpParams::default();
        let (requests, mut follower) = (Requests::default(), Follower::default());
        for is_offline in [true, false] {
            params.knobs.set(&[if is_offline { 0.1 } else { 0.9 }]);
            follower.begin_block(is_offline, &requests);
            // Offline somebody answers; in real time nobody ever does, and a wait would not end.
            let wake = || {
                if is_offline {
                    requests.meet()
                }
            };
            let part = follower.next(&params.preparation(1), 0..64, false, &requests, wake);
            assert_eq!(part.samples, 0..64);
        }
        assert!(!requests.are_met());
        for _ in 0..1000 {
            follower.begin_block(false, &requests);
            params.knobs.set(&[0.5]);
            follower.next(&params.preparation(1), 0..64, false, &requests, || panic!("asked twice"));
        }
    }

    #[test]
    fn an_offline_render_asks_at_the_same_samples_whatever_the_blocks() {
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
            let mut asked_at = Vec::new();
            for position in (0..1000).step_by(block) {
                let len = block.min(1000 - position);
                follower.begin_block(true, &requests);
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
