//! Second-order filters whose coefficients can change while they run.

use super::block::{LiveBlock, clean};
use neurdsp_simd::FlushDenormals;
use std::f64::consts::PI;

/// `y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]`, in double precision.
///
/// The designs are those of R. Bristow-Johnson, "Audio EQ Cookbook", W3C Working Group Note, 2021. Frequencies lie
/// between 0 and half the sample rate, `q` is above 0.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::BiquadCoefficients;
///
/// let shelf = BiquadCoefficients::low_shelf(48_000.0, 150.0, 6.0, 0.707);
/// assert!((shelf.gain_db(48_000.0, 1.0) - 6.0).abs() < 0.01);
/// assert!(shelf.gain_db(48_000.0, 10_000.0).abs() < 0.01);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BiquadCoefficients {
    /// Numerator: of the input now, one and two samples ago.
    pub b: [f64; 3],
    /// Denominator without its leading 1: of the output one and two samples ago.
    pub a: [f64; 2],
}

impl BiquadCoefficients {
    /// Passes everything unchanged.
    pub const IDENTITY: BiquadCoefficients = BiquadCoefficients { b: [1.0, 0.0, 0.0], a: [0.0, 0.0] };

    /// Raises or lowers frequencies below `frequency_hz`, where it reaches half of `gain_db`.
    #[must_use]
    pub fn low_shelf(sample_rate: f64, frequency_hz: f64, gain_db: f64, q: f64) -> Self {
        Self::shelf(sample_rate, frequency_hz, gain_db, q, 1.0)
    }

    /// Raises or lowers frequencies above `frequency_hz`, where it reaches half of `gain_db`.
    #[must_use]
    pub fn high_shelf(sample_rate: f64, frequency_hz: f64, gain_db: f64, q: f64) -> Self {
        Self::shelf(sample_rate, frequency_hz, gain_db, q, -1.0)
    }

    /// Both shelves: in the cookbook's formulas only the sign of the cosine, and of the middle terms, differs.
    fn shelf(sample_rate: f64, frequency_hz: f64, gain_db: f64, q: f64, sign: f64) -> Self {
        let (cos, alpha) = angle(sample_rate, frequency_hz, q);
        let (a, c) = (10f64.powf(gain_db / 40.0), sign * cos);
        let root = 2.0 * a.sqrt() * alpha;
        Self::normalised(
            [
                a * ((a + 1.0) - (a - 1.0) * c + root),
                2.0 * a * sign * ((a - 1.0) - (a + 1.0) * c),
                a * ((a + 1.0) - (a - 1.0) * c - root),
            ],
            [
                (a + 1.0) + (a - 1.0) * c + root,
                -2.0 * sign * ((a - 1.0) + (a + 1.0) * c),
                (a + 1.0) + (a - 1.0) * c - root,
            ],
        )
    }

