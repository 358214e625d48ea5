"""Energy ratios of separated stems, in decibel; numpy only."""

import numpy as np
import numpy.typing as npt

__all__ = ["SILENT_DB", "level_db", "sdr_db"]

SILENT_DB = -60.0
"""Stems below this level are left out of means: their ratios mean nothing."""


def level_db(audio: npt.ArrayLike) -> float:
    """Return the mean square of samples in dB relative to full scale; -300 for silence.

    Examples
    --------
    >>> round(level_db([0.1, -0.1]), 1)
    -20.0
    """
    samples = np.asarray(audio, np.float64)
    return float(10 * np.log10(np.mean(samples**2) + 1e-30)) if samples.size else -300.0


def sdr_db(target: npt.ArrayLike, found: npt.ArrayLike) -> float:
    """Return the ratio of the energy of a stem to that of the error, over all channels.

    This is what the public tables of separators state: no scale and no delay is forgiven.

    Parameters
    ----------
    target, found
        Of one shape.

    Returns
    -------
    float
        In dB; 300 if there is no error.

    Examples
    --------
    >>> round(sdr_db([1.0, -1.0], [0.9, -0.9]), 2)
    20.0
    """
    truth, error = np.asarray(target, np.float64), np.asarray(found, np.float64)
    error = error - truth
    return float(10 * np.log10((np.sum(truth**2) + 1e-30) / (np.sum(error**2) + 1e-30)))
