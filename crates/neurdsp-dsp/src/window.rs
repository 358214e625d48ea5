//! Window functions, built in double precision.
//!
//! Formulas as in F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform",
//! Proc. IEEE 66 (1978); names and conventions as in scipy's `get_window`.

use crate::error::{Error, Result};
use std::f64::consts::PI;

/// A window function.
///
/// ```
/// use neurdsp_dsp::Window;
///
/// let window = Window::Hann.periodic(4);
/// assert!((window[1] - 0.5).abs() < 1e-15 && window[2] == 1.0);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Window {
    /// All ones; also `ones`, `rect`, `rectangular`.
    Boxcar,
    /// A triangle without zeros at its ends.
    Triang,
    /// A triangle with zeros at its ends.
    Bartlett,
    /// A raised cosine.
    Hann,
    /// A raised cosine on a pedestal, 0.54 and 0.46.
    Hamming,
    /// Three cosine terms.
    Blackman,
    /// Four cosine terms, with minimal sidelobes.
    BlackmanHarris,
    /// Four cosine terms after Nuttall.
    Nuttall,
    /// Five cosine terms with a flat main lobe.
    FlatTop,
    /// `(1 - |x|) cos(pi |x|) + sin(pi |x|) / pi`.
    Bohman,
    /// A modified Bartlett-Hann window.
    BartHann,
    /// Half a period of a sine; also `sine`.
    Cosine,
    /// Piecewise cubic.
    Parzen,
    /// A Hann window to the power 0.85, from the Kaldi toolkit.
    Povey,
    /// Kaiser's window with its shape parameter beta.
    Kaiser(f64),
    /// A Gaussian with its standard deviation in samples.
    Gaussian(f64),
    /// A generalised Gaussian with its power and its standard deviation in samples.
    GeneralGaussian(f64, f64),
    /// A rectangle with cosine flanks that take up this share of it.
    Tukey(f64),
    /// An exponential decay with its time constant in samples.
    Exponential(f64),
}

impl Window {
    /// The window that scipy, librosa or torch call `name`; windows with parameters have their own constructors.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for an unknown name, or one that needs a parameter.
    pub fn by_name(name: &str) -> Result<Self> {
        Ok(match name {
            "boxcar" | "box" | "ones" | "rect" | "rectangular" => Self::Boxcar,
            "triang" | "triangle" | "tri" => Self::Triang,
            "bartlett" | "bart" | "brt" => Self::Bartlett,
            "hann" | "hanning" | "han" => Self::Hann,
            "hamming" | "hamm" | "ham" => Self::Hamming,
            "blackman" | "black" | "blk" => Self::Blackman,
            "blackmanharris" | "blackharr" | "bkh" => Self::BlackmanHarris,
            "nuttall" | "nutl" | "nut" => Self::Nuttall,
            "flattop" | "flat" | "flt" => Self::FlatTop,
            "bohman" | "bman" | "bmn" => Self::Bohman,
            "barthann" | "brthan" | "bth" => Self::BartHann,
            "cosine" | "halfcosine" | "sine" => Self::Cosine,
            "parzen" | "parz" | "par" => Self::Parzen,
            "povey" => Self::Povey,
            "tukey" | "tuk" => Self::Tukey(0.5),
            "exponential" | "poisson" => Self::Exponential(1.0),
            _ => {
                return Err(Error::parameter(
                    "window",
                    format!("'{name}'"),
                    "the names known are boxcar (ones, rect), triang, bartlett, hann, hamming, blackman, blackmanharris, \
                     nuttall, flattop, bohman, barthann, cosine, parzen, povey, tukey, exponential, and with parameters \
                     ('kaiser', beta), ('gaussian', std), ('general_gaussian', p, std), ('tukey', alpha); an array of \
                     coefficients works too",
                ));
            }
        })
    }

    /// `length` coefficients of the periodic window, for spectral analysis (scipy's `fftbins=True`).
    #[must_use]
    pub fn periodic(self, length: usize) -> Vec<f64> {
        let mut window = self.symmetric(length + usize::from(length > 1));
        window.truncate(length);
        window
    }

