"""Mel filterbanks and windows, by librosa's names."""

from typing import Any, overload

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp._notices import warn
from neurdsp.dsp.checks import flag, integer, number, real_type, shown
from neurdsp.dsp.options import MelNorm
from neurdsp.dsp.plans import FilterKey, mel_filters
from neurdsp.dsp.values import take_values
from neurdsp.dsp.windows import get_window
from neurdsp.errors import ParameterError

__all__ = ["MelNorm", "get_window", "hz_to_mel", "mel", "mel_frequencies", "mel_key", "mel_to_hz"]


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
    """Return triangular filters that turn a power spectrum into mel bands.

    Parameters
    ----------
    sr
        Sample rate in hertz.
    n_fft
        Length of the transform in samples.
    n_mels
        Number of filters.
    fmin, fmax
        Lower end of the lowest filter and upper end of the highest one, in hertz; ``fmax`` is half the sample
        rate by default.
    htk
        True for the mel scale of HTK, False for Slaney's.
    norm
        ``"slaney"`` divides each filter by its width in hertz; None lets every filter peak at one; a positive
        number or ``numpy.inf`` gives each filter a unit norm of this order.
    dtype
        float32 or float64, from filters that are built in float64.

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
        If no bin falls into some of the filters, with their number.

    Examples
    --------
    >>> import neurdsp
    >>> neurdsp.filters.mel(sr=22050, n_fft=2048).shape
    (128, 1025)
    """
    key = mel_key(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    return mel_filters(key)[0].astype(real_type(dtype))


def mel_key(
    *,
    sr: float,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float | None,
    htk: bool,
    norm: MelNorm,
    triangles_over_mel: bool = False,
) -> FilterKey:
    """Check the parameters of a filterbank, and warn of empty filters; errors as in `mel`."""
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
    key = FilterKey(
        sr=sr,
        n_fft=integer("n_fft", n_fft, 1),
        n_mels=integer("n_mels", n_mels, 1),
        fmin=fmin,
        fmax=fmax,
        htk=flag("htk", htk),
        norm=norm_name,
        triangles_over_mel=flag("triangles_over_mel", triangles_over_mel),
    )
    n_empty = mel_filters(key)[1]
    if n_empty:
        warn(
            f"Empty filters: {n_empty} of {n_mels} mel filters are empty, as n_fft = {n_fft} at {sr:g} Hz "
            "has too few bins for them; lower n_mels, raise fmin or n_fft"
        )
    return key


@overload
def hz_to_mel(frequencies: float, *, htk: bool = False) -> np.float64: ...
@overload
def hz_to_mel(frequencies: npt.ArrayLike, *, htk: bool = False) -> npt.NDArray[np.float64]: ...
def hz_to_mel(frequencies: Any, *, htk: bool = False) -> Any:
    """Convert frequencies to mel, on Slaney's scale or on HTK's.

    Parameters
    ----------
    frequencies
        In hertz: a number, an array or nested lists of numbers.
    htk
        True for the scale of HTK, False for Slaney's.

    Returns
    -------
    numpy.ndarray or numpy.float64
        float64, of the shape of ``frequencies``.

    Raises
    ------
    ParameterError
        If ``frequencies`` are not numbers.

    Examples
    --------
    >>> import neurdsp
    >>> float(neurdsp.filters.hz_to_mel(1000.0))
    15.0
    """
    hz = take_values(frequencies, "frequencies").astype(np.float64)
    return _core.hz_to_mel(hz.reshape(-1), flag("htk", htk)).reshape(hz.shape)[()]


@overload
def mel_to_hz(mels: float, *, htk: bool = False) -> np.float64: ...
@overload
def mel_to_hz(mels: npt.ArrayLike, *, htk: bool = False) -> npt.NDArray[np.float64]: ...
def mel_to_hz(mels: Any, *, htk: bool = False) -> Any:
    """Convert mel to frequencies, on Slaney's scale or on HTK's.

    Parameters
    ----------
    mels
        A number, an array or nested lists of numbers.
    htk
        True for the scale of HTK, False for Slaney's.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Hertz in float64, of the shape of ``mels``.

    Raises
    ------
    ParameterError
        If ``mels`` are not numbers.

    Examples
    --------
    >>> import neurdsp
    >>> float(neurdsp.filters.mel_to_hz(15.0))
    1000.0
    """
    mel_ = take_values(mels, "mels").astype(np.float64)
    return _core.mel_to_hz(mel_.reshape(-1), flag("htk", htk)).reshape(mel_.shape)[()]


def mel_frequencies(
    n_mels: int = 128, *, fmin: float = 0.0, fmax: float = 11025.0, htk: bool = False
) -> npt.NDArray[np.float64]:
    """Return frequencies that are evenly spaced in mel.

    Parameters
    ----------
    n_mels
        Number of frequencies.
    fmin, fmax
        The first and the last frequency in hertz.
    htk
        True for the scale of HTK, False for Slaney's.

    Returns
    -------
    numpy.ndarray
        Hertz in float64, ``(n_mels,)``.

    Raises
    ------
    ParameterError
        If ``n_mels`` is not from 1 to a million, or a frequency is not a finite number.

    Examples
    --------
    >>> import neurdsp
    >>> neurdsp.filters.mel_frequencies(3, fmax=1000.0).round(6).tolist()
    [0.0, 500.0, 1000.0]
    """
    n_mels = integer("n_mels", n_mels, 1, 1_000_000)
    fmin, fmax = number("fmin", fmin), number("fmax", fmax)
    return _core.mel_frequencies(n_mels, fmin, fmax, flag("htk", htk))
