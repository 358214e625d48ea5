"""Where tasks run: an interface, and the threads of this process."""

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
    """The result of a task whose workers died.

    Attributes
    ----------
    reason
        How they died.
    """

    reason: str


class Executor(Protocol):
    """Runs independent tasks, several at a time."""

    def map(
        self, work: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[Task, Result | Lost]]:
        """Yield each task with its result, in the order in which they finish.

        Tasks are taken from their source as workers become free. An exception of ``work`` is raised here and
        cancels the other tasks. If a worker dies, another one does its task, or its result is `Lost`.
        """
        ...


def n_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class LocalPool:
    """Threads of this process.

    Threads are enough, because reading, resampling, transforming and writing release the interpreter.

    Parameters
    ----------
    workers
        Number of threads.
    on_stop
        Called when the work ends before all tasks are done, by an exception for instance: threads cannot be
        ended, so tasks that run long have to be told.
    """

    workers: int = 1
    on_stop: Callable[[], None] | None = None

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
            if waiting and self.on_stop is not None:
                self.on_stop()
            pool.shutdown(wait=True, cancel_futures=True)
