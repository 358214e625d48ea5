"""Separating files and folders, with a manifest of the outcome of each file; it can be continued.

Each recording gets a folder of its own in the output folder, named like it, with a file for each stem.
"""

import contextlib
import errno
import functools
import hashlib
import json
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from neurdsp._output import same_file
from neurdsp.drumsep.infer import DrumSeparator, Settings
from neurdsp.drumsep.options import Options
from neurdsp.drumsep.writing import StemFormat, check_gain, file_names
from neurdsp.dsp.audio_files import result_names
from neurdsp.dsp.batch import Summary, run_batch
from neurdsp.dsp.batch_job import BatchJob, Task, reason_for_one_file
from neurdsp.dsp.executors import Executor, LocalPool, Lost
from neurdsp.dsp.manifest import Record, file_hash
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["SeparationJob", "run"]

# With less room than this on a disk, no further file can be written there.
_DISK_IS_FULL = 1 << 20


@dataclass(frozen=True, kw_only=True)
class SeparationJob(BatchJob):
    """A job: which recordings, to which stems, in which folder.

    Parameters
    ----------
    source, output
        See `neurdsp.dsp.batch_job.BatchJob`.
    model
        The model file.
    stems, residual, file_format, gain_db
        As for `neurdsp.drumsep.DrumSeparator.separate_file`.
    settings
        The other settings of that method.

    Raises
    ------
    ParameterError, MissingDependencyError, ModelFileError
        If the network cannot have these settings, or cannot be loaded.
    """

    model: Path
    stems: Sequence[str] | None = None
    residual: bool = False
    file_format: StemFormat = "float"
    gain_db: float = 0.0
    settings: Settings = field(default_factory=Settings)
    names_of_stems: tuple[str, ...] = field(init=False)
    hash_of_model: str = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        for source in self.sources:
            if source.is_dir() and same_file(source, self.output):
                raise ParameterError(
                    f"output is '{self.output}', the folder with the recordings, where a later run would "
                    "take the stems for recordings; give another folder, also one within it"
                )
        separator = _separator(self.model)
        separator.check(Options(**self.settings))
        check_gain(self.gain_db)
        names = separator.names(self.stems, residual=self.residual)
        file_names(names, self.file_format)
        object.__setattr__(self, "names_of_stems", tuple(names))
        object.__setattr__(self, "hash_of_model", file_hash(self.model))

    @property
    def streams(self) -> bool:
        """Whether the network streams; see `neurdsp.drumsep.DrumSeparator.streams`."""
        return _separator(self.model).streams

    @property
    def program(self) -> str:
        """The command, for messages."""
        return "neurdsp drumsep"

    @property
    def config(self) -> str:
        """Hash of all that the stems depend on beside the recording: 16 hexadecimal digits."""
        options = Options(**self.settings)
        parameters = json.dumps(
            {
                "model": self.hash_of_model,
                "stems": self.names_of_stems,
                "format": self.file_format,
                "gain_db": self.gain_db,
                "tier": options.tier,
                "overlap": options.overlap,
                "precision": options.number_type,
                "backend": options.backend,
                "compat": options.compat,
            },
            sort_keys=True,
        )
        return hashlib.blake2b(parameters.encode(), digest_size=8).hexdigest()

    def tasks(self, files: Sequence[Path]) -> list[Task]:
        """Return the task of each file."""
        names, parts = self.names(files), (*file_names(self.names_of_stems, self.file_format).values(),)
        outputs = _folder_names(names, parts)
        return [Task(path, name, outputs[name], parts) for path, name in zip(files, names, strict=True)]


def _folder_names(names: Sequence[str], parts: Sequence[str]) -> dict[str, str]:
    """Return the folder of each recording: its name, without the ending where that collides with no other."""
    folders = result_names(names, "")
    # Some systems know no case, and drop a point or space at the end of a name.
    alike = [folder.casefold() for folder in folders.values()]
    counts = {folder: alike.count(folder) for folder in {*alike}} if len({*alike}) < len(alike) else {}
    for name, folder in folders.items():
        if counts.get(folder.casefold(), 1) > 1 or folder.endswith((".", " ")):
            folders[name] = name
    files = {f"{folder}/{part}" for folder in folders.values() for part in parts}
    if len({*folders.values()}) < len(folders) or files & {*folders.values()}:
        return {name: name for name in names}
    return folders


