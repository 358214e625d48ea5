"""Arrays for the core: numpy or torch, with leading dimensions or as ragged lists, with few copies."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from neurdsp.errors import ParameterError

__all__ = ["Array", "Batch", "allocate", "as_numpy", "naming_rows", "take_real", "take_spectrum"]

Array: TypeAlias = npt.NDArray[Any]


class Batch(NamedTuple):
    """Input in the form that the core reads.

    Attributes
    ----------
    entries
        One stack for a plain array, or one for each entry of a ragged list: ``(rows, n)`` or ``(rows, bins,
        frames)``.
    leading
        The leading dimensions of each entry.
    ragged
        Whether the input was a list; the result then is one too.
    torch
        Whether the input was a torch tensor or several; the result then is too.
    """

    entries: list[Array]
    leading: list[tuple[int, ...]]
    ragged: bool
    torch: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """The common type of all entries."""
        return self.entries[0].dtype

    def give_back(self, results: list[Array]) -> Any:
        """Return results ``(rows, ...)`` in the shape and kind of the input."""
        if not self.ragged and not self.torch and not self.leading[0]:
            return results[0][0]
        shaped: list[Any] = [
            result.reshape(*leading, *result.shape[1:])
            for result, leading in zip(results, self.leading, strict=True)
        ]
        if self.torch:
            torch = sys.modules["torch"]
            shaped = [torch.from_numpy(result) for result in shaped]
        return shaped if self.ragged else shaped[0]


@contextlib.contextmanager
def naming_rows(batch: Batch, name: str) -> Iterator[None]:
    """Put the row of a batch before an error of the core, which knows only the sample or frame in it."""
    try:
        yield
    except ParameterError as error:
        label = None if len(batch.entries) == 1 and len(batch.entries[0]) == 1 else _worst(batch, name)
        if label is None:
            raise
        raise ParameterError(f"{label}: {error}") from None


def _worst(batch: Batch, name: str) -> str | None:
    """Return the name of the first row that is not finite, else of that with the largest value."""
    found, most = None, np.sqrt(np.finfo(np.float32).max)
    for i, (entry, leading) in enumerate(zip(batch.entries, batch.leading, strict=True)):
        for j, row in enumerate(entry):
            largest = np.abs(row).max()
            if largest < most:
                continue
            place = ", ".join(map(str, np.unravel_index(j, leading))) if leading else ""
            found = name + (f"[{i}]" if batch.ragged else "") + (f"[{place}]" if place else "")
            if not largest < np.inf:
                return found
            most = largest
    return found


def take_real(y: Any, name: str = "y") -> Batch:
    """Return audio as rows of samples.

    Parameters
    ----------
    y
        float32 or float64, ``(..., n_samples)``; a numpy array, a torch tensor on the CPU, or a list of them.
    name
        Name of the parameter, for errors.

    Raises
    ------
    ParameterError
        If ``y`` is of any other type, empty or without dimensions.
    """
    return _take(y, name, "audio", 1)


def take_spectrum(spectrum: Any, name: str) -> Batch:
    """Return complex spectra as stacks ``(rows, n_bins, n_frames)``; errors as in `take_real`."""
    return _take(spectrum, name, "a complex STFT", 2)


def allocate(batch: Batch, shapes: Sequence[tuple[int, ...]], dtype: npt.DTypeLike, out: Any) -> list[Array]:
    """Return arrays for the results, ``(rows, *shape)`` for each entry: the caller's ``out`` or new ones."""
    if out is None:
        pairs = zip(batch.entries, shapes, strict=True)
        return [_empty((entry.shape[0], *shape), dtype) for entry, shape in pairs]
    dtype = np.dtype(dtype)
    if batch.ragged and not isinstance(out, (list, tuple)):
        raise ParameterError(f"out is a {type(out).__name__}, but the input is a list; pass a list of arrays")
    outs = list(out) if batch.ragged else [out]
    if len(outs) != len(batch.entries):
        raise ParameterError(
            f"out has {len(outs)} arrays for {len(batch.entries)} inputs; pass one for each input"
        )
    stacks = []
    for target, shape, leading in zip(outs, shapes, batch.leading, strict=True):
        array, _ = as_numpy(target, "out")
        wanted = (*leading, *shape)
        if array.shape != wanted or array.dtype != dtype:
            raise ParameterError(
                f"out is {array.dtype} of shape {array.shape}, but the result is {dtype} of shape "
                f"{wanted}; make it with numpy.empty({wanted}, numpy.{dtype})"
            )
        if not array.flags.c_contiguous or not array.flags.writeable:
            raise ParameterError("out must be writeable and C-contiguous; pass a new numpy.empty(...) array")
        stacks.append(array.reshape(-1, *shape))
    return stacks


