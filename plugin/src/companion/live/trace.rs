//! The last hits, as the window shows them: where in the bar, and how they changed.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Hits that are kept.
const KEPT: usize = 64;
/// Resolution of a shift, in parts of a millisecond, and its bias.
const PER_MS: f32 = 32.0;
const BIAS: f32 = 16_384.0;

/// A hit and how it changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Traced {
    /// Its number since the start, so that a window sees which are new.
    pub(crate) number: u32,
    pub(crate) voice: usize,
    /// Its place in the bar, 0 to 1.
    pub(crate) at: f32,
    pub(crate) later_ms: f32,
    /// 1 to 127, before and after.
    pub(crate) velocity: [u8; 2],
}

/// The last hits of one instance. The audio thread writes, the window reads; nobody waits.
#[derive(Debug)]
pub(crate) struct Trace {
    hits: [AtomicU64; KEPT],
    written: AtomicUsize,
}

impl Default for Trace {
    fn default() -> Trace {
        Trace { hits: [const { AtomicU64::new(0) }; KEPT], written: AtomicUsize::new(0) }
    }
}

impl Trace {
    /// Keeps a hit.
    pub(super) fn push(&self, voice: usize, at: f32, later_ms: f32, velocity: [u8; 2]) {
        let number = self.written.load(Ordering::Relaxed);
        let place = (at.clamp(0.0, 1.0) * 4095.0) as u64;
        let later = (later_ms * PER_MS + BIAS).clamp(0.0, 32_767.0) as u64;
        let [before, after] = velocity.map(|velocity| u64::from(velocity & 127));
        // 4 bits of the voice, 12 of the place, 15 of the shift, 7 and 7 of the velocities, 18 of the number; 1 that it is there.
        let number_bits = (number as u64 & 0x3ffff) << 46;
        let bits = 1 << 45
            | number_bits
            | (voice as u64 & 15) << 41
            | place << 29
            | later << 14
            | before << 7
            | after;
        self.hits[number % KEPT].store(bits, Ordering::Relaxed);
        self.written.store(number.wrapping_add(1), Ordering::Release);
    }

    /// The last hits, in no order.
    pub(crate) fn read(&self) -> impl Iterator<Item = Traced> {
        self.hits.iter().map(|hit| hit.load(Ordering::Relaxed)).filter(|bits| bits >> 45 & 1 == 1).map(
            |bits| Traced {
                number: (bits >> 46) as u32,
                voice: (bits >> 41 & 15) as usize,
                at: (bits >> 29 & 4095) as f32 / 4095.0,
                later_ms: ((bits >> 14 & 32_767) as f32 - BIAS) / PER_MS,
                velocity: [(bits >> 7 & 127) as u8, (bits & 127) as u8],
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Trace};

    #[test]
    fn hits_come_back_and_old_ones_make_room() {
        let trace = Trace::default();
        assert_eq!(trace.read().count(), 0);
        for number in 0..KEPT + 3 {
            trace.push(number % 9, 0.25, -12.5, [100, 87]);
        }
        assert_eq!(trace.read().count(), KEPT);
        let newest = trace.read().max_by_key(|hit| hit.number).unwrap();
        assert_eq!((newest.number, newest.voice), ((KEPT + 2) as u32, (KEPT + 2) % 9));
        assert_eq!((newest.later_ms, newest.velocity), (-12.5, [100, 87]));
        assert!((newest.at - 0.25).abs() < 1e-3);
    }
}
