"""Chords for the melody of a MIDI file: a plan, suggestions, and a track of voices. Needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.midi import NOTE, MidiFile, NoteArray
from neurdsp.music.notes import meters_of

__all__ = [
    "CHORDS",
    "ChordSuggestion",
    "HalfBar",
    "Harmonised",
    "PlanSettings",
    "chord_number",
    "half_bars",
    "harmonise_midi",
    "key_of",
    "make_plan",
]

CHORDS: tuple[str, ...] = tuple(_core.chord_names())
"""The names of the 64 chords, by their numbers."""

ChordModel = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Gives probabilities ``(n, 64)`` for features ``(n, 128)``: a harmony network."""

_DRUMS = 9
_FREE = 255
_MAX_HALF_BARS = 1 << 14
_NAMES_OF_KEYS = "such as C, F# or Bbm"


@dataclass(frozen=True, kw_only=True)
class PlanSettings:
    """How chords are chosen.

    Parameters
    ----------
    change_rate
        Part of the half bars in which the chord shall change, 0 to 1; None leaves it to the network.
    suggestions
        Suggestions for each half bar, 1 to 64.
    beam
        Plans that are followed, 1 to 64.
    change_reward
        What a change is worth, in nats. The default makes plans change about as often as people do.
    coverage_reward
        What a half bar whose melody is all on tones of its chord is worth, in nats.
    lookahead
        Whether the chord of a half bar may depend on the two after it.
    """

    change_rate: float | None = None
    suggestions: int = 3
    beam: int = 16
    change_reward: float = 0.5
    coverage_reward: float = 0.6
    lookahead: bool = True


@dataclass(frozen=True)
class ChordSuggestion:
    """A chord, and how likely the network finds it after the chords before."""

    chord: str
    probability: float


@dataclass(frozen=True)
class HalfBar:
    """A half bar of a harmonised melody.

    Parameters
    ----------
    number
        From 1; what ``lock`` refers to.
    bar
        Its bar, from 1.
    start_ticks, end_ticks
        Its place in the file.
    chord
        The chord that was chosen, with a root.
    pitches
        Its notes, from the bass up.
    suggestions
        The chord of the plan, then others from the likeliest on.
    """

    number: int
    bar: int
    start_ticks: int
    end_ticks: int
    chord: str
    pitches: tuple[int, ...]
    suggestions: tuple[ChordSuggestion, ...]


@dataclass(frozen=True)
class Harmonised:
    """What `harmonise_midi` gives.

    Parameters
    ----------
    midi
        The file, with a further track of chords.
    key
        The key, given or found.
    half_bars
        The plan.
    coverage
        Part of the melody's time on tones of its chords, 0 to 1.
    change_rate
        Part of the half bars that change the chord, 0 to 1.
    """

    midi: MidiFile
    key: str
    half_bars: tuple[HalfBar, ...]
    coverage: float
    change_rate: float

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {
            "key": self.key,
            "coverage": round(self.coverage, 4),
            "change_rate": round(self.change_rate, 4),
            "half_bars": [
                {
                    "number": half.number,
                    "bar": half.bar,
                    "start_ticks": half.start_ticks,
                    "end_ticks": half.end_ticks,
                    "chord": half.chord,
                    "pitches": list(half.pitches),
                    "suggestions": [
                        {"chord": found.chord, "probability": round(found.probability, 4)}
                        for found in half.suggestions
                    ],
                }
                for half in self.half_bars
            ],
        }


def chord_number(name: str) -> int:
    """Return the number of a chord.

    Raises
    ------
    ParameterError
        If no chord has the name.

    Examples
    --------
    >>> chord_number("Am7")
    48
    """
    found = _core.chord_index(name)
    if found is None:
        raise ParameterError(
            f"no chord is called {name!r}; give a root such as C or F#, with m, 7, m7 or maj7, or one of "
            + ", ".join(CHORDS[60:])
        )
    return found


def key_of(name: str) -> tuple[int, bool]:
    """Return the tonic of a key, 0 to 11 from C, and whether it is minor.

    Raises
    ------
    ParameterError
        If no key has the name.

    Examples
    --------
    >>> key_of("F#m")
    (6, True)
    """
    found = _core.parse_key(name)
    if found is None:
        raise ParameterError(f"no key is called {name!r}; give one {_NAMES_OF_KEYS}")
    return found


def make_plan(
    segments: "_core.Segments",
    key: tuple[int, bool],
    model: ChordModel,
    settings: PlanSettings,
    *,
    locks: Mapping[int, int] | None = None,
) -> tuple[NDArray[np.uint8], list[list[tuple[int, float]]]]:
    """Return a chord for each half bar, and the number and probability of each suggestion.

    Parameters
    ----------
    segments
        The melody.
    key
        Tonic and whether it is minor.
    model
        The network.
    settings
        How to choose.
    locks
        Chords that stay, by the number of the half bar from 0.

    Raises
    ------
    ParameterError
        If a setting is out of range, or a lock is beyond the end.
    """
    locked = np.full(len(segments), _FREE, np.uint8)
    for at, chord in (locks or {}).items():
        if not 0 <= at < len(segments):
            raise ParameterError(
                f"half bar {at + 1} is locked, but there are {len(segments)}; lock one of them"
            )
        locked[at] = chord
    return segments.plan(
        key,
        locked,
        model,
        beam=settings.beam,
        change_reward=settings.change_reward,
        coverage_reward=settings.coverage_reward,
        change_rate=settings.change_rate,
        suggestions=settings.suggestions,
        lookahead=settings.lookahead,
    )


