"""Mel-frequency cepstral coefficients and their derivatives over time."""

from functools import lru_cache
from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.checks import axis_of, choice, integer, number
from neurdsp.dsp.decibel import power_to_db
from neurdsp.dsp.features import mel_spectrogram
from neurdsp.dsp.options import BandOptions, Float, MelNorm, Other
from neurdsp.dsp.values import lists_and_tensors, take_values
from neurdsp.errors import ParameterError

__all__ = ["delta", "mfcc"]

DeltaMode = Literal["interp", "nearest", "mirror", "constant", "wrap"]

# What numpy calls the ways to extend data.
_PADS = {"nearest": "edge", "mirror": "reflect", "constant": "constant", "wrap": "wrap"}

# Far wider than anyone needs, and still quick to fit a polynomial to.
_MOST_WIDTH = 4095


class MfccOptions(TypedDict, total=False):
    """Parameters of `mfcc` besides those that it passes on, ``y`` and ``S``."""

    sr: float
    n_mfcc: int
    dct_type: int
    norm: Literal["ortho"] | None
    lifter: float
    mel_norm: MelNorm


class MfccOfAudioOptions(MfccOptions, BandOptions, total=False):
    """Parameters of `mfcc` for audio."""

    dtype: npt.DTypeLike | None


@overload
def mfcc(
    y: npt.NDArray[Float], *, S: None = None, **parameters: Unpack[MfccOfAudioOptions]
) -> npt.NDArray[Float]: ...
@overload
def mfcc(y: Other, *, S: None = None, **parameters: Unpack[MfccOfAudioOptions]) -> Other: ...
@overload
def mfcc(y: None = None, *, S: Other, **parameters: Unpack[MfccOptions]) -> Other: ...
@overload
def mfcc(y: None = None, *, S: npt.ArrayLike, **parameters: Unpack[MfccOptions]) -> npt.NDArray[Any]: ...
@lists_and_tensors("y", "S")
def mfcc(
    y: Any = None,
    *,
    sr: float = 22050,
    S: Any = None,
    n_mfcc: int = 20,
    dct_type: int = 2,
    norm: Literal["ortho"] | None = "ortho",
    lifter: float = 0,
    mel_norm: MelNorm = "slaney",
    **parameters: Any,
) -> Any:
    """Return mel-frequency cepstral coefficients, as librosa's.

    Parameters
    ----------
    y
        As in `neurdsp.stft`.
    sr
        Sample rate in hertz.
    S
        A mel spectrogram in decibels, ``(..., n_mels, n_frames)``, instead of ``y``; it may be a torch tensor
        or a list as well.
    n_mfcc
        Number of coefficients.
    dct_type, norm
        Type (1, 2 or 3) and scaling of the cosine transform.
    lifter
        Weights the coefficients by ``1 + lifter / 2 * sin(pi * (n + 1) / lifter)``; 0 for no weight.
    mel_norm
        The ``norm`` of the mel filters.
    **parameters
        The other parameters of `neurdsp.mel_spectrogram`.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., n_mfcc, n_frames)``, of the kind of ``y`` or ``S``.

    Raises
    ------
    ParameterError
        As `neurdsp.mel_spectrogram`, and for ``n_mfcc``, ``dct_type``, ``norm`` and ``lifter`` outside their
        domains.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.mfcc(np.ones(22050, np.float32), sr=22050, n_mfcc=13).shape
    (13, 44)
    """
    n_mfcc, lifter = integer("n_mfcc", n_mfcc, 1), number("lifter", lifter, least=0)
    dct_type = choice("dct_type", integer("dct_type", dct_type, 1), (1, 2, 3))
    choice("norm", norm, ("ortho", None))
    if S is None:
        S = power_to_db(mel_spectrogram(y, sr=sr, norm=mel_norm, **parameters))
    elif y is not None:
        raise ParameterError(
            "S is a mel spectrogram in decibels that stands instead of y; pass either y or S"
        )
    decibels = take_values(S, "S", least_dims=2, shape="(..., n_mels, n_frames)")
    n_mels = decibels.shape[-2]
    n_mfcc = min(n_mfcc, n_mels)
    basis = _dct_basis(n_mels, dct_type, norm)[:n_mfcc]
    if lifter > 0:
        steps = np.arange(1, n_mfcc + 1, dtype=np.float64)
        basis = basis * (1 + lifter / 2 * np.sin(np.pi * steps / lifter))[:, np.newaxis]
    coefficients: npt.NDArray[Any] = np.matmul(basis, decibels.astype(np.float64)).astype(decibels.dtype)
    return coefficients


