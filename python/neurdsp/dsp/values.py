"""What functions of plain numbers share: lists and tensors in and out, and checks that data are numbers."""

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeGuard, TypeVar, cast

import numpy as np

from neurdsp._notices import warn
from neurdsp.dsp.arrays import Array, as_numpy
from neurdsp.dsp.checks import shown
from neurdsp.errors import ParameterError

__all__ = ["lists_and_tensors", "take_values"]

Function = TypeVar("Function", bound=Callable[..., Any])


def lists_and_tensors(*names: str) -> Callable[[Function], Function]:
    """Make a function of one array return tensors for tensors, and a list for a list of arrays.

    Parameters
    ----------
    *names
        Parameters that may hold the data; the first may be given by position too.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def run(*arguments: Any, **parameters: Any) -> Any:
            if len(arguments) == 1 and names[0] not in parameters:
                parameters, arguments = {names[0]: arguments[0], **parameters}, ()
            name = next((name for name in names if parameters.get(name) is not None), names[0])
            data = parameters.get(name)
            if _is_ragged(data):
                return [run(*arguments, **{**parameters, name: entry}) for entry in data]
            if not _is_tensor(data):
                return function(*arguments, **parameters)
            return _as_tensors(function(*arguments, **{**parameters, name: as_numpy(data, name)[0]}))

        return cast(Function, run)

    return decorate


def take_values(
    data: Any, name: str, *, least_dims: int = 0, shape: str = "(...)", notice: str | None = None
) -> Array:
    """Return real numbers as float32 or float64, native and on the CPU.

    Parameters
    ----------
    data
        A numpy array, a torch tensor, a number or nested lists of numbers. float16 becomes float32; integers
        become float64.
    name
        Name of the parameter, for errors.
    least_dims, shape
        Least number of dimensions, and how an error writes the shape.
    notice
        If given, complex numbers are replaced by their magnitudes, with this warning.

    Raises
    ------
    ParameterError
        If ``data`` is not real numbers, or has too few dimensions.
    """
    try:
        array = as_numpy(data, name)[0] if _is_tensor(data) else np.asarray(data)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"{name} is {shown(data)}, which is no array of numbers: {shown(error)}"
        ) from error
    if array.dtype.kind == "c" and notice is not None:
        warn(notice)
        array = np.abs(array)
    if array.dtype.kind not in "fiu":
        what = f"a {type(data).__name__}" if array.dtype.kind == "O" and array.ndim == 0 else array.dtype
        raise ParameterError(f"{name} is {what}, but it must be real numbers; pass a float32 array {shape}")
    if array.ndim < least_dims:
        raise ParameterError(f"{name} has shape {array.shape}, but it must be {shape}; reshape it")
    single = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return array.astype(np.float32 if single else np.float64, copy=False)


def _is_tensor(data: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(data, torch.Tensor)


def _is_ragged(data: Any) -> TypeGuard[list[Any]]:
    """Whether data is a list of arrays: nested lists of numbers are one array."""
    return (
        isinstance(data, (list, tuple))
        and len(data) > 0
        and all(_is_tensor(entry) or isinstance(entry, np.ndarray) for entry in data)
    )


def _as_tensors(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(_as_tensors(part) for part in result)
    return sys.modules["torch"].from_numpy(np.asarray(result, order="C"))
