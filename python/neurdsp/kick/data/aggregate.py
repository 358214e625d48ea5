"""From nested folders of samples to one flat folder of kicks, with a table of their keywords."""

import csv
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from neurdsp._output import atomic_output, publish, temporary_beside
from neurdsp.dsp.audio_files import find_audio, short_enough
from neurdsp.dsp.executors import LocalPool, n_cores
from neurdsp.dsp.manifest import file_hash, only_run, sweep
from neurdsp.errors import AudioFileError, ConfigError, ParameterError
from neurdsp.kick.data.names import is_loop, keywords_of, names_one_of

__all__ = ["METADATA", "RAW", "Aggregated", "MetadataRow", "aggregate", "read_metadata", "read_sources"]

RAW, METADATA = "raw", "metadata.csv"
"""The folder of the samples and the table, both in the folder of the data."""

_SOURCES = "sources.json"
_COLUMNS = ("filename", "original_path", "keywords")
_GROUP = 32
_PREFIX_DIGITS = 6


@dataclass(frozen=True)
class MetadataRow:
    """A row of ``metadata.csv``.

    Attributes
    ----------
    filename
        Name in the folder ``raw``: the first digits of the hash of the content, and the original name.
    original_path
        Where the sample came from.
    keywords
        Words of its name, and of the names of its duplicates.
    """

    filename: str
    original_path: str
    keywords: tuple[str, ...]


@dataclass(frozen=True)
class Aggregated:
    """What `aggregate` did.

    Attributes
    ----------
    folder
        The folder of the data.
    n_samples
        Rows in the table, those of earlier calls included.
    n_copied, n_kept
        Samples copied by this call, and those that were there.
    n_duplicates
        Files left out because their bytes are those of another.
    left_out
        Files left out for another reason, by reason.
    """

    folder: Path
    n_samples: int
    n_copied: int
    n_kept: int
    n_duplicates: int
    left_out: Mapping[str, int]


