"""The results of a corpus: computed and written file by file, synced to the disk and named in groups."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from neurdsp._output import check_output, publish, temporary_beside
from neurdsp.dsp.executors import Executor, LocalPool, Lost
from neurdsp.dsp.extraction import extract
from neurdsp.dsp.manifest import Record
from neurdsp.dsp.mel_job import MelJob, Task
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["compute", "file_hash", "groups_done"]

# Limits of a group: files whose results are synced together, and the bytes that they have in all.
_GROUP_FILES = 16
_GROUP_BYTES = 1 << 23

# Shorter files are read once, for their hash and for their samples.
_HELD_BYTES = 1 << 22

# What the operating system says of one path. Anything else, such as a full disk, would befall each file.
_OF_ONE_FILE = {
    errno.EACCES,
    errno.EEXIST,
    errno.EILSEQ,
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
}


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
    temporary: Path | None = None
    target: Path | None = None


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
    return [_written(job, config, task) for task in tasks]


def _written(job: MelJob, config: str, task: Task) -> Written:
    """Compute the features of one file, and write them under a temporary name."""
    path, name, output = task
    facts: dict[str, Any] = {"file": name, "config": config}
    try:
        status = path.stat()
        digest, data = _read(path, status.st_size)
    except OSError as error:
        return Written(Record(**facts, error=f"cannot read '{path}': {error.strerror or error}"))
    facts |= {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "hash": digest}
    target, temporary = job.output / output, None
    try:
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            target = check_output(target)
        temporary = temporary_beside(target)
        frames, facts["seconds"] = extract(job.plan, path, temporary, job.format, data=data)
    except (AudioFileError, ParameterError) as error:
        _drop(temporary)
        return Written(Record(**facts, error=" ".join(str(error).split())))
    except OSError as error:
        _drop(temporary)
        return Written(Record(**facts, error=_reason(error, target)))
    return Written(Record(**facts, output=output, frames=frames), temporary, target)


def _published(group: Sequence[Written]) -> list[Record]:
    """Give the results of a group their names, and return its records."""
    files = [(temporary, target) for _, temporary, target in group if temporary and target]
    errors = dict(zip((target for _, target in files), publish(files), strict=True))
    records = []
    for record, _, target in group:
        error = target and errors[target]
        if target and error:
            record = replace(record, output=None, frames=0, seconds=0.0, error=_reason(error, target))
        records.append(record)
    return records


def _reason(error: OSError, target: Path) -> str:
    """Return the reason why one result cannot be written; raise the error if it is not about that file."""
    # `check_output` gives no number, but a sentence.
    if error.errno is not None and error.errno not in _OF_ONE_FILE:
        raise error
    return str(error) if error.errno is None else f"cannot write '{target}': {error.strerror}"


def _drop(temporary: Path | None) -> None:
    if temporary is not None:
        temporary.unlink(missing_ok=True)


def _read(path: Path, size: int) -> tuple[str, bytes | None]:
    """Return the hash of a file, and its bytes if they are few."""
    if size > _HELD_BYTES:
        return file_hash(path), None
    data = path.read_bytes()
    return hashlib.blake2b(data, digest_size=16).hexdigest(), data


def file_hash(path: Path) -> str:
    """Return the BLAKE2b-128 of a file's bytes in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
