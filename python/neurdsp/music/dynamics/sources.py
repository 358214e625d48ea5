"""Pieces with human velocities: the takes of Groove MIDI, and the songs of POP909.

Sources: J. Gillick et al., "Learning to groove with inverse sequence transformations", ICML 2019 (CC BY 4.0);
Z. Wang et al., "POP909: a pop-song dataset for music arrangement generation", ISMIR 2020 (MIT).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurdsp.errors import ConfigError, MidiFileError
from neurdsp.midi import read_midi
from neurdsp.music.dataset import SPLITS, Dataset, Split
from neurdsp.music.groove.sources import read_takes
from neurdsp.music.pop909 import song_files
from neurdsp.music.tasks import Sources

__all__ = ["collect"]

_TICKS = 480
_N_SONGS = 909
_LEAST_NOTES = 16
#: Every so many songs one is read: velocities of a few hundred tell what those of all do.
_EVERY = 3


def collect(sources: Sources, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Dataset:
    """Return the notes of all pieces, by split; of POP909 a third of the songs, split by their number.

    Arrays of a split: ``notes``, ``(n_notes, 4)`` of tick, pitch, velocity and part; and ``pieces``,
    ``(n_pieces, 8)`` of the first note, the number of notes, ticks and microseconds of a quarter note, the
    meter, whether it is for drums, and the mode: 1 major, -1 minor, 0 unknown.

    Raises
    ------
    ConfigError
        If a data set cannot be read.
    """
    notes: dict[str, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
    pieces: dict[str, list[tuple[int, ...]]] = {split: [] for split in SPLITS}
    lengths: dict[str, int] = dict.fromkeys(SPLITS, 0)

    def add(split: str, played: NDArray[np.int64], *about: int) -> None:
        if len(played) < _LEAST_NOTES:
            return
        pieces[split].append((lengths[split], len(played), *about))
        notes[split].append(played[np.argsort(played[:, 0], kind="stable")])
        lengths[split] += len(played)

    for number, take in enumerate(read_takes(sources.need("groove"))):
        played = take.midi.notes()
        columns = [played[name].astype(np.int64) for name in ("start_ticks", "pitch", "velocity")]
        quarter_us = int(take.midi.tempo_map.microseconds_per_quarter[0])
        table = np.stack([*columns, np.zeros(len(played), np.int64)], axis=1)
        add(take.split, table, take.midi.ticks_per_quarter, quarter_us, *take.meter, 1, 0)
        progress(number + 1, 1150 + _N_SONGS // _EVERY)
    for number, (split, table, quarter_us, mode) in enumerate(_songs(sources.need("pop909"))):
        add(split, table, _TICKS, quarter_us, 4, 4, 0, mode)
        progress(1150 + number + 1, 1150 + _N_SONGS // _EVERY)
    arrays = {}
    for split in SPLITS:
        arrays[f"{split}.pieces"] = np.array(pieces[split], np.int64).reshape(-1, 8)
        arrays[f"{split}.notes"] = np.concatenate([np.zeros((0, 4), np.int64), *notes[split]])
    facts = {
        "source": "Groove MIDI (CC BY 4.0), official splits; POP909 (MIT), a third of the songs, by song",
        "pieces": {split: len(pieces[split]) for split in SPLITS},
        "notes": lengths,
    }
    return Dataset("dynamics", arrays, facts)


def _songs(source: Path) -> Iterator[tuple[Split, NDArray[np.int64], int, int]]:
    """Yield split, notes, microseconds of a quarter note and mode of songs of POP909, on their own beats."""
    files, mains = song_files(source)
    for name in mains[::_EVERY]:
        beats = _numbers(files.get(name.with_name("beat_midi.txt"), b""))
        if len(beats) < 8 or beats.shape[1] < 3:
            continue
        try:
            midi = read_midi(files[name])
        except MidiFileError as error:
            raise ConfigError(f"{source}: {name} is damaged ({error}); fetch the data set again") from None
        played = midi.notes()
        seconds = midi.tempo_map.seconds(played["start_ticks"])
        downbeats = np.flatnonzero(beats[:, 2] > 0)
        first = int(downbeats[0]) if len(downbeats) else 0
        quarters = np.interp(seconds, beats[:, 0], np.arange(len(beats)), left=-1, right=-1) - first
        inside = quarters >= 0
        table = np.stack(
            [
                np.rint(quarters * _TICKS).astype(np.int64),
                played["pitch"].astype(np.int64),
                played["velocity"].astype(np.int64),
                played["track"].astype(np.int64) * 16 + played["channel"],
            ],
            axis=1,
        )[inside & (played["velocity"] > 0)]
        quarter_us = round(1e6 * float(np.median(np.diff(beats[:, 0]))))
        number = int(name.stem) if name.stem.isdecimal() else 0
        split: Split = "validation" if number % 10 == 8 else "test" if number % 10 == 9 else "train"
        yield split, table, max(quarter_us, 1), _mode(files.get(name.with_name("key_audio.txt"), b""))


def _numbers(text: bytes) -> NDArray[np.float64]:
    try:
        rows = [
            [float(word) for word in line.split()]
            for line in text.decode("ascii").splitlines()
            if line.strip()
        ]
        return np.array(rows, np.float64) if rows else np.zeros((0, 3))
    except ValueError:
        return np.zeros((0, 3))


def _mode(text: bytes) -> int:
    """Return the mode of the longest key of a song."""
    longest, mode = 0.0, 0
    for line in text.decode("ascii", "replace").splitlines():
        words = line.split()
        if len(words) != 3:
            continue
        try:
            length = float(words[1]) - float(words[0])
        except ValueError:
            continue
        if length > longest:
            longest, mode = length, {"maj": 1, "min": -1}.get(words[2].partition(":")[2], 0)
    return mode
