"""What training, evaluation and compression ask of one of the music networks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from neurdsp.music.model import Network

__all__ = ["Batch", "MusicTask", "Runner", "batch_rows"]

Batch: TypeAlias = tuple[Tensor, ...]
"""Inputs and targets of a training step, as the task has them."""

Runner: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Runs a network from its first state, in torch or in the engine: steps of inputs to steps of outputs."""


class MusicTask(ABC):
    """One task: batches, losses, figures and the baselines beside them.

    Attributes
    ----------
    name
        Of the network.
    samples_per_step
        Rows of a batch; only for the rate that is shown.
    """

    name: ClassVar[str]
    samples_per_step: int

    @abstractmethod
    def batch(self, number: int) -> Batch:
        """Return the training batch with this number; it must depend on the number alone."""

    @abstractmethod
    def predict(self, network: Network, batch: Batch) -> Tensor:
        """Return what the network says to a batch, in the form that the losses take."""

    @abstractmethod
    def loss(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return the loss against the targets, a scalar with a gradient."""

    def imitation(self, predicted: Tensor, teacher: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        """Return the loss against what a teacher says; by default the mean squared difference."""
        return ((predicted - teacher) ** 2).mean()

    @abstractmethod
    def metrics(self, run: Runner, split: str) -> dict[str, float]:
        """Measure a network on a split; ``score`` is what to minimise."""

    @abstractmethod
    def baselines(self, split: str) -> dict[str, dict[str, float]]:
        """Measure what is known without a network, by name, in the same figures."""

    def details(self, run: Runner) -> Mapping[str, str]:  # noqa: ARG002
        """Return further metadata for the model file of a network."""
        return {}

    def applied(self, run: Runner, details: Mapping[str, str], split: str) -> dict[str, float]:  # noqa: ARG002
        """Measure what the application makes of a network with the metadata of its file."""
        return {}


def batch_rows(number: int, *, n_rows: int, batch_size: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of a batch: each epoch has every row once, in an order of its own.

    Parameters
    ----------
    number
        Of the batch.
    n_rows
        Rows of the data.
    batch_size
        Rows of a batch; all of them if there are fewer.
    seed
        Of the orders.

    Examples
    --------
    >>> sorted(int(row) for n in range(3) for row in batch_rows(n, n_rows=6, batch_size=2, seed=0))
    [0, 1, 2, 3, 4, 5]
    """
    size = min(batch_size, n_rows)
    per_epoch = n_rows // size
    epoch, place = divmod(number, per_epoch)
    order = _order(seed, epoch, n_rows)
    return order[place * size : (place + 1) * size]


_ORDERS: dict[tuple[int, int, int], NDArray[np.int64]] = {}


def _order(seed: int, epoch: int, n_rows: int) -> NDArray[np.int64]:
    """Return the order of an epoch; the last one is kept, as it is asked for again and again."""
    key = (seed, epoch, n_rows)
    if key not in _ORDERS:
        _ORDERS.clear()
        _ORDERS[key] = np.random.default_rng([seed, epoch]).permutation(n_rows)
    return _ORDERS[key]
