"""The music networks on a worker, as a plugin has them beside its audio thread, and what it records."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurdsp import _core

__all__ = ["Answer", "MusicWorker", "Reason", "WorkerReport"]

Reason: TypeAlias = Literal["no model", "refused", "skipped", "expired", "failed", "late"]
"""Why there is no answer: the queue is full, a newer request came, its time is over, or none came yet."""


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Parameters
    ----------
    number
        Of the request, as `MusicWorker.submit` returned it.
    network
        Its name; empty without outputs.
    outputs
        What the network gave, or None.
    reason
        Why there are no outputs, or None.
    """

    number: int
    network: str
    outputs: NDArray[np.float32] | None
    reason: Reason | None


@dataclass(frozen=True)
class WorkerReport:
    """What a worker recorded.

    Once all requests are answered, ``answers + dropped == submissions``.

    Parameters
    ----------
    load_ms
        How long loading the networks took.
    last_us, median_us, p99_us, p999_us, worst_us
        Times of a step; median and percentiles are up to 1/16 too high.
    turnaround_median_us, turnaround_p999_us
        Times from a submission until its answer could be fetched.
    submissions, answers, dropped
        Numbers of requests.
    late
        Answers that were not there at their step.
    missed_deadlines
        Requests that waited or took longer than the deadline.
    queue_depth, max_queue_depth
        Requests that wait, and the most that waited at once.
    audio_waits
        How often the thread that asks waited for an answer: 0 but offline.
    memory_bytes
        Of networks and queues.
    priority
        ``normal``, ``real-time``, or ``refused`` if the system did not grant it.
    """

    load_ms: float
    last_us: float
    median_us: float
    p99_us: float
    p999_us: float
    worst_us: float
    turnaround_median_us: float
    turnaround_p999_us: float
    submissions: int
    answers: int
    dropped: int
    late: int
    missed_deadlines: int
    queue_depth: int
    max_queue_depth: int
    audio_waits: int
    memory_bytes: int
    priority: Literal["normal", "real-time", "refused"]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return asdict(self)


class MusicWorker:
    """Networks on a thread of their own, whose answers count at a fixed musical step.

    Parameters
    ----------
    paths
        Model files, at most one of each network.
    inline
        Whether there is no thread, and `submit` makes the step itself.
    offline
        Whether nothing is dropped, and `due` waits for its answers.
    capacity
        Requests that may wait, 1 to 65536.
    deadline_ms
        A request that was not begun after so long is dropped.
    latest
        Whether a newer request takes the place of those that wait; otherwise a full queue refuses it.

    Raises
    ------
    ParameterError
        If a value is out of range.
    ModelFileError
        If a file is missing or damaged.

    Examples
    --------
    >>> worker = MusicPipeline.load("default").worker(offline=True)  # doctest: +SKIP
    >>> worker.submit("groove", np.zeros(64), due_step=1)  # doctest: +SKIP
    0
    >>> [answer.outputs.shape for answer in worker.due(1)]  # doctest: +SKIP
    [(32,)]
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        inline: bool = False,
        offline: bool = False,
        capacity: int = 64,
        deadline_ms: float = 20.0,
        latest: bool = False,
    ) -> None:
        self._worker = _core.MusicWorker(list(paths), inline, offline, capacity, deadline_ms, latest)

    def submit(self, network: str, inputs: ArrayLike, *, due_step: int) -> int:
        """Ask a network for a step, and return the number of the request: 0, 1, 2 and so on.

        Parameters
        ----------
        network
            Its name.
        inputs
            ``(n_inputs,)``.
        due_step
            When the answer counts; it must not fall from call to call.

        Raises
        ------
        ParameterError
            If there is no such network, or it takes another number of inputs.
        """
        return self._worker.submit(network, np.ascontiguousarray(inputs, np.float32), due_step)

    def due(self, step: int) -> Iterator[Answer]:
        """Yield what came of the requests that are due at this step or before, in their order."""
        while (found := self._worker.due(step)) is not None:
            number, name, outputs, reason = found
            yield Answer(number, name, outputs, reason)

    def restart(self) -> None:
        """Begin anew, as after a seek: what was asked before is forgotten, and so are the steps before."""
        self._worker.restart()

    def report(self) -> WorkerReport:
        """Return what was recorded so far."""
        return WorkerReport(**self._worker.report())
