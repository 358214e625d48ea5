"""Per-channel energy normalisation.

Y. Wang et al., "Trainable frontend for robust and far-field keyword spotting", ICASSP 2017.
"""

import math
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.checks import axis_of, flag, integer, number
from neurdsp.dsp.options import Other
from neurdsp.dsp.values import lists_and_tensors, take_values
from neurdsp.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["pcen"]


class PcenOptions(TypedDict, total=False):
    """Parameters of `pcen` besides ``S`` and ``return_zf``."""

    sr: float
    hop_length: int
    gain: float
    bias: float
    power: float
    time_constant: float
    eps: float
    b: float | None
    max_size: int
    ref: npt.ArrayLike | None
    axis: int
    max_axis: int | None
    zi: npt.ArrayLike | None


@overload
def pcen(S: Other, *, return_zf: Literal[False] = False, **options: Unpack[PcenOptions]) -> Other: ...
@overload
def pcen(
    S: npt.ArrayLike, *, return_zf: Literal[False] = False, **options: Unpack[PcenOptions]
) -> npt.NDArray[Any]: ...
@overload
def pcen(
    S: "Tensor", *, return_zf: Literal[True], **options: Unpack[PcenOptions]
) -> "tuple[Tensor, Tensor]": ...
@overload
def pcen(
    S: npt.ArrayLike, *, return_zf: Literal[True], **options: Unpack[PcenOptions]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]: ...
@overload
def pcen(S: Any, *, return_zf: bool, **options: Unpack[PcenOptions]) -> Any: ...
@lists_and_tensors("S")
def pcen(
    S: Any,
    *,
    sr: float = 22050,
    hop_length: int = 512,
    gain: float = 0.98,
    bias: float = 2,
    power: float = 0.5,
    time_constant: float = 0.400,
    eps: float = 1e-6,
    b: float | None = None,
    max_size: int = 1,
    ref: npt.ArrayLike | None = None,
    axis: int = -1,
    max_axis: int | None = None,
    zi: npt.ArrayLike | None = None,
    return_zf: bool = False,
) -> Any:
    """Normalise the energy of each channel, as librosa does.

    ``(S / (eps + smooth(S)) ** gain + bias) ** power - bias ** power``, computed in logarithms.

    Parameters
    ----------
    S
        Magnitudes, not negative, ``(..., n_bands, n_frames)``: real numbers, a torch tensor, or a list of
        arrays.
    sr, hop_length
        Sample rate in hertz and distance between frames in samples, which convert ``time_constant`` to
        frames.
    gain, bias, power
        Exponent of the smoothed energy, offset, and exponent of the result; not negative.
    time_constant
        Time constant of the smoothing in seconds.
    eps
        Term that keeps silence finite.
    b
        Coefficient of the smoothing, from 0 to 1, instead of ``time_constant``.
    max_size, max_axis
        Number of neighbouring bands whose maximum is smoothed, and the axis of the bands.
    ref
        Energy to smooth instead of ``S``, of the same shape.
    axis
        The axis of time.
    zi, return_zf
        State of the smoothing at the start, and whether to return that at the end too, for processing in
        blocks.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list; pairs of them with ``return_zf``
        Of the shape and kind of ``S``.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Warns
    -----
    UserWarning
        If ``S`` is complex: its phase is then dropped.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.pcen(np.ones((3, 10))).shape
    (3, 10)
    """
    power = number("power", power, least=0)
    gain = number("gain", gain, least=0)
    bias = number("bias", bias, least=0)
    eps = number("eps", eps, above=0)
    time_constant = number("time_constant", time_constant, above=0)
    sr, hop_length = number("sr", sr, above=0), integer("hop_length", hop_length, 1)
    max_size, return_zf = integer("max_size", max_size, 1), flag("return_zf", return_zf)
    if b is None:
        # (sqrt(1 + 4 t²) - 1) / (2 t²) in a form that keeps its digits for any t in frames.
        b = 2 / (1 + math.hypot(1.0, 2 * min(time_constant * sr / hop_length, 1e100)))
    b = number("b", b, least=0, most=1)
    notice = "pcen was called on complex input and drops its phase; pass numpy.abs(S)"
    magnitudes = take_values(S, "S", least_dims=1, shape="(..., n_bands, n_frames)", notice=notice)
    axis = axis_of(axis, magnitudes.ndim, "S")
    reference = _maxima(magnitudes, max_size, axis, max_axis) if ref is None else take_values(ref, "ref")
    if reference.shape != magnitudes.shape:
        raise ParameterError(
            f"ref has shape {reference.shape}, but S has {magnitudes.shape}; they must agree"
        )
    start = _start(1.0 - b if zi is None else zi, magnitudes, axis)
    smooth, state = _smooth(np.moveaxis(reference, axis, -1), b, start)
    # In logarithms, so that small values keep their digits; in double precision, so that they stay finite.
    smooth = np.moveaxis(smooth, -1, axis)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        loud = magnitudes.astype(np.float64) * np.exp(-gain * (math.log(eps) + np.log1p(smooth / eps)))
        if power == 0:
            values = np.log1p(loud)
        elif bias == 0:
            values = loud**power
        else:
            values = np.exp(power * np.log(bias)) * np.expm1(power * np.log1p(loud / bias))
        result = values.astype(magnitudes.dtype)
    if not np.isfinite(result).all() and np.isfinite(magnitudes).all():
        raise ParameterError(
            f"gain, bias, power and eps are {gain:g}, {bias:g}, {power:g} and {eps:g}, with which the result "
            f"is beyond {result.dtype}, or S is negative; pass others, such as the defaults, and magnitudes"
        )
    return (result, np.moveaxis(state, -1, axis)) if return_zf else result


