"""Features that were computed before, found again by the audio itself."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.arrays import Array, take_real
from neurdsp.dsp.checks import integer, real_type
from neurdsp.dsp.mel import MelSpectrogram
from neurdsp.errors import ParameterError

__all__ = ["CacheStats", "MelCache"]


@dataclass(frozen=True, kw_only=True)
class CacheStats:
    """What a cache has done since it was made, and how large it is.

    Attributes
    ----------
    memory_hits, disk_hits, misses
        Signals found in memory, found in the folder, and not found.
    evictions
        Entries removed to make room, from memory or from the folder.
    damaged
        Files that were not sound; they were removed, and computed again.
    failed_writes
        Files that could not be written, because the disk is full for instance.
    entries, memory_bytes
        Signals in memory, and their bytes.
    disk_bytes
        Bytes in the folder, without what other processes have written lately.
    """

    memory_hits: int
    disk_hits: int
    misses: int
    evictions: int
    damaged: int
    failed_writes: int
    entries: int
    memory_bytes: int
    disk_bytes: int


class MelCache:
    """A cache of features, in memory and in a folder if one is given.

    An entry is found by a hash of the samples and one of everything that the plan does, so there is nothing
    to invalidate: what is found is, bit for bit, what computing it again would give. Any number of threads
    may use one cache, and any number of processes one folder. What was used least recently makes room.

    A process that was forked off begins with an empty memory and the same folder, and so does one that the
    cache was sent to.

    Parameters
    ----------
    directory
        Folder for what outlives this process, made if it is not there; by default there is none.
    max_bytes
        Most bytes in memory.
    max_disk_bytes
        Most bytes in the folder. Several processes that write at once may exceed it, each by a sixteenth.

    Raises
    ------
    OSError
        If the folder cannot be made or written to. Later failures of the folder cost the caching only; see
        `stats`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> cache, plan = neurdsp.MelCache(), neurdsp.MelSpectrogram.preset("gpt_sovits")
    >>> voice = np.sin(np.arange(320_000, dtype=np.float32))
    >>> first, again = cache.get_or_compute(plan, voice), cache.get_or_compute(plan, voice)
    >>> again.shape, (first == again).all(), cache.stats.misses, cache.stats.memory_hits
    ((704, 500), np.True_, 1, 1)
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int = 1 << 28,
        max_disk_bytes: int = 1 << 32,
    ) -> None:
        self._arguments = (
            None if directory is None else Path(directory).absolute(),
            integer("max_bytes", max_bytes, 0),
            integer("max_disk_bytes", max_disk_bytes, 0),
        )
        self._open()

    def get_or_compute(
        self,
        plan: MelSpectrogram,
        y: Any,
        *,
        dtype: npt.DTypeLike | None = None,
        n_threads: int | None = None,
    ) -> Any:
        """Return ``plan(y)``, found or computed; each signal of a batch is looked for on its own.

        Parameters
        ----------
        plan
            What to compute.
        y, dtype, n_threads
            As in `neurdsp.mel_spectrogram`.

        Returns
        -------
        numpy.ndarray, torch.Tensor or list
            ``(..., n_mels, n_frames)``, of the kind of ``y``. The result for a single signal in numpy is
            read-only, for it is the cache's own; ``.copy()`` makes another.

        Raises
        ------
        ParameterError
            As ``plan(y)``; nothing is kept then.
        """
        if not isinstance(plan, MelSpectrogram):
            raise ParameterError(
                f"plan is of type {type(plan).__name__}; it must be a neurdsp.MelSpectrogram"
            )
        batch = take_real(y)
        wanted = batch.dtype if dtype is None else real_type(dtype)
        engine = plan.engine.plan(batch.dtype == np.float64 or wanted == np.float64)
        # What is done besides the engine's plan.
        variant = f"{wanted.name} {plan.preemphasis!r} {plan.normalize}"
        core, rows = self._here(), [row for entry in batch.entries for row in entry]
        searched = [core.find(engine, row, variant) for row in rows]
        found = [None if features is None else np.asarray(features) for _, features in searched]
        missing = [index for index, features in enumerate(found) if features is None]
        if missing:
            computed = plan([rows[index] for index in missing], dtype=wanted, n_threads=n_threads)
            for index, features in zip(missing, computed, strict=True):
                found[index] = np.asarray(core.insert(searched[index][0], features))
        results, first = [], 0
        for entry in batch.entries:
            results.append(_stack(found[first : first + len(entry)], copy=batch.torch))
            first += len(entry)
        return batch.give_back(results)

    @property
    def stats(self) -> CacheStats:
        """What the cache has done in this process, and how large it is."""
        return CacheStats(**self._here().stats())

    def clear(self) -> None:
        """Drop everything, in memory and in the folder."""
        self._here().clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, self._arguments

    def _open(self) -> None:
        self._core = _core.MelCache(*self._arguments)
        self._process = os.getpid()

    def _here(self) -> _core.MelCache:
        # A thread that does not exist in a forked process may have held the lock when it was forked off.
        if self._process != os.getpid():
            self._open()
        return self._core


def _restore(directory: Path | None, max_bytes: int, max_disk_bytes: int) -> MelCache:
    return MelCache(directory, max_bytes=max_bytes, max_disk_bytes=max_disk_bytes)


def _stack(features: list[Any], *, copy: bool) -> Array:
    """Stack features ``(n_rows, n_frames)``; a single one is not copied."""
    if len(features) > 1 or copy:
        return np.stack(features)
    single: Array = features[0][np.newaxis]
    return single
