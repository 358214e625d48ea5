"""A cache of features, whose keys are the audio itself."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.arrays import Array, take_real
from neurdsp.dsp.checks import integer, real_type
from neurdsp.dsp.mel import MelSpectrogram
from neurdsp.dsp.options import Float, Other
from neurdsp.errors import ParameterError

__all__ = ["CacheStats", "MelCache"]


@dataclass(frozen=True, kw_only=True)
class CacheStats:
    """Counts since a cache was made, and its size.

    Attributes
    ----------
    memory_hits, disk_hits, misses
        Signals found in memory, found in the folder, and not found.
    evictions
        Entries removed to make room, from memory or from the folder.
    damaged
        Damaged files, which were removed and computed again.
    failed_writes
        Files that could not be written, for instance because the disk was full.
    entries, memory_bytes
        Signals in memory, and their bytes.
    disk_bytes
        Bytes in the folder, without recent writes of other processes.
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
    """A cache of features, in memory and optionally in a folder.

    The key of an entry is a hash of the samples and of all parameters, so nothing has to be invalidated: the
    cache returns, bit for bit, what computing again would return. Any number of threads may share one cache,
    and any number of processes one folder. The entry that was used least recently is removed first.

    A forked process, or one that a cache is pickled to, starts with an empty memory and the same folder.

    Parameters
    ----------
    directory
        Folder for entries that outlive this process, made if it does not exist; none by default.
    max_bytes
        Limit of the memory in bytes.
    max_disk_bytes
        Limit of the folder in bytes. Processes that write at once may exceed it, each by a sixteenth.

    Raises
    ------
    OSError
        If the folder cannot be made or written to. Later failures of the folder only disable caching on
        disk; see `stats`.

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

    @overload
    def get_or_compute(
        self,
        plan: MelSpectrogram,
        y: npt.NDArray[Float],
        *,
        dtype: None = None,
        n_threads: int | None = None,
    ) -> npt.NDArray[Float]: ...
    @overload
    def get_or_compute(
        self,
        plan: MelSpectrogram,
        y: Other,
        *,
        dtype: npt.DTypeLike | None = None,
        n_threads: int | None = None,
    ) -> Other: ...
    @overload
    def get_or_compute(
        self,
        plan: MelSpectrogram,
        y: npt.NDArray[Any],
        *,
        dtype: npt.DTypeLike,
        n_threads: int | None = None,
    ) -> npt.NDArray[Any]: ...
    def get_or_compute(
        self,
        plan: MelSpectrogram,
        y: Any,
        *,
        dtype: npt.DTypeLike | None = None,
        n_threads: int | None = None,
    ) -> Any:
        """Return ``plan(y)``, from the cache or computed; each signal of a batch has an entry of its own.

        Parameters
        ----------
        plan
            What to compute.
        y, dtype, n_threads
            As in `neurdsp.mel_spectrogram`.

        Returns
        -------
        numpy.ndarray, torch.Tensor or list
            ``(..., n_mels, n_frames)``, of the kind of ``y``. The result for a single numpy signal is the
            entry itself and so read-only; ``.copy()`` makes a writeable one.

        Raises
        ------
        ParameterError
            As ``plan(y)``; nothing is stored then.
        """
        if not isinstance(plan, MelSpectrogram):
            raise ParameterError(
                f"plan is of type {type(plan).__name__}; it must be a neurdsp.MelSpectrogram"
            )
        batch = take_real(y)
        wanted = batch.dtype if dtype is None else real_type(dtype)
        engine = plan.engine.plan(batch.dtype == np.float64 or wanted == np.float64)
        # The steps outside the plan of the core.
        variant = f"{wanted.name} {plan.preparation!r} {plan.normalize}"
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
        """Counts of this process, and the size of the cache."""
        return CacheStats(**self._here().stats())

    def clear(self) -> None:
        """Remove all entries, in memory and in the folder."""
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
