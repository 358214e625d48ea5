"""The songs of POP909 on their own beats: melody, chords, keys and bars.

Source: Z. Wang et al., "POP909: a pop-song dataset for music arrangement generation", ISMIR 2020 (MIT).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ConfigError, MidiFileError
from neurdsp.midi import read_midi
from neurdsp.music.archive import files_of

__all__ = ["NO_CHORD", "Song", "read_songs"]

NO_CHORD: int = _core.chord_index("N.C.") or 0
"""The number of no chord."""

_MELODY = "MELODY"
_LEAST_BARS = 4
#: What each quality of the data set is among the 64 chords: a suffix of a rooted chord, or a rootless one.
_ROOTED = {
    "maj": "",
    "maj6": "",
    "min": "m",
    "min6": "m",
    "minmaj7": "m",
    "7": "7",
    "min7": "m7",
    "maj7": "maj7",
}
_ROOTLESS = {"aug": "aug", "dim": "dim", "dim7": "dim", "hdim7": "dim"}


@dataclass(frozen=True)
class Song:
    """A song; places are beats from the first one that is marked.

    Parameters
    ----------
    name
        Its number in the data set, as text.
    notes
        Melody, ``(n, 3)`` of start, end and pitch, sorted by start.
    beats
        Number of beats.
    meter
        Beats of a bar, 3 or 4.
    halves
        Beats at which a half bar begins; in a meter of three beats, a bar.
    downbeats
        Beats at which a bar begins.
    keys
        Place from which a key holds, its tonic and whether it is minor, in order.
    chords
        Start, end and number of each chord.
    """

    name: str
    notes: NDArray[np.float64]
    beats: int
    meter: int
    halves: NDArray[np.int64]
    downbeats: NDArray[np.int64]
    keys: list[tuple[float, int, bool]]
    chords: list[tuple[float, float, int]]

    def key_at(self, beat: float) -> tuple[int, bool]:
        """Return the key that holds at a beat."""
        at = max((number for number, key in enumerate(self.keys) if key[0] <= beat), default=0)
        return self.keys[at][1:]


def song_files(source: Path) -> tuple[dict[PurePosixPath, bytes], list[PurePosixPath]]:
    """Return the files of the data set, and which of them are songs.

    Raises
    ------
    ConfigError
        If it cannot be read, or is another.
    """
    files = dict(files_of(source, suffixes=(".mid", ".txt")))
    mains = [name for name in files if name.suffix == ".mid" and name.stem == name.parent.name]
    if not mains:
        raise ConfigError(f"{source}: no song such as 001/001.mid in it; give the data set POP909")
    return files, mains


def read_songs(source: Path) -> Iterator[Song]:
    """Yield the songs that have a melody, beats, chords and a key, in their order.

    Parameters
    ----------
    source
        The data set: a folder or its archive.

    Raises
    ------
    ConfigError
        If it cannot be read, or is another.

    Examples
    --------
    >>> next(read_songs(Path("pop909.tar.gz"))).meter  # doctest: +SKIP
    4
    """
    files, mains = song_files(source)
    for name in mains:
        try:
            song = _read(name, files)
        except (MidiFileError, ValueError, UnicodeDecodeError) as error:
            raise ConfigError(f"{source}: {name} is damaged ({error}); fetch the data set again") from None
        if song is not None:
            yield song


def _read(name: PurePosixPath, files: dict[PurePosixPath, bytes]) -> Song | None:
    def table(kind: str) -> list[list[str]]:
        lines = files.get(name.with_name(f"{kind}.txt"), b"").decode("ascii").splitlines()
        return [line.split() for line in lines if line.strip()]

    marks = np.array(table("beat_midi"), np.float64)
    midi = read_midi(files[name])
    track = {text: number for number, text in enumerate(midi.track_names)}.get(_MELODY)
    if track is None or marks.ndim != 2 or len(marks) < 2 * _LEAST_BARS or marks.shape[1] < 3:
        return None
    halves, downbeats = np.flatnonzero(marks[:, 1] > 0), np.flatnonzero(marks[:, 2] > 0)
    if len(downbeats) < _LEAST_BARS:
        return None
    meter = int(Counter(np.diff(downbeats).tolist()).most_common(1)[0][0])
    if meter == 6:
        meter, downbeats = 3, halves
    if meter not in (3, 4):
        return None
    seconds = marks[:, 0]
    # Beyond the last mark beats go on as they were.
    longer = seconds[-1] + np.median(np.diff(seconds)) * np.arange(1, 17)
    times = np.concatenate([seconds, longer])

    def beat(second: float | NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.asarray(np.interp(second, times, np.arange(len(times))))
        return found

    played = midi.notes()
    played = played[played["track"] == track]
    starts, ends = (midi.tempo_map.seconds(played[column]) for column in ("start_ticks", "end_ticks"))
    notes = np.stack([beat(starts), beat(ends), played["pitch"].astype(np.float64)], axis=1)
    notes = notes[starts >= seconds[0] - 0.05]
    keys = [(float(beat(float(row[0]))), *_key(row[2])) for row in table("key_audio")]
    chords = [
        (float(beat(float(begin))), float(beat(float(end))), _chord(text))
        for begin, end, text in table("chord_midi")
    ]
    if not len(notes) or not keys or not chords:
        return None
    return Song(
        name=name.stem,
        notes=notes[np.argsort(notes[:, 0], kind="stable")],
        beats=len(marks),
        meter=meter,
        halves=halves if meter == 4 else downbeats,
        downbeats=downbeats,
        keys=keys,
        chords=chords,
    )


def _key(text: str) -> tuple[int, bool]:
    tonic, _, mode = text.partition(":")
    found = _core.parse_key(tonic + ("m" if mode == "min" else ""))
    if found is None:
        raise ValueError(f"no key is called {text}")
    return found


def _chord(text: str) -> int:
    root, _, quality = text.partition(":")
    quality = quality.partition("/")[0]
    if root == "N":
        return NO_CHORD
    name = root + _ROOTED[quality] if quality in _ROOTED else _ROOTLESS.get(quality, "sus")
    found = _core.chord_index(name)
    if found is None:
        raise ValueError(f"no chord is called {text}")
    return found
