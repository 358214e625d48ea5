//! Mel scales.
//!
//! The two scales are those of M. Slaney, "Auditory Toolbox" (1998) and of S. Young et al., "The HTK Book".

/// How frequencies map to mel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MelScale {
    /// Linear below 1 kHz, logarithmic above: librosa's default.
    #[default]
    Slaney,
    /// `2595 log10(1 + f / 700)`: librosa's `htk=True`, torchaudio's default.
    Htk,
}

impl MelScale {
    /// The mel value of a frequency in hertz.
    #[must_use]
    pub fn from_hz(self, hz: f64) -> f64 {
        match self {
            Self::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
            Self::Slaney if hz < BREAK_HZ => hz / LINEAR_HZ,
            Self::Slaney => BREAK_HZ / LINEAR_HZ + (hz / BREAK_HZ).ln() / log_step(),
        }
    }

    /// The frequency in hertz of a mel value.
    #[must_use]
    pub fn to_hz(self, mel: f64) -> f64 {
        let break_mel = BREAK_HZ / LINEAR_HZ;
        match self {
            Self::Htk => 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0),
            Self::Slaney if mel < break_mel => mel * LINEAR_HZ,
            Self::Slaney => BREAK_HZ * (log_step() * (mel - break_mel)).exp(),
        }
    }

    /// `n_mels` frequencies in hertz, evenly spaced in mel from `fmin` to `fmax`.
    #[must_use]
    pub fn frequencies(self, n_mels: usize, fmin: f64, fmax: f64) -> Vec<f64> {
        let (low, high) = (self.from_hz(fmin), self.from_hz(fmax));
        let step = (high - low) / n_mels.saturating_sub(1).max(1) as f64;
        let last = n_mels.saturating_sub(1);
        (0..n_mels)
            .map(|i| self.to_hz(if i == last && i > 0 { high } else { low + step * i as f64 }))
            .collect()
    }
}

const LINEAR_HZ: f64 = 200.0 / 3.0;
const BREAK_HZ: f64 = 1000.0;

fn log_step() -> f64 {
    6.4_f64.ln() / 27.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_invert() {
        for scale in [MelScale::Slaney, MelScale::Htk] {
            for hz in [0.0, 1.0, 999.9, 1000.0, 1000.1, 22_050.0] {
                assert!((scale.to_hz(scale.from_hz(hz)) - hz).abs() < 1e-9 * (1.0 + hz));
            }
        }
        assert!((MelScale::Htk.from_hz(1000.0) - 999.985_536_6).abs() < 1e-6);
        assert!((MelScale::Slaney.from_hz(1000.0) - 15.0).abs() < 1e-12);
    }
}
