"""Reshaping the velocities of a MIDI file by mood; nothing else changes. Needs no torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.midi import MidiFile, NoteArray
from neurdsp.music.groove.humanise import Steps
from neurdsp.music.notes import timing_of

__all__ = ["Reshaped", "calls_of", "reshape_midi"]

_DRUM_CHANNEL = 9


@dataclass(frozen=True)
class Reshaped:
    """What `reshape_midi` gives.

    Parameters
    ----------
    midi
        The file with other velocities.
    n_notes
        Notes of the file.
    spread_before, spread_after
        Mean standard deviation of the velocities of its parts.
    """

    midi: MidiFile
    n_notes: int
    spread_before: float
    spread_after: float


def reshape_midi(
    midi: MidiFile,
    network: Steps,
    *,
    valence: float = 0.0,
    arousal: float = 0.0,
    amount: float = 1.0,
) -> Reshaped:
    """Give the velocities of each part the shape of a player, and of a mood.

    Parameters
    ----------
    midi
        The file.
    network
        The dynamics network.
    valence, arousal
        The mood, each -1 to 1: arousal is how loud the bars are beside what is usual.
    amount
        How much of the shape is added, 0 to 2. A part keeps its mean but for what the mood changes, and never
        has less spread than it had.

    Returns
    -------
    Reshaped

    Raises
    ------
    ParameterError
        If the mood or the amount is out of range, or the file has no notes or no beats.

    Examples
    --------
    >>> reshape_midi(read_midi("song.mid"), network, arousal=0.5).midi  # doctest: +SKIP
    """
    for name, value, low, high in (
        ("valence", valence, -1, 1),
        ("arousal", arousal, -1, 1),
        ("amount", amount, 0, 2),
    ):
        if not low <= value <= high:
            raise ParameterError(f"{name} is {value:g}, but must be {low} to {high}")
    notes = midi.notes()
    if not len(notes):
        raise ParameterError("the file has no notes; give one with some")
    moody = calls_of(midi, notes, np.full((len(notes), 2), (valence, arousal), np.float32))
    inputs = moody.inputs()
    neutral = inputs.copy()
    neutral[:, :2] = 0
    velocity = moody.reshape(network.step(inputs), network.step(neutral), amount)
    changed = notes.copy()
    changed["velocity"] = velocity
    same = np.array_equal(velocity, notes["velocity"])
    return Reshaped(
        midi=midi if same else midi.with_notes(changed),
        n_notes=len(notes),
        spread_before=_spread(notes),
        spread_after=_spread(changed),
    )


def calls_of(midi: MidiFile, notes: NoteArray, moods: NDArray[np.float32]) -> _core.DynamicsCalls:
    """Return what the network is asked about notes: each track and channel is a part.

    Parameters
    ----------
    midi
        Their file.
    notes
        ``(n_notes,)``.
    moods
        ``(n_notes, 2)``: valence and arousal of the place of each.
    """
    return _core.DynamicsCalls(
        notes["start_ticks"].astype(np.uint64),
        np.ascontiguousarray(notes["pitch"]),
        np.maximum(notes["velocity"], 1),
        _parts(notes),
        notes["channel"] == _DRUM_CHANNEL,
        np.ascontiguousarray(moods, np.float32),
        *timing_of(midi),
    )


def _parts(notes: NoteArray) -> NDArray[np.uint32]:
    part: NDArray[np.uint32] = notes["track"] * np.uint32(16) + notes["channel"]
    return part


def _spread(notes: NoteArray) -> float:
    part = _parts(notes)
    return float(np.mean([notes["velocity"][part == one].std() for one in np.unique(part)]))
