"""The manifest of a corpus: a line of JSON for each file, appended as soon as its result is on the disk.

A process may be killed at any byte. A line that was cut short is ignored and its file done again; so is a
result that still has its temporary name. Before the first result, a line for each name that a run will write
says whose it will be, so that a later run knows a result whose own line was lost.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from neurdsp._output import atomic_output, temporary_label
from neurdsp.errors import ParameterError

__all__ = [
    "MANIFEST",
    "Appender",
    "Record",
    "file_hash",
    "only_run",
    "read_manifest",
    "read_records",
    "rewrite",
    "sweep",
    "sync_folder",
]

MANIFEST = "manifest.jsonl"
_LOCK = ".neurdsp.lock"
# The names that `atomic_output` gives.
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.tmp")


@dataclass(frozen=True, kw_only=True)
class Record:
    """The outcome of one file.

    Attributes
    ----------
    file, output
        Paths relative to the input and to the output folder; ``output`` is None after an error.
    frames, seconds
        Number of frames of the result, and length of the audio in seconds.
    hash
        BLAKE2b-128 of the file's bytes.
    error
        Why there is no result, or None.
    warning
        What is missing from the audio or lost of it, though there is a result; or None.
    size, mtime_ns, config
        Size and time of the file and a hash of the parameters, which tell whether it has to be done again.
    source
        The audio file as an absolute path, which tells its result from that of another corpus; empty in
        manifests of earlier versions.
    claims
        In a record with an error: a result of this file that is in the output folder all the same, because
        an earlier run made it; or None.
    parts
        Names of the files of a result that is a folder; None, and not in the manifest, for one that is a
        file.
    """

    file: str
    output: str | None = None
    frames: int = 0
    seconds: float = 0.0
    hash: str = ""
    error: str | None = None
    warning: str | None = None
    size: int = 0
    mtime_ns: int = 0
    config: str = ""
    source: str = ""
    claims: str | None = None
    parts: Sequence[str] | None = None

    @property
    def result(self) -> str | None:
        """Name of the result that belongs to this file, current or not."""
        return self.output if self.output is not None else self.claims

    @property
    def results(self) -> list[str]:
        """The files of that result, relative to the output folder. A manifest may hold any JSON."""
        result, parts = self.result, self.parts
        if not isinstance(result, str):
            return []
        if parts is None:
            return [result]
        return [f"{result}/{part}" for part in parts] if isinstance(parts, list | tuple) else []


def read_manifest(path: Path) -> dict[str, Record]:
    """Read the latest record of each file, and ignore lines that were cut short."""
    return {record.file: record for record in read_records(path)}


def read_records(path: Path) -> list[Record]:
    """Read all records of a manifest, the oldest first, and ignore lines that were cut short."""
    records: list[Record] = []
    known = {field.name for field in fields(Record)}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return records
    for line in lines:
        try:
            entry = json.loads(line)
            record = Record(**{name: value for name, value in entry.items() if name in known})
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
        if isinstance(record.file, str) and isinstance(record.source, str):
            records.append(record)
    return records


class Appender:
    """A manifest to which records are appended; they survive the process once `write` has returned.

    Parameters
    ----------
    path
        The manifest, made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - closed by __exit__
        # An interruption may have left half a line.
        self._file.write("\n" if path.stat().st_size else "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, records: Iterable[Record], *, sync: bool = False) -> None:
        """Append records; with ``sync``, they survive a power cut too."""
        self._file.writelines(map(_line, records))
        self._file.flush()
        if sync:
            os.fsync(self._file.fileno())


def rewrite(path: Path, records: Iterable[Record]) -> None:
    """Replace a manifest by one line for each record."""
    with atomic_output(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.writelines(map(_line, records))


def _line(record: Record) -> str:
    told = {name: value for name, value in vars(record).items() if name != "parts" or value is not None}
    return json.dumps(told) + "\n"


def file_hash(path: Path) -> str:
    """Return the BLAKE2b-128 of a file's bytes in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


@contextlib.contextmanager
def only_run(output: Path) -> Iterator[None]:
    """Lock the output folder for this run; the lock ends with the process, however that ends.

    Raises
    ------
    ParameterError
        If another run holds it.
    """
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows: two runs at once do every file twice, without harm
        yield
        return
    with open(output / _LOCK, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ParameterError(
                f"another run is writing to '{output}'; wait for its end or give another folder"
            ) from None
        except OSError:
            pass  # a file system without locks: as on Windows
        yield


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, so that a power cut loses none of them.

    Does nothing where a folder cannot be opened (Windows).
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(output: Path, results: Iterable[str]) -> None:
    """Remove the temporary files that killed writers of these results, or of the manifest, have left."""
    wanted: dict[Path, set[str]] = {output: {temporary_label(MANIFEST)}}
    for result in results:
        path = output / result
        wanted.setdefault(path.parent, set()).add(temporary_label(path.name))
    for folder, names in wanted.items():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                found = _TEMPORARY.fullmatch(entry.name)
                if found is not None and found["name"] in names:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)
