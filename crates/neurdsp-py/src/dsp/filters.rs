//! Windows, mel scales and filterbanks.

use super::arrays::refuse;
use crate::errors::from_dsp as raise;
use neurdsp_dsp as dsp;
use neurdsp_dsp::{Filterbank, MelConfig, MelNorm, MelScale, Window};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

/// The window `name` with its parameters, `length` coefficients.
#[pyfunction]
pub(crate) fn window<'py>(
    py: Python<'py>,
    name: &str,
    parameters: Vec<f64>,
    length: usize,
    periodic: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    if length == 0 || length > dsp::MAX_N_FFT {
        let allowed = format!("win_length is {length}, but it must be from 1 to {}", dsp::MAX_N_FFT);
        return Err(refuse(&allowed));
    }
    let window = match (name, &parameters[..]) {
        ("kaiser" | "ksr", [beta]) => Window::Kaiser(*beta),
        ("gaussian" | "gauss" | "gss", [std]) => Window::Gaussian(*std),
        ("general_gaussian" | "general gaussian" | "general_gauss" | "ggs", [power, std]) => {
            Window::GeneralGaussian(*power, *std)
        }
        ("tukey" | "tuk", [alpha]) => Window::Tukey(*alpha),
        ("exponential" | "poisson", [tau]) => Window::Exponential(*tau),
        (_, []) => Window::by_name(name).map_err(raise)?,
        _ => {
            let got = format!("window '{name}' does not take {} parameters", parameters.len());
            return Err(refuse(&format!("{got}; see neurdsp.filters.get_window for those that do")));
        }
    };
    let coefficients = if periodic { window.periodic(length) } else { window.symmetric(length) };
    Ok(coefficients.into_pyarray(py))
}

/// The parameters of a filterbank: attributes of a `neurdsp.dsp.plans.FilterKey`.
#[derive(FromPyObject)]
pub(crate) struct FilterKey {
    sr: f64,
    n_fft: usize,
    n_mels: usize,
    fmin: f64,
    fmax: f64,
    htk: bool,
    /// `slaney`, `none` or an order.
    norm: String,
    triangles_over_mel: bool,
}

/// A mel filterbank `(n_mels, n_fft // 2 + 1)` and its number of empty filters.
#[pyfunction]
pub(crate) fn mel_filterbank(py: Python<'_>, key: FilterKey) -> PyResult<(Bound<'_, PyArray2<f64>>, usize)> {
    let FilterKey { sr: sample_rate, n_fft, n_mels, fmin, fmax, htk, norm, triangles_over_mel } = key;
    let norm = match norm.as_str() {
        "slaney" => MelNorm::Slaney,
        "none" => MelNorm::None,
        order => MelNorm::Order(order.parse().unwrap_or(f64::NAN)),
    };
    let scale = mel_scale(htk);
    let config = MelConfig { sample_rate, n_fft, n_mels, fmin, fmax, scale, norm, triangles_over_mel };
    let bank = Filterbank::mel(&config).map_err(raise)?;
    let matrix = bank.to_matrix().into_pyarray(py).reshape([bank.n_bands(), bank.n_bins()])?;
    Ok((matrix, bank.n_empty()))
}

fn mel_scale(htk: bool) -> MelScale {
    if htk { MelScale::Htk } else { MelScale::Slaney }
}

/// Mel of frequencies in hertz.
#[pyfunction]
pub(crate) fn hz_to_mel<'py>(
    py: Python<'py>,
    frequencies: PyReadonlyArray1<'_, f64>,
    htk: bool,
) -> Bound<'py, PyArray1<f64>> {
    let scale = mel_scale(htk);
    let mels: Vec<f64> = frequencies.as_array().iter().map(|hz| scale.from_hz(*hz)).collect();
    mels.into_pyarray(py)
}

/// Frequencies in hertz of mels.
#[pyfunction]
pub(crate) fn mel_to_hz<'py>(
    py: Python<'py>,
    mels: PyReadonlyArray1<'_, f64>,
    htk: bool,
) -> Bound<'py, PyArray1<f64>> {
    let scale = mel_scale(htk);
    let frequencies: Vec<f64> = mels.as_array().iter().map(|mel| scale.to_hz(*mel)).collect();
    frequencies.into_pyarray(py)
}

/// `n_mels` frequencies in hertz, evenly spaced in mel from `fmin` to `fmax`.
#[pyfunction]
pub(crate) fn mel_frequencies(
    py: Python<'_>,
    n_mels: usize,
    fmin: f64,
    fmax: f64,
    htk: bool,
) -> Bound<'_, PyArray1<f64>> {
    mel_scale(htk).frequencies(n_mels, fmin, fmax).into_pyarray(py)
}
