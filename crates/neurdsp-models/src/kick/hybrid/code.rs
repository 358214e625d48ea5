//! The code of a kick: which numbers it has, their ranges, and the form in which networks give them.

use neurdsp_nn::exact::functions::{atan2, exp};
use std::ops::Range;

use super::knots::{DRIVE_KNOTS, FINE_KNOTS, LOW_KNOTS, NOISE_KNOTS, PARTIAL_KNOTS, noise_knots};
use crate::error::{Error, Result};

/// The numbers of a code.
pub const CODE_SIZE: usize = 1805;
/// The numbers of a code as networks give them.
pub const PACKED_SIZE: usize = 1616;

pub(super) const PARTIALS: usize = 3;
/// Bands of the low layer, of the noise and of the fine noise.
pub(super) const LOW_BANDS: usize = 16;
pub(super) const NOISE_BANDS: usize = 32;
pub(super) const FINE_BANDS: usize = 8;
/// Cosine coefficients of the transient, and those that networks give.
pub(super) const TRANSIENT: usize = 256;
const PACKED_TRANSIENT: usize = 64;
/// Levels that are silence, in nats.
pub(super) const SILENT_PARTIAL: f64 = -9.0;
pub(super) const SILENT_NOISE: f64 = -10.0;

/// A part of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Log of the frequency in Hz, `[3][31]`.
    LogF,
    /// Level in nats, `[3][31]`.
    LogA,
    /// Phase at time 0 in radians, `[3]`.
    Phase,
    /// Drive of the waveshaper on the first partial, `[8]`.
    Drive,
    /// Its bias, `[8]`.
    Bias,
    /// Level of the low layer in nats, `[14][16]`.
    Low,
    /// Level of the noise in nats, `[32][32]`.
    Noise,
    /// Cosine coefficients of the first 18 ms, `[256]`.
    Transient,
    /// Level of the noise of the first 18 ms in nats, `[12][8]`.
    Fine,
}

impl Part {
    /// All parts in their order.
    pub const ALL: [Part; 9] = [
        Part::LogF,
        Part::LogA,
        Part::Phase,
        Part::Drive,
        Part::Bias,
        Part::Low,
        Part::Noise,
        Part::Transient,
        Part::Fine,
    ];

    /// Its name in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Part::LogF => "log_f",
            Part::LogA => "log_a",
            Part::Phase => "phase",
            Part::Drive => "drive",
            Part::Bias => "bias",
            Part::Low => "low",
            Part::Noise => "noise",
            Part::Transient => "transient",
            Part::Fine => "fine",
        }
    }

    /// How many numbers it has.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Part::LogF | Part::LogA => PARTIALS * PARTIAL_KNOTS.len(),
            Part::Phase => PARTIALS,
            Part::Drive | Part::Bias => DRIVE_KNOTS.len(),
            Part::Low => LOW_KNOTS.len() * LOW_BANDS,
            Part::Noise => NOISE_KNOTS * NOISE_BANDS,
            Part::Transient => TRANSIENT,
            Part::Fine => FINE_KNOTS * FINE_BANDS,
        }
    }

    /// Where it lies in a code.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        let start = Part::ALL.iter().take_while(|part| **part != self).map(|part| part.size()).sum();
        start..start + self.size()
    }

    /// The least and the largest value.
    #[must_use]
    pub fn bounds(self) -> (f32, f32) {
        match self {
            // The logarithms of 18 and 6000.
            Part::LogF => (2.890_371_8, 8.699_514),
            Part::LogA => (SILENT_PARTIAL as f32, 1.0),
            Part::Phase => (-std::f32::consts::PI, std::f32::consts::PI),
            Part::Drive => (0.0, 16.0),
            Part::Bias => (-0.9, 0.9),
            Part::Low | Part::Noise | Part::Fine => (SILENT_NOISE as f32, 1.0),
            Part::Transient => (-4.0, 4.0),
        }
    }
}

/// The code of one kick, in canonical form: every number is in its range, and the end is silent.
#[derive(Clone, Debug, PartialEq)]
pub struct KickCode(Vec<f32>);

