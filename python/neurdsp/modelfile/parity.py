"""Parity vectors: the inputs of a model file and the outputs that the trained model gave for them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neurdsp.errors import ParameterError

__all__ = ["build_parity", "parity_error_db"]

_Arrays = NDArray[np.float32] | Mapping[str, NDArray[np.float32]]


def build_parity(inputs: _Arrays, outputs: _Arrays) -> dict[str, NDArray[np.float32]]:
    """Build the tensors that prove a model.

    Parameters
    ----------
    inputs
        float32 array of any shape, or several by name.
    outputs
        What the trained model gives for them: an array, or several by name.

    Returns
    -------
    dict of str to ndarray
        ``parity.input`` and ``parity.output``; of several, ``parity.input.NAME`` and ``parity.output.NAME``.

    Raises
    ------
    ParameterError
        If an array is not float32, or if a mapping is empty or has an empty name or the name ``input`` (of
        an output, ``output``).

    Examples
    --------
    >>> signal = np.zeros((2, 100), np.float32)
    >>> sorted(build_parity({"audio": signal, "gain": np.ones(1, np.float32)}, signal))
    ['parity.input.audio', 'parity.input.gain', 'parity.output']
    """
    return {**_named("parity.input", inputs), **_named("parity.output", outputs)}


def parity_error_db(expected: NDArray[np.floating], found: NDArray[np.floating]) -> float:
    """Measure how far an output is from the one that the trained model gave.

    Parameters
    ----------
    expected, found
        Arrays of the same shape.

    Returns
    -------
    float
        Energy of the difference relative to the energy of `expected`, in dB; ``-inf`` if they are equal.

    Raises
    ------
    ParameterError
        If the shapes differ.

    Examples
    --------
    >>> round(parity_error_db(np.ones(4), np.full(4, 1.001)), 1)
    -60.0
    """
    if expected.shape != found.shape:
        raise ParameterError(f"found has shape {found.shape}, but must have {expected.shape} as expected has")
    wanted = expected.astype(np.float64)
    error = float(np.sum((found.astype(np.float64) - wanted) ** 2))
    if error == 0:
        return -np.inf
    energy = float(np.sum(wanted**2))
    return float(10 * np.log10(error / energy)) if energy > 0 else np.inf


def _named(prefix: str, arrays: _Arrays) -> dict[str, NDArray[np.float32]]:
    if isinstance(arrays, Mapping):
        # The engine gives this name to an array that is the only one.
        reserved = prefix.removeprefix("parity.")
        if not arrays or "" in arrays or reserved in arrays:
            raise ParameterError(
                f"{prefix} needs at least one array, each with a name that is not {reserved!r} and not empty"
            )
        named = {f"{prefix}.{name}": array for name, array in arrays.items()}
    else:
        named = {prefix: arrays}
    for name, array in named.items():
        if array.dtype != np.float32:
            raise ParameterError(
                f"{name} is {array.dtype}, but must be float32; convert it with astype(np.float32)"
            )
    return named
