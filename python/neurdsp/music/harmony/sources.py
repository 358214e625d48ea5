"""Half bars of songs and their chords, from POP909."""

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neurdsp.music.dataset import SPLITS, Dataset, Split
from neurdsp.music.pop909 import NO_CHORD, Song, read_songs
from neurdsp.music.tasks import Sources

__all__ = ["collect", "split_of"]

_N_SONGS = 909


def split_of(name: str) -> Split:
    """Return the split of a piece: of ten, one is for the test and one for validation.

    Parameters
    ----------
    name
        Of the piece; of variants, the name of the first.

    Examples
    --------
    >>> split_of("pop909/001")
    'train'
    """
    digit = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 10
    return "test" if digit == 0 else "validation" if digit == 1 else "train"


def collect(sources: Sources, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Dataset:
    """Return the melody and the chords of the songs, by split.

    Arrays of a split: ``notes``, ``(n_notes, 3)`` of start and end in beats, and pitch; ``halves``,
    ``(n_halves, 3)`` of the beat, whether it is a downbeat, and the chord; ``pieces``, ``(n_pieces, 7)`` of
    the first note, the number of notes, the first half bar, the number of half bars, where the last one ends
    in beats, tonic and mode (1 for minor).

    Parameters
    ----------
    sources
        With ``pop909``.
    progress
        Called with songs done and songs of all.

    Raises
    ------
    ConfigError
        If the data set cannot be read.
    """
    parts: dict[str, list[list[NDArray[np.float64]]]] = {split: [[], [], []] for split in SPLITS}
    lengths = {split: [0, 0] for split in SPLITS}
    for number, song in enumerate(read_songs(sources.need("pop909"))):
        split = split_of(f"pop909/{song.name}")
        halves, end = _halves(song)
        tonic, minor = _main_key(song)
        n_notes, n_halves = lengths[split]
        piece = np.array([n_notes, len(song.notes), n_halves, len(halves), end, tonic, minor], np.float64)
        for part, rows in zip(parts[split], (song.notes, halves, piece[None]), strict=True):
            part.append(rows)
        lengths[split] = [n_notes + len(song.notes), n_halves + len(halves)]
        progress(number + 1, _N_SONGS)
    arrays = {
        f"{split}.{name}": np.concatenate([np.zeros((0, width)), *rows])
        for split in SPLITS
        for name, width, rows in zip(("notes", "halves", "pieces"), (3, 3, 7), parts[split], strict=True)
    }
    facts = {
        "source": "POP909 (MIT), melody and chords, split by song",
        "songs": {split: len(arrays[f"{split}.pieces"]) for split in SPLITS},
        "half_bars": {split: lengths[split][1] for split in SPLITS},
    }
    return Dataset("harmony", arrays, facts)


def _halves(song: Song) -> tuple[NDArray[np.float64], float]:
    """Return beat, downbeat and chord of each half bar, and where the last one ends."""
    bounds = np.append(song.halves, min(song.beats, song.halves[-1] + (2 if song.meter == 4 else 3)))
    sounding = np.zeros((len(bounds) - 1, 64))
    for start, end, number in song.chords:
        overlap = np.minimum(end, bounds[1:]) - np.maximum(start, bounds[:-1])
        sounding[:, number] += np.maximum(overlap, 0)
    chord = np.where(sounding.sum(1) > 0, sounding.argmax(1), NO_CHORD)
    downbeat = np.isin(bounds[:-1], song.downbeats)
    return np.stack([bounds[:-1], downbeat, chord], axis=1).astype(np.float64), float(bounds[-1])


def _main_key(song: Song) -> tuple[int, bool]:
    """Return the key that holds longest."""
    ends = [*(key[0] for key in song.keys[1:]), float(song.beats)]
    longest = max(range(len(song.keys)), key=lambda at: ends[at] - song.keys[at][0])
    return song.keys[longest][1:]
