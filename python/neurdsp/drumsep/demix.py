"""Separating a recording of any length: chunks that fade into one another, in memory that does not grow.

The chunks are those of ZFTurbo's Music-Source-Separation-Training (``demix``), with three differences that
change no sample: chunks that reach only padding are left out, chunks of silence are not run (the network maps
zeros to zeros), and the outer fades are left out at the first and the last chunk, not at those of a batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.tape import Tape
from neurdsp.errors import ParameterError

__all__ = ["Plan", "Stems", "demix"]

Stems = NDArray[np.float32]
"""Stems of a stretch of a recording, ``(n_stems, channels, n_samples)``."""


@dataclass(frozen=True)
class Plan:
    """How a recording is cut into chunks.

    Parameters
    ----------
    chunk_samples
        Samples of a chunk.
    step_samples
        From one chunk to the next, at most ``chunk_samples``.
    fade_samples
        Length of the fades at the ends of a chunk.
    reflects
        Whether the ends of the recording and a last, short chunk are continued by their mirror image;
        otherwise by zeros.
    """

    chunk_samples: int
    step_samples: int
    fade_samples: int
    reflects: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.step_samples <= self.chunk_samples:
            raise ParameterError(
                f"the step between chunks is {self.step_samples} samples, but it must be from 1 to the "
                f"chunk, {self.chunk_samples}; choose fewer overlaps"
            )
        if self.step_samples > self.chunk_samples - self.fade_samples:
            raise ParameterError(
                f"the step between chunks is {self.step_samples} samples, but fades of {self.fade_samples} "
                f"need at most {self.chunk_samples - self.fade_samples}"
            )

    @classmethod
    def overlapping(cls, chunk_samples: int, n_overlaps: int) -> "Plan":
        """Return the plan in which as many chunks cover each sample, faded over a tenth.

        Raises
        ------
        ParameterError
            If ``n_overlaps`` is below 2 or leaves no step.
        """
        if n_overlaps < 2:
            raise ParameterError(f"overlap is {n_overlaps}, but chunks that fade need at least 2")
        return cls(chunk_samples, chunk_samples // n_overlaps, chunk_samples // 10)

    @classmethod
    def one_pass(cls, chunk_samples: int) -> "Plan":
        """Return the plan in which chunks overlap only where they fade, over a tenth of each."""
        fade = chunk_samples // 10
        return cls(chunk_samples, chunk_samples - fade, fade)

    def n_chunks(self, n_samples: int) -> int:
        """Return the number of chunks of a recording."""
        return len(self.starts(n_samples))

    def border(self, n_samples: int) -> int:
        """Return the samples by which the recording is continued at each end."""
        border = self.chunk_samples - self.step_samples
        return border if self.reflects and n_samples > 2 * border > 0 else 0

    def starts(self, n_samples: int) -> range:
        """Return where chunks begin, relative to the first sample of the recording."""
        border = self.border(n_samples)
        return range(-border, n_samples, self.step_samples)


def demix(
    network: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    audio: NDArray[np.float32] | Iterable[NDArray[np.float32]],
    plan: Plan,
    n_stems: int,
    *,
    batch_size: int = 1,
    on_chunk: Callable[[], None] | None = None,
) -> Iterator[Stems]:
    """Separate a recording, and yield the stems stretch by stretch.

    Parameters
    ----------
    network
        Maps chunks ``(batch, channels, chunk_samples)`` to ``(batch, n_stems, channels, chunk_samples)``,
        each on its own.
    audio
        ``(channels, n_samples)``, or consecutive blocks of it, which are taken as they are needed.
    plan
        The chunks.
    n_stems
        Number of stems.
    batch_size
        Most chunks that the network gets at a time. It is no part of the result.
    on_chunk
        Called after each chunk; an exception that it raises ends the work.

    Yields
    ------
    ndarray
        Consecutive stretches, ``(n_stems, channels, n)``; together as long as ``audio``.
    """
    if batch_size < 1:
        raise ParameterError(f"batch_size is {batch_size}, but must be at least 1")
    tape = Tape([audio] if isinstance(audio, np.ndarray) else audio)
    mixer: _Mixer | None = None
    waiting, batch = list[_Chunk](), list[NDArray[np.float32]]()
    for chunk, part in _chunks(tape, plan):
        if mixer is None:
            mixer = _Mixer(plan, n_stems, part.shape[0], chunk.start)
        waiting.append(chunk)
        if chunk.sounds:
            batch.append(part)
        # A long silence behind a few chunks does not wait for a full batch.
        if not batch or len(batch) == batch_size or len(waiting) >= 4 * batch_size:
            yield from mixer.add(waiting, network(np.stack(batch)) if batch else None, on_chunk)
            waiting.clear()
            batch.clear()
    if mixer is not None:
        if waiting:
            yield from mixer.add(waiting, network(np.stack(batch)) if batch else None, on_chunk)
        assert tape.length is not None
        yield from mixer.finish(tape.length)


@dataclass(frozen=True)
class _Chunk:
    """Where a chunk begins; its length without the padding behind the end; which ends fade; if it sounds."""

    start: int
    length: int
    fades_in: bool
    fades_out: bool
    sounds: bool


def _chunks(tape: Tape, plan: Plan) -> Iterator[tuple[_Chunk, NDArray[np.float32]]]:
    """Yield the chunks of a recording with their samples."""
    reach = plan.chunk_samples - plan.step_samples
    tape.fill(2 * reach + 1)  # enough to tell whether the recording is longer than two borders
    border = plan.border(tape.end)
    start = -border
    while True:
        tape.fill(start + plan.chunk_samples + 1)
        n_samples = tape.length
        if n_samples is not None and start >= n_samples:
            return
        part, length = _samples(tape, start, border, plan)
        last = n_samples is not None and start + plan.step_samples >= n_samples + border
        yield _Chunk(start, length, start > -border, not last, bool(part.any())), part
        start += plan.step_samples
        tape.forget(start - border - 1)


def _samples(tape: Tape, start: int, border: int, plan: Plan) -> tuple[NDArray[np.float32], int]:
    """Return the chunk that begins at ``start``, and its length without the padding behind the end."""
    stop = start + plan.chunk_samples
    if tape.length is not None:
        stop = min(stop, tape.length + border)
    end = stop if tape.length is None else min(stop, tape.length)
    part = tape.part(max(start, 0), end)
    if border:
        # The recording is longer than two borders, so its mirror images reach far enough.
        before = tape.part(1, 1 - start)[:, ::-1] if start < 0 else part[:, :0]
        after = tape.part(end - 1 - (stop - end), end - 1)[:, ::-1] if stop > end else part[:, :0]
        part = np.concatenate([before, part, after], axis=1)
    length = part.shape[1]
    missing = plan.chunk_samples - length
    if missing:
        mirrored = plan.reflects and length > plan.chunk_samples // 2
        part = np.pad(part, ((0, 0), (0, missing)), mode="reflect" if mirrored else "constant")
    return np.ascontiguousarray(part), length


class _Mixer:
    """Sums of faded chunks, of which the finished part is given away."""

    def __init__(self, plan: Plan, n_stems: int, channels: int, start: int) -> None:
        chunk, fade = plan.chunk_samples, plan.fade_samples
        self._fade_in = np.linspace(0, 1, fade, dtype=np.float32)
        self._fade_out = np.linspace(1, 0, fade, dtype=np.float32)
        # What chunks to come may still add to: sums from `_first` on, zero from `_quiet` on.
        self._sums = np.zeros((n_stems, channels, chunk), np.float32)
        self._weights = np.zeros(chunk, np.float32)
        self._first, self._quiet = start, start

    def add(
        self,
        chunks: Sequence[_Chunk],
        stems: NDArray[np.float32] | None,
        on_chunk: Callable[[], None] | None,
    ) -> Iterator[Stems]:
        """Add chunks with the stems of those that sound, and yield what no later one changes."""
        separated = iter(() if stems is None else stems)
        for chunk in chunks:
            yield from self._finished(chunk.start - self._first, None)
            window = np.ones(self._weights.size, np.float32)
            fade = self._fade_in.size
            if chunk.fades_in:
                window[:fade] = self._fade_in
            if chunk.fades_out:
                window[window.size - fade :] = self._fade_out
            n = chunk.length
            if chunk.sounds:
                self._sums[..., :n] += next(separated)[..., :n] * window[:n]
                self._quiet = max(self._quiet, chunk.start + n)
            self._weights[:n] += window[:n]
            if on_chunk is not None:
                on_chunk()

    def finish(self, n_samples: int) -> Iterator[Stems]:
        """Yield the rest of the recording."""
        yield from self._finished(self._weights.size, n_samples)

    def _finished(self, n: int, n_samples: int | None) -> Iterator[Stems]:
        """Take the first ``n`` samples out of the sums; yield those that lie in the recording."""
        first, sums, weights = self._first, self._sums, self._weights
        begin, stop = max(-first, 0), n if n_samples is None else min(n, n_samples - first)
        if stop > begin:
            if first + begin >= self._quiet:
                yield np.zeros((*sums.shape[:2], stop - begin), np.float32)
            else:
                covered = np.maximum(weights[begin:stop], np.finfo(np.float32).tiny)
                finished: Stems = np.divide(sums[..., begin:stop], covered, dtype=np.float32)
                yield finished
        if n:
            if first < self._quiet:
                sums[..., : sums.shape[-1] - n] = sums[..., n:].copy()
                sums[..., sums.shape[-1] - n :] = 0
            weights[: len(weights) - n] = weights[n:].copy()
            weights[len(weights) - n :] = 0
            self._first += n
