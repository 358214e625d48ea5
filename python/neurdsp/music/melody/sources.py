"""Melodies on the grid: fiddle tunes of the package music21, and the songs of POP909.

The tunes are those of O'Neill's Music of Ireland (1903), Aird's Selection of Airs (1778 on) and Ryan's
Mammoth Collection (1883), which are in the public domain; no file of these three restricts its use. The Essen
folk songs of the same package are for non-commercial use, and are not read.
"""

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ConfigError, MissingDependencyError
from neurdsp.music.dataset import SPLITS, Dataset
from neurdsp.music.harmony.sources import split_of
from neurdsp.music.melody.abc_tunes import Tune, read_tunes
from neurdsp.music.melody.variants import groups_of
from neurdsp.music.pop909 import Song, read_songs
from neurdsp.music.tasks import Sources

__all__ = ["COLLECTIONS", "collect", "song_melody"]

COLLECTIONS = ("oneills1850", "airdsAirs", "ryansMammoth")
"""Folders of tunes in the corpus of music21."""

_N_SONGS = 909
_N_FILES = 1100
_STEPS = 4
"""Sixteenths of a beat."""
_LEAST_NOTES = 32
_FORBIDDEN = ("non-commercial", "noncommercial", "all rights reserved", "may not be used")


def collect(sources: Sources, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Dataset:
    """Return the melodies by split: variants of a tune are in one, and nearly the same ones are left out.

    Arrays of a split: ``tokens``, ``(n,)``; ``surroundings``, ``(n, 6)`` of place in the bar, sixteenths of a
    bar, compound meter, tonic, minor and chord (255 for none); ``pieces``, ``(n_pieces, 3)`` of the first
    step, the number of steps, and the collection: 0 POP909, then those of `COLLECTIONS`.

    Parameters
    ----------
    sources
        With ``pop909``, and ``music21`` if the tunes are to be read.
    progress
        Called with files done and files of all.

    Raises
    ------
    ConfigError
        If a data set cannot be read.
    MissingDependencyError
        If music21 is not installed.
    """
    found: list[tuple[str, int, NDArray[np.uint8], NDArray[np.uint8]]] = []
    total = _N_SONGS + (_N_FILES if sources.music21 else 0)
    for number, song in enumerate(read_songs(sources.need("pop909"))):
        melody = song_melody(song)
        if melody is not None:
            found.append((f"pop909/{song.name}", 0, *melody))
        progress(number + 1, total)
    if sources.music21:
        for number, (name, collection, tune) in enumerate(_tunes()):
            found.append((name, 1 + collection, tune.tokens, tune.surroundings))
            progress(min(_N_SONGS + number // 4, total), total)
    parts: dict[str, list[list[NDArray[Any]]]] = {split: [[], [], []] for split in SPLITS}
    counts: Counter[str] = Counter()
    lengths: Counter[str] = Counter()
    for group in groups_of([tokens for _, _, tokens, _ in found]):
        split = split_of(found[group[0]][0])
        for number in group:
            _, collection, tokens, around = found[number]
            piece = np.array([[lengths[split], len(tokens), collection]], np.int64)
            columns: tuple[NDArray[Any], ...] = (tokens, around, piece)
            for part, rows in zip(parts[split], columns, strict=True):
                part.append(rows)
            lengths[split] += len(tokens)
            counts[f"{split} {('pop909', *COLLECTIONS)[collection]}"] += 1
    empty = (np.zeros(0, np.uint8), np.zeros((0, 6), np.uint8), np.zeros((0, 3), np.int64))
    arrays = {
        f"{split}.{name}": np.concatenate([none, *rows])
        for split in SPLITS
        for name, none, rows in zip(("tokens", "surroundings", "pieces"), empty, parts[split], strict=True)
    }
    facts = {
        "source": "POP909 (MIT); O'Neill, Aird and Ryan from the corpus of music21 (public domain)",
        "read": len(found),
        "pieces": dict(sorted(counts.items())),
        "steps": {split: lengths[split] for split in SPLITS},
    }
    return Dataset("melody", arrays, facts)


def song_melody(song: Song) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Return tokens and surroundings of a song, from the bar of its first note on.

    Rests of more than two bars are shortened by whole bars: what they hold is nothing.

    Parameters
    ----------
    song
        Of POP909.

    Returns
    -------
    tuple of ndarray or None
        See `collect`; None if it has fewer than 32 notes.
    """
    starts, ends = song.notes[:, 0] * _STEPS, song.notes[:, 1] * _STEPS
    pitches = song.notes[:, 2].astype(np.uint8)
    bar = song.meter * _STEPS
    n = int(np.ceil(ends.max())) if len(ends) else 0
    if len(pitches) < _LEAST_NOTES or pitches.min() < 2:
        return None
    tokens = _core.melody_tokens(starts, ends, pitches, n)
    around = np.zeros((n, 6), np.uint8)
    around[:, 1], around[:, 5] = bar, 255
    downbeats = {int(beat) * _STEPS for beat in song.downbeats}
    place = -int(song.downbeats[0]) * _STEPS % bar
    for step in range(n):
        place = 0 if step in downbeats or place >= bar else place
        around[step, 0] = place
        place += 1
    for step in range(0, n, _STEPS):
        around[step : step + _STEPS, 3:5] = song.key_at(step / _STEPS)
    for start, end, chord in song.chords:
        around[max(round(start * _STEPS), 0) : max(round(end * _STEPS), 0), 5] = chord
    first = int(np.argmax(tokens > 1))
    first -= min(int(around[first, 0]), first)
    kept = [np.arange(first, first)]
    step = first
    for begin, end in _rests(tokens, first):
        kept.append(np.arange(step, begin))
        silent = end - begin
        cut = (silent - bar) // bar * bar if silent > 2 * bar else 0
        kept += [np.arange(begin, begin + min(bar, silent)), np.arange(begin + min(bar, silent) + cut, end)]
        step = end
    kept.append(np.arange(step, n))
    steps = np.concatenate(kept)
    return tokens[steps], around[steps]


def _rests(tokens: NDArray[np.uint8], first: int) -> Iterator[tuple[int, int]]:
    """Yield where rests begin and end, from a step on."""
    silent = np.concatenate([[False], tokens[first:] == 0, [False]])
    edges = np.flatnonzero(np.diff(silent.astype(np.int8))) + first
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _tunes() -> Iterator[tuple[str, int, Tune]]:
    """Yield the tunes of the package music21, with their names and collections."""
    found = importlib.util.find_spec("music21")
    if found is None or found.origin is None:
        raise MissingDependencyError(
            "the tunes need the package music21; install it with: pip install music21"
        )
    corpus = Path(found.origin).parent / "corpus"
    for number, collection in enumerate(COLLECTIONS):
        paths = sorted((corpus / collection).glob("*.abc"))
        if not paths:
            raise ConfigError(f"{corpus / collection} has no tunes; install music21 with its corpus")
        for path in paths:
            text = path.read_text(encoding="utf-8", errors="replace")
            restricted = next((word for word in _FORBIDDEN if word in text.lower()), None)
            if restricted is not None:
                raise ConfigError(f"{path} says '{restricted}': look at its licence before it is used")
            for at, tune in enumerate(read_tunes(text)):
                yield f"{collection}/{path.stem}/{at} {tune.name}", number, tune
