"""The results of a corpus: computed and written file by file, synced to the disk and named in groups."""

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neurdsp import _core
from neurdsp._output import check_output, publish, temporary_beside
from neurdsp.dsp.batch_job import Task, reason_for_one_file
from neurdsp.dsp.executors import Executor, LocalPool, Lost
from neurdsp.dsp.extraction import extract
from neurdsp.dsp.manifest import Record, file_hash
from neurdsp.dsp.mel_job import MelJob
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["compute", "groups_done"]

# Limits of a group: files whose results are synced together, and the bytes that they have in all.
_GROUP_FILES = 16
_GROUP_BYTES = 1 << 23

# Shorter files are read once, for their hash and for their samples.
_HELD_BYTES = 1 << 22


class Written(NamedTuple):
    """The outcome of a file before its result is published.

    Attributes
    ----------
    record
        The record, if publishing succeeds.
    temporary, target
        Where the result is, and where it belongs; None if there is no result.
    """

    record: Record
    temporary: str | None = None
    target: str | None = None


def groups_done(job: MelJob, todo: Sequence[Task], executor: Executor, config: str) -> Iterator[list[Record]]:
    """Yield records as files get done."""
    if isinstance(executor, LocalPool):
        # Workers hand over whole groups, whose results are synced together here, while they go on.
        size = min(max(len(todo) // (4 * executor.workers), 1), _GROUP_FILES)
        for _, group in executor.map(partial(_written_group, job, config), _groups(todo, size)):
            if not isinstance(group, Lost):
                yield _published(group)
        return
    for task, record in executor.map(partial(compute, job, config), todo):
        if isinstance(record, Lost):
            record = Record(file=task.name, config=config, error=record.reason)
        yield [record]


def _groups(todo: Sequence[Task], size: int) -> Iterator[list[Task]]:
    """Yield the tasks in groups, so that long files are done one by one."""
    group, n_bytes = list[Task](), 0
    for task in todo:
        with contextlib.suppress(OSError):
            n_bytes += os.stat(task.path).st_size
        group.append(task)
        if len(group) >= size or n_bytes > _GROUP_BYTES:
            yield group
            group, n_bytes = [], 0
    if group:
        yield group


def compute(job: MelJob, config: str, task: Task) -> Record:
    """Compute the features of one file, and write them to the disk.

    Parameters
    ----------
    job, config
        What to do, and its `MelJob.config`.
    task
        The file.

    Returns
    -------
    Record
        The result, or why there is none.

    Raises
    ------
    OSError
        If no result can be written.
    """
    return _published(_written_group(job, config, [task]))[0]


def _written_group(job: MelJob, config: str, tasks: Sequence[Task]) -> list[Written]:
    """Compute the features of files, and write them under temporary names."""
    sources, start = [], 0
    for task in tasks:
        source = _read(task.path, start)
        sources.append(source)
        start += 0 if isinstance(source, OSError) or source.data is None else len(source.data)
    held = [source.data for source in sources if isinstance(source, _Source) and source.data is not None]
    hashes = iter(_core.blake2b_128([np.frombuffer(data, np.uint8) for data in held]))
    group = []
    for task, source in zip(tasks, sources, strict=True):
        if isinstance(source, OSError):
            error = f"cannot read '{task.path}': {source.strerror or source}"
            group.append(Written(Record(file=task.name, config=config, error=error)))
            continue
        facts = {
            "file": task.name,
            "config": config,
            "size": source.size,
            "mtime_ns": source.mtime_ns,
            "hash": source.hash or next(hashes),
        }
        group.append(_written(job, task, facts, source.data))
    return group


class _Source(NamedTuple):
    """A file to read: its size and time, and either its bytes, if they are few, or their hash."""

    size: int
    mtime_ns: int
    hash: str
    data: memoryview | None


class _Room(threading.local):
    """Memory for the files of a group, kept by each thread: new memory costs more than to read into it."""

    def __init__(self) -> None:
        self.bytes = np.empty(_GROUP_BYTES + _HELD_BYTES, np.uint8).data


_room = _Room()


def _read(path: Path, start: int) -> _Source | OSError:
    """Read a short file into the room of this thread, from ``start`` on; take only the hash of a long one."""
    try:
        status = path.stat()
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):  # a pipe would wait for a writer, and is read only once
            return OSError(errno.EINVAL, "it is not a regular file; save its content as one")
        if 0 < size <= min(_HELD_BYTES, len(_room.bytes) - start):
            data = _room.bytes[start : start + size]
            with open(path, "rb", buffering=0) as file:
                if file.readinto(data) == size:
                    return _Source(size, status.st_mtime_ns, "", data)
        return _Source(size, status.st_mtime_ns, file_hash(path), None)
    except OSError as error:
        return error


def _written(job: MelJob, task: Task, facts: dict[str, Any], data: memoryview | None) -> Written:
    path, _, output, _ = task
    target, temporary = os.path.join(job.output, output), None
    try:
        if not os.path.isdir(os.path.dirname(target)):
            os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.lexists(target):
            target = os.fspath(check_output(target))
        temporary = temporary_beside(target)
        frames, facts["seconds"], facts["warning"] = extract(
            job.plan, path, temporary, job.format, channel=job.channel, dtype=job.dtype, data=data
        )
    except (AudioFileError, ParameterError) as error:
        _drop(temporary)
        return Written(Record(**facts, error=" ".join(str(error).split())))
    except OSError as error:
        _drop(temporary)
        return Written(Record(**facts, error=reason_for_one_file(error, target)))
    return Written(Record(**facts, output=output, frames=frames), temporary, target)


def _published(group: Sequence[Written]) -> list[Record]:
    """Give the results of a group their names, and return its records."""
    files = [(temporary, target) for _, temporary, target in group if temporary and target]
    errors = dict(zip((target for _, target in files), publish(files), strict=True))
    records = []
    for record, _, target in group:
        error = target and errors[target]
        if target and error:
            record = replace(
                record, output=None, frames=0, seconds=0.0, error=reason_for_one_file(error, target)
            )
        records.append(record)
    return records


def _drop(temporary: str | None) -> None:
    if temporary is not None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
