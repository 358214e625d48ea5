"""Training in several processes, started by ``torchrun``.

Each rank computes the gradient of its own batches, and all ranks use the mean: data parallelism as in
``DistributedDataParallel`` (S. Li et al., VLDB 2020). The wrapper itself is not used, since small networks
gain nothing from it: their whole gradient is sent in one piece. The first rank decides everything that must
not differ between ranks (clocks, scores, whether to stop), and only the first rank writes files.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar, cast

import torch
from torch import Tensor, distributed

from neurdsp.errors import ParameterError

__all__ = ["Ranks", "refuse_ranks"]


def refuse_ranks(what: str) -> None:
    """Refuse to run under ``torchrun``, where several processes would write the same files.

    Parameters
    ----------
    what
        The command, for the message.

    Raises
    ------
    ParameterError
        If the environment tells of other processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ParameterError(
            f"{what} runs in one process; start it without torchrun (amp train can use several)"
        )


T = TypeVar("T")


class Ranks:
    """The processes of a run, seen from one of them; by default there is only this one.

    Parameters
    ----------
    rank
        Number of this process, from 0.
    size
        Number of processes. With more than one, torch's process group must be initialised.

    Examples
    --------
    >>> Ranks().size
    1
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def first(self) -> bool:
        """Whether this process validates, shows progress and writes."""
        return self.rank == 0

    @classmethod
    @contextmanager
    def joined(cls, device: torch.device) -> Iterator[Self]:
        """Join the processes that ``torchrun`` started, if any, until the block ends.

        Parameters
        ----------
        device
            Device of this process: NCCL connects GPUs, Gloo connects CPUs.

        Yields
        ------
        Ranks
            This process and the others.
        """
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            yield cls()
            return
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        try:
            yield cls(distributed.get_rank(), size)
        finally:
            distributed.destroy_process_group()

    def batch_index(self, step: int) -> int:
        """Return the number of this rank's batch in a step: no two ranks or steps share a batch."""
        return step * self.size + self.rank

    def mean_gradients(self, parameters: Iterable[Tensor], *, finite: bool) -> bool:
        """Replace the gradients by their means over all ranks.

        Parameters
        ----------
        parameters
            The same parameters in the same order on all ranks. Frozen ones are left alone.
        finite
            Whether the loss of this rank is finite.

        Returns
        -------
        bool
            Whether the losses of all ranks are finite.
        """
        if self.size == 1:
            return finite
        own = [parameter for parameter in parameters if parameter.requires_grad]
        for parameter in own:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        pieces = [cast(Tensor, parameter.grad).flatten() for parameter in own]
        good = torch.full((1,), float(finite), device=pieces[0].device)
        whole = torch.cat([*pieces, good])
        distributed.all_reduce(whole)
        whole /= self.size
        at = 0
        for parameter in own:
            gradient = cast(Tensor, parameter.grad)
            gradient.copy_(whole[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()
        return float(whole[-1]) == 1.0

    def decided(self, decide: Callable[[], T]) -> T:
        """Call a function on the first rank, and return its result on all ranks."""
        if self.size == 1:
            return decide()
        found = [decide() if self.first else None]
        distributed.broadcast_object_list(found)
        return cast("T", found[0])
