"""Separating a recording of any length: chunks that fade into one another, in memory that does not grow.

The chunks are those of ZFTurbo's Music-Source-Separation-Training (``demix``), with three differences that
change no sample: chunks that reach only padding are left out, chunks of silence are not run (the network maps
zeros to zeros), and the outer fades are left out at the first and the last chunk, not at those of a batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    network: Callable[[NDArray[np.float32]], Stems],
    audio: NDArray[np.float32],
    plan: Plan,
    n_stems: int,
    *,
    on_chunk: Callable[[], None] | None = None,
) -> Iterator[Stems]:
    """Separate a recording, and yield the stems stretch by stretch.

    Parameters
    ----------
    network
        Maps a chunk ``(channels, chunk_samples)`` to ``(n_stems, channels, chunk_samples)``.
    audio
        ``(channels, n_samples)``.
    plan
        The chunks.
    n_stems
        Number of stems.
    on_chunk
        Called after each chunk; an exception that it raises ends the work.

    Yields
    ------
    ndarray
        Consecutive stretches, ``(n_stems, channels, n)``; together as long as ``audio``.
    """
    channels, n_samples = audio.shape
    chunk, fade = plan.chunk_samples, plan.fade_samples
    window = np.ones(chunk, np.float32)
    window[:fade] = np.linspace(0, 1, fade, dtype=np.float32)
    window[chunk - fade :] = np.linspace(1, 0, fade, dtype=np.float32)
    starts = plan.starts(n_samples)
    end = n_samples + plan.border(n_samples)
    # What chunks to come may still add to: sums from `first` on.
    sums = np.zeros((n_stems, channels, chunk), np.float32)
    weights = np.zeros(chunk, np.float32)
    first = starts[0]
    for start in starts:
        yield from _finished(sums, weights, start - first, first, n_samples)
        first = start
        shape = window.copy()
        if start == starts[0]:
            shape[:fade] = 1
        if start + plan.step_samples >= end:
            shape[chunk - fade :] = 1
        part, length = _chunk(audio, start, plan)
        if part.any():
            sums[..., :length] += network(part)[..., :length] * shape[:length]
        weights[:length] += shape[:length]
        if on_chunk is not None:
            on_chunk()
    yield from _finished(sums, weights, chunk, first, n_samples)


def _finished(
    sums: Stems, weights: NDArray[np.float32], n: int, first: int, n_samples: int
) -> Iterator[Stems]:
    """Take the first ``n`` samples out of the sums; yield those that lie in the recording."""
    begin, stop = max(-first, 0), min(n, n_samples - first)
    if stop > begin:
        covered = np.maximum(weights[begin:stop], np.finfo(np.float32).tiny)
        finished: Stems = np.divide(sums[..., begin:stop], covered, dtype=np.float32)
        yield finished
    if n:
        sums[..., : sums.shape[-1] - n] = sums[..., n:].copy()
        sums[..., sums.shape[-1] - n :] = 0
        weights[: len(weights) - n] = weights[n:].copy()
        weights[len(weights) - n :] = 0


def _chunk(audio: NDArray[np.float32], start: int, plan: Plan) -> tuple[NDArray[np.float32], int]:
    """Return the chunk that begins at ``start``, and its length without the padding behind the end."""
    n_samples, border = audio.shape[1], plan.border(audio.shape[1])
    stop = min(start + plan.chunk_samples, n_samples + border)
    begin, end = max(start, 0), min(stop, n_samples)
    part = audio[:, begin:end]
    if border:
        # The recording is longer than two borders, so its mirror images reach far enough.
        before = audio[:, 1 : begin - start + 1][:, ::-1]
        after = audio[:, n_samples - 1 - (stop - end) : n_samples - 1][:, ::-1]
        part = np.concatenate([before, part, after], axis=1)
    length = part.shape[1]
    missing = plan.chunk_samples - length
    if missing:
        mirrored = plan.reflects and length > plan.chunk_samples // 2
        part = np.pad(part, ((0, 0), (0, missing)), mode="reflect" if mirrored else "constant")
    return np.ascontiguousarray(part), length
