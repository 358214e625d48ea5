//! What a tick is: a part of a quarter note, or of a frame of film.

use crate::error::{Error, Result};

/// What a tick is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division(u16);

impl Division {
    /// So many ticks in a quarter note; how long it lasts is for tempo events to say.
    ///
    /// # Errors
    /// Not 1 to 32767.
    pub fn quarter(ticks: u16) -> Result<Division> {
        Division::from_bits(ticks)
    }

    /// So many ticks in a frame of film, whatever the tempo: 24, 25, 29 (that is 29.97) or 30 frames a second.
    ///
    /// # Errors
    /// Another number of frames, or no ticks.
    pub fn frames(frames_per_second: u8, ticks_per_frame: u8) -> Result<Division> {
        let high = (frames_per_second as i8).wrapping_neg() as u8;
        Division::from_bits(u16::from_be_bytes([high, ticks_per_frame]))
    }

    /// The two bytes of the header.
    pub(crate) fn from_bits(bits: u16) -> Result<Division> {
        let [high, low] = bits.to_be_bytes();
        let frames = (high as i8).unsigned_abs();
        if bits & 0x8000 == 0 {
            let refused = || Error::Division { value: format!("{bits} ticks in a quarter note") };
            return if bits > 0 { Ok(Division(bits)) } else { Err(refused()) };
        }
        if ![24, 25, 29, 30].contains(&frames) || low == 0 {
            return Err(Error::Division { value: format!("{frames} frames a second of {low} ticks") });
        }
        Ok(Division(bits))
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// Ticks in a quarter note; `None` if ticks are parts of frames.
    #[must_use]
    pub fn ticks_per_quarter(self) -> Option<u16> {
        (self.0 & 0x8000 == 0).then_some(self.0)
    }

    /// Seconds of a tick as a fraction, numerator and denominator; `None` if the tempo decides.
    #[must_use]
    pub fn seconds_per_tick(self) -> Option<(u32, u32)> {
        if self.0 & 0x8000 == 0 {
            return None;
        }
        let [high, ticks] = self.0.to_be_bytes();
        Some(match (high as i8).unsigned_abs() {
            // Film at 29.97 frames a second: 30 000 frames in 1001 seconds.
            29 => (1001, 30_000 * u32::from(ticks)),
            frames => (1, u32::from(frames) * u32::from(ticks)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_divisions_of_the_standard_are_taken() {
        assert_eq!(Division::quarter(480).unwrap().ticks_per_quarter(), Some(480));
        assert_eq!(Division::frames(25, 40).unwrap().seconds_per_tick(), Some((1, 1000)));
        assert_eq!(Division::frames(29, 100).unwrap().seconds_per_tick(), Some((1001, 3_000_000)));
        assert_eq!(Division::frames(25, 40).unwrap().bits(), 0xE728);
        for refused in [Division::quarter(0), Division::frames(25, 0), Division::frames(26, 4)] {
            assert!(matches!(refused, Err(Error::Division { .. })));
        }
    }
}
