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
from neurdsp.errors import ConfigError

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
    """Return the notes of a MIDI file: seconds, key, velocity.

    All changes of tempo count, whichever track they are in.

    Raises
    ------
    ValueError
        If it is no MIDI file, or damaged.
    """
    if data[:4] != b"MThd" or len(data) < 14:
        raise ValueError("not a MIDI file")
    n_tracks, division = int.from_bytes(data[10:12], "big"), int.from_bytes(data[12:14], "big")
    if not 0 < division < 0x8000:
        raise ValueError("its time is not in ticks of a beat")
    notes: list[tuple[int, int, int]] = []
    tempos = [(0, 500_000)]
    at = 8 + int.from_bytes(data[4:8], "big")
    for _ in range(n_tracks):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        _read_track(data[at + 8 : at + 8 + size], notes, tempos)
        at += 8 + size
    tempos.sort(key=lambda entry: entry[0])
    ticks = np.array([tick for tick, _ in tempos], np.float64)
    rates = np.array([tempo for _, tempo in tempos], np.float64) * 1e-6 / division
    starts = np.concatenate([[0.0], np.cumsum(np.diff(ticks) * rates[:-1])])
    found = []
    for tick, key, velocity in sorted(notes):
        which = int(np.searchsorted(ticks, tick, side="right")) - 1
        found.append((float(starts[which] + (tick - ticks[which]) * rates[which]), key, velocity))
    return found


def _read_track(track: bytes, notes: list[tuple[int, int, int]], tempos: list[tuple[int, int]]) -> None:
    at = tick = status = 0
    try:
        while at < len(track):
            delta, at = _number(track, at)
            tick += delta
            if track[at] >= 0x80:
                status = track[at]
                at += 1
            if status == 0xFF:
                kind = track[at]
                size, at = _number(track, at + 1)
                if kind == 0x51 and size == 3:
                    tempos.append((tick, int.from_bytes(track[at : at + 3], "big")))
                at += size
            elif status in (0xF0, 0xF7):
                size, at = _number(track, at)
                at += size
            elif status >> 4 in (0xC, 0xD):
                at += 1
            else:
                if status >> 4 == 9 and track[at + 1] > 0:
                    notes.append((tick, track[at], track[at + 1]))
                at += 2
    except IndexError:
        raise ValueError("a track ends within an event") from None


def _number(track: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    value = 0
    for _ in range(4):
        byte = track[at]
        at += 1
        value = value << 7 | byte & 127
        if byte < 0x80:
            return value, at
    raise ValueError("a number is longer than four bytes")


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
