"""Checks of parameters, whose errors give name, value and what is allowed in one line."""

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from neurdsp.errors import ParameterError

__all__ = [
    "axis_of",
    "choice",
    "complex_type",
    "flag",
    "integer",
    "number",
    "padded_lengths",
    "real_type",
    "shown",
    "told_by",
]

Choice = TypeVar("Choice")


def integer(name: str, value: Any, least: int, most: int = (1 << 63) - 1) -> int:
    """Return ``value`` as an int from ``least`` to ``most``.

    Raises
    ------
    ParameterError
        If it is not an integer, or outside these bounds.
    """
    try:
        index = operator.index(value)
    except TypeError:
        index = None
    if index is None or isinstance(value, (bool, np.bool_)) or not least <= index <= most:
        allowed = f"of at least {least}" if most >> 62 else f"from {least} to {most}"
        raise ParameterError(f"{name} is {shown(value)}, but it must be an integer {allowed}")
    return index


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> float:
    """Return ``value`` as a finite float, above ``above``, at least ``least`` and at most ``most``.

    Raises
    ------
    ParameterError
        If it is not a number, not finite, or outside these bounds.
    """
    try:
        found = np.nan if isinstance(value, (str, bytes)) or np.ndim(value) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = np.nan
    inside = (
        np.isfinite(found)
        and (above is None or found > above)
        and (least is None or found >= least)
        and (most is None or found <= most)
    )
    if not inside:
        allowed = "a finite number"
        allowed += "" if above is None else f" above {above:g}"
        allowed += "" if least is None else f" of at least {least:g}"
        allowed += "" if most is None else f" and at most {most:g}"
        raise ParameterError(f"{name} is {shown(value)}, but it must be {allowed}")
    return found


def flag(name: str, value: Any) -> bool:
    """Return ``value`` as a bool: True, False, 1, 0, or an array of one of them, as MATLAB files hold.

    Raises
    ------
    ParameterError
        If it is anything else, perhaps meant for another parameter.
    """
    single = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    if isinstance(single, (bool, int, np.bool_, np.integer)) and single in (0, 1):
        return bool(single)
    raise ParameterError(f"{name} is {shown(value)}, but it must be True or False")


def choice(name: str, value: Choice, allowed: tuple[Any, ...]) -> Choice:
    """Return ``value`` if it is one of ``allowed``: strings, small integers or None.

    Raises
    ------
    ParameterError
        If it is not; the error lists what is allowed.
    """
    # By type as well: an array compares with anything, and True is one.
    if any(type(value) is type(known) and value == known for known in allowed):
        return value
    *rest, last = [repr(known) for known in allowed]
    raise ParameterError(f"{name} is {shown(value)}, but it must be {', '.join(rest)} or {last}")


def padded_lengths(lengths: Any, shape: tuple[int, ...], name: str) -> list[int]:
    """Return the lengths of the signals in a padded batch ``(batch, n_samples)``, one for each.

    Raises
    ------
    ParameterError
        If the batch has another shape, or a length is no integer from 1 to ``n_samples``.
    """
    if len(shape) != 2:
        raise ParameterError(f"{name} has shape {shape}, but with lengths it must be (batch, n_samples)")
    try:
        array = np.asarray(lengths)
        whole = array.dtype.kind in "iu" and array.shape == shape[:1]
        sizes = array.tolist() if whole else []
    except (TypeError, ValueError, RuntimeError):
        sizes = []
    if len(sizes) != shape[0] or not all(1 <= size <= shape[1] for size in sizes):
        raise ParameterError(
            f"lengths is {shown(lengths)}, but it must be {shape[0]} integers from 1 to {shape[1]}: "
            f"samples of each row of {name}"
        )
    return sizes


def axis_of(value: Any, ndim: int, what: str, name: str = "axis") -> int:
    """Return ``value`` as a dimension of ``what``, counted from the front.

    Raises
    ------
    ParameterError
        If there is no such dimension.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and -ndim <= value < ndim:
        return int(value) % ndim
    raise ParameterError(
        f"{name} is {shown(value)}, but {what} has {ndim} dimensions; pass an integer from {-ndim} to "
        f"{ndim - 1}"
    )


def real_type(dtype: Any) -> np.dtype[Any]:
    """Return float32 or float64, given by numpy or torch; raise ParameterError for other types."""
    return _one_of(dtype, ("float32", "float64"))


def complex_type(dtype: Any) -> np.dtype[Any]:
    """Return complex64 or complex128, given by numpy or torch; raise ParameterError for other types."""
    return _one_of(dtype, ("complex64", "complex128"))


def told_by(name: str, function: Callable[[Any], Any], argument: Any) -> npt.NDArray[Any]:
    """Return the result of a caller's function as an array of finite numbers.

    Raises
    ------
    ParameterError
        If it does not accept the argument, or returns anything else.
    """
    try:
        found = np.asarray(function(argument), np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"{name} is {shown(function)}, which gave no number: {shown(error)}; pass a function such as "
            "numpy.max"
        ) from error
    if not np.isfinite(found).all():
        raise ParameterError(f"{name} is {shown(function)}, which gave NaN or infinity; pass finite numbers")
    return found


def shown(value: Any) -> str:
    """Return the ``repr`` of a value on one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _one_of(dtype: Any, allowed: tuple[str, str]) -> np.dtype[Any]:
    if type(dtype).__module__ == "torch":
        dtype = str(dtype).removeprefix("torch.")
    try:
        wanted: np.dtype[Any] | None = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError):
        wanted = None
    if dtype is None or wanted is None or wanted.name not in allowed or not wanted.isnative:
        found = shown(dtype) if wanted is None or dtype is None else wanted
        raise ParameterError(f"dtype is {found}, but it must be {allowed[0]} or {allowed[1]}")
    return wanted
