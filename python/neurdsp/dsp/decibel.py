"""Decibels of power and amplitude, and back, as librosa's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.notices import warn
from neurdsp.dsp.plans import number
from neurdsp.errors import ParameterError

__all__ = ["amplitude_to_db", "db_to_amplitude", "db_to_power", "power_to_db"]

Reference = float | Callable[[Any], Any]


def power_to_db(
    S: npt.ArrayLike, *, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> Any:
    """``10 log10(S / ref)``, kept finite and within ``top_db`` of its peak.

    Parameters
    ----------
    S
        Power.
    ref
        What 0 dB is: a number, or a function of ``S`` such as ``numpy.max``.
    amin
        The least power that counts, of ``S`` and of ``ref``.
    top_db
        The result is at least its maximum less this; None for no limit.

    Returns
    -------
    numpy.ndarray
        Decibels, of the shape of ``S``.

    Raises
    ------
    ParameterError
        If ``amin`` is not positive or ``top_db`` is negative.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.power_to_db(np.array([1.0, 10.0, 0.0])).tolist()
    [0.0, 10.0, -70.0]
    """
    power = np.asarray(S)
    amin = number("amin", amin, above=0)
    # Infinity stands for no limit, as None does.
    top_db = None if top_db is None or top_db == np.inf else number("top_db", top_db, least=0)
    if np.iscomplexobj(power):
        warn(
            "power_to_db was called on complex input: it takes magnitudes as power and drops the phase; pass "
            "numpy.abs(S)**2 for the power"
        )
        power = np.abs(power)
    reference = ref(power) if callable(ref) else np.abs(_reference(ref))
    decibels = 10.0 * np.log10(np.maximum(amin, power))
    decibels -= 10.0 * np.log10(np.maximum(amin, reference))
    if top_db is not None and power.size:
        decibels = np.maximum(decibels, decibels.max() - top_db)
    return decibels


def db_to_power(S_db: npt.ArrayLike, *, ref: float = 1.0) -> Any:
    """``ref * 10 ** (S_db / 10)``."""
    return _reference(ref) * np.power(10.0, np.asarray(S_db) * 0.1)


def amplitude_to_db(
    S: npt.ArrayLike, *, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0
) -> Any:
    """``20 log10(|S| / ref)``; parameters as in `power_to_db`."""
    if np.iscomplexobj(S):
        warn("amplitude_to_db was called on complex input and drops its phase; pass numpy.abs(S)")
    magnitude = np.abs(np.asarray(S))
    reference = ref(magnitude) if callable(ref) else np.abs(_reference(ref))
    amin = number("amin", amin, above=0)
    return power_to_db(np.square(magnitude), ref=lambda _: reference**2, amin=amin * amin, top_db=top_db)


def db_to_amplitude(S_db: npt.ArrayLike, *, ref: float = 1.0) -> Any:
    """``ref * 10 ** (S_db / 20)``."""
    return db_to_power(S_db, ref=_reference(ref) ** 2) ** 0.5


def _reference(ref: Any) -> Any:
    """Return a reference that is a number, or an array of numbers, all finite."""
    if np.ndim(ref) == 0:
        return np.abs(ref) if isinstance(ref, (complex, np.complexfloating)) else number("ref", ref)
    values = np.asarray(ref)
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise ParameterError("ref holds what is not a finite number; pass finite numbers or a function")
    return values
