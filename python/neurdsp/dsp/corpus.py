"""The mel spectrograms of a file or of a folder, with a manifest of the outcome of each file.

The manifest, ``manifest.jsonl`` in the output folder, has a line of JSON for each file, appended as soon as
its result is on the disk: ``file``, ``output``, ``frames``, ``seconds``, ``hash`` (BLAKE2 of the file's
bytes), ``error``, and ``size``, ``mtime_ns`` and ``config``, by which a later run knows that nothing has
changed. An interrupted run continues where it stopped.
"""

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from neurdsp.dsp.executors import Executor, LocalPool, Lost
from neurdsp.dsp.extraction import ENDINGS, Format, extract
from neurdsp.dsp.manifest import (
    MANIFEST,
    Appender,
    Record,
    only_run,
    read_manifest,
    rewrite,
    sweep,
    sync_folder,
)
from neurdsp.dsp.mel import MelSpectrogram
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["SUFFIXES", "Format", "MelJob", "Record", "Summary", "find_audio", "read_manifest", "run"]

# Threads that may wait for the disk beside those that compute.
_SYNCING = 8

#: Endings of audio files in a folder.
SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".w64", ".caf", ".au")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The outcome of a run.

    Attributes
    ----------
    done, kept, failed
        Number of files computed by this run, done before, and without a result.
    seconds, frames
        Length of the audio and number of frames of this run.
    manifest
        Path of the manifest.
    """

    done: int
    kept: int
    failed: int
    seconds: float
    frames: int
    manifest: str


@dataclass(frozen=True, kw_only=True)
class MelJob:
    """A job: which features, of which audio, to which folder.

    Parameters
    ----------
    source
        An audio file, or a folder that is searched with all its subfolders.
    output
        Folder for the results, made if it does not exist.
    plan
        The features. Audio is mixed to mono and resampled to ``plan.sr``.
    format
        ``npy``; ``safetensors`` with a tensor ``mel`` and the parameters; or ``raw``, float32 row after row
        in ``*_mel.bin`` (see `neurdsp.dsp.raw`).
    """

    source: Path
    output: Path
    plan: MelSpectrogram
    format: Format = "npy"

    def __post_init__(self) -> None:
        if self.format not in ENDINGS:
            raise ParameterError(f"format is {self.format!r}, but it must be one of {', '.join(ENDINGS)}")
        if not self.source.exists():
            raise AudioFileError(f"cannot read '{self.source}': no such file or folder")
        if self.output.exists() and not self.output.is_dir():
            raise ParameterError(f"output is '{self.output}', which is no folder; give the name of a folder")

    @property
    def root(self) -> Path:
        """The folder that the paths of the manifest are relative to."""
        return self.source if self.source.is_dir() else self.source.parent

    @property
    def config(self) -> str:
        """Hash of all parameters: 16 hexadecimal digits."""
        parameters = json.dumps(
            {**self.plan.parameters(), "format": self.format}, sort_keys=True, default=float
        )
        return hashlib.blake2b(parameters.encode(), digest_size=8).hexdigest()


def find_audio(source: Path) -> list[Path]:
    """Find the audio files of a folder and its subfolders, sorted; links are followed, hidden files left out.

    Raises
    ------
    AudioFileError
        If there are none.
    """
    if source.is_file():
        return [source]
    found, seen = [], set()
    for folder, folders, names in os.walk(source, followlinks=True):
        # A link may lead back to a folder above it.
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(folder, name)
            for name in names
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    if not found:
        raise AudioFileError(
            f"cannot find audio in '{source}': none of its files ends in {', '.join(SUFFIXES)}"
        )
    return sorted(found)


def output_names(job: MelJob, files: Sequence[Path]) -> dict[str, str]:
    """Name the result of each file by another ending, appended to the old one where names would collide."""
    relative = [path.relative_to(job.root).as_posix() for path in files]
    stems = [name.removesuffix(Path(name).suffix) for name in relative]
    ending, taken = ENDINGS[job.format], Counter(stems)
    pairs = list(zip(relative, stems, strict=True))
    names = {name: (stem if taken[stem] == 1 else name) + ending for name, stem in pairs}
    return names if len({*names.values()}) == len(names) else {name: name + ending for name in relative}


def run(
    job: MelJob,
    *,
    executor: Executor | None = None,
    progress: Callable[[Record], None] | None = None,
    begin: Callable[[int], None] | None = None,
) -> Summary:
    """Do every file that the manifest does not show as done.

    Parameters
    ----------
    job
        The job.
    executor
        Where files are done: in a `neurdsp.dsp.executors.LocalPool`, by default of one thread, or in a
        `neurdsp.dsp.cluster.RayPool`. The results are the same, byte for byte.
    progress
        Called with the record of each file when the manifest names it.
    begin
        Called with the number of files to do.

    Returns
    -------
    Summary
        Counts; the manifest holds the details.

    Raises
    ------
    AudioFileError
        If there is no audio. A bad file is recorded, and does not stop the run.
    ParameterError
        If another run is writing to the output folder.
    OSError
        If a result cannot be written, for instance because the disk is full.
    """
    files = find_audio(job.source)
    names = output_names(job, files)
    job.output.mkdir(parents=True, exist_ok=True)
    manifest = job.output / MANIFEST
    with only_run(job.output):
        sweep(job.output, names.values())
        before, config = read_manifest(manifest), job.config
        todo, kept = [], {}
        for path, name in zip(files, names, strict=True):
            record = _done_before(job, path, names[name], before.get(name), config)
            if record is not None:
                kept[name] = record
            else:
                todo.append(Task(path, name, names[name]))
        if begin is not None:
            begin(len(todo))
        done: dict[str, Record] = {}
        with Appender(manifest) as lines:
            for record in _each(job, todo, executor or LocalPool(), config):
                lines.write(record)
                done[record.file] = record
                if progress is not None:
                    progress(record)
        # The rewritten manifest is on the disk at once: the names that it holds have to be there before.
        for folder in {(job.output / name).parent for name in names.values()}:
            if folder.is_dir():
                sync_folder(folder)
        latest = {**kept, **done}
        rewrite(manifest, [latest[name] for name in names])
        # Workers of a cluster may have been killed.
        sweep(job.output, names.values())
    good = [record for record in done.values() if record.error is None]
    return Summary(
        done=len(good),
        kept=len(kept),
        failed=len(done) - len(good),
        seconds=sum(record.seconds for record in good),
        frames=sum(record.frames for record in good),
        manifest=str(manifest),
    )


class Task(NamedTuple):
    """A file to do.

    Attributes
    ----------
    path
        The audio.
    name, output
        Paths of the audio and of its result, relative to the input and to the output folder.
    """

    path: Path
    name: str
    output: str


class _Slots:
    """A semaphore; unlike that of `threading`, it costs no Python code in the thread that waits."""

    def __init__(self, n: int) -> None:
        self._free = SimpleQueue[None]()
        for _ in range(n):
            self._free.put(None)

    def __enter__(self) -> None:
        self._free.get()

    def __exit__(self, *_: object) -> None:
        self._free.put(None)


def _each(job: MelJob, todo: Sequence[Task], executor: Executor, config: str) -> Iterator[Record]:
    """Yield records as files get done."""
    work = partial(compute, job, config)
    if isinstance(executor, LocalPool):
        # No more files are computed at a time than was asked for, but more threads may wait for the disk: the
        # file system then syncs their results together.
        work = partial(work, slots=_Slots(executor.workers))
        executor = LocalPool(executor.workers + _SYNCING)
    for task, record in executor.map(work, todo):
        if isinstance(record, Lost):
            record = Record(file=task.name, config=config, error=record.reason)
        yield record


def compute(
    job: MelJob,
    config: str,
    task: Task,
    *,
    slots: contextlib.AbstractContextManager[object] | None = None,
) -> Record:
    """Compute the features of one file, and write them to the disk.

    Parameters
    ----------
    job, config
        What to do, and its `MelJob.config`.
    task
        The file.
    slots
        Held while the features are computed and written; not while the file is read for its hash, which also
        brings it into memory, nor while the result is synced.

    Returns
    -------
    Record
        The result, or why there is none.

    Raises
    ------
    OSError
        If the result cannot be written.
    """
    path, name, output = task
    facts: dict[str, Any] = {"file": name, "config": config}
    try:
        status = path.stat()
        facts |= {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "hash": _hash(path)}
    except OSError as error:
        return Record(**facts, error=f"cannot read '{path}': {error.strerror or error}")
    target = job.output / output
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as slot:
        slot.enter_context(slots or contextlib.nullcontext())
        try:
            frames, facts["seconds"] = extract(job.plan, path, target, job.format, written=slot.close)
        except (AudioFileError, ParameterError) as error:
            return Record(**facts, error=" ".join(str(error).split()))
    return Record(**facts, output=output, frames=frames)


def _done_before(job: MelJob, path: Path, output: str, record: Record | None, config: str) -> Record | None:
    """Return the record of a file that need not be done again, or None."""
    if record is None or record.error is not None or (record.config, record.output) != (config, output):
        return None
    try:
        status = path.stat()
        if not (job.output / output).is_file() or record.size != status.st_size:
            return None
        if record.mtime_ns == status.st_mtime_ns:
            return record
        # Touched or copied: the new time saves the next run from reading the file again.
        return replace(record, mtime_ns=status.st_mtime_ns) if record.hash == _hash(path) else None
    except OSError:
        return None


def _hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