def half_bars(
    midi: MidiFile, end_ticks: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return where half bars begin and the last one ends, which begin a bar, and their bars from 0.

    Bars of up to two quarter notes are one each, and so are those that do not halve, as in 3/4 and 7/8.

    Parameters
    ----------
    midi
        In ticks of a quarter note.
    end_ticks
        Where the last note ends.

    Raises
    ------
    ParameterError
        If the file has no beats, or more than 16384 half bars.
    """
    bounds: list[int] = []
    downbeats: list[bool] = []
    bars: list[int] = []
    bar = end = 0
    for tick, until, numerator, denominator in meters_of(midi, end_ticks):
        length = max(4 * midi.ticks_per_quarter * numerator // denominator, 2)
        parts = 2 if numerator % 2 == 0 and length > 2 * midi.ticks_per_quarter else 1
        for start in range(tick, max(end_ticks, 1) if until is None else until, length):
            # A new meter cuts the bar before it short.
            starts = [start + part * length // parts for part in range(parts)]
            starts = [at for at in starts if until is None or at < until]
            if len(bounds) + len(starts) > _MAX_HALF_BARS:
                raise ParameterError(f"the file has more than {_MAX_HALF_BARS} half bars; give a shorter one")
            bounds += starts
            downbeats += [at == start for at in starts]
            bars += [bar] * len(starts)
            bar, end = bar + 1, start + length
    return np.array([*bounds, end], np.int64), np.array(downbeats, bool), np.array(bars, np.int64)


def melody_of(midi: MidiFile, track: int | None = None) -> NoteArray:
    """Return the notes of the melody: those of a track, or all that are not drums.

    Raises
    ------
    ParameterError
        If there are none.
    """
    notes = midi.notes()
    chosen: NoteArray = notes[(notes["channel"] != _DRUMS) & (notes["end_ticks"] > notes["start_ticks"])]
    if track is not None:
        if not 0 <= track < midi.n_tracks:
            raise ParameterError(f"track is {track}, but must be 0 to {midi.n_tracks - 1}")
        chosen = chosen[chosen["track"] == track]
    if not len(chosen):
        where = "the file" if track is None else f"track {track}"
        raise ParameterError(f"{where} has no notes but drums; give a file with a melody, or another track")
    return chosen


def harmonise_midi(
    midi: MidiFile,
    model: ChordModel,
    *,
    settings: PlanSettings | None = None,
    key: str | None = None,
    locks: Mapping[int, str] | None = None,
    track: int | None = None,
    velocity: int = 70,
    channel: int = 1,
) -> Harmonised:
    """Find chords for a melody, and add them as a track.

    Parameters
    ----------
    midi
        A file with a melody; its drums are not looked at. All of it stays as it is.
    model
        The harmony network.
    settings
        How to choose.
    key
        The key; by default the one that fits the melody best.
    locks
        Names of chords that stay, by the number of the half bar from 1.
    track
        Number of the track with the melody; by default all count.
    velocity, channel
        Of the notes of the chords.

    Returns
    -------
    Harmonised
        The file with chords, and the plan.

    Raises
    ------
    ParameterError
        If there is no melody, or a setting is out of range.
    """
    settings = settings or PlanSettings()
    if not 1 <= velocity <= 127 or not 0 <= channel <= 15:
        raise ParameterError(
            f"velocity is {velocity} and channel {channel}, but they must be 1 to 127 and 0 to 15"
        )
    notes = melody_of(midi, track)
    bounds, downbeats, bars = half_bars(midi, int(notes["end_ticks"].max()))
    segments = _core.Segments(
        notes["start_ticks"].astype(np.float64),
        notes["end_ticks"].astype(np.float64),
        np.ascontiguousarray(notes["pitch"]),
        bounds.astype(np.float64),
        downbeats,
    )
    found = key_of(key) if key is not None else _core.estimate_key(segments.durations())
    numbers = {at - 1: chord_number(name) for at, name in (locks or {}).items()}
    chords, suggestions = make_plan(segments, found, model, settings, locks=numbers)
    voiced, names = segments.voice(chords)
    coverage, change_rate = segments.judge(chords)
    plan = tuple(
        HalfBar(
            number=at + 1,
            bar=int(bars[at]) + 1,
            start_ticks=int(bounds[at]),
            end_ticks=int(bounds[at + 1]),
            chord=names[at],
            pitches=tuple(voiced[at]),
            suggestions=tuple(ChordSuggestion(CHORDS[number], value) for number, value in suggestions[at]),
        )
        for at in range(len(chords))
    )
    played = _played(plan, velocity=velocity, channel=channel)
    return Harmonised(
        midi=midi.with_track(played, name="Chords", length_ticks=int(bounds[-1])),
        key=_core.key_facts(found)[0],
        half_bars=plan,
        coverage=coverage,
        change_rate=change_rate,
    )


def _played(plan: Sequence[HalfBar], *, velocity: int, channel: int) -> NoteArray:
    """Return the notes of a plan; a chord that goes on is held."""
    rows: list[tuple[int, int, int]] = []
    at = 0
    while at < len(plan):
        last = at
        while last + 1 < len(plan) and plan[last + 1].pitches == plan[at].pitches:
            last += 1
        rows += [(plan[at].start_ticks, plan[last].end_ticks, pitch) for pitch in plan[at].pitches]
        at = last + 1
    notes = np.zeros(len(rows), NOTE)
    if rows:
        table = np.array(rows, np.int64)
        notes["start_ticks"], notes["end_ticks"] = table[:, 0], table[:, 1]
        notes["pitch"] = table[:, 2]
    notes["velocity"], notes["channel"] = velocity, channel
    return notes
