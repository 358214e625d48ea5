"""Tasks on the machines of a Ray cluster (https://docs.ray.io), or on a Ray of this machine alone.

All machines need neurdsp and the same folders under the same names. If their instruction sets differ, results
may differ in their last bits.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from neurdsp.dependencies import require
from neurdsp.dsp.executors import Lost, Result, Task
from neurdsp.errors import ParameterError

__all__ = ["RayPool"]

#: How often a task is retried after its worker died, before the task counts as the cause.
RETRIES = 3


class RayPool:
    """Workers of a Ray cluster, one for each of its cores.

    Parameters
    ----------
    address
        Address for ``ray.init``: ``ray://host:10001``, ``host:6379`` or ``auto``. By default the cluster that
        the environment names (``RAY_ADDRESS``) or that runs on this machine; if there is none, one is started
        for the run.
    workers
        Number of workers of a cluster that is started.

    Raises
    ------
    MissingDependencyError
        If Ray is not installed.
    ParameterError
        If there is no cluster at the address.

    Examples
    --------
    >>> from neurdsp.dsp.corpus import run
    >>> run(job, executor=RayPool("ray://head:10001"))  # doctest: +SKIP
    """

    def __init__(self, address: str | None = None, *, workers: int = 1) -> None:
        self._ray: Any = require("ray", extra="cluster", purpose="a run on a cluster")
        self._address, self._workers = address, workers

    def map(
        self, work: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[Task, Result | Lost]]:
        """Yield each task with its result; see `neurdsp.dsp.executors.Executor.map`."""
        ray, begun = self._ray, not self._ray.is_initialized()
        if begun:
            self._connect()
        waiting: dict[Any, Task] = {}
        try:
            remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_call)
            # Sent once, instead of with each task.
            shared, rest = ray.put(work), iter(tasks)
            room = 4 * max(int(ray.cluster_resources().get("CPU", 1)), 1)
            while True:
                for task in islice(rest, room - len(waiting)):
                    waiting[remote.remote(shared, task)] = task
                if not waiting:
                    return
                (ready,), _ = ray.wait(list(waiting), num_returns=1)
                yield waiting.pop(ready), self._result(ready)
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)
            if begun:
                ray.shutdown()

    def _connect(self) -> None:
        # Usage statistics are sent only if the user enables them.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        options: dict[str, Any] = {"logging_level": "warning", "log_to_driver": False}
        try:
            if self._address is None and "RAY_ADDRESS" not in os.environ:
                try:
                    self._ray.init("auto", **options)
                except ConnectionError:
                    self._start(options)
            else:
                self._ray.init(self._address, **options)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ParameterError(
                f"cannot connect to a Ray cluster at '{self._address or 'auto'}' ({reason}); give the "
                "address of its head, or leave it out to start one here"
            ) from error

    def _start(self, options: dict[str, Any]) -> None:
        # Only records of files go through the store, a few hundred bytes each.
        self._ray.init(
            "local", num_cpus=self._workers, include_dashboard=False, object_store_memory=1 << 27, **options
        )

    def _result(self, reference: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            # The exception of `work` itself, as if it had been raised here.
            raise (error.cause if isinstance(error.cause, Exception) else error) from None
        except (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.NodeDiedError) as error:
            first = (str(error).splitlines() or [""])[0]
            return Lost(f"its worker died {1 + RETRIES} times ({type(error).__name__}: {first})")


def _call(work: Callable[[Task], Result], task: Task) -> Result:
    return work(task)
