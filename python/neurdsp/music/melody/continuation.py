"""A melody in a MIDI file continued, by the network and the memory of the piece. Needs no torch.

Tokens stand for sixteenths: 0 is a rest, 1 a note that goes on, others are the pitches of notes that begin.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.midi import NOTE, MidiFile, NoteArray
from neurdsp.music.harmony.harmonise import key_of, melody_of
from neurdsp.music.notes import meters_of

__all__ = ["WEIGHTS_KEY", "ContinueSettings", "Continued", "MelodyModel", "continue_midi"]

WEIGHTS_KEY = "melody.memory_weights"
"""The key of a model file under which it says how much the memory counts."""

_SIXTEENTHS = 4
_MAX_BARS = 256
_MAX_PROMPT = 1 << 16
_UNKNOWN = 255
#: Semitones around the melody in which the continuation stays.
_MARGIN = 4


class MelodyModel(Protocol):
    """A melody network: `neurdsp.music.network.MusicNetwork`, or anything like it."""

    def reset(self) -> None:
        """Return to the state before the first step."""

    def step(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take a token and its condition, ``(65,)``, and give the logits of the next token, ``(128,)``."""


@dataclass(frozen=True, kw_only=True)
class ContinueSettings:
    """How a melody is continued.

    Parameters
    ----------
    bars
        How many bars are added, 1 to 256.
    memory
        How much the memory of the piece counts: 0 leaves it out, 1 is as learnt, more repeats more; up to 8.
    scale_lock
        Whether only notes of the key begin.
    temperature
        1 draws notes as likely as they are; less prefers likely ones, 0 takes the likeliest; up to 4.
    seed
        The same seed gives the same melody.
    key
        The key; by default the one that fits the melody best.
    track
        Number of the track with the melody; by default all count.
    """

    bars: int = 4
    memory: float = 1.0
    scale_lock: bool = False
    temperature: float = 0.9
    seed: int = 0
    key: str | None = None
    track: int | None = None


@dataclass(frozen=True)
class Continued:
    """What `continue_midi` gives.

    Parameters
    ----------
    midi
        The file, with a further track that continues the melody.
    key
        The key, given or found.
    start_ticks, end_ticks
        Where the continuation begins and ends.
    notes
        Its notes.
    """

    midi: MidiFile
    key: str
    start_ticks: int
    end_ticks: int
    notes: NoteArray

    def to_json(self) -> dict[str, Any]:
        """Return the continuation as plain values."""
        columns = ("start_ticks", "end_ticks", "pitch", "velocity")
        return {
            "key": self.key,
            "start_ticks": self.start_ticks,
            "end_ticks": self.end_ticks,
            "notes": [{name: int(note[name]) for name in columns} for note in self.notes],
        }


def continue_midi(
    midi: MidiFile,
    model: MelodyModel,
    *,
    settings: ContinueSettings | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Continued:
    """Continue the melody of a file from the bar after its last note on.

    Parameters
    ----------
    midi
        A file with a melody; of notes that sound together the highest counts. All of it stays as it is.
    model
        The melody network.
    settings
        How to continue.
    metadata
        Of the model file, with the weights of the memory; without, the usual ones.

    Raises
    ------
    ParameterError
        If there is no melody, it is too long, or a setting is out of range.
    """
    settings = settings or ContinueSettings()
    if not 1 <= settings.bars <= _MAX_BARS:
        raise ParameterError(f"bars is {settings.bars}, but must be 1 to {_MAX_BARS}")
    if not 0 <= settings.seed < 1 << 64:
        raise ParameterError(f"seed is {settings.seed}, but must be 0 to 2**64 - 1")
    notes = melody_of(midi, settings.track)
    step = midi.ticks_per_quarter / _SIXTEENTHS
    places = _places(midi, int(notes["end_ticks"].max()), settings.bars)
    n_prompt = next(at for at, place in enumerate(places) if place.new)
    tokens = _core.melody_tokens(
        notes["start_ticks"] / step, notes["end_ticks"] / step, np.ascontiguousarray(notes["pitch"]), n_prompt
    )
    key = key_of(settings.key) if settings.key is not None else _found_key(notes)
    name, scale = _core.key_facts(key)
    around = np.array(
        [(place.at, place.bar, place.compound, *key, _UNKNOWN) for place in places], np.int64
    ).astype(np.uint8)
    pitches = tokens[tokens > 1]
    low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (60, 72)
    continued = _core.melody_continue(
        tokens,
        around,
        model,
        memory=settings.memory,
        temperature=settings.temperature,
        scale=scale if settings.scale_lock else None,
        range=(max(low - _MARGIN, 2), min(high + _MARGIN, 127)),
        seed=settings.seed,
        weights=_weights(metadata or {}),
    )
    found = _core.melody_notes(continued)
    added = np.zeros(len(found), NOTE)
    added["start_ticks"] = np.rint((found[:, 0] + n_prompt) * step)
    added["end_ticks"] = np.rint((found[:, 1] + n_prompt) * step)
    added["pitch"] = found[:, 2]
    added["velocity"] = round(float(np.median(notes["velocity"])))
    added["channel"] = notes["channel"][-1]
    start, end = round(n_prompt * step), round(len(places) * step)
    return Continued(
        midi=midi.with_track(added, name="Continuation", length_ticks=end),
        key=name,
        start_ticks=start,
        end_ticks=end,
        notes=added,
    )


@dataclass(frozen=True)
class _Place:
    """A sixteenth: its place in its bar, the bar, and whether it is after the melody."""

    at: int
    bar: int
    compound: bool
    new: bool


def _places(midi: MidiFile, end_ticks: int, bars: int) -> list[_Place]:
    """Return the sixteenths of a file, to the end of the bar of its last note, and of some bars more."""
    meters = meters_of(midi, end_ticks)
    step = midi.ticks_per_quarter / _SIXTEENTHS
    if end_ticks / step > _MAX_PROMPT:
        raise ParameterError(f"the melody is longer than {_MAX_PROMPT} sixteenths; give a shorter one")
    places: list[_Place] = []
    for tick, until, numerator, denominator in meters:
        bar = min(max(numerator * 16 // denominator, 1), 255)
        compound = denominator == 8 and numerator % 3 == 0
        first, last = round(tick / step), round((end_ticks if until is None else until) / step)
        whole = max(-(-(last - first) // bar), 1) * bar
        # A meter that changes cuts its last bar short; the last one is filled.
        n = whole if until is None else last - first
        places += [_Place(at % bar, bar, compound, False) for at in range(n)]
    places += [_Place(at % bar, bar, compound, True) for at in range(bars * bar)]
    return places


def _found_key(notes: NoteArray) -> tuple[int, bool]:
    lengths = (notes["end_ticks"] - notes["start_ticks"]).astype(np.float64)
    durations = np.bincount(notes["pitch"] % 12, lengths / max(lengths.sum(), 1.0), minlength=12)
    return _core.estimate_key([float(length) for length in durations])


def _weights(metadata: Mapping[str, str]) -> list[float] | None:
    if WEIGHTS_KEY not in metadata:
        return None
    try:
        return [float(weight) for weight in json.loads(metadata[WEIGHTS_KEY])]
    except (ValueError, TypeError):
        raise ParameterError(
            f"{WEIGHTS_KEY} of the model file is no list of numbers; export the network again"
        ) from None