def _start(zi: npt.ArrayLike, S: npt.NDArray[Any], axis: int) -> npt.NDArray[np.float64]:
    """Return the state for each row of ``S``, its axis of time at the end and left out."""
    given = take_values(zi, "zi").astype(np.float64)
    if not (given >= 0).all() or not np.isfinite(given).all():
        raise ParameterError("zi holds negative or infinite numbers or NaN; pass what return_zf=True gave")
    state = np.moveaxis(given, axis, -1) if given.ndim == S.ndim else given
    try:
        return np.broadcast_to(state, (*np.moveaxis(S, axis, -1).shape[:-1], 1))[..., 0]
    except ValueError:
        raise ParameterError(
            f"zi has shape {given.shape}, but for S of shape {S.shape} it needs one value along axis {axis}; "
            "pass what return_zf=True gave"
        ) from None


def _smooth(
    data: npt.NDArray[Any], b: float, state: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """``y[t] = b x[t] + (1 - b) y[t - 1]`` along the last axis, and ``(1 - b) y`` at the end."""
    decay = 1.0 - b
    # Time first: each step then works on neighbouring numbers.
    steps = np.ascontiguousarray(np.moveaxis(data, -1, 0), np.float64)
    smooth = np.empty_like(steps)
    for t in range(len(steps)):
        smooth[t] = b * steps[t] + state
        state = decay * smooth[t]
    return np.moveaxis(smooth, 0, -1), state[..., np.newaxis]


def _maxima(S: npt.NDArray[Any], size: int, axis: int, max_axis: int | None) -> npt.NDArray[Any]:
    """Take the maximum over ``size`` neighbours, the ends mirrored."""
    if size == 1:
        return S
    if S.ndim == 1:
        raise ParameterError("max_size needs bands to look at, but S has one dimension; pass max_size=1")
    if max_axis is None:
        if S.ndim != 2:
            raise ParameterError(
                f"max_axis is None, but S has {S.ndim} dimensions; say which one holds the bands"
            )
        max_axis = 1 - axis
    max_axis = axis_of(max_axis, S.ndim, "S", "max_axis")
    size = min(size, 2 * S.shape[max_axis] + 1)  # enough to reach all bands from any of them
    before = size // 2
    spread = [(0, 0)] * S.ndim
    spread[max_axis] = (before, size - 1 - before)
    padded = np.pad(S, spread, mode="symmetric")
    maxima: npt.NDArray[Any] = np.lib.stride_tricks.sliding_window_view(padded, size, axis=max_axis).max(
        axis=-1
    )
    return maxima
