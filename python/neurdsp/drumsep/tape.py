"""A recording that is read block by block, and of which only what is still needed is held."""

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tape"]


class Tape:
    """Samples by their position in a recording, of which blocks come and go.

    Parameters
    ----------
    blocks
        Consecutive blocks ``(channels, n)``; they are taken when they are needed.

    Attributes
    ----------
    end : int
        Number of samples that were taken so far.
    length : int or None
        Length of the recording in samples, once its end was found.

    Examples
    --------
    >>> tape = Tape([np.float32([[1, 2, 3]]), np.float32([[4]])])
    >>> tape.fill(3), tape.end, tape.length
    (None, 3, None)
    >>> tape.fill(9), tape.end, tape.length
    (None, 4, 4)
    >>> tape.part(2, 4).tolist()
    [[3.0, 4.0]]
    """

    def __init__(self, blocks: Iterable[NDArray[np.float32]]) -> None:
        self._blocks = iter(blocks)
        self._held = deque[NDArray[np.float32]]()
        self._begin = self.end = 0
        self.length: int | None = None

    def fill(self, stop: int) -> None:
        """Take blocks up to the sample ``stop`` or the end; the length is known if it is less than that."""
        while self.length is None and self.end < stop:
            block = next(self._blocks, None)
            if block is None:
                self.length = self.end
            elif block.shape[1]:
                self.append(block)

    def append(self, block: NDArray[np.float32]) -> None:
        """Add a block to what is held."""
        self._held.append(block)
        self.end += block.shape[1]

    def part(self, begin: int, stop: int) -> NDArray[np.float32]:
        """Return the samples from ``begin`` to ``stop``, which must be held."""
        parts, position = list[NDArray[np.float32]](), self._begin
        for block in self._held:
            if position < stop and position + block.shape[1] > begin:
                parts.append(block[:, max(begin - position, 0) : stop - position])
            position += block.shape[1]
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [self._held[0][:, :0]], axis=1)

    def forget(self, before: int) -> None:
        """Let go of blocks that end at or before a sample; one is always held."""
        while len(self._held) > 1 and self._begin + self._held[0].shape[1] <= before:
            self._begin += self._held.popleft().shape[1]
