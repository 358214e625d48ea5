"""How many threads torch uses on a CPU."""

import math
import os

import torch

__all__ = ["ThreadChoice", "usable_cores"]


def usable_cores() -> int:
    """Return how many cores this process may use, at most 8: small networks gain nothing from more."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)


class ThreadChoice:
    """Tries one thread and all cores over the first steps, then keeps the faster.

    Threads of torch wait for each other in busy loops. On a busy machine two threads are many times slower
    than one; on an idle machine they are nearly twice as fast. Only a trial can tell.

    Parameters
    ----------
    most
        Number of threads to try beside one; 1 leaves nothing to choose.
    """

    TRIALS = 4

    def __init__(self, most: int) -> None:
        self._best: dict[int, float] = dict.fromkeys((1, most), math.inf)
        self._plan = [count for count in self._best for _ in range(self.TRIALS)] if most > 1 else []
        torch.set_num_threads(1)

    def before_step(self) -> None:
        """Set the number of threads for this step."""
        if self._plan:
            torch.set_num_threads(self._plan[0])

    def after_step(self, seconds: float) -> None:
        """Record how long the step took; after the last trial, keep the faster number."""
        if not self._plan:
            return
        count = self._plan.pop(0)
        self._best[count] = min(self._best[count], seconds)
        if not self._plan:
            torch.set_num_threads(min(self._best, key=self._best.__getitem__))
