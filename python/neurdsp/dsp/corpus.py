"""The mel spectrograms of a file or of a folder, with a manifest of the outcome of each file.

The manifest, ``manifest.jsonl`` in the output folder, has a line of JSON for each file, appended after its
result is on the disk: ``file``, ``output``, ``frames``, ``seconds``, ``hash`` (BLAKE2 of the file's
bytes), ``error``, ``warning`` (what is missing from the audio), ``size``, ``mtime_ns`` and ``config``, by
which a later run knows that nothing has changed, and ``source`` and ``claims``, by which it knows whose each
result is. An interrupted run continues where it stopped.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from neurdsp.dsp.earlier import refuse_loss
from neurdsp.dsp.executors import Executor, LocalPool
from neurdsp.dsp.extraction import ENDINGS, Format
from neurdsp.dsp.manifest import (
    MANIFEST,
    Appender,
    Record,
    only_run,
    read_manifest,
    read_records,
    rewrite,
    sweep,
    sync_folder,
)
from neurdsp.dsp.mel_job import MelJob, Task
from neurdsp.dsp.owners import Owners, claim
from neurdsp.dsp.results import file_hash, groups_done
from neurdsp.errors import AudioFileError

__all__ = ["SUFFIXES", "Format", "MelJob", "Record", "Summary", "find_audio", "read_manifest", "run"]

_MAX_NAME_BYTES = 255

#: Endings of audio files in a folder: what libsndfile reads and a folder of audio may hold.
SUFFIXES = (
    *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga"),
    *(".aif", ".aiff", ".aifc", ".caf", ".au", ".snd", ".sph", ".nist", ".voc", ".svx", ".8svx", ".iff"),
    *(".avr", ".ircam", ".sf", ".paf", ".pvf", ".sd2", ".wve", ".xi"),
)


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


def find_audio(source: Path, skipped: Counter[str] | None = None) -> list[Path]:
    """Find the audio files of a folder and its subfolders, sorted; links are followed, hidden files left out.

    Parameters
    ----------
    source
        The folder, or a file, which is taken whatever its name.
    skipped
        Gets the endings of the other files, and of folders that cannot be opened.

    Raises
    ------
    AudioFileError
        If there are none.
    """
    if not source.is_dir():
        return [source]
    found, seen = [], set()
    skipped = Counter() if skipped is None else skipped

    def closed(_: OSError) -> None:
        skipped["folder that cannot be opened"] += 1

    for folder, folders, names in os.walk(source, followlinks=True, onerror=closed):
        # A link may lead back to a folder above it.
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.startswith("."):
                continue
            if name.lower().endswith(SUFFIXES):
                found.append(Path(folder, name))
            else:
                skipped[Path(name).suffix.lower() or "without an ending"] += 1
    if not found:
        there = f" ({_in_words(skipped)})" if skipped else ""
        raise AudioFileError(
            f"cannot find audio in '{source}': none of its files{there} ends in {', '.join(SUFFIXES)}"
        )
    return sorted(found)


def _in_words(skipped: Counter[str]) -> str:
    """Return how many files there are of each ending."""
    listed = [f"{n} {ending}" for ending, n in skipped.most_common(6)]
    rest = skipped.total() - sum(n for _, n in skipped.most_common(6))
    return ", ".join(listed) + (f", {rest} others" if rest else "")


def _names(job: MelJob, files: Sequence[Path]) -> list[str]:
    """Return the paths of files below the root of a job."""
    if len(job.sources) == 1:
        return [path.relative_to(job.root).as_posix() for path in files]
    root = job.root
    return [Path(os.path.relpath(path, root)).as_posix() for path in files]


def output_names(job: MelJob, files: Sequence[Path]) -> dict[str, str]:
    """Name the result of each file by another ending, appended to the old one where names would collide.

    A name that would be too long for a file system is cut, and a hash of the whole name appended.
    """
    relative = _names(job, files)
    stems = [name.removesuffix(Path(name).suffix) for name in relative]
    ending, taken = ENDINGS[job.format], Counter(stems)
    pairs = list(zip(relative, stems, strict=True))
    names = {name: (stem if taken[stem] == 1 else name) + ending for name, stem in pairs}
    if len({*names.values()}) < len(names):
        names = {name: name + ending for name in relative}
    return {name: _short_enough(output, name, ending) for name, output in names.items()}


def _short_enough(output: str, name: str, ending: str) -> str:
    folder, slash, last = output.rpartition("/")
    if len(os.fsencode(last)) <= _MAX_NAME_BYTES:
        return output
    digest = hashlib.blake2b(os.fsencode(name), digest_size=8).hexdigest()
    room = _MAX_NAME_BYTES - len(os.fsencode(ending)) - len(digest) - 1
    return f"{folder}{slash}{os.fsencode(last)[:room].decode(errors='ignore')}-{digest}{ending}"


def run(
    job: MelJob,
    *,
    executor: Executor | None = None,
    progress: Callable[[Record], None] | None = None,
    begin: Callable[[int], None] | None = None,
    overwrite: bool = False,
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
    overwrite
        Whether files of the names of the results may be replaced that another corpus or no run made.

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
    files = [path for source in job.sources for path in find_audio(source, skipped)]
    # By name, because a file may be given twice, itself and in its folder.
    files = [*dict(zip(_names(job, files), files, strict=True)).values()]
    names = output_names(job, files)
    refuse_loss(job.output, names, files, overwrite=overwrite)
    job.output.mkdir(parents=True, exist_ok=True)
    manifest = job.output / MANIFEST
    with only_run(job.output):
        sweep(job.output, names.values())
        owners, config = Owners(job.output, read_records(manifest)), job.config
        base = os.path.realpath(job.root)
        sources = {name: os.path.join(base, name) for name in names}
        todo, claims, kept, done = list[Task](), list[Record](), dict[str, Record](), dict[str, Record]()
        for path, name in zip(files, names, strict=True):
            task = Task(path, name, names[name])
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
                for records in groups_done(job, todo, executor or LocalPool(), config):
                    finished = [_owned(record, sources, names) for record in records]
                    lines.write(finished)
                    for record in finished:
                        done[record.file] = record
                        if progress is not None:
                            progress(record)
        finally:
            # Groups that were not published; workers of a cluster may have been killed, too.
            sweep(job.output, names.values())
        # The rewritten manifest is on the disk at once: the names that it holds have to be there before.
        for folder in {(job.output / name).parent for name in names.values()}:
            if folder.is_dir():
                sync_folder(folder)
        latest = {**kept, **done}
        own = [_claiming_what_is_there(latest[name], job.output) for name in names]
        searched = [source for source in job.sources if source.is_dir()]
        rewrite(manifest, [*owners.others(own, searched), *own])
    good = [record for record in done.values() if record.error is None]
    return Summary(
        done=len(good),
        kept=len(kept),
        failed=len(done) - len(good),
        warned=sum(record.warning is not None for record in latest.values()),
        skipped=_in_words(skipped),
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


def _owned(record: Record, sources: Mapping[str, str], outputs: Mapping[str, str]) -> Record:
    """Return the record of a file that was done, with its source; after an error it keeps its claim."""
    claims = outputs[record.file] if record.output is None else None
    return replace(record, source=sources[record.file], claims=claims)


def _claiming_what_is_there(record: Record, folder: Path) -> Record:
    """Return a record that claims no result that is not there."""
    if record.claims is None or (folder / record.claims).is_file():
        return record
    return replace(record, claims=None)
