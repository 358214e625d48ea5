"""The mel spectrograms of a file or of a folder, with a manifest that says what became of each file.

The manifest, ``manifest.jsonl`` in the output folder, has a line of JSON for each file, appended as soon as
the file is done: ``file``, ``output``, ``frames``, ``seconds``, ``hash`` (BLAKE2 of the file's bytes),
``error``, and what tells a later run that nothing has changed: ``size``, ``mtime_ns`` and ``config``. A run
that was interrupted goes on where it stopped.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from neurdsp._output import atomic_output
from neurdsp.audio import read_audio, resample
from neurdsp.dsp.arrays import Array
from neurdsp.dsp.features import MelSpectrogram
from neurdsp.dsp.raw import write_raw
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["SUFFIXES", "Format", "MelJob", "Record", "Summary", "find_audio", "read_manifest", "run"]

Format: TypeAlias = Literal["npy", "safetensors", "raw"]

#: What counts as audio in a folder.
SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".w64", ".caf", ".au")
MANIFEST = "manifest.jsonl"
_ENDINGS = {"npy": ".npy", "safetensors": ".safetensors", "raw": "_mel.bin"}


@dataclass(frozen=True, kw_only=True)
class Record:
    """What became of one file.

    Attributes
    ----------
    file, output
        Paths relative to the input and to the output folder; ``output`` is None after an error.
    frames, seconds
        Columns of the result, and length of the audio in seconds.
    hash
        BLAKE2b-128 of the file's bytes.
    error
        Why there is no result, or None.
    size, mtime_ns, config
        Of the file and of the parameters, to find out whether it has to be done again.
    """

    file: str
    output: str | None = None
    frames: int = 0
    seconds: float = 0.0
    hash: str = ""
    error: str | None = None
    size: int = 0
    mtime_ns: int = 0
    config: str = ""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of all files.

    Attributes
    ----------
    done, kept, failed
        Files computed now, found done before, and without a result.
    seconds, frames
        Of audio and of features computed now.
    manifest
        The manifest's path.
    """

    done: int
    kept: int
    failed: int
    seconds: float
    frames: int
    manifest: str


@dataclass(frozen=True, kw_only=True)
class MelJob:
    """Which features, from where, to where.

    Parameters
    ----------
    source
        An audio file, or a folder that is searched with all its folders.
    output
        The folder for the results; made if it is not there.
    plan
        The features. Audio is mixed to mono and resampled to its ``sr``.
    format
        ``npy``; ``safetensors`` with a tensor ``mel`` and the parameters; or ``raw``, float32 rows one after
        the other in ``*_mel.bin`` (see `neurdsp.dsp.raw`).
    """

    source: Path
    output: Path
    plan: MelSpectrogram
    format: Format = "npy"

    def __post_init__(self) -> None:
        if self.format not in _ENDINGS:
            raise ParameterError(f"format is {self.format!r}, but it must be one of {', '.join(_ENDINGS)}")
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
        """What tells these parameters from others: 16 hexadecimal digits."""
        parameters = json.dumps({**_plain(self.plan), "format": self.format}, sort_keys=True, default=float)
        return hashlib.blake2b(parameters.encode(), digest_size=8).hexdigest()


def find_audio(source: Path) -> list[Path]:
    """Find the audio files of a folder and its folders, in order; hidden ones left out.

    Raises
    ------
    AudioFileError
        If there are none.
    """
    if source.is_file():
        return [source]
    found = []
    for folder, folders, names in os.walk(source):
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
    """Name each file's result: another ending, after the old one where two names would collide."""
    relative = [path.relative_to(job.root).as_posix() for path in files]
    stems = [name.removesuffix(Path(name).suffix) for name in relative]
    ending, taken = _ENDINGS[job.format], Counter(stems)
    pairs = list(zip(relative, stems, strict=True))
    names = {name: (stem if taken[stem] == 1 else name) + ending for name, stem in pairs}
    return names if len({*names.values()}) == len(names) else {name: name + ending for name in relative}


def read_manifest(path: Path) -> dict[str, Record]:
    """Read the latest record of each file; a line that an interruption cut short is passed over."""
    records: dict[str, Record] = {}
    known = {field.name for field in fields(Record)}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return records
    for line in lines:
        try:
            entry = json.loads(line)
            record = Record(**{name: value for name, value in entry.items() if name in known})
        except (ValueError, TypeError, AttributeError):
            continue
        records[record.file] = record
    return records


