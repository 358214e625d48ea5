"""Mel filterbanks and windows, by librosa's names."""

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.checks import flag, integer, number, real_type, shown
from neurdsp.dsp.notices import warn
from neurdsp.dsp.plans import get_window, mel_filters
from neurdsp.dsp.values import take_values
from neurdsp.errors import ParameterError

__all__ = ["MelNorm", "get_window", "hz_to_mel", "mel", "mel_frequencies", "mel_key", "mel_to_hz"]

MelNorm: TypeAlias = Literal["slaney"] | float | None

_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27.0


def mel(
    *,
    sr: float,
    n_fft: int,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: MelNorm = "slaney",
    dtype: npt.DTypeLike = np.float32,
) -> npt.NDArray[Any]:
    """Triangular filters that turn a power spectrum into mel bands.

    Parameters
    ----------
    sr
        Sample rate in hertz.
    n_fft
        Length of the transform in samples.
    n_mels
        Number of filters.
    fmin, fmax
        Where the lowest filter begins and the highest one ends, in hertz; half the sample rate if ``fmax``
        is None.
    htk
        The mel scale of HTK instead of Slaney's.
    norm
        ``"slaney"``: each filter over its width in hertz; None: every filter peaks at one; a positive number
        or ``numpy.inf``: unit norm of this order.
    dtype
        float32 or float64; the filters are built in float64.

    Returns
    -------
    numpy.ndarray
        ``(n_mels, 1 + n_fft // 2)``.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Warns
    -----
    UserWarning
        With their number, if there are filters so narrow that no bin falls into them.

    Examples
    --------
    >>> import neurdsp
    >>> neurdsp.filters.mel(sr=22050, n_fft=2048).shape
    (128, 1025)
    """
    key = mel_key(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    return mel_filters(*key)[0].astype(real_type(dtype))


def mel_key(
    *,
    sr: float,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float | None,
    htk: bool,
    norm: MelNorm,
    over_mel: bool = False,
) -> tuple[Any, ...]:
    """Check the arguments of a filterbank and make them hashable; warns of empty filters."""
    sr, fmin = number("sr", sr, least=1e-6, most=1e12), number("fmin", fmin, least=0)
    fmax = sr / 2 if fmax is None else number("fmax", fmax, above=0)
    if norm is None:
        norm_name = "none"
    elif isinstance(norm, str):
        if norm != "slaney":
            raise ParameterError(
                f"norm is {shown(norm)}, but it must be 'slaney', None, a positive number or numpy.inf"
            )
        norm_name = norm
    else:
        norm_name = repr(
            np.inf
            if isinstance(norm, (float, np.floating)) and norm == np.inf
            else number("norm", norm, above=0)
        )
    key = (
        sr,
        integer("n_fft", n_fft, 1),
        integer("n_mels", n_mels, 1),
        fmin,
        fmax,
        flag("htk", htk),
        norm_name,
        flag("triangles_over_mel", over_mel),
    )
    n_empty = mel_filters(*key)[1]
    if n_empty:
        warn(
            f"Empty filters: {n_empty} of {n_mels} mel filters are empty, as n_fft = {n_fft} at {sr:g} Hz "
            "has too few bins for them; lower n_mels, raise fmin or n_fft"
        )
    return key


def hz_to_mel(frequencies: npt.ArrayLike, *, htk: bool = False) -> Any:
    """Mel of frequencies in hertz, on Slaney's scale or on HTK's; float64, of the shape of ``frequencies``.

    Raises
    ------
    ParameterError
        If ``frequencies`` are not numbers.
    """
    hz = take_values(frequencies, "frequencies").astype(np.float64)
    if flag("htk", htk):
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    above = _BREAK_HZ / _LINEAR_HZ + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz >= _BREAK_HZ, above, hz / _LINEAR_HZ)[()]


def mel_to_hz(mels: npt.ArrayLike, *, htk: bool = False) -> Any:
    """Frequencies in hertz of mels, on Slaney's scale or on HTK's; float64, of the shape of ``mels``.

    Raises
    ------
    ParameterError
        If ``mels`` are not numbers.
    """
    mel_ = take_values(mels, "mels").astype(np.float64)
    if flag("htk", htk):
        return 700.0 * (10.0 ** (mel_ / 2595.0) - 1.0)
    break_mel = _BREAK_HZ / _LINEAR_HZ
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel_, break_mel) - break_mel))
    return np.where(mel_ >= break_mel, above, mel_ * _LINEAR_HZ)[()]


def mel_frequencies(n_mels: int = 128, *, fmin: float = 0.0, fmax: float = 11025.0, htk: bool = False) -> Any:
    """``n_mels`` frequencies in hertz, evenly spaced in mel from ``fmin`` to ``fmax``.

    Raises
    ------
    ParameterError
        If ``n_mels`` is not from 1 to a million, or a frequency is no finite number.
    """
    n_mels = integer("n_mels", n_mels, 1, 1_000_000)
    low, high = (hz_to_mel(number(name, hz), htk=htk) for name, hz in (("fmin", fmin), ("fmax", fmax)))
    return mel_to_hz(np.linspace(low, high, n_mels), htk=htk)