impl KickCode {
    /// A code of [`CODE_SIZE`] numbers, which are clamped to their ranges.
    ///
    /// # Errors
    /// Another number of values, or one that is not finite.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::kick::{CODE_SIZE, KickCode, Part};
    /// let code = KickCode::new(&[0.0; CODE_SIZE])?;
    /// assert!((code.part(Part::LogF)[0] - 18f32.ln()).abs() < 1e-6);
    /// # Ok::<(), neurdsp_models::Error>(())
    /// ```
    pub fn new(values: &[f32]) -> Result<KickCode> {
        if values.len() != CODE_SIZE {
            return Err(Error::OutOfRange {
                name: "the length of a kick code".to_owned(),
                got: values.len().to_string(),
                expected: CODE_SIZE.to_string(),
            });
        }
        let mut code = KickCode(values.to_vec());
        for part in Part::ALL {
            let (low, high) = part.bounds();
            let values = &mut code.0[part.range()];
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                let name = format!("the part {} of a kick code", part.name());
                return Err(Error::NonFinite { name, index, value: values[index] });
            }
            values.iter_mut().for_each(|value| *value = value.clamp(low, high));
        }
        code.close();
        Ok(code)
    }

    /// A code of what a network gives: [`PACKED_SIZE`] finite numbers.
    ///
    /// # Panics
    /// If there are not so many.
    pub(super) fn unpacked(packed: &[f32]) -> KickCode {
        assert_eq!(packed.len(), PACKED_SIZE, "packed numbers");
        let mut code = vec![0.0; CODE_SIZE];
        let mut rest = packed;
        let mut take = |size: usize| {
            let (taken, after) = rest.split_at(size);
            rest = after;
            taken
        };
        for part in Part::ALL {
            let to = &mut code[part.range()];
            let size = part.size();
            let mut fill = |from: &[f32], map: &dyn Fn(f32) -> f32| {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = map(*from));
            };
            match part {
                Part::LogF => fill(take(size), &|x| x + 4.4),
                Part::LogA => fill(take(size), &|x| 3.0 * x - 4.0),
                Part::Phase => {
                    let (cosines, sines) = (take(size), take(size));
                    for ((to, x), y) in to.iter_mut().zip(cosines).zip(sines) {
                        *to = atan2(f64::from(*y), f64::from(*x)) as f32;
                    }
                }
                Part::Drive => fill(take(size), &|x| sinh(x.clamp(0.0, 3.5))),
                Part::Bias => fill(take(size), &|x| x),
                Part::Low | Part::Noise | Part::Fine => fill(take(size), &|x| 2.0 * x - 8.0),
                Part::Transient => {
                    fill(take(PACKED_TRANSIENT), &|x| sinh((2.0 * x).clamp(-6.0, 6.0)) / 40.0);
                }
            }
            let (low, high) = part.bounds();
            to.iter_mut().for_each(|value| *value = value.clamp(low, high));
        }
        let mut code = KickCode(code);
        code.close();
        code
    }

    /// The last knots are silent.
    fn close(&mut self) {
        let knots = PARTIAL_KNOTS.len();
        let levels = &mut self.0[Part::LogA.range()];
        levels.iter_mut().skip(knots - 1).step_by(knots).for_each(|level| *level = SILENT_PARTIAL as f32);
        for (part, bands) in [(Part::Low, LOW_BANDS), (Part::Noise, NOISE_BANDS)] {
            let range = part.range();
            self.0[range.end - bands..range.end].fill(SILENT_NOISE as f32);
        }
    }

    /// Lets no level of partials and noise rise again, from the knot at or after `from_s` on: what networks make now and
    /// then swells late, as kicks hardly ever do.
    pub(super) fn settle(&mut self, from_s: f64) {
        let noise_knots = noise_knots();
        // A partial's knots lie side by side, those of a band of noise as far apart as there are bands.
        let n = PARTIAL_KNOTS.len();
        let partials = (0..PARTIALS).map(|p| (Part::LogA, p * n, 1, &PARTIAL_KNOTS[..]));
        let low = (0..LOW_BANDS).map(|band| (Part::Low, band, LOW_BANDS, &LOW_KNOTS[..]));
        let noise = (0..NOISE_BANDS).map(|band| (Part::Noise, band, NOISE_BANDS, &noise_knots[..]));
        for (part, first, step, knots) in partials.chain(low).chain(noise) {
            let levels = &mut self.0[part.range()];
            let start = knots.partition_point(|knot| *knot < from_s);
            for k in start + 1..knots.len() {
                let at = first + k * step;
                levels[at] = levels[at].min(levels[at - step]);
            }
        }
    }

    /// All numbers.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The numbers of a part.
    #[must_use]
    pub fn part(&self, part: Part) -> &[f32] {
        &self.0[part.range()]
    }
}

