"""Level per frame, and silence found by it, with librosa's names, parameters and results."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.arrays import Array
from neurdsp.dsp.checks import choice, flag, integer, number
from neurdsp.dsp.decibel import amplitude_to_db
from neurdsp.dsp.values import lists_and_tensors, take_values
from neurdsp.errors import ParameterError

__all__ = ["rms", "split", "trim"]

# Limit of a frame, as of the transforms.
_MOST_SAMPLES = 1 << 24


@lists_and_tensors("y", "S")
def rms(
    y: Any = None,
    *,
    S: Any = None,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    pad_mode: str = "constant",
) -> Any:
    """Return the root of the mean square of each frame.

    Parameters
    ----------
    y
        Samples ``(..., n_samples)``: a numpy array, a torch tensor, or a list of them.
    S
        Magnitudes ``(..., n_bins, n_frames)`` of an STFT with a boxcar window, instead of ``y``.
    frame_length, hop_length
        Length of a frame and distance of the frames, in samples. With ``S``, the length is that of its STFT.
    center, pad_mode
        As in `neurdsp.stft`.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., 1, n_frames)``, of the type of the input.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain, ``y`` is too short for a frame, or ``S`` has other bins.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.rms(np.full(2048, 0.5, np.float32), center=False)
    array([[0.5]], dtype=float32)
    """
    frame_length = integer("frame_length", frame_length, 1, _MOST_SAMPLES)
    hop_length = integer("hop_length", hop_length, 1)
    if (y is None) == (S is None):
        raise ParameterError("y or S is needed, and only one of them; pass samples or magnitudes")
    if S is not None:
        bins = take_values(S, "S", least_dims=2, shape="(..., n_bins, n_frames)")
        if bins.shape[-2] != frame_length // 2 + 1:
            raise ParameterError(
                f"S has {bins.shape[-2]} bins, but frame_length = {frame_length} makes "
                f"{frame_length // 2 + 1}; pass the n_fft of its STFT as frame_length"
            )
        weights = np.full((bins.shape[-2], 1), 2.0)
        weights[0] = 1.0
        if frame_length % 2 == 0:
            weights[-1] = 1.0
        power = np.sum(weights * np.square(bins, dtype=np.float64), axis=-2, keepdims=True) / frame_length**2
        return np.sqrt(power).astype(bins.dtype)
    samples = _samples(y)
    pad_mode = choice("pad_mode", pad_mode, ("constant", "reflect", "edge", "symmetric", "wrap"))
    if flag("center", center):
        edges = [(0, 0)] * (samples.ndim - 1) + [(frame_length // 2, frame_length // 2)]
        samples = np.pad(samples, edges, mode=pad_mode)  # type: ignore[call-overload]
    if samples.shape[-1] < frame_length:
        raise ParameterError(
            f"y has {samples.shape[-1]} samples, but one frame needs {frame_length}; use center=True or a "
            "smaller frame_length"
        )
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame_length, axis=-1)[..., ::hop_length, :]
    power = np.einsum("...f,...f->...", frames, frames, dtype=np.float64, casting="same_kind") / frame_length
    return np.sqrt(power)[..., np.newaxis, :].astype(samples.dtype)


@lists_and_tensors("y")
def trim(
    y: Any,
    *,
    top_db: float = 60,
    ref: float | Callable[[Any], Any] = np.max,
    frame_length: int = 2048,
    hop_length: int = 512,
    aggregate: Callable[..., Any] = np.max,
) -> Any:
    """Cut the silence off both ends of a signal.

    Parameters
    ----------
    y
        Samples ``(..., n_samples)``: a numpy array, a torch tensor, or a list of them.
    top_db
        Frames more than this below the reference are silent.
    ref
        The reference: a level, or a function of the levels of all frames.
    frame_length, hop_length
        As in `rms`.
    aggregate
        What makes one level of those of all channels.

    Returns
    -------
    trimmed
        ``y`` without its silent ends; empty if no frame reaches a given level ``ref``.
    index : numpy.ndarray
        ``(2,)``: the first sample of what is kept, and the one after the last.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> y = np.concatenate([np.zeros(22050), np.ones(22050), np.zeros(22050)])
    >>> neurdsp.trim(y)[1]
    array([21504, 45568])
    """
    samples = _samples(y)
    found = np.flatnonzero(_loud(samples, top_db, ref, frame_length, hop_length, aggregate))
    ends = [0, 0]
    if found.size:
        ends = [int(found[0]) * hop_length, min(samples.shape[-1], int(found[-1] + 1) * hop_length)]
    return samples[..., ends[0] : ends[1]], np.array(ends)


@lists_and_tensors("y")
def split(
    y: Any,
    *,
    top_db: float = 60,
    ref: float | Callable[[Any], Any] = np.max,
    frame_length: int = 2048,
    hop_length: int = 512,
    aggregate: Callable[..., Any] = np.max,
) -> Any:
    """Return the intervals of a signal that are not silent.

    Parameters
    ----------
    y, top_db, ref, frame_length, hop_length, aggregate
        As in `trim`.

    Returns
    -------
    numpy.ndarray
        ``(n_intervals, 2)``: the first sample of each, and the one after the last.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.split(np.concatenate([np.ones(22050), np.zeros(22050), np.ones(22050)])).tolist()
    [[0, 23552], [43520, 66150]]
    """
    samples = _samples(y)
    loud = _loud(samples, top_db, ref, frame_length, hop_length, aggregate)
    edges = np.flatnonzero(np.diff(loud.astype(np.int8), prepend=0, append=0))
    intervals: npt.NDArray[np.intp] = np.minimum(edges * hop_length, samples.shape[-1]).reshape(-1, 2)
    return intervals


def _samples(y: Any) -> Array:
    samples = take_values(y, "y", least_dims=1, shape="(..., n_samples)")
    if samples.size == 0:
        raise ParameterError(f"y is empty (shape {samples.shape}); pass at least one sample")
    if not np.isfinite(samples).all():
        index = int(np.argwhere(~np.isfinite(samples))[0][-1])
        raise ParameterError(
            f"sample {index} of y is not finite; repair or drop such samples (numpy.nan_to_num)"
        )
    return samples


def _loud(
    samples: Array, top_db: float, ref: Any, frame_length: int, hop_length: int, aggregate: Callable[..., Any]
) -> npt.NDArray[np.bool_]:
    """Return which frames are not silent."""
    top_db = number("top_db", top_db, above=0)
    levels = rms(samples, frame_length=frame_length, hop_length=hop_length)[..., 0, :]
    decibels = np.asarray(amplitude_to_db(levels, ref=ref, top_db=None))
    if decibels.ndim > 1:
        decibels = np.asarray(aggregate(decibels, axis=tuple(range(decibels.ndim - 1))))
    loud: npt.NDArray[np.bool_] = decibels > -top_db
    return loud
