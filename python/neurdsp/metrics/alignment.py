"""Gain and lag that bring one signal closest to another: check them first if a null test fails."""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from neurdsp.errors import ParameterError
from neurdsp.metrics.error import check_pair

__all__ = ["best_gain", "best_lag_samples", "correlate"]


def best_gain(target: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the factor on ``predicted`` that minimises the error energy: 1 if the level is right.

    Parameters
    ----------
    target, predicted : array_like of float, shape (n_samples,)
        The desired and the actual signal.

    Returns
    -------
    float
        ``<target, predicted> / <predicted, predicted>``; negative if the polarity is inverted.

    Raises
    ------
    ParameterError
        If ``predicted`` is silent, or either signal is empty, not mono, not finite or of another length.

    Examples
    --------
    >>> best_gain([1.0, -1.0], [0.5, -0.5])
    2.0
    """
    a, b = (signal.astype(np.float64) for signal in check_pair(target, predicted))
    energy = float(np.dot(b, b))
    if energy == 0:
        raise ParameterError(
            "predicted is silent, so no gain brings it closer to the target; choose another passage"
        )
    return float(np.dot(a, b)) / energy


def correlate(
    target: npt.NDArray[np.floating], predicted: npt.NDArray[np.floating], max_lag_samples: int
) -> npt.NDArray[np.float64]:
    """Return the sums of ``target[n] * predicted[n + lag]`` for lags of at most ``max_lag_samples``.

    The target is cut into rows. One matrix product multiplies each row with the prediction around it, and the
    sums of its diagonals are the result: as exact as one sum per lag, and much faster.

    Returns
    -------
    ndarray of float64, shape (2 * max_lag_samples + 1,)
        The lag rises from ``-max_lag_samples``.
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
    """Return the lag of ``predicted`` behind ``target`` with the strongest correlation, of either sign.

    Parameters
    ----------
    target, predicted : array_like of float, shape (n_samples,)
        The desired and the actual signal.
    max_lag_samples : int
        Largest lag to consider, in both directions.

    Returns
    -------
    int
        Lag in samples: positive if ``predicted`` is late, 0 if it is aligned.

    Raises
    ------
    ParameterError
        If ``max_lag_samples`` is negative, or either signal is empty, not mono, not finite or of another
        length.

    Examples
    --------
    >>> best_lag_samples([0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], max_lag_samples=3)
    2
    """
    a, b = check_pair(target, predicted)
    if max_lag_samples < 0:
        raise ParameterError(f"max_lag_samples must be at least 0, got {max_lag_samples}")
    return int(np.argmax(np.abs(correlate(a, b, max_lag_samples)))) - max_lag_samples
