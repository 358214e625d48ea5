"""Several processes that train one model: what ``torchrun`` starts.

Each rank computes the gradient of other crops, and all take the mean of the gradients: data parallelism as in
``DistributedDataParallel`` (S. Li et al., VLDB 2020), without its wrapper, from which small networks gain
nothing: their whole gradient goes in one piece. What must not differ between ranks (clocks, scores, whether
to stop) is decided by the first one; only the first one writes.
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

    Raises
    ------
    ParameterError
        If the environment says that there are other processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ParameterError(
            f"{what} runs in one process; start it without torchrun (amp train takes several)"
        )


T = TypeVar("T")


class Ranks:
    """The processes of a run, of which this is one; by default the only one.

    Parameters
    ----------
    rank
        Which one this is, from 0.
    size
        How many there are. With more than one, the process group of torch must have been started.

    Examples
    --------
    >>> Ranks().size
    1
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def first(self) -> bool:
        """Whether this process is the one that validates, shows and writes."""
        return self.rank == 0

    @classmethod
    @contextmanager
    def joined(cls, device: torch.device) -> Iterator[Self]:
        """Join the other processes that ``torchrun`` started, if there are any, until the block ends.

        Parameters
        ----------
        device
            Of this process: tensors go by NCCL between GPUs, by Gloo between CPUs.
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
        """Return which batch belongs to this rank in a step: in each step all ranks take other ones."""
        return step * self.size + self.rank

    def mean_gradients(self, parameters: Iterable[Tensor], *, finite: bool) -> bool:
        """Replace the gradients by their mean over all ranks; False where one has none that is finite.

        Parameters
        ----------
        parameters
            With gradients of any shapes, in the same order on all ranks.
        finite
            Whether the loss of this rank was.
        """
        if self.size == 1:
            return finite
        own = list(parameters)
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
        """Return on all ranks what the first one decides; the others only wait."""
        if self.size == 1:
            return decide()
        found = [decide() if self.first else None]
        distributed.broadcast_object_list(found)
        return cast("T", found[0])
