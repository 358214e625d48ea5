//! Time: from samples to the seconds of pitch, and on to the seconds of a code.

/// Up to here decay changes nothing, in seconds.
pub(super) const ATTACK: f64 = 0.018;
/// How long a code lasts, in seconds.
pub(super) const SECONDS: f64 = 2.0;

/// How long a kick lasts, and how a code fills that time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    decay: f64,
    /// From half of the code on, time passes slower by this factor, so that a long kick ends with its code.
    half: f64,
    slower: f64,
}

impl Time {
    pub(super) fn new(duration: f64, decay: f64) -> Time {
        let end = ATTACK + (SECONDS - ATTACK) * decay;
        let half = end / 2.0;
        let slower = if duration > end { half / (duration - half) } else { 1.0 };
        Time { decay, half, slower }
    }

    /// The time of the code at so many seconds: that of levels, drive and noise. Pitch moves with the seconds themselves.
    pub(super) fn code(&self, seconds: f64) -> f64 {
        let seconds = if self.slower < 1.0 && seconds > self.half {
            self.half + (seconds - self.half) * self.slower
        } else {
            seconds
        };
        if seconds > ATTACK { ATTACK + (seconds - ATTACK) / self.decay } else { seconds }
    }

    /// Where the pace changes, in seconds.
    pub(super) fn breaks(&self) -> [f64; 2] {
        [ATTACK, self.half]
    }
}
