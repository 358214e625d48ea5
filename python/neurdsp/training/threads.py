"""How many threads torch takes on a CPU."""

import math
import os

import torch

__all__ = ["ThreadChoice", "usable_cores"]


def usable_cores() -> int:
    """Return the cores that this process may use, at most 8: small networks gain nothing beyond."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)


class ThreadChoice:
    """Runs the first steps on one thread and on all cores in turn, then stays with the faster.

    On a busy machine the threads of torch wait for each other actively, and two are then many times
    slower than one; on an idle one they are nearly twice as fast. No rule of thumb knows which it is.

    Parameters
    ----------
    most
        The other number to try; with 1 there is nothing to choose.
    """

    TRIALS = 4

    def __init__(self, most: int) -> None:
        self._best: dict[int, float] = dict.fromkeys((1, most), math.inf)
        self._plan = [count for count in self._best for _ in range(self.TRIALS)] if most > 1 else []
        torch.set_num_threads(1)

    def before_step(self) -> None:
        """Set the number of threads that this step tries."""
        if self._plan:
            torch.set_num_threads(self._plan[0])

    def after_step(self, seconds: float) -> None:
        """Note how long the step took; after the last trial, stay with the faster."""
        if not self._plan:
            return
        count = self._plan.pop(0)
        self._best[count] = min(self._best[count], seconds)
        if not self._plan:
            torch.set_num_threads(min(self._best, key=self._best.__getitem__))
