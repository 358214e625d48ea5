"""What all spectrograms share: checked parameters, planned, and run on a batch."""

from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.arrays import Array, Batch, allocate, naming_rows, take_real
from neurdsp.dsp.checks import choice, integer, number, real_type
from neurdsp.dsp.frames import FrameKey, threads_for, warn_of_short_input
from neurdsp.dsp.options import Log
from neurdsp.dsp.plans import FilterKey, LogKey, SpectrogramKey, planned_spectrogram
from neurdsp.errors import ParameterError

__all__ = ["SpectrogramEngine", "spectrogram_key"]

_LOG_SCALES = {"ln": 1.0, "log10": 1.0 / np.log(10.0), "db": 10.0 / np.log(10.0)}


def spectrogram_key(
    frames: FrameKey,
    *,
    power: float = 2.0,
    eps: float = 0.0,
    filters: FilterKey | None = None,
    n_bins: int | None = None,
    log: Log | None = None,
    floor: float = 0.0,
    offset: float = 0.0,
) -> SpectrogramKey:
    """Check the parameters of a spectrogram.

    Parameters
    ----------
    frames
        The framing.
    power, eps, filters
        As in `SpectrogramKey`.
    n_bins
        Linear bins to keep; all of them by default.
    log, floor, offset
        The logarithm of ``max(value, floor) + offset``.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.
    """
    choice("log", log, (*_LOG_SCALES, None))
    # Up to what is finite in single precision too.
    floor, offset, eps = (
        number(name, value, least=0, most=1e30)
        for name, value in (("floor", floor), ("offset", offset), ("eps", eps))
    )
    if log is not None and floor + offset == 0:
        raise ParameterError("floor is 0, but the logarithm of silence needs a positive floor or offset")
    return SpectrogramKey(
        frames=frames,
        power=number("power", power, above=0),
        eps=eps,
        filters=filters,
        n_bins=frames.n_bins if n_bins is None else integer("n_bins", n_bins, 1, frames.n_bins),
        log=None if log is None else LogKey(floor, offset, float(_LOG_SCALES[log])),
    )


class SpectrogramEngine:
    """A planned spectrogram: a plan for each precision, run on a batch.

    Parameters
    ----------
    key
        The parameters.
    exact
        Whether float32 is transformed in double precision.

    Raises
    ------
    ParameterError
        If the core refuses a parameter.
    """

    def __init__(self, key: SpectrogramKey, *, exact: bool = False) -> None:
        self.key, self.exact = key, exact
        self._plan = planned_spectrogram(key, exact)
        self._shortest, self._longest = key.frames.short_lengths()

    def __reduce__(self) -> tuple[Any, ...]:
        return _engine, (self.key, self.exact)

    @property
    def frames(self) -> FrameKey:
        """The framing."""
        return self.key.frames

    def plan(self, double: bool = False) -> _core.Spectrogram:
        """Return the plan for float32, or for float64 in or out."""
        return planned_spectrogram(self.key, True) if double and not self.exact else self._plan

    def run_short(self, y: Any) -> npt.NDArray[np.float32] | None:
        """Return the spectrogram of one short float32 signal, or None if ``y`` is anything else.

        The way of small calls: the core looks at the array itself, and no warning is due.
        """
        return self._plan.of_one(y, self._shortest, self._longest)

    def run(self, y: Any, *, dtype: npt.DTypeLike | None, out: Any, n_threads: int | None) -> Any:
        """Return the spectrogram of ``y``, in its kind and shape."""
        batch = take_real(y)
        results = self.results(batch, dtype=dtype, out=out, n_threads=n_threads)
        return batch.give_back(results) if out is None else out

    def results(
        self, batch: Batch, *, dtype: npt.DTypeLike | None, out: Any, n_threads: int | None
    ) -> list[Array]:
        """Return the spectrograms of a batch, ``(rows, n_rows, n_frames)`` for each entry."""
        dtype = batch.dtype if dtype is None else real_type(dtype)
        plan = self.plan(batch.dtype == np.float64 or dtype == np.float64)
        warn_of_short_input(batch.entries, self.frames)
        shapes = [(plan.n_rows, plan.n_frames(entry.shape[-1])) for entry in batch.entries]
        results = allocate(batch, shapes, dtype, out)
        with naming_rows(batch, "y"):
            plan.process(batch.entries, results, threads_for(batch.entries, self.frames, n_threads))
        return results


def _engine(key: SpectrogramKey, exact: bool) -> SpectrogramEngine:
    return SpectrogramEngine(key, exact=exact)
