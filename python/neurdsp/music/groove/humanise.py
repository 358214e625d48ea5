"""Playing the drums of a MIDI file with a feel; all other notes stay as they are. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.midi import MidiFile, NoteArray
from neurdsp.music.notes import timing_of

__all__ = ["VOICES", "Feel", "Humanised", "Steps", "humanise_midi"]

VOICES: tuple[str, ...] = tuple(_core.groove_constants()[0])
"""The voices of a kit, which can be locked."""

RESIDUALS = "groove.residuals"
"""The key of a model file under which it says how much is chance."""


class Steps(Protocol):
    """A network that runs: `neurdsp.music.network.MusicNetwork`, for instance."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Text by key, as its file has it."""
        ...

    def step(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what it says to each row."""
        ...


@dataclass(frozen=True, kw_only=True)
class Feel:
    """How a groove is to feel.

    Parameters
    ----------
    amount
        From 0, where each note stays as it is, to 1.
    tightness
        From 0, with all of a drummer's chance, to 1, with none.
    lean_ms
        Milliseconds by which all is later, -50 to 50; below 0 it pushes.
    accents
        Factor on the differences of velocity within a voice, 0 to 2.
    seed
        What chance depends on, from 0 on.
    lock
        Names of voices that stay as they are, see `VOICES`.
    late_only
        Whether no hit may be before its step, for live use without latency.
    """

    amount: float = 1.0
    tightness: float = 0.0
    lean_ms: float = 0.0
    accents: float = 1.0
    seed: int = 0
    lock: Sequence[str] = ()
    late_only: bool = False

    def locked(self) -> list[int]:
        """Return the numbers of the locked voices.

        Raises
        ------
        ParameterError
            If there is no such voice.
        """
        for name in self.lock:
            if name not in VOICES:
                raise ParameterError(f"lock is '{name}', but must be one of {', '.join(VOICES)}")
        return [VOICES.index(name) for name in self.lock]


@dataclass(frozen=True)
class Humanised:
    """What `humanise_midi` gives.

    Parameters
    ----------
    midi
        The file, with other starts and velocities of its drums.
    n_hits, n_moved
        Drum notes of the kit, and those that start elsewhere now.
    shift_ms
        Mean distance that the hits moved.
    latency_ms
        The most that a hit is before its step: the latency of live use.
    """

    midi: MidiFile
    n_hits: int
    n_moved: int
    shift_ms: float
    latency_ms: float


def humanise_midi(
    midi: MidiFile,
    network: Steps | None,
    feel: Feel,
    *,
    reference: MidiFile | None = None,
    channel: int = 10,
) -> Humanised:
    """Play the drums of a file with a feel.

    Parameters
    ----------
    midi
        The file. Tempo, length and other notes stay as they are, and so do percussion notes that no kit has.
    network
        The groove network. Without one the reference alone tells the feel, and there is no chance.
    feel
        The knobs.
    reference
        Bars whose feel is taken over.
    channel
        Of the drums, 1 to 16.

    Returns
    -------
    Humanised

    Raises
    ------
    ParameterError
        If a knob is out of range, or a file has no drums on the channel or no beats.

    Examples
    --------
    >>> humanise_midi(read_midi("beat.mid"), None, Feel(lean_ms=10)).midi  # doctest: +SKIP
    """
    if not 1 <= channel <= 16:
        raise ParameterError(f"channel is {channel}, but must be 1 to 16")
    if not 0 <= feel.seed < 1 << 64:
        raise ParameterError(f"seed is {feel.seed}, but must be 0 to 2^64 - 1")
    locked = feel.locked()
    notes, own = _drums(midi, channel, "the file")
    bars = _bars(midi, notes[own])
    other = None
    if reference is not None:
        referred, which = _drums(reference, channel, "the reference")
        other = _bars(reference, referred[which])
    calls = bars.ask(other, earlier=False, accents=True)
    inputs = calls.inputs()
    outputs = np.zeros((len(inputs), 32), np.float32) if network is None else network.step(inputs)
    note, tick, velocity, latency_ms = calls.play(
        outputs,
        None if network is None else network.metadata.get(RESIDUALS),
        amount=feel.amount,
        tightness=feel.tightness,
        lean_ms=feel.lean_ms,
        accents=feel.accents,
        seed=feel.seed,
        locked=locked,
        late_only=feel.late_only,
    )
    if not len(note):
        raise ParameterError(
            f"the file has no notes of a drum kit on channel {channel}; give another --channel"
        )
    changed = notes.copy()
    place = own[note]
    changed["start_ticks"][place] = np.minimum(tick, np.maximum(midi.end_ticks, notes["start_ticks"][place]))
    changed["velocity"][place] = velocity
    moved = changed["start_ticks"] - notes["start_ticks"]
    changed["end_ticks"] += moved
    _release_in_time(notes, changed)
    sixteenth_ms = bars.hits()[7]
    per_tick = sixteenth_ms * 4 / midi.ticks_per_quarter
    same = not moved.any() and np.array_equal(changed["velocity"], notes["velocity"])
    return Humanised(
        midi=midi if same else midi.with_notes(changed),
        n_hits=len(note),
        n_moved=int(np.count_nonzero(moved)),
        shift_ms=float(np.mean(np.abs(moved[place]) * per_tick)),
        latency_ms=float(latency_ms),
    )


def _drums(midi: MidiFile, channel: int, name: str) -> tuple[NoteArray, NDArray[np.int64]]:
    """Return all notes of a file, and the numbers of those on a channel."""
    notes = midi.notes()
    own = np.flatnonzero((notes["channel"] == channel - 1) & (notes["velocity"] > 0))
    if not own.size:
        used = ", ".join(str(one + 1) for one in np.unique(notes["channel"])) or "none"
        raise ParameterError(
            f"{name} has no notes on channel {channel} (channels with notes: {used}); give another --channel"
        )
    return notes, own


def _bars(midi: MidiFile, notes: NoteArray) -> _core.GrooveBars:
    return _core.GrooveBars(
        notes["start_ticks"].astype(np.uint64),
        np.ascontiguousarray(notes["pitch"]),
        np.ascontiguousarray(notes["velocity"]),
        *timing_of(midi),
    )


def _release_in_time(before: NoteArray, after: NoteArray) -> None:
    """End each note before the next of its pitch starts, where it did so before; in place."""
    order = np.lexsort((before["start_ticks"], before["pitch"], before["channel"], before["track"]))
    one, other = order[:-1], order[1:]
    alike = (
        (before["pitch"][one] == before["pitch"][other])
        & (before["channel"][one] == before["channel"][other])
        & (before["track"][one] == before["track"][other])
        & (before["end_ticks"][one] <= before["start_ticks"][other])
    )
    one, other = one[alike], other[alike]
    ends = np.minimum(after["end_ticks"][one], after["start_ticks"][other])
    after["end_ticks"][one] = np.maximum(ends, after["start_ticks"][one])
