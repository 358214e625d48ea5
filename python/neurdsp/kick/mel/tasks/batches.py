"""Which kicks a batch holds: each kick once in an epoch, in an order that the number of the batch fixes."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batches", "normal"]


class Batches:
    """Numbers of kicks by the number of the batch.

    Parameters
    ----------
    n_kicks
        Kicks to choose from.
    batch_size
        Kicks in a batch.
    seed
        Of the order.

    Examples
    --------
    >>> batches = Batches(4, 2, seed=0)
    >>> sorted([*batches[0], *batches[1]])
    [0, 1, 2, 3]
    """

    def __init__(self, n_kicks: int, batch_size: int, *, seed: int) -> None:
        self.n_kicks, self.batch_size, self.seed = n_kicks, batch_size, seed
        self._order: tuple[int, list[int]] = (-1, [])

    def __getitem__(self, number: int) -> list[int]:
        first = number * self.batch_size
        return [self._at(position) for position in range(first, first + self.batch_size)]

    def epochs(self, number: int) -> float:
        """Return how often each kick was seen before a batch."""
        return number * self.batch_size / self.n_kicks

    def random(self, number: int) -> np.random.Generator:
        """Return the source of all that is drawn for a batch."""
        return np.random.default_rng([self.seed, 1, number])

    def _at(self, position: int) -> int:
        epoch, at = divmod(position, self.n_kicks)
        if self._order[0] != epoch:
            order = np.random.default_rng([self.seed, 0, epoch]).permutation(self.n_kicks)
            self._order = (epoch, order.tolist())
        return self._order[1][at]


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return standard normal noise."""
    return random.standard_normal(shape, np.float32)
