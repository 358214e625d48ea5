"""Level of a signal: root mean square, peak and offset."""

import math

import numpy as np
import numpy.typing as npt

from neurdsp.audio import check_audio

__all__ = ["amplitude_to_db", "dc_offset", "peak_db", "power_to_db", "rms_db"]


def power_to_db(power: float) -> float:
    """Return ``10 log10(power)``; minus infinity for zero."""
    return 10 * math.log10(power) if power > 0 else -math.inf


def amplitude_to_db(amplitude: float) -> float:
    """Return ``20 log10(amplitude)``; minus infinity for zero."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def rms_db(audio: npt.ArrayLike) -> float:
    """Return the RMS level in dB relative to 1.0; a full-scale sine has -3.01 dB.

    Parameters
    ----------
    audio : array_like of float, shape (n_samples,) or (n_channels, n_samples)
        The signal.

    Returns
    -------
    float
        Level in dB; minus infinity for silence.

    Raises
    ------
    ParameterError
        If the samples are empty or not finite.

    Examples
    --------
    >>> round(rms_db([0.1, -0.1]), 3)
    -20.0
    """
    samples = check_audio(audio).astype(np.float64)
    return power_to_db(float(np.mean(samples * samples)))


def peak_db(audio: npt.ArrayLike) -> float:
    """Return the largest absolute sample in dB relative to full scale (1.0).

    Parameters
    ----------
    audio : array_like of float, shape (n_samples,) or (n_channels, n_samples)
        The signal.

    Returns
    -------
    float
        Level in dBFS; minus infinity for silence.

    Raises
    ------
    ParameterError
        If the samples are empty or not finite.

    Examples
    --------
    >>> peak_db([0.25, -1.0])
    0.0
    """
    return amplitude_to_db(float(np.abs(check_audio(audio)).max()))


def dc_offset(audio: npt.ArrayLike) -> float:
    """Return the mean of the samples.

    Parameters
    ----------
    audio : array_like of float, shape (n_samples,) or (n_channels, n_samples)
        The signal.

    Returns
    -------
    float
        Offset relative to full scale (1.0).

    Raises
    ------
    ParameterError
        If the samples are empty or not finite.

    Examples
    --------
    >>> dc_offset([0.5, 0.25])
    0.375
    """
    return float(np.mean(check_audio(audio), dtype=np.float64))