    /// Raises or lowers frequencies around `frequency_hz`.
    #[must_use]
    pub fn peak(sample_rate: f64, frequency_hz: f64, gain_db: f64, q: f64) -> Self {
        let (cos, alpha) = angle(sample_rate, frequency_hz, q);
        let a = 10f64.powf(gain_db / 40.0);
        Self::normalised(
            [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a],
            [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
        )
    }

    /// Passes frequencies below `frequency_hz`.
    #[must_use]
    pub fn low_pass(sample_rate: f64, frequency_hz: f64, q: f64) -> Self {
        let (cos, alpha) = angle(sample_rate, frequency_hz, q);
        let side = (1.0 - cos) / 2.0;
        Self::normalised([side, 1.0 - cos, side], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Passes frequencies above `frequency_hz`.
    #[must_use]
    pub fn high_pass(sample_rate: f64, frequency_hz: f64, q: f64) -> Self {
        let (cos, alpha) = angle(sample_rate, frequency_hz, q);
        let side = (1.0 + cos) / 2.0;
        Self::normalised([side, -1.0 - cos, side], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    fn normalised(b: [f64; 3], a: [f64; 3]) -> Self {
        BiquadCoefficients { b: b.map(|b| b / a[0]), a: [a[1] / a[0], a[2] / a[0]] }
    }

    /// The gain at a frequency, in dB.
    #[must_use]
    pub fn gain_db(&self, sample_rate: f64, frequency_hz: f64) -> f64 {
        let w = 2.0 * PI * frequency_hz / sample_rate;
        let power = |c: [f64; 3]| {
            let re = c[0] + c[1] * w.cos() + c[2] * (2.0 * w).cos();
            let im = c[1] * w.sin() + c[2] * (2.0 * w).sin();
            re * re + im * im
        };
        10.0 * (power(self.b) / power([1.0, self.a[0], self.a[1]])).log10()
    }

    /// The point `share` of the way from `other` to `self`.
    ///
    /// The stable filters are a convex set in `a`, so everything between two of them is stable.
    fn blend(&self, other: &Self, share: f64) -> Self {
        let mix = |to: f64, from: f64| to + (from - to) * (1.0 - share);
        BiquadCoefficients {
            b: std::array::from_fn(|i| mix(self.b[i], other.b[i])),
            a: std::array::from_fn(|i| mix(self.a[i], other.a[i])),
        }
    }
}

/// Cosine of the frequency as an angle, and the cookbook's alpha.
fn angle(sample_rate: f64, frequency_hz: f64, q: f64) -> (f64, f64) {
    let w = 2.0 * PI * frequency_hz / sample_rate;
    (w.cos(), w.sin() / (2.0 * q))
}

/// A second-order filter whose coefficients change over a fixed number of samples.
///
/// Its state is the past input and output (direct form I), which stays meaningful whatever the coefficients do: a changing
/// filter neither clicks nor blows up.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::{Biquad, BiquadCoefficients, LiveBlock};
///
/// let mut filter = Biquad::new(BiquadCoefficients::low_pass(48_000.0, 1_000.0, 0.707), 480);
/// let mut samples = [1.0; 2_000];
/// filter.process(&mut samples);
/// assert!((samples[1_999] - 1.0).abs() < 1e-6);
/// filter.set(BiquadCoefficients::high_pass(48_000.0, 1_000.0, 0.707));
/// ```
#[derive(Clone, Debug)]
pub struct Biquad {
    from: BiquadCoefficients,
    to: BiquadCoefficients,
    left: u32,
    length: u32,
    x: [f64; 2],
    y: [f64; 2],
}

impl Biquad {
    /// A filter without a past. Later changes take `ramp_samples`, at least one.
    #[must_use]
    pub fn new(coefficients: BiquadCoefficients, ramp_samples: u32) -> Biquad {
        Biquad {
            from: coefficients,
            to: coefficients,
            left: 0,
            length: ramp_samples.max(1),
            x: [0.0; 2],
            y: [0.0; 2],
        }
    }

    /// Starts to move to other coefficients from the current ones.
    pub fn set(&mut self, coefficients: BiquadCoefficients) {
        if coefficients != self.to {
            self.from = self.current();
            self.to = coefficients;
            self.left = self.length;
        }
    }

    fn current(&self) -> BiquadCoefficients {
        let share = 1.0 - f64::from(self.left) / f64::from(self.length);
        if self.left == 0 { self.to } else { self.to.blend(&self.from, share) }
    }

    #[inline(always)]
    fn filter(&mut self, c: &BiquadCoefficients, sample: &mut f32) {
        let x = f64::from(clean(*sample));
        let past = c.b[1] * self.x[0] + c.b[2] * self.x[1] - c.a[0] * self.y[0] - c.a[1] * self.y[1];
        let y = c.b[0] * x + past;
        self.x = [x, self.x[0]];
        self.y = [y, self.y[0]];
        *sample = y as f32;
    }
}

impl LiveBlock for Biquad {
    fn process(&mut self, samples: &mut [f32]) {
        let _guard = FlushDenormals::new();
        let moving = samples.len().min(self.left as usize);
        let (moving, resting) = samples.split_at_mut(moving);
        for sample in moving {
            self.left -= 1;
            let now = self.current();
            self.filter(&now, sample);
        }
        let now = self.to;
        for sample in resting {
            self.filter(&now, sample);
        }
    }

    fn reset(&mut self) {
        self.left = 0;
        (self.x, self.y) = ([0.0; 2], [0.0; 2]);
    }
}