    /// `length` coefficients of the symmetric window, for filter design (scipy's `fftbins=False`).
    #[must_use]
    pub fn symmetric(self, length: usize) -> Vec<f64> {
        if length == 1 {
            return vec![1.0];
        }
        let last = length.saturating_sub(1) as f64;
        let cosines = |terms: &[f64]| -> Vec<f64> {
            (0..length)
                .map(|i| {
                    let phase = 2.0 * PI * i as f64 / last - PI;
                    terms.iter().enumerate().map(|(k, a)| a * (k as f64 * phase).cos()).sum()
                })
                .collect()
        };
        // From -1 to 1 over the window, the ends included.
        let over = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
            (0..length).map(|i| f((2.0 * i as f64 - last) / last)).collect()
        };
        match self {
            Self::Boxcar => vec![1.0; length],
            Self::Triang => {
                let half = (length as f64 + (length % 2) as f64) / 2.0;
                let shift = if length.is_multiple_of(2) { 0.5 } else { 1.0 };
                (0..length).map(|i| (i.min(length - 1 - i) as f64 + shift) / half).collect()
            }
            Self::Bartlett => over(&|x| 1.0 - x.abs()),
            Self::Hann => cosines(&[0.5, 0.5]),
            Self::Hamming => cosines(&[0.54, 0.46]),
            Self::Blackman => cosines(&[0.42, 0.50, 0.08]),
            Self::BlackmanHarris => cosines(&[0.35875, 0.48829, 0.14128, 0.01168]),
            Self::Nuttall => cosines(&[0.3635819, 0.4891775, 0.1365995, 0.0106411]),
            Self::FlatTop => cosines(&[0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368]),
            Self::Bohman => over(&|x| {
                let x = x.abs();
                if x >= 1.0 { 0.0 } else { (1.0 - x) * (PI * x).cos() + (PI * x).sin() / PI }
            }),
            Self::BartHann => over(&|x| {
                let x = x / 2.0;
                0.62 - 0.48 * x.abs() + 0.38 * (2.0 * PI * x).cos()
            }),
            Self::Cosine => (0..length).map(|i| (PI / length as f64 * (i as f64 + 0.5)).sin()).collect(),
            Self::Parzen => over(&|x| {
                let (n, half) = ((x * last / 2.0).abs(), length as f64 / 2.0);
                let x = n / half;
                if n <= last / 4.0 { 1.0 - 6.0 * x * x + 6.0 * x * x * x } else { 2.0 * (1.0 - x).powi(3) }
            }),
            Self::Povey => cosines(&[0.5, 0.5]).into_iter().map(|v| v.max(0.0).powf(0.85)).collect(),
            Self::Kaiser(beta) => {
                let scale = bessel_i0(beta);
                over(&|x| bessel_i0(beta * (1.0 - x * x).max(0.0).sqrt()) / scale)
            }
            Self::Gaussian(std) => over(&|x| (-0.5 * (x * last / 2.0 / std).powi(2)).exp()),
            Self::GeneralGaussian(power, std) => {
                over(&|x| (-0.5 * (x * last / 2.0 / std).abs().powf(2.0 * power)).exp())
            }
            Self::Tukey(alpha) => over(&|x| {
                let x = x.abs();
                if alpha <= 0.0 || x <= 1.0 - alpha {
                    1.0
                } else {
                    0.5 * (1.0 + (PI * (1.0 + (x - 1.0) / alpha)).cos())
                }
            }),
            Self::Exponential(tau) => over(&|x| (-(x * last / 2.0).abs() / tau).exp()),
        }
    }
}

/// The modified Bessel function of the first kind and order zero, by its power series.
pub(crate) fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..500 {
        term *= quarter / (k * k) as f64;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// `window` in the middle of `n_fft` coefficients, the rest zero.
///
/// # Errors
///
/// [`Error::Parameter`] if the window is longer than `n_fft`.
pub fn pad_center(window: &[f64], n_fft: usize) -> Result<Vec<f64>> {
    if window.len() > n_fft {
        return Err(Error::parameter(
            "win_length",
            window.len(),
            format!("it may be at most n_fft = {n_fft}"),
        ));
    }
    let before = (n_fft - window.len()) / 2;
    let mut padded = vec![0.0; n_fft];
    padded[before..before + window.len()].copy_from_slice(window);
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symmetric_windows_are_symmetric_and_peak_at_one() {
        for name in [
            "bartlett",
            "hann",
            "hamming",
            "blackman",
            "blackmanharris",
            "nuttall",
            "bohman",
            "parzen",
            "tukey",
        ] {
            let window = Window::by_name(name).unwrap().symmetric(65);
            for i in 0..65 {
                assert!((window[i] - window[64 - i]).abs() < 1e-14, "{name} at {i}");
            }
            assert!((window[32] - 1.0).abs() < 1e-6, "{name}: {}", window[32]);
        }
    }

    #[test]
    fn overlapped_hann_windows_add_up_to_one() {
        let window = Window::Hann.periodic(64);
        for i in 0..32 {
            assert!((window[i] + window[i + 32] - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn bessel_agrees_with_tables() {
        assert!((bessel_i0(1.0) - 1.266_065_877_752_008_4).abs() < 1e-15);
        assert!((bessel_i0(10.0) / 2_815.716_628_466_254 - 1.0).abs() < 1e-14);
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!(Window::by_name("hamn").unwrap_err().to_string().contains("'hamn'"));
    }
}
