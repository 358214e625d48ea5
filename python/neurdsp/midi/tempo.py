"""From ticks to seconds and back, computed as fractions, so that no rounding adds up."""

from collections.abc import Sequence
from fractions import Fraction
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurdsp import _core
from neurdsp.errors import ParameterError

__all__ = ["TempoMap"]


class TempoMap:
    """The tempo of a MIDI file; `neurdsp.midi.MidiFile.tempo_map` gives it.

    Where no event says otherwise, a quarter note lasts half a second. If ticks are parts of frames of film,
    tempo events mean nothing.

    Examples
    --------
    >>> from neurdsp.midi import MidiFile
    >>> tempo = MidiFile.new(tempos=[(0, 120), (480, 60)]).tempo_map
    >>> tempo.seconds([240, 960])
    array([0.25, 1.5 ])
    >>> tempo.exact_seconds(481)
    Fraction(241, 480)
    >>> tempo.to_ticks(1.5)
    960.0
    """

    def __init__(self, core: _core.TempoMap) -> None:
        self._core = core
        changes = np.array(core.changes, np.int64).reshape(-1, 2)
        self._ticks, self._microseconds = changes[:, 0].copy(), changes[:, 1].copy()

    @property
    def ticks(self) -> NDArray[np.int64]:
        """Where the tempo changes, ``(n_changes,)``; the first is 0."""
        return self._ticks

    @property
    def microseconds_per_quarter(self) -> NDArray[np.int64]:
        """How long a quarter note lasts from each change on, ``(n_changes,)``."""
        return self._microseconds

    @property
    def quarters_per_minute(self) -> NDArray[np.float64]:
        """The tempo from each change on, ``(n_changes,)``."""
        return 60e6 / self._microseconds

    @overload
    def seconds(self, ticks: int) -> float: ...
    @overload
    def seconds(self, ticks: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float64]: ...
    def seconds(self, ticks: ArrayLike) -> float | NDArray[np.float64]:
        """Return the seconds of ticks, of any shape.

        Raises
        ------
        ParameterError
            If a tick is negative or no whole number.
        """
        given = np.asarray(ticks)
        if given.size and (given.dtype.kind not in "iu" or int(given.min()) < 0):
            raise ParameterError(f"ticks are {_some(given)}, but must be whole numbers from 0 on; round them")
        seconds = self._core.seconds(given.astype(np.int64).reshape(-1)).reshape(given.shape)
        return float(seconds) if given.ndim == 0 else seconds

    @overload
    def to_ticks(self, seconds: float) -> float: ...
    @overload
    def to_ticks(self, seconds: Sequence[float] | NDArray[np.floating]) -> NDArray[np.float64]: ...
    def to_ticks(self, seconds: ArrayLike) -> float | NDArray[np.float64]:
        """Return the ticks of seconds, of any shape, with their fractions; 0 for times before the start.

        Raises
        ------
        ParameterError
            If a time is not finite.
        """
        given = np.asarray(seconds, np.float64)
        if not np.isfinite(given).all():
            raise ParameterError(f"seconds are {_some(given)}, but must be finite; leave the others out")
        ticks = self._core.ticks(given.reshape(-1)).reshape(given.shape)
        return float(ticks) if given.ndim == 0 else ticks

    def exact_seconds(self, tick: int) -> Fraction:
        """Return the seconds of a tick, exactly."""
        if tick < 0:
            raise ParameterError(f"the tick is {tick}, but must be at least 0")
        return Fraction(*self._core.exact_seconds(int(tick)))


def _some(values: NDArray[np.generic]) -> str:
    """Return the first values of an array, for a message."""
    first = ", ".join(str(value) for value in values.reshape(-1)[:3])
    return first if values.size <= 3 else f"{first}, …"
