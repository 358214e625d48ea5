"""Gain and lag that would bring one signal closest to another: the first to look at when a null fails."""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from neurdsp.audio import FloatArray
from neurdsp.errors import ParameterError
from neurdsp.metrics.error import check_pair

__all__ = ["best_gain", "best_lag_samples", "correlate"]


def best_gain(target: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Factor on ``predicted`` that minimises the error energy: 1 if the level is right.

    Parameters
    ----------
    target, predicted : array_like of float, shape (n_samples,)
        What should come out, and what did.

    Returns
    -------
    float
        ``<target, predicted> / <predicted, predicted>``; negative if the polarity is turned.

    Raises
    ------
    ParameterError
        If ``predicted`` is silent, or the signals do not fit together.

    Examples
    --------
    >>> best_gain([1.0, -1.0], [0.5, -0.5])
    2.0
    """
    a, b = (signal.astype(np.float64) for signal in check_pair(target, predicted))
    energy = float(np.dot(b, b))
    if energy == 0:
        raise ParameterError("predicted is silent, so no gain brings it closer to the target")
    return float(np.dot(a, b)) / energy


def correlate(target: FloatArray, predicted: FloatArray, max_lag_samples: int) -> npt.NDArray[np.float64]:
    """Sum of ``target[n] * predicted[n + lag]`` for lags from minus to plus ``max_lag_samples``.

    One matrix product of all rows of the target with the stretches of the prediction around them, then the
    sums of its diagonals: as exact as a sum for each lag, and far faster.
    """
    row = max(64, max_lag_samples)
    n_rows = -(-target.size // row)
    rows = np.pad(target.astype(np.float64), (0, n_rows * row - target.size)).reshape(n_rows, row)
    padded = np.pad(
        predicted.astype(np.float64), (max_lag_samples, n_rows * row - target.size + max_lag_samples)
    )
    n_lags = 2 * max_lag_samples + 1
    stretches = sliding_window_view(padded, row + n_lags - 1)[::row]  # (n_rows, row + n_lags - 1)
    products = np.ascontiguousarray(rows.T @ stretches)  # (row, row + n_lags - 1)
    step = products.itemsize
    diagonals = as_strided(products, (row, n_lags), (products.strides[0] + step, step), writeable=False)
    result: npt.NDArray[np.float64] = diagonals.sum(axis=0)
    return result


def best_lag_samples(target: npt.ArrayLike, predicted: npt.ArrayLike, *, max_lag_samples: int = 1024) -> int:
    """Lag of ``predicted`` behind ``target`` at which they correlate most, in either polarity.

    Parameters
    ----------
    target, predicted : array_like of float, shape (n_samples,)
        What should come out, and what did.
    max_lag_samples : int
        How far to look in both directions.

    Returns
    -------
    int
        In samples: positive if ``predicted`` comes late, 0 if it is aligned.

    Raises
    ------
    ParameterError
        If ``max_lag_samples`` is negative, or the signals do not fit together.

    Examples
    --------
    >>> best_lag_samples([0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], max_lag_samples=3)
    2
    """
    a, b = check_pair(target, predicted)
    if max_lag_samples < 0:
        raise ParameterError(f"max_lag_samples must be at least 0, got {max_lag_samples}")
    return int(np.argmax(np.abs(correlate(a, b, max_lag_samples)))) - max_lag_samples
