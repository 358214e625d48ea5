"""Error-to-signal ratio of two mono signals, plain and pre-emphasised."""

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray, check_audio
from neurdsp.errors import ParameterError
from neurdsp.metrics.level import power_to_db

__all__ = ["PRE_EMPHASIS", "check_pair", "esr", "null_depth_db", "pre_emphasis", "pre_emphasised_esr"]

#: Coefficient of the first-order high-pass that brings the weights of errors closer to those of the ear.
PRE_EMPHASIS = 0.97


def check_pair(target: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return two mono signals of the same length as float32.

    Raises
    ------
    ParameterError
        If one is empty, not finite or not mono, or if their lengths differ.
    """
    a = check_audio(target, name="target", mono=True)
    b = check_audio(predicted, name="predicted", mono=True)
    if a.size != b.size:
        raise ParameterError(
            f"target has {a.size} samples and predicted has {b.size}; cut them to the same length"
        )
    return a, b


def esr(target: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the error-to-signal ratio: the energy of the difference over the energy of the target.

    Parameters
    ----------
    target, predicted : array_like of float, shape (n_samples,)
        The desired and the actual signal.

    Returns
    -------
    float
        0 for equal signals, 1 for a silent prediction.

    Raises
    ------
    ParameterError
        If the target is silent, or either signal is empty, not mono, not finite or of another length.

    Notes
    -----
    E. Damskägg et al., "Deep Learning for Tube Amplifier Emulation", ICASSP 2019.

    Examples
    --------
    >>> esr([1.0, -1.0], [0.5, -0.5])
    0.25
    """
    a, b = (signal.astype(np.float64) for signal in check_pair(target, predicted))
    energy = float(np.dot(a, a))
    if energy == 0:
        raise ParameterError(
            "target is silent, so an error relative to it is undefined; choose another passage"
        )
    residual = a - b
    return float(np.dot(residual, residual)) / energy


def pre_emphasis(audio: npt.ArrayLike, *, coefficient: float = PRE_EMPHASIS) -> FloatArray:
    """Filter with ``y[n] = x[n] - coefficient * x[n - 1]``, taking ``x[-1]`` as zero.

    Parameters
    ----------
    audio : array_like of float, shape (n_samples,)
        The signal.
    coefficient : float
        From 0 (no effect) to 1.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        The filtered signal.

    Raises
    ------
    ParameterError
        If the coefficient is out of range, or the signal is empty, not mono or not finite.

    Examples
    --------
    >>> pre_emphasis([1.0, 1.0], coefficient=0.5)
    array([1. , 0.5], dtype=float32)
    """
    if not 0 <= coefficient <= 1:
        raise ParameterError(f"coefficient must be between 0 and 1, got {coefficient!r}")
    samples = check_audio(audio, mono=True)
    result = samples.copy()
    result[1:] -= np.float32(coefficient) * samples[:-1]
    return result


def pre_emphasised_esr(
    target: npt.ArrayLike, predicted: npt.ArrayLike, *, coefficient: float = PRE_EMPHASIS
) -> float:
    """Return the error-to-signal ratio after pre-emphasis, which gives errors in the treble more weight.

    Parameters
    ----------
    target, predicted : array_like of float, shape (n_samples,)
        The desired and the actual signal.
    coefficient : float
        Coefficient of `pre_emphasis`.

    Returns
    -------
    float
        0 for equal signals, 1 for a silent prediction.

    Raises
    ------
    ParameterError
        As `esr` and `pre_emphasis`.

    Notes
    -----
    A. Wright and V. Välimäki, "Perceptual Loss Function for Neural Modeling of Audio Systems", ICASSP 2020.

    Examples
    --------
    >>> pre_emphasised_esr([1.0, -1.0], [0.5, -0.5])
    0.25
    """
    a, b = check_pair(target, predicted)
    return esr(pre_emphasis(a, coefficient=coefficient), pre_emphasis(b, coefficient=coefficient))


def null_depth_db(target: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the level of the residual of a null test relative to the target: the `esr` in dB.

    Parameters
    ----------
    target, predicted : array_like of float, shape (n_samples,)
        The desired and the actual signal.

    Returns
    -------
    float
        Level in dB: lower is better, minus infinity for equal signals.

    Raises
    ------
    ParameterError
        As `esr`.

    Examples
    --------
    >>> round(null_depth_db([1.0, -1.0], [0.9, -0.9]), 3)  # a tenth of the amplitude is left
    -20.0
    """
    return power_to_db(esr(target, predicted))