@lru_cache(maxsize=16)
def _dct_basis(n: int, dct_type: int, norm: str | None) -> npt.NDArray[np.float64]:
    """Return the cosine transform of ``n`` values as a matrix ``(n, n)``, scaled as scipy's."""
    k, i = np.arange(n)[:, np.newaxis], np.arange(n)[np.newaxis]
    if dct_type == 1:
        if n < 2:
            raise ParameterError(f"dct_type is 1, but it needs two mel bands or more, and there are {n}")
        weights = np.where((i == 0) | (i == n - 1), 1.0, 2.0)
        basis = weights * np.cos(np.pi * k * i / (n - 1))
        if norm == "ortho":
            ends_in = np.where((i == 0) | (i == n - 1), np.sqrt(2.0), 1.0)
            ends_out = np.where((k == 0) | (k == n - 1), np.sqrt(0.5), 1.0)
            basis = basis * ends_in * ends_out / np.sqrt(2.0 * (n - 1))
        return basis
    if dct_type == 3:
        if norm == "ortho":
            return _dct_basis(n, 2, norm).T
        return np.where(i == 0, 1.0, 2.0) * np.cos(np.pi * (2 * k + 1) * i / (2 * n))
    basis = 2.0 * np.cos(np.pi * k * (2 * i + 1) / (2 * n))
    if norm == "ortho":
        basis = basis * np.where(k == 0, np.sqrt(0.25 / n), np.sqrt(0.5 / n))
    return basis


@overload
def delta(
    data: Other,
    *,
    width: int = 9,
    order: int = 1,
    axis: int = -1,
    mode: DeltaMode = "interp",
    cval: float = 0.0,
) -> Other: ...
@overload
def delta(
    data: npt.ArrayLike,
    *,
    width: int = 9,
    order: int = 1,
    axis: int = -1,
    mode: DeltaMode = "interp",
    cval: float = 0.0,
) -> npt.NDArray[Any]: ...
@lists_and_tensors("data")
def delta(
    data: Any,
    *,
    width: int = 9,
    order: int = 1,
    axis: int = -1,
    mode: DeltaMode = "interp",
    cval: float = 0.0,
) -> Any:
    """Differentiate along an axis by a least-squares polynomial over ``width`` values, as librosa does.

    A. Savitzky and M. J. E. Golay, "Smoothing and differentiation of data by simplified least squares
    procedures", Analytical Chemistry 36 (1964).

    Parameters
    ----------
    data
        For instance MFCCs ``(..., n_mfcc, n_frames)``: real numbers, a torch tensor, or a list of arrays.
    width
        Values that the polynomial is fitted to: odd, at least three, and above ``order``.
    order
        Order of the derivative and of the polynomial.
    axis
        The axis of time.
    mode
        At the ends: ``interp`` evaluates the outermost polynomial; ``nearest``, ``mirror``, ``constant``
        (``cval``) and ``wrap`` extend the data.
    cval
        What ``constant`` extends with.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        Of the shape and kind of ``data``.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain, or ``width`` above the length with ``interp``.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.delta(np.arange(12.0)).round(6).tolist() == [1.0] * 12
    True
    """
    values = np.atleast_1d(take_values(data, "data"))
    width, order = integer("width", width, 3, _MOST_WIDTH), integer("order", order, 1, _MOST_WIDTH)
    if width % 2 == 0 or order >= width:
        raise ParameterError(f"width is {width} and order {order}, but width must be odd and above order")
    choice("mode", mode, ("interp", *_PADS))
    cval = number("cval", cval)
    axis = axis_of(axis, values.ndim, "data")
    values = np.moveaxis(values, axis, -1)
    length, half = values.shape[-1], width // 2
    if values.size == 0:
        raise ParameterError(f"data is empty (shape {values.shape}); pass at least one value")
    if mode == "interp" and width > length:
        raise ParameterError(
            f"width is {width}, but data has {length} values along axis {axis}; lower width or pass "
            "mode='nearest'"
        )
    dtype = values.dtype
    values = values.astype(np.float64)
    fit = _derivatives(width, order)
    inner = fit[half]
    if mode == "interp":
        head = values[..., :width] @ fit[:half].T
        tail = values[..., length - width :] @ fit[half + 1 :].T
        middle = np.lib.stride_tricks.sliding_window_view(values, width, axis=-1) @ inner
        result = np.concatenate([head, middle, tail], axis=-1)
    else:
        spread = [(0, 0)] * (values.ndim - 1) + [(half, half)]
        extra = {"constant_values": cval} if mode == "constant" else {}
        padded = np.pad(values, spread, mode=_PADS[mode], **extra)  # type: ignore[call-overload]
        result = np.lib.stride_tricks.sliding_window_view(padded, width, axis=-1) @ inner
    return np.moveaxis(result.astype(dtype), -1, axis)


@lru_cache(maxsize=16)
def _derivatives(width: int, order: int) -> npt.NDArray[np.float64]:
    """Return a matrix whose row ``i`` gives the derivative at position ``i`` of the fitted polynomial."""
    positions = np.arange(width) - width // 2
    to_coefficients = np.linalg.pinv(np.vander(positions, order + 1, increasing=True).astype(np.float64))
    # The derivative of order `order` of a polynomial of that order is constant: order! times its last
    # coefficient.
    last = to_coefficients[order] * float(np.prod(np.arange(1, order + 1)))
    return np.tile(last, (width, 1))
