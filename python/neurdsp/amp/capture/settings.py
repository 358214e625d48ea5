"""Which settings of a device's knobs to capture.

Settings come from a Latin hypercube (M. McKay, R. Beckman, W. Conover, 1979): in ``n`` captures every knob
takes ``n`` different positions, evenly spaced from one end to the other. Of many such hypercubes, the one
whose two nearest settings are farthest apart is used. A hypercube rarely contains the corners, where every
knob is at an end. They can be captured as well, so that a model never extrapolates.
"""

import itertools

import numpy as np
import numpy.typing as npt

from neurdsp.errors import ParameterError

__all__ = ["corner_settings", "latin_hypercube"]

_MAX_CORNER_KNOBS = 4
_DRAWS = 2_000


def latin_hypercube(n_settings: int, n_knobs: int, *, seed: int = 0) -> npt.NDArray[np.float64]:
    """Spread settings evenly over all positions.

    Parameters
    ----------
    n_settings
        At least 2.
    n_knobs
        1 or more.
    seed
        The same seed gives the same settings.

    Returns
    -------
    ndarray of float64, shape (n_settings, n_knobs)
        Each column holds each of ``0, 1 / (n - 1), ..., 1`` once.

    Raises
    ------
    ParameterError
        For fewer than 2 settings or no knob.

    Examples
    --------
    >>> latin_hypercube(3, 1).ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    if n_settings < 2 or n_knobs < 1:
        raise ParameterError(
            f"{n_settings} settings of {n_knobs} knobs are no sweep; give at least 2 settings and 1 knob"
        )
    if n_knobs == 1:
        return np.linspace(0, 1, n_settings)[:, None]
    rng = np.random.default_rng(seed)
    best, farthest = np.zeros((n_settings, n_knobs)), -1.0
    for _ in range(_DRAWS):
        columns = [rng.permutation(n_settings) for _ in range(n_knobs)]
        settings = np.stack(columns, axis=1) / (n_settings - 1)
        squares = np.sum((settings[:, None] - settings[None]) ** 2, axis=2)
        nearest = float(squares[np.triu_indices(n_settings, 1)].min())
        if nearest > farthest:
            best, farthest = settings, nearest
    return best


def corner_settings(n_knobs: int) -> npt.NDArray[np.float64]:
    """Return the settings at which every knob is at one of its ends.

    Parameters
    ----------
    n_knobs
        1 to 4; each knob doubles the number of corners.

    Returns
    -------
    ndarray of float64, shape (2**n_knobs, n_knobs)

    Raises
    ------
    ParameterError
        For any other number of knobs.

    Examples
    --------
    >>> corner_settings(2).tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    if not 1 <= n_knobs <= _MAX_CORNER_KNOBS:
        raise ParameterError(
            f"{n_knobs} knobs have {2**n_knobs} corners, too many to capture; sweep at most "
            f"{_MAX_CORNER_KNOBS} knobs, or leave the corners out: --no-corners"
        )
    return np.array(list(itertools.product((0.0, 1.0), repeat=n_knobs)))