def _empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    try:
        return np.empty(shape, dtype)
    except (MemoryError, ValueError):
        raise ParameterError(
            f"the result would have shape {shape} in {np.dtype(dtype)}, more than there is memory for; raise "
            "hop_length, lower n_fft or length, or pass fewer rows"
        ) from None


def _take(data: Any, name: str, what: str, n_core: int) -> Batch:
    if isinstance(data, np.ndarray) and data.flags.c_contiguous and data.flags.aligned:
        # The usual case: nothing to convert or to copy.
        _check(data, name, what, n_core)
        core = data.shape[-n_core:]
        return Batch([data.reshape(-1, *core)], [data.shape[:-n_core]], False, False)
    ragged = isinstance(data, (list, tuple))
    items = list(data) if ragged else [data]
    if not items:
        raise ParameterError(f"{name} is an empty list; pass at least one array")
    pairs = [as_numpy(item, f"{name}[{i}]" if ragged else name) for i, item in enumerate(items)]
    entries, leading = [], []
    for i, (array, _) in enumerate(pairs):
        label = f"{name}[{i}]" if ragged else name
        _check(array, label, what, n_core)
        leading.append(array.shape[:-n_core])
        # Rows may lie anywhere in memory, but each must be contiguous.
        rows = array.reshape(-1, *array.shape[-n_core:])
        inner = rows.itemsize
        contiguous = rows.flags.c_contiguous or (n_core == 1 and rows.strides[-1] == inner)
        entries.append(rows if contiguous and rows.flags.aligned else np.ascontiguousarray(rows))
    widest = np.result_type(*{entry.dtype for entry in entries})
    entries = [entry.astype(widest, copy=False) for entry in entries]
    return Batch(entries, leading, ragged, any(is_torch for _, is_torch in pairs))


def as_numpy(data: Any, name: str) -> tuple[Array, bool]:
    """Return a numpy array or a torch tensor as an array, without a copy, and whether it was a tensor.

    Raises
    ------
    ParameterError
        If it is anything else, or a tensor on another device or with a gradient.
    """
    if isinstance(data, np.ndarray):
        return data, False
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(data, torch.Tensor):
        if data.device.type != "cpu":
            raise ParameterError(
                f"{name} is a tensor on {data.device}; the core works on the CPU: pass {name}.cpu()"
            )
        if data.requires_grad and torch.is_grad_enabled():
            raise ParameterError(
                f"{name} requires a gradient, which this function does not carry; pass {name}.detach(), or "
                "call it under torch.no_grad()"
            )
        plain = data.detach().resolve_conj().resolve_neg()
        try:
            return plain.numpy(), True
        except (RuntimeError, TypeError):
            raise ParameterError(
                f"{name} is a tensor of {data.dtype} ({data.layout}), unknown to numpy; pass {name}.float()"
            ) from None
    raise ParameterError(
        f"{name} is a {type(data).__name__}; pass a numpy array, a torch tensor or a list of arrays "
        "(numpy.asarray(...) makes one)"
    )


def _check(array: Array, name: str, what: str, n_core: int) -> None:
    complex_wanted = n_core == 2
    if array.dtype.char not in ("FD" if complex_wanted else "fd") or not array.dtype.isnative:
        allowed = ("complex64", "complex128") if complex_wanted else ("float32", "float64")
        if array.dtype.kind in "iu" and not complex_wanted:
            scale = f" / {np.iinfo(array.dtype).max + 1}" if array.dtype.kind == "i" else ""
            step = f"convert it to full scale 1.0 with {name}.astype(numpy.float32){scale}"
        else:
            step = f"convert it with {name}.astype(numpy.{allowed[0]})"
        raise ParameterError(
            f"{name} is {array.dtype}, but {what} must be {allowed[0]} or {allowed[1]}; {step}"
        )
    if array.ndim < n_core:
        needed = "(..., n_samples)" if n_core == 1 else "(..., n_bins, n_frames)"
        raise ParameterError(f"{name} has shape {array.shape}, but {what} needs {needed}; reshape it")
    if array.size == 0:
        raise ParameterError(f"{name} is empty (shape {array.shape}); pass at least one sample")
