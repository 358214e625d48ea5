//! What the audio thread, the worker and the editor of one instance share. The audio thread touches atomics only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::bank::Exchange;
use super::job::Job;
use crate::audio::Level;
use crate::loading::Requests;

/// State that all parts of one instance share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) exchange: Exchange,
    /// Requests to make and render kicks.
    pub(super) requests: Arc<Requests>,
    /// How often the editor has asked to hear the kick.
    pub(super) auditions: AtomicU32,
    pub(super) playhead: Playhead,
    /// Of the output.
    pub(super) level: Level,
    pub(super) shown: Mutex<Shown>,
}

/// Where the latest hit is.
#[derive(Debug, Default)]
pub(super) struct Playhead(AtomicU64);

impl Playhead {
    /// Says which kick of the bank sounds, and at which of its samples; none if nothing does.
    pub(super) fn set(&self, at: Option<(usize, usize)>) {
        let packed = at.map_or(0, |(kick, sample)| ((kick as u64 + 1) << 32) | (sample as u64 & 0xffff_ffff));
        self.0.store(packed, Ordering::Relaxed);
    }

    /// The same.
    pub(super) fn get(&self) -> Option<(usize, usize)> {
        let packed = self.0.load(Ordering::Relaxed);
        let kick = (packed >> 32).checked_sub(1)?;
        Some((kick as usize, (packed & 0xffff_ffff) as usize))
    }
}

/// The least and the largest sample of each part of a kick.
pub(super) type Peaks = Vec<[f32; 2]>;

/// What the editor shows of the kicks that play.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// What they were made for; none before the first.
    pub(super) job: Option<Job>,
    /// What could not be made, for a reason that the window tells; none once it is.
    pub(super) failed: Option<Job>,
    pub(super) kick: Peaks,
    pub(super) variations: Vec<Peaks>,
    /// Samples of a kick, and their rate in Hz.
    pub(super) length: usize,
    pub(super) rate_hz: u32,
}

/// The peaks of `samples` in `count` parts.
pub(super) fn peaks(samples: &[f32], count: usize) -> Peaks {
    let part = |index: usize| {
        let (from, to) = (index * samples.len() / count, (index + 1) * samples.len() / count);
        let part = samples.get(from..to.max(from + 1)).unwrap_or_default();
        part.iter().fold([0.0f32; 2], |[low, high], sample| [low.min(*sample), high.max(*sample)])
    };
    (0..count).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::{Playhead, peaks};

    #[test]
    fn peaks_and_playhead_are_as_they_were_set() {
        let samples: Vec<f32> = (0..10).map(|i| if i % 2 == 0 { i as f32 } else { -(i as f32) }).collect();
        assert_eq!(peaks(&samples, 2), [[-3.0, 4.0], [-9.0, 8.0]]);
        assert_eq!(peaks(&samples[..2], 4).len(), 4);
        let playhead = Playhead::default();
        assert_eq!(playhead.get(), None);
        playhead.set(Some((0, 0)));
        assert_eq!(playhead.get(), Some((0, 0)));
        playhead.set(Some((7, 123_456)));
        assert_eq!(playhead.get(), Some((7, 123_456)));
    }
}