def run(
    job: MelJob,
    *,
    workers: int = 1,
    progress: Callable[[Record], None] | None = None,
    begin: Callable[[int], None] | None = None,
) -> Summary:
    """Do the job: every file that the manifest does not show as done.

    Parameters
    ----------
    job
        What to do.
    workers
        Files at a time, each on a thread of its own.
    progress
        Called with the record of each file as soon as it is done.
    begin
        Called with the number of files to do.

    Returns
    -------
    Summary
        Counts; the manifest has the rest.

    Raises
    ------
    AudioFileError
        If there is no audio at all. A single bad file is recorded, and the others are done.
    OSError
        If a result cannot be written, for instance because the disk is full.
    """
    files = find_audio(job.source)
    names = output_names(job, files)
    job.output.mkdir(parents=True, exist_ok=True)
    manifest = job.output / MANIFEST
    before = read_manifest(manifest)
    config = job.config
    todo, kept = [], {}
    for path, name in zip(files, names, strict=True):
        record = before.get(name)
        if record is not None and _is_done(job, path, names[name], record, config):
            kept[name] = record
        else:
            todo.append((path, name))
    if begin is not None:
        begin(len(todo))
    done: dict[str, Record] = {}
    with open(manifest, "a", encoding="utf-8") as lines:
        # An interruption may have left half a line.
        lines.write("\n" if manifest.stat().st_size else "")
        for record in _each(job, todo, names, workers):
            lines.write(json.dumps(asdict(record)) + "\n")
            lines.flush()
            done[record.file] = record
            if progress is not None:
                progress(record)
    _rewrite(manifest, {**before, **done}, names)
    good = [record for record in done.values() if record.error is None]
    return Summary(
        done=len(good),
        kept=len(kept),
        failed=len(done) - len(good),
        seconds=sum(record.seconds for record in good),
        frames=sum(record.frames for record in good),
        manifest=str(manifest),
    )


def compute(job: MelJob, path: Path, name: str, output: str, config: str) -> Record:
    """Compute and write the features of one file; its mistakes become part of the record."""
    facts: dict[str, Any] = {"file": name, "config": config}
    try:
        status = path.stat()
        facts |= {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "hash": _hash(path)}
        mel, facts["seconds"] = features(job.plan, path)
    except (AudioFileError, ParameterError) as error:
        return Record(**facts, error=" ".join(str(error).split()))
    except OSError as error:
        return Record(**facts, error=f"cannot read '{path}': {error.strerror or error}")
    target = job.output / output
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(job, target, mel)
    return Record(**facts, output=output, frames=mel.shape[-1])


def features(plan: MelSpectrogram, path: Path) -> tuple[Array, float]:
    """Read a file and return its features ``(n_rows, n_frames)`` and its length in seconds."""
    audio, rate = read_audio(path)
    seconds = audio.shape[-1] / rate
    mono = audio if audio.ndim == 1 else audio.mean(axis=0, dtype=np.float32)
    mono = mono if rate == plan.sr else resample(mono, rate, plan.sr)
    return plan(mono, n_threads=1), seconds


def _each(
    job: MelJob, todo: Sequence[tuple[Path, str]], names: dict[str, str], workers: int
) -> Iterator[Record]:
    """Yield records as files get done; few files wait in memory at any time."""
    config, rest = job.config, iter(todo)
    pool = ThreadPoolExecutor(max_workers=max(workers, 1), thread_name_prefix="neurdsp-mel")
    waiting: set[Future[Record]] = set()
    try:
        while True:
            for path, name in rest:
                waiting.add(pool.submit(compute, job, path, name, names[name], config))
                if len(waiting) >= 2 * workers:
                    break
            if not waiting:
                return
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ready:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _is_done(job: MelJob, path: Path, output: str, record: Record, config: str) -> bool:
    if record.error is not None or record.config != config or record.output != output:
        return False
    status = path.stat()
    if not (job.output / output).is_file() or record.size != status.st_size:
        return False
    return record.mtime_ns == status.st_mtime_ns or record.hash == _hash(path)


def _hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _write(job: MelJob, target: Path, mel: Array) -> None:
    if job.format == "raw":
        write_raw(target, mel)
        return
    with atomic_output(target) as temporary:
        if job.format == "npy":
            with open(temporary, "wb") as file:
                np.save(file, mel)
        else:
            from safetensors.numpy import save_file

            save_file(
                {"mel": mel}, temporary, metadata={"neurdsp.mel": json.dumps(_plain(job.plan), default=float)}
            )


def _rewrite(manifest: Path, records: dict[str, Record], names: dict[str, str]) -> None:
    """Leave one line for each file that is there, in order."""
    with atomic_output(manifest) as temporary:
        lines = [json.dumps(asdict(records[name])) for name in names if name in records]
        temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _plain(plan: MelSpectrogram) -> dict[str, Any]:
    """List the parameters of a plan, as JSON knows them."""
    parameters = {field.name: getattr(plan, field.name) for field in fields(plan)}
    if not isinstance(plan.window, (str, int, float, tuple)):
        parameters["window"] = np.asarray(plan.engine.frames.window_key).tobytes().hex()
    return parameters
