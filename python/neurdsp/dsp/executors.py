"""Where the tasks of a corpus run: an interface, and the threads of this process."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Protocol, TypeVar

__all__ = ["Executor", "LocalPool", "Lost", "n_cores"]

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Lost:
    """What stands for the result of a task whose workers died.

    Attributes
    ----------
    reason
        What became of them.
    """

    reason: str


class Executor(Protocol):
    """Does independent tasks somewhere, several at a time."""

    def map(
        self, work: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[Task, Result | Lost]]:
        """Yield each task with its result, in the order in which they get done.

        Tasks are taken from their source as there is room for them. An exception of ``work`` passes through
        and ends the rest. No task is lost with a worker that dies: it is done by another one, or its result
        is `Lost`.
        """
        ...


def n_cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class LocalPool:
    """Threads of this process.

    Threads do: reading, resampling, transforming and writing release the interpreter.

    Parameters
    ----------
    workers
        How many.
    """

    workers: int = 1

    def map(
        self, work: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[Task, Result | Lost]]:
        """Yield each task with its result; see `Executor.map`."""
        rest, waiting, done = iter(tasks), dict[Future[Result], Task](), SimpleQueue[Future[Result]]()
        pool = ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="neurdsp")
        try:
            while True:
                for task in islice(rest, 2 * self.workers - len(waiting)):
                    future = pool.submit(work, task)
                    waiting[future] = task
                    future.add_done_callback(done.put)
                if not waiting:
                    return
                future = done.get()
                yield waiting.pop(future), future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