def aggregate(
    sources: Sequence[Path],
    output: Path,
    *,
    words: Sequence[str] = ("kick",),
    min_bytes: int = 5 * 1024,
    max_bytes: int = 1024 * 1024,
    overwrite: bool = False,
    workers: int | None = None,
    begin: Callable[[int], None] = lambda _total: None,
    advance: Callable[[int], None] = lambda _done: None,
) -> Aggregated:
    """Copy the kicks of folders into one flat folder, and list them in a table.

    A call that was stopped goes on where it was. A call with other sources adds to what is there.

    Parameters
    ----------
    sources
        Folders that are searched with their subfolders, or files.
    output
        Folder for ``raw/`` and ``metadata.csv``; made if it is missing, and not searched.
    words
        A file is taken if its name contains one of them.
    min_bytes, max_bytes
        Sizes of files to take.
    overwrite
        Whether a file in ``raw`` may be replaced that has the name of a sample, but another content.
    workers
        Files that are read at a time; by default one for each core.
    begin, advance
        Called with the number of files to read, and with how many were done since.

    Returns
    -------
    Aggregated
        Counts, with the reasons why files were left out.

    Raises
    ------
    AudioFileError
        If a source is missing, or no file in them fits.
    ConfigError
        If there is a damaged table in ``output``.
    ParameterError
        If the sizes contradict each other, or another run is writing to the folder.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> aggregate([Path("samples")], Path("data")).n_samples  # doctest: +SKIP
    13613
    """
    if not 0 <= min_bytes <= max_bytes:
        raise ParameterError(f"sizes from {min_bytes} to {max_bytes} bytes hold no file; give a wider range")
    left_out = Counter[str]()
    paths = _candidates(sources, output, left_out, words=words, sizes=(min_bytes, max_bytes))
    earlier = {row.filename: row for row in read_metadata(output)} if (output / METADATA).exists() else {}
    raw = output / RAW
    raw.mkdir(parents=True, exist_ok=True)
    with only_run(output):
        sweep(output, [METADATA, _SOURCES])
        begin(len(paths))
        groups = [paths[start : start + _GROUP] for start in range(0, len(paths), _GROUP)]
        pool, hashes = LocalPool(workers or n_cores()), dict[Path, str]()
        for _, found in pool.map(_hashed, groups):
            assert isinstance(found, dict)
            hashes |= found
            advance(len(found))
        left_out["cannot be read"] += len(paths) - len(hashes)
        rows, originals, n_duplicates = _rows(paths, hashes)
        sweep(output, [f"{RAW}/{name}" for name in rows])
        missing = [name for name in rows if not _is_there(raw / name, hashes[originals[name]], overwrite)]
        for start in range(0, len(missing), _GROUP):
            _copy([(originals[name], raw / name) for name in missing[start : start + _GROUP]])
        table = {name: row for name, row in earlier.items() if (raw / name).is_file()} | rows
        _write_metadata(output / METADATA, [table[name] for name in sorted(table)])
        roots = {*read_sources(output), *(source.as_posix() for source in sources if source.is_dir())}
        _write_sources(output / _SOURCES, sorted(roots))
    return Aggregated(
        output,
        n_samples=len(table),
        n_copied=len(missing),
        n_kept=len(rows) - len(missing),
        n_duplicates=n_duplicates,
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _candidates(
    sources: Sequence[Path],
    output: Path,
    left_out: Counter[str],
    *,
    words: Sequence[str],
    sizes: tuple[int, int],
) -> list[Path]:
    """Return the files whose names and sizes fit, sorted, each once."""
    found = dict[Path, None]()
    for source in sources:
        if not source.exists():
            raise AudioFileError(f"cannot read '{source}': no such file or folder")
        root = source if source.is_dir() else source.parent
        for path in find_audio(source, without=output):
            fault = _fault(path, path.relative_to(root).as_posix(), words=words, sizes=sizes)
            if fault:
                left_out[fault] += 1
            else:
                found[path] = None
    if not found:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
        raise AudioFileError(
            f"cannot find kicks in '{sources[0]}': {reasons}; give another folder, or --word for other names"
        )
    return sorted(found)


def _fault(path: Path, name: str, *, words: Sequence[str], sizes: tuple[int, int]) -> str:
    """Return why a file is left out, or an empty text."""
    if not names_one_of(path.name, words):
        return "of another name"
    if is_loop(name):
        return "loops"
    try:
        size = path.stat().st_size
    except OSError:
        return "cannot be read"
    return "too small" if size < sizes[0] else "too large" if size > sizes[1] else ""


def _hashed(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the hashes of the files that can be read."""
    found = {}
    for path in paths:
        try:
            if path.is_file():  # a pipe would wait for a writer
                found[path] = file_hash(path)
        except OSError:
            continue
    return found


def _rows(
    paths: Sequence[Path], hashes: Mapping[Path, str]
) -> tuple[dict[str, MetadataRow], dict[str, Path], int]:
    """Return rows and originals by the new name, and how many files are duplicates."""
    first: dict[str, Path] = {}
    words: dict[str, list[str]] = {}
    for path in paths:
        if path in hashes:
            first.setdefault(hashes[path], path)
            words.setdefault(hashes[path], []).extend(keywords_of(path.name))
    names: dict[str, str] = {}
    for digest, path in first.items():
        digits = _PREFIX_DIGITS
        while (name := _new_name(path, digest, digits)) in names:
            digits += 1
        names[name] = digest
    rows = {
        name: MetadataRow(name, first[digest].as_posix(), tuple(dict.fromkeys(words[digest])))
        for name, digest in names.items()
    }
    return rows, {name: first[digest] for name, digest in names.items()}, len(hashes) - len(first)


def _new_name(path: Path, digest: str, digits: int) -> str:
    name = f"{digest[:digits]}_{path.name}"
    return short_enough(name, name, PurePath(path.name).suffix)


def _is_there(target: Path, digest: str, overwrite: bool) -> bool:
    """Tell whether a file is there already.

    Raises
    ------
    FileExistsError
        If a file of that name has another content, and may not be replaced.
    """
    if not target.is_file():
        return False
    if file_hash(target) == digest:
        return True
    if overwrite:
        return False
    raise FileExistsError(
        f"cannot write '{target}': it exists already, with another content; give another folder, or "
        "--overwrite to replace it"
    )


def _copy(files: Sequence[tuple[Path, Path]]) -> None:
    """Copy files, each whole or not at all."""
    made = []
    try:
        for source, target in files:
            temporary = temporary_beside(target)
            made.append((temporary, target))
            shutil.copyfile(source, temporary)
    except BaseException:
        for temporary, _ in made:
            Path(temporary).unlink(missing_ok=True)
        raise
    for error in publish(made):
        if error is not None:
            raise error


def _write_metadata(path: Path, rows: Sequence[MetadataRow]) -> None:
    # Names may be no text in the encoding of the file system.
    with (
        atomic_output(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream,
    ):
        table = csv.writer(stream)
        table.writerow(_COLUMNS)
        for row in rows:
            table.writerow((row.filename, row.original_path, " ".join(row.keywords)))


def read_metadata(folder: str | os.PathLike[str]) -> list[MetadataRow]:
    """Read the table of a folder of data.

    Raises
    ------
    ConfigError
        If it is missing or damaged.

    Examples
    --------
    >>> read_metadata("data")[0].keywords  # doctest: +SKIP
    ('deep', 'kick')
    """
    path = Path(folder) / METADATA
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as stream:
            table = csv.DictReader(stream)
            if tuple(table.fieldnames or ()) != _COLUMNS:
                raise ConfigError(
                    f"{path}: its columns must be {', '.join(_COLUMNS)}; run 'neurdsp kick aggregate'"
                )
            return [_row(entry, path) for entry in table]
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such table; make it with 'neurdsp kick aggregate'") from None
    except (OSError, csv.Error) as error:
        raise ConfigError(
            f"{path}: cannot read the table ({error}); run 'neurdsp kick aggregate' again"
        ) from None


def _write_sources(path: Path, sources: Sequence[str]) -> None:
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps([*sources], indent=2) + "\n", encoding="utf-8")


def read_sources(folder: str | os.PathLike[str]) -> list[str]:
    """Return the folders that were searched for the samples of a folder of data, if that is known."""
    try:
        found = json.loads((Path(folder) / _SOURCES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [source for source in found if isinstance(source, str)] if isinstance(found, list) else []


def _row(entry: Mapping[str, str | None], path: Path) -> MetadataRow:
    name, original, words = (entry.get(column) for column in _COLUMNS)
    # A name leads to a file in the folder `raw`, and nowhere else.
    if not name or PurePath(name).name != name or name in (".", "..") or original is None or words is None:
        raise ConfigError(f"{path}: the row of {name!r} is damaged; run 'neurdsp kick aggregate' again")
    return MetadataRow(name, original, tuple(words.split()))
