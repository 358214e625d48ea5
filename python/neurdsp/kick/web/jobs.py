"""Kicks that take longer than a request waits: a queue in the database, worked off beside the requests.

A process works off one job at a time in a thread of its own. It tells after each kick that it is alive; a job
of which nothing was heard for a while is taken over by another process, and gives the same kicks there.
"""

import atexit
import logging
import secrets
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import OperationalError, close_old_connections, transaction
from django.db.models import F, Q
from django.utils import timezone

from neurdsp.errors import NeurdspError
from neurdsp.kick.web import engine, shelf
from neurdsp.kick.web.conf import setting
from neurdsp.kick.web.models import Job, SavedKick
from neurdsp.kick.web.rows import AudioKick, Edits, rows_of

__all__ = ["QueueFullError", "as_json", "cancel", "enqueue", "start", "work_one"]

_log = logging.getLogger(__name__)
_ATTEMPTS = 3
_KEPT = timedelta(days=1)
_IDLE_S = 1.0
_STOP_S = 8.0
_UNFINISHED = (Job.State.QUEUED, Job.State.RUNNING)


class QueueFullError(Exception):
    """The queue takes no further job now, of anybody or of one visitor."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status, self.wait_s = status, 5


def enqueue(owner: str, wishes: dict[str, Any], *, seed: int) -> Job:
    """Put a call into the queue, and see that somebody works it off.

    Parameters
    ----------
    owner
        Whose call it is.
    wishes
        A `neurdsp.kick.web.schemas.GenerateRequest` as plain values.
    seed
        Of its kicks.

    Raises
    ------
    QueueFullError
        If as many calls wait as may.
    """
    with transaction.atomic():
        Job.objects.filter(created__lt=timezone.now() - _KEPT).exclude(state__in=_UNFINISHED).delete()
        waiting = Job.objects.filter(state__in=_UNFINISHED)
        if waiting.count() >= setting("QUEUED"):
            raise QueueFullError("too many calls wait; try again in a moment", 503)
        own = setting("QUEUED_PER_OWNER")
        if waiting.filter(owner=owner).count() >= own:
            raise QueueFullError(f"{own} calls of yours wait; let one end first, or cancel it", 429)
        job: Job = Job.objects.create(owner=owner, wishes=wishes, seed=seed, n=wishes["n"])
    start()
    _wanted.set()
    return job


def as_json(job: Job) -> dict[str, Any]:
    """Return what a client learns of a job; its kicks once it is done."""
    before = Job.objects.filter(state__in=_UNFINISHED, id__lt=job.pk)
    kicks = SavedKick.objects.filter(owner=job.owner, public_id__in=job.kicks).defer("packed")
    return {
        "id": str(job.public_id),
        "state": job.state,
        "n": job.n,
        "done": job.done,
        "ahead": before.count() if job.state == Job.State.QUEUED else 0,
        "seed": job.seed,
        "error": job.error,
        "kicks": [shelf.as_json(kick) for kick in kicks] if job.kicks else [],
    }


def cancel(job: Job) -> None:
    """End a job that is not finished; what runs stops after the kick that it is at."""
    _end(Job.objects.filter(pk=job.pk, state__in=_UNFINISHED), Job.State.CANCELLED)
    job.refresh_from_db()


def give_up(job: Job) -> None:
    """End a job that nobody will work off, because the generator makes kicks at once."""
    error = "the service has another generator since; generate again"
    _end(Job.objects.filter(pk=job.pk, state__in=_UNFINISHED), Job.State.FAILED, error=error)
    job.refresh_from_db()


def work_one(stopped: Callable[[], bool] = lambda: False) -> bool:
    """Work off the oldest job that nobody works at; tell whether there was one.

    Parameters
    ----------
    stopped
        Asked after each kick whether to hand the job back.
    """
    job = _claim()
    if job is None:
        return False
    mine = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, claim=job.claim)
    try:
        made = []
        for number in range(job.n):
            made.append(_kick(job, number))
            if stopped():
                mine.update(state=Job.State.QUEUED, claim="", done=0, attempts=F("attempts") - 1)
                return True
            if not mine.update(done=number + 1, beat=timezone.now()):
                return True  # cancelled, or taken over
        edits = Edits(0.0, 1.0, float(job.wishes["seconds"]))
        rows = rows_of(made, edits, owner=job.owner, seed=job.seed)
        with transaction.atomic():
            if _end(mine, Job.State.DONE, kicks=[str(row.public_id) for row in rows]):
                shelf.keep(rows)
    except OperationalError:
        raise  # the database is busy: the job is taken up again
    except NeurdspError as error:
        _end(mine, Job.State.FAILED, error=str(error))
    except Exception:
        _log.exception("a job failed")
        _end(mine, Job.State.FAILED, error="the service made a mistake; its log says more")
    return True


def _kick(job: Job, number: int) -> AudioKick:
    """Make a kick of a job; kick k of a seed is the same whoever makes it."""
    wishes = job.wishes
    audio = engine.generator().generate(
        wishes["keywords"],
        negative=wishes["negative"],
        n=1,
        first=number,
        seed=job.seed,
        guidance=wishes["guidance"],
        sample_rate=engine.DRAWN_RATE_HZ,
    )[0]
    words = tuple(wishes["keywords"]), tuple(wishes["negative"])
    return AudioKick(audio, engine.DRAWN_RATE_HZ, *words, guidance=wishes["guidance"])


def _claim() -> Job | None:
    """Take the oldest job that waits, or whose process fell silent."""
    while True:
        silent = timezone.now() - timedelta(seconds=setting("SILENT_S"))
        free = Job.objects.filter(
            Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, beat__lt=silent)
        ).order_by("id")
        job: Job | None = free.first()
        if job is None:
            return None
        # The number of attempts is what two processes that see the same job would both raise.
        mine = free.filter(pk=job.pk, attempts=job.attempts)
        if job.attempts >= _ATTEMPTS:
            _end(mine, Job.State.FAILED, error="the process that made these kicks ended; generate again")
            continue
        claim = secrets.token_hex(8)
        taken = mine.order_by().update(
            state=Job.State.RUNNING,
            claim=claim,
            beat=timezone.now(),
            done=0,
            attempts=F("attempts") + 1,
        )
        if taken:
            job.refresh_from_db()
            return job


def _end(jobs: Any, state: str, *, error: str = "", kicks: list[str] | None = None) -> bool:
    line = " ".join(error.split())[:300]
    return bool(jobs.order_by().update(state=state, claim="", error=line, kicks=kicks or []))


# --- the thread

_wanted, _stopping = threading.Event(), threading.Event()
_thread: threading.Thread | None = None
_starting = threading.Lock()


def start() -> None:
    """Start the thread of this process that works off jobs, if it does not run."""
    global _thread
    with _starting:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_work, name="neurdsp-kick-jobs", daemon=True)
            _thread.start()
            # A thread inside the engine must not be there when the interpreter goes.
            atexit.register(_stop, _thread)


def _work() -> None:
    while not _stopping.is_set():
        _wanted.wait(_IDLE_S)
        _wanted.clear()
        try:
            close_old_connections()
            while not _stopping.is_set() and work_one(_stopping.is_set):
                pass
        except Exception as error:
            _log.warning("the queue could not be read: %s", " ".join(str(error).split())[:300])
            _stopping.wait(_IDLE_S)


def _stop(thread: threading.Thread) -> None:
    _stopping.set()
    _wanted.set()
    thread.join(_STOP_S)