fn sinh(x: f32) -> f32 {
    let power = exp(f64::from(x));
    (0.5 * (power - 1.0 / power)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_the_code_and_its_packed_form() {
        assert_eq!(Part::Fine.range().end, CODE_SIZE);
        let packed = CODE_SIZE + 3 - (TRANSIENT - PACKED_TRANSIENT);
        assert_eq!(packed, PACKED_SIZE);
    }

    #[test]
    fn a_code_is_clamped_and_silent_at_its_end() {
        let code = KickCode::new(&[100.0; CODE_SIZE]).unwrap();
        assert_eq!(code.part(Part::Drive), [16.0; 8]);
        assert_eq!(code.part(Part::LogA)[29..32], [1.0, -9.0, 1.0]);
        assert_eq!(code.part(Part::Noise)[31 * 32 - 1..31 * 32 + 1], [1.0, -10.0]);
        assert_eq!(code.part(Part::Fine), [1.0; 96]);
        for (values, message) in [
            (vec![0.0; 3], "the length of a kick code is 3, but must be 1805"),
            (vec![f32::NAN; CODE_SIZE], "the part log_f of a kick code holds NaN at index 0"),
        ] {
            let error = KickCode::new(&values).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn settled_levels_never_rise_after_the_time_and_stay_as_they_were_before() {
        let values: Vec<f32> = (0..CODE_SIZE).map(|i| ((i * 7919) % 97) as f32 / 97.0 - 1.0).collect();
        let code = KickCode::new(&values).unwrap();
        let mut settled = code.clone();
        settled.settle(0.05);
        let noise_knots = noise_knots();
        let n = PARTIAL_KNOTS.len();
        for (part, rows, columns, knots) in [
            (Part::LogA, n, 1, &PARTIAL_KNOTS[..]),
            (Part::Low, LOW_KNOTS.len(), LOW_BANDS, &LOW_KNOTS[..]),
            (Part::Noise, NOISE_KNOTS, NOISE_BANDS, &noise_knots[..]),
        ] {
            for k in 1..rows {
                for band in 0..columns {
                    let at = k * columns + band;
                    let (now, before) = (settled.part(part)[at], settled.part(part)[at - columns]);
                    assert!(knots[k - 1] < 0.05 || now <= before, "{part:?} {k}");
                    assert!(knots[k - 1] >= 0.05 || now == code.part(part)[at], "{part:?} {k}");
                }
            }
        }
        for part in [Part::LogF, Part::Phase, Part::Drive, Part::Bias, Part::Transient, Part::Fine] {
            assert_eq!(settled.part(part), code.part(part));
        }
    }

    #[test]
    fn unpacking_inverts_the_formulas_of_the_contract() {
        let mut packed = vec![0.25; PACKED_SIZE];
        // The sine of the phase of the first partial.
        packed[189] = 1.0;
        let code = KickCode::unpacked(&packed);
        assert!((code.part(Part::LogF)[0] - 4.65).abs() < 1e-6);
        assert!((code.part(Part::LogA)[0] + 3.25).abs() < 1e-6);
        assert!((code.part(Part::Phase)[0] - 4f32.atan()).abs() < 1e-6);
        assert!((code.part(Part::Drive)[0] - 0.25f32.sinh()).abs() < 1e-6);
        assert!((code.part(Part::Noise)[0] + 7.5).abs() < 1e-6);
        assert!((code.part(Part::Transient)[63] - 0.5f32.sinh() / 40.0).abs() < 1e-6);
        assert_eq!(code.part(Part::Transient)[64], 0.0);
    }
}