def run(
    job: SeparationJob,
    *,
    executor: Executor | None = None,
    progress: Callable[[Record], None] | None = None,
    begin: Callable[[int], None] | None = None,
    share: Callable[[str, float], None] | None = None,
    overwrite: bool = False,
) -> Summary:
    """Separate every recording that the manifest does not show as done.

    Parameters
    ----------
    job
        The job.
    executor
        Where files are done: in a `neurdsp.dsp.executors.LocalPool`, by default of one thread, or in a
        `neurdsp.dsp.cluster.RayPool`.
    progress
        Called with the record of each file when the manifest names it.
    begin
        Called with the number of files to do.
    share
        Called, in a pool of this process, from its threads: with the name of a file and the share of it that
        was just done.
    overwrite
        Whether files of the names of the results may be replaced that another corpus or no run made.

    Returns
    -------
    Summary
        Counts; its frames are samples per channel. The manifest holds the details.

    Raises
    ------
    AudioFileError
        If there is no audio, or the disk is full. A bad file is recorded, and does not stop the run.
    ModelFileError
        If the network cannot be loaded.
    ParameterError
        If another run is writing to the output folder, or if a file in it would be lost that no run made.
    """
    pool, stop = executor or LocalPool(), None
    if isinstance(pool, LocalPool):
        stop = threading.Event()
        pool = replace(pool, on_stop=stop.set)
        _separator(job.model).check(Options(**job.settings), load=True)

    def groups(todo: Sequence[Task]) -> Iterator[list[Record]]:
        # Workers of a cluster get neither the event nor the callback: they are ended from outside.
        work = partial(separate_task, job, job.config, stop, share if stop is not None else None)
        for task, record in pool.map(work, todo):
            if isinstance(record, Lost):
                record = Record(file=task.name, config=job.config, error=record.reason)
            yield [record]

    # Stems of earlier runs are no recordings.
    return run_batch(job, groups, progress=progress, begin=begin, overwrite=overwrite, without=job.output)


class _StoppedError(Exception):
    """The run ends, and this file with it."""


def separate_task(
    job: SeparationJob,
    config: str,
    stop: threading.Event | None,
    share: Callable[[str, float], None] | None,
    task: Task,
) -> Record:
    """Separate one recording.

    Parameters
    ----------
    job, config
        What to do, and its `SeparationJob.config`.
    stop
        Ends the work when it is set.
    share
        Called with the name of the file and the share of it that was just done.
    task
        The recording.

    Returns
    -------
    Record
        The result, or why there is none.
    """
    folder, facts = job.output / task.output, dict[str, Any](file=task.name, config=config, parts=task.parts)
    told = 0.0

    def on_step(done: int, total: int) -> None:
        nonlocal told
        if stop is not None and stop.is_set():
            raise _StoppedError
        if share is not None:
            share(task.name, done / total - told)
            told = done / total

    try:
        status = task.path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would wait for a writer, and is read only once
            raise OSError(errno.EINVAL, "it is not a regular file; save its content as one")
        facts |= {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "hash": file_hash(task.path)}
    except OSError as error:
        return Record(**facts, error=f"cannot read '{task.path}': {error.strerror or error}")
    try:
        done = _separator(job.model).separate_file(
            task.path,
            folder,
            stems=job.stems,
            residual=job.residual,
            file_format=job.file_format,
            gain_db=job.gain_db,
            progress=on_step,
            **job.settings,
        )
    except (AudioFileError, ParameterError) as error:
        if _disk_is_full(folder):
            raise
        record = Record(**facts, error=" ".join(str(error).split()))
    except OSError as error:
        record = Record(**facts, error=reason_for_one_file(error, os.fspath(folder)))
    else:
        seconds = done.n_samples / done.sample_rate
        warning = "; ".join(done.warnings) or None
        facts |= {"frames": done.n_samples, "seconds": seconds}
        record = Record(**facts, output=task.output, warning=warning)
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # of a recording that has no stems
    return record


def _disk_is_full(folder: Path) -> bool:
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free < _DISK_IS_FULL
    return False


def _separator(model: Path) -> DrumSeparator:
    """Return the separator of this process for a model file; its weights are loaded once."""
    return _loaded(model, model.stat().st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _loaded(model: Path, _mtime_ns: int) -> DrumSeparator:
    return DrumSeparator.load(model)
