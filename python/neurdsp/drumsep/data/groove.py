"""Performances of drummers from MIDI files, and the Groove MIDI data set with its official splits.

Source: J. Gillick, A. Roberts, J. Engel, D. Eck, D. Bamman, "Learning to groove with inverse sequence
transformations", ICML 2019 (the data set: CC BY 4.0).
"""

import csv
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.data.roles import NOTES, ROLES
from neurdsp.errors import ConfigError, MidiFileError
from neurdsp.midi import read_midi

__all__ = ["Performance", "parse_midi", "read_groove"]

_MAX_MIDI_BYTES = 4 << 20
_MAX_FILES = 20_000


@dataclass(frozen=True)
class Performance:
    """The strokes of a recording of a drummer.

    Parameters
    ----------
    split
        ``train``, ``validation`` or ``test``.
    times_s, roles, velocities
        ``(n_strokes,)``, in the order of time: seconds, numbers in `ROLES`, and 0 to 1.
    """

    split: str
    times_s: NDArray[np.float32]
    roles: NDArray[np.uint8]
    velocities: NDArray[np.float32]


def parse_midi(data: bytes) -> list[tuple[float, int, int]]:
    """Return the notes of a MIDI file, by time, key and velocity: seconds, key, velocity.

    All changes of tempo count, whichever track they are in.

    Raises
    ------
    ValueError
        If it is no MIDI file, or damaged.
    """
    try:
        midi = read_midi(data)
    except MidiFileError as error:
        raise ValueError(str(error)) from None
    if not midi.is_complete:
        raise ValueError("; ".join(midi.warnings))
    notes = midi.notes()
    notes = notes[np.lexsort((notes["velocity"], notes["pitch"], notes["start_ticks"]))]
    seconds = midi.tempo_map.seconds(notes["start_ticks"])
    return list(zip(seconds.tolist(), notes["pitch"].tolist(), notes["velocity"].tolist(), strict=True))


def read_groove(source: Path) -> list[Performance]:
    """Return the performances of the Groove MIDI data set, in the order of its table ``info.csv``.

    Parameters
    ----------
    source
        The folder, or the ``.tar.gz`` or ``.tar`` that holds it.

    Raises
    ------
    ConfigError
        If the table is missing, names a file that is missing, or names an unknown split.
    """
    files = {str(name): data for name, data in _files(source)}
    tables = [name for name in files if PurePosixPath(name).name == "info.csv"]
    if not tables:
        raise ConfigError(f"{source}: no info.csv in it; give the Groove MIDI data set (version 1.0.0)")
    root = PurePosixPath(tables[0]).parent
    rows = csv.DictReader(io.StringIO(files[tables[0]].decode("utf-8", "replace")))
    performances = []
    for row in rows:
        name, split = row.get("midi_filename") or "", row.get("split") or ""
        data = files.get(str(root / name))
        if data is None or split not in ("train", "validation", "test"):
            raise ConfigError(f"{source}: info.csv names '{name}' of the split '{split}', which is not there")
        try:
            notes = parse_midi(data)
        except ValueError as error:
            raise ConfigError(f"{source}: {name} is damaged ({error}); fetch the data set again") from None
        strokes = [(time, ROLES.index(NOTES[key]), loud) for time, key, loud in notes if key in NOTES]
        if len(strokes) > 8:
            times, roles, velocities = zip(*strokes, strict=True)
            performances.append(
                Performance(
                    split,
                    np.array(times, np.float32),
                    np.array(roles, np.uint8),
                    np.array(velocities, np.float32) / np.float32(127),
                )
            )
    return performances


def _files(source: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the table and the MIDI files of a folder or an archive."""
    try:
        if source.is_dir():
            paths = [path for path in sorted(source.rglob("*")) if path.suffix in (".mid", ".midi", ".csv")]
            for path in paths[:_MAX_FILES]:
                if path.stat().st_size <= _MAX_MIDI_BYTES:
                    yield PurePosixPath(path.relative_to(source).as_posix()), path.read_bytes()
            return
        with tarfile.open(source) as archive:
            for count, member in enumerate(archive):
                name = PurePosixPath(member.name)
                if count > _MAX_FILES:
                    break
                if member.isfile() and name.suffix in (".mid", ".midi", ".csv"):
                    stream = archive.extractfile(member)
                    if stream is not None and member.size <= _MAX_MIDI_BYTES:
                        yield name, stream.read()
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ConfigError(f"{source}: cannot read the performances: {error}") from None
