"""Runs a job over audio files, with a manifest of the outcome of each, so that it can be continued.

The manifest, ``manifest.jsonl`` in the output folder, has a line of JSON for each file, appended after its
result is on the disk: see `neurdsp.dsp.manifest.Record`. An interrupted run continues where it stopped.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from neurdsp.dsp.audio_files import find_audio, in_words
from neurdsp.dsp.batch_job import BatchJob, Task
from neurdsp.dsp.earlier import refuse_loss
from neurdsp.dsp.manifest import (
    MANIFEST,
    Appender,
    Record,
    file_hash,
    only_run,
    read_records,
    rewrite,
    sweep,
    sync_folder,
)
from neurdsp.dsp.owners import Owners, claim

__all__ = ["Summary", "run_batch"]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The outcome of a run.

    Attributes
    ----------
    done, kept, failed
        Number of files computed by this run, done before, and without a result.
    warned
        Number of results, old ones included, with a warning in the manifest.
    skipped
        Files in the folders that are no audio by their names, in words; empty if there are none.
    seconds, frames
        Length of the audio and number of frames of this run.
    manifest
        Path of the manifest.
    """

    done: int
    kept: int
    failed: int
    warned: int
    skipped: str
    seconds: float
    frames: int
    manifest: str


def run_batch(
    job: BatchJob,
    groups: Callable[[Sequence[Task]], Iterator[list[Record]]],
    *,
    progress: Callable[[Record], None] | None = None,
    begin: Callable[[int], None] | None = None,
    overwrite: bool = False,
    without: Path | None = None,
) -> Summary:
    """Do every file that the manifest does not show as done.

    Parameters
    ----------
    job
        The job.
    groups
        Does tasks, and yields the records of some of them as soon as their results are on the disk.
    progress
        Called with the record of each file when the manifest names it.
    begin
        Called with the number of files to do.
    overwrite
        Whether files of the names of the results may be replaced that another corpus or no run made.
    without
        A folder that is not searched for audio.

    Returns
    -------
    Summary
        Counts; the manifest holds the details.

    Raises
    ------
    AudioFileError
        If there is no audio. A bad file is recorded, and does not stop the run; so is one whose result would
        replace that of another file.
    ParameterError
        If another run is writing to the output folder, or if a file in it would be lost that no run made.
    OSError
        If no result can be written, for instance because the disk is full.
    """
    skipped = Counter[str]()
    files = [path for source in job.sources for path in find_audio(source, skipped, without=without)]
    # By name, because a file may be given twice, itself and in its folder.
    files = [*dict(zip(job.names(files), files, strict=True)).values()]
    tasks = {task.name: task for task in job.tasks(files)}
    results = [result for task in tasks.values() for result in task.results]
    refuse_loss(job.output, results, files, program=job.program, overwrite=overwrite)
    job.output.mkdir(parents=True, exist_ok=True)
    manifest = job.output / MANIFEST
    with only_run(job.output):
        sweep(job.output, results)
        owners, config = Owners(job.output, read_records(manifest)), job.config
        base = os.path.realpath(job.root)
        sources = {name: os.path.join(base, name) for name in tasks}
        todo, claims, kept, done = list[Task](), list[Record](), dict[str, Record](), dict[str, Record]()
        for name, task in tasks.items():
            record, refusal = owners.earlier(task, sources[name])
            record_kept = _done_before(task, record, config)
            if record_kept is not None:
                kept[name] = record_kept
            elif refusal is not None and not overwrite:
                done[name] = Record(file=name, source=sources[name], config=config, error=refusal)
            else:
                todo.append(task)
                if record is None:
                    claims.append(claim(task, sources[name], config))
        if begin is not None:
            begin(len(todo) + len(done))
        try:
            with Appender(manifest) as lines:
                lines.write([*done.values(), *claims], sync=True)
                if progress is not None:
                    for record in [*done.values()]:
                        progress(record)
                for records in groups(todo):
                    finished = [_owned(record, sources, tasks) for record in records]
                    lines.write(finished)
                    for record in finished:
                        done[record.file] = record
                        if progress is not None:
                            progress(record)
        finally:
            # Groups that were not published; workers of a cluster may have been killed, too.
            sweep(job.output, results)
        # The rewritten manifest is on the disk at once: the names that it holds have to be there before.
        for folder in {(job.output / result).parent for result in results}:
            if folder.is_dir():
                sync_folder(folder)
        latest = {**kept, **done}
        own = [_claiming_what_is_there(latest[name], job.output) for name in tasks]
        searched = [source for source in job.sources if source.is_dir()]
        rewrite(manifest, [*owners.others(own, searched), *own])
    good = [record for record in done.values() if record.error is None]
    return Summary(
        done=len(good),
        kept=len(kept),
        failed=len(done) - len(good),
        warned=sum(record.warning is not None for record in latest.values()),
        skipped=in_words(skipped),
        seconds=sum(record.seconds for record in good),
        frames=sum(record.frames for record in good),
        manifest=str(manifest),
    )


def _done_before(task: Task, record: Record | None, config: str) -> Record | None:
    """Return the record of a file that need not be done again, or None; its result is there."""
    if record is None or record.error is not None or record.config != config:
        return None
    try:
        status = task.path.stat()
        if record.size != status.st_size:
            return None
        if record.mtime_ns == status.st_mtime_ns:
            return record
        # Touched or copied: the new time saves the next run from reading the file again.
        same = record.hash == file_hash(task.path)
        return replace(record, mtime_ns=status.st_mtime_ns) if same else None
    except OSError:
        return None


def _owned(record: Record, sources: Mapping[str, str], tasks: Mapping[str, Task]) -> Record:
    """Return the record of a file that was done, with its source; after an error it keeps its claim."""
    task = tasks[record.file]
    claims = task.output if record.output is None else None
    return replace(record, source=sources[record.file], claims=claims, parts=task.parts)


def _claiming_what_is_there(record: Record, folder: Path) -> Record:
    """Return a record that claims no result that is not there."""
    if record.claims is None or any((folder / result).is_file() for result in record.results):
        return record
    return replace(record, claims=None, parts=None)
