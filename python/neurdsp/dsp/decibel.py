"""Decibels of power and amplitude, and back, as librosa's."""

from collections.abc import Callable
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.arrays import Array
from neurdsp.dsp.checks import number, told_by
from neurdsp.dsp.options import Other
from neurdsp.dsp.values import lists_and_tensors, take_values
from neurdsp.errors import ParameterError

__all__ = ["amplitude_to_db", "db_to_amplitude", "db_to_power", "power_to_db"]

Reference = float | Callable[[Any], Any]

# An amplitude up to this has a square.
_SQUARED = 1e150


@overload
def power_to_db(
    S: Other, *, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> Other: ...
@overload
def power_to_db(
    S: npt.ArrayLike, *, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> Array: ...
@lists_and_tensors("S")
def power_to_db(S: Any, *, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0) -> Any:
    """Convert power to decibels, ``10 log10(S / ref)``, kept finite and within ``top_db`` of the peak.

    Parameters
    ----------
    S
        Power: real numbers of any shape, a torch tensor, or a list of arrays.
    ref
        Power of 0 dB: a number, or a function of ``S`` such as ``numpy.max``.
    amin
        Lower limit of ``S`` and of ``ref``.
    top_db
        Range of the result below its maximum; None for no limit.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        Decibels, of the shape and kind of ``S``.

    Raises
    ------
    ParameterError
        If ``S`` or what ``ref`` returns is not numbers, ``amin`` is not positive or ``top_db`` is negative.

    Warns
    -----
    UserWarning
        If ``S`` is complex: its magnitude is then taken as power.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.power_to_db(np.array([1.0, 10.0, 0.0])).tolist()
    [0.0, 10.0, -70.0]
    """
    power = take_values(
        S,
        "S",
        notice="power_to_db was called on complex input: it takes magnitudes as power and drops the phase; "
        "pass numpy.abs(S)**2 for the power",
    )
    return _decibels(power, _reference(ref, power), number("amin", amin, above=0), top_db)


@overload
def db_to_power(S_db: Other, *, ref: float = 1.0) -> Other: ...
@overload
def db_to_power(S_db: npt.ArrayLike, *, ref: float = 1.0) -> Array: ...
@lists_and_tensors("S_db")
def db_to_power(S_db: Any, *, ref: float = 1.0) -> Any:
    """Convert decibels to power, ``ref * 10 ** (S_db / 10)``.

    Parameters
    ----------
    S_db
        Decibels: real numbers of any shape, a torch tensor, or a list of arrays.
    ref
        Power of 0 dB.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        Power, of the shape and kind of ``S_db``.

    Raises
    ------
    ParameterError
        As `power_to_db`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.db_to_power(np.array([0.0, 10.0])).tolist()
    [1.0, 10.0]
    """
    decibels = take_values(S_db, "S_db")
    return _reference(ref, decibels) * np.power(10.0, decibels * 0.1)


@overload
def amplitude_to_db(
    S: Other, *, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0
) -> Other: ...
@overload
def amplitude_to_db(
    S: npt.ArrayLike, *, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0
) -> Array: ...
@lists_and_tensors("S")
def amplitude_to_db(S: Any, *, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0) -> Any:
    """Convert amplitude to decibels, ``20 log10(|S| / ref)``.

    Parameters
    ----------
    S
        Amplitude: real numbers of any shape, a torch tensor, or a list of arrays.
    ref
        Amplitude of 0 dB: a number, or a function of ``|S|`` such as ``numpy.max``.
    amin, top_db
        As in `power_to_db`; ``amin`` is an amplitude.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        Decibels, of the shape and kind of ``S``.

    Raises
    ------
    ParameterError
        As `power_to_db`.

    Warns
    -----
    UserWarning
        If ``S`` is complex: its phase is then dropped.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.amplitude_to_db(np.array([1.0, 10.0])).tolist()
    [0.0, 20.0]
    """
    notice = "amplitude_to_db was called on complex input and drops its phase; pass numpy.abs(S)"
    magnitude = np.abs(take_values(S, "S", notice=notice))
    reference, amin = _reference(ref, magnitude, _SQUARED), number("amin", amin, above=0, most=_SQUARED)
    return _decibels(np.square(magnitude), reference**2, amin * amin, top_db)


@overload
def db_to_amplitude(S_db: Other, *, ref: float = 1.0) -> Other: ...
@overload
def db_to_amplitude(S_db: npt.ArrayLike, *, ref: float = 1.0) -> Array: ...
@lists_and_tensors("S_db")
def db_to_amplitude(S_db: Any, *, ref: float = 1.0) -> Any:
    """Convert decibels to amplitude, ``ref * 10 ** (S_db / 20)``.

    Parameters
    ----------
    S_db
        Decibels: real numbers of any shape, a torch tensor, or a list of arrays.
    ref
        Amplitude of 0 dB.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        Amplitude, of the shape and kind of ``S_db``.

    Raises
    ------
    ParameterError
        As `power_to_db`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.db_to_amplitude(np.array([0.0, 20.0])).tolist()
    [1.0, 10.0]
    """
    decibels = take_values(S_db, "S_db")
    return db_to_power(decibels, ref=_reference(ref, decibels, _SQUARED) ** 2) ** 0.5


def _decibels(power: Array, reference: Any, amin: float, top_db: float | None) -> Any:
    # Infinity stands for no limit, as None does.
    unlimited = top_db is None or (isinstance(top_db, float) and top_db == np.inf)
    range_db = None if unlimited else number("top_db", top_db, least=0)
    # Below the smallest number of the type, the floor would be zero and its logarithm infinite.
    floor = power.dtype.type(max(amin, np.finfo(power.dtype).tiny))
    decibels = 10.0 * np.log10(np.maximum(floor, power))
    decibels -= np.asarray(10.0 * np.log10(np.maximum(amin, reference)), decibels.dtype)
    if range_db is not None and power.size:
        decibels = np.maximum(decibels, decibels.max() - power.dtype.type(range_db))
    return decibels


def _reference(ref: Any, values: Array, most: float | None = None) -> Any:
    """Return the magnitude of a reference: a number, or an array that broadcasts to the values."""
    if callable(ref):
        found = told_by("ref", ref, values)
    elif isinstance(ref, (list, tuple, np.ndarray)):
        found = take_values(ref, "ref")
        if not np.isfinite(found).all():
            raise ParameterError("ref holds what is not a finite number; pass finite numbers or a function")
    else:
        ref = abs(ref) if isinstance(ref, (complex, np.complexfloating)) else ref
        least = None if most is None else -most
        return abs(number("ref", ref, least=least, most=most))
    try:
        fits = np.broadcast_shapes(found.shape, values.shape) == values.shape
    except ValueError:
        fits = False
    if not fits:
        raise ParameterError(
            f"ref has shape {found.shape}, which does not go with values of shape {values.shape}; pass one "
            "number"
        )
    return float(np.abs(found)) if found.ndim == 0 else np.abs(found).astype(values.dtype)
