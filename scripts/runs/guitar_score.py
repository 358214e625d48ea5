"""Generated guitar parts as MIDI, for capturing an amp or pedal.

A part is drawn from a seed, in one of five styles. This module makes no sound; ``capture_signal.py`` gives
the bytes to a synthesiser. Times are whole milliseconds, so the bytes depend only on the seed.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

__all__ = ["Bend", "Note", "Style", "midi_bytes", "part"]

Style = Literal["strum", "power", "arpeggio", "lead", "bass"]

_MINOR_PENTATONIC = (0, 3, 5, 7, 10)
_DORIAN = (0, 2, 3, 5, 7, 9, 10)
_SCALES = {"pentatonic": _MINOR_PENTATONIC, "dorian": _DORIAN}
# Semitones above the root, on the strings that a hand would play.
_CHORDS = {
    "major": (0, 7, 12, 16, 19, 24),
    "minor": (0, 7, 12, 15, 19, 24),
    "seventh": (0, 7, 10, 16, 19, 24),
    "suspended": (0, 7, 12, 17, 19, 24),
}
_LOWEST_E = 40  # MIDI pitch of a guitar's open sixth string
_TICKS_PER_SECOND = 1000


@dataclass(frozen=True)
class Note:
    """One picked note: start, length, MIDI pitch, and velocity from 1 to 127."""

    start_ms: int
    length_ms: int
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Bend:
    """Position of the pitch wheel from ``start_ms`` on: -8192 to 8191, two semitones each way."""

    start_ms: int
    wheel: int


def part(
    style: Style,
    *,
    seed: int,
    seconds: float,
    beats_per_minute: int = 110,
    root: int = _LOWEST_E,
    scale: Literal["pentatonic", "dorian"] = "pentatonic",
) -> tuple[list[Note], list[Bend]]:
    """Draw a part.

    Parameters
    ----------
    style : {"strum", "power", "arpeggio", "lead", "bass"}
        Strummed open chords; fifths in eighth notes; chords note by note; single notes with bends and
        vibrato; bass.
    seed : int
        The same seed gives the same part, on every platform: the generator is numpy's frozen ``RandomState``.
    seconds : float
        No note starts later than this.
    beats_per_minute : int, default 110
        Tempo.
    root : int, default 40
        MIDI pitch of the key's lowest root; 40 is the low E.
    scale : {"pentatonic", "dorian"}
        Scale of single notes and of the roots of chords.

    Returns
    -------
    notes : list of Note
        Ordered by start.
    bends : list of Bend
        Empty except for ``"lead"``.

    Raises
    ------
    ValueError
        If the style is unknown.

    Examples
    --------
    >>> notes, bends = part("power", seed=3, seconds=4.0)
    >>> notes[0].start_ms
    0
    """
    if style not in get_args(Style):
        raise ValueError(f"style is {style!r}; choose one of {', '.join(get_args(Style))}")
    draw = np.random.RandomState(seed)
    beat_ms = 60_000 // beats_per_minute
    end_ms = round(seconds * 1000)
    steps = _SCALES[scale]
    if style == "strum":
        return _strum(draw, beat_ms, end_ms, root, steps), []
    if style == "power":
        return _power(draw, beat_ms, end_ms, root, steps), []
    if style == "arpeggio":
        return _arpeggio(draw, beat_ms, end_ms, root, steps), []
    if style == "bass":
        return _line(draw, beat_ms, end_ms, root - 12, steps, octaves=1), []
    notes = _line(draw, beat_ms, end_ms, root + 12, steps, octaves=2)
    return notes, _bends(draw, notes)


def midi_bytes(notes: list[Note], bends: list[Bend], *, program: int) -> bytes:
    """Encode a part as a Standard MIDI File of format 0, one tick per millisecond.

    Parameters
    ----------
    notes : list of Note
        The notes.
    bends : list of Bend
        Moves of the pitch wheel.
    program : int
        General MIDI program counted from 0: 24 nylon, 25 steel, 26 jazz, 27 clean, 28 muted guitar, 33 bass.

    Returns
    -------
    bytes
        The file.

    Examples
    --------
    >>> midi_bytes([Note(0, 500, 64, 90)], [], program=27)[:4]
    b'MThd'
    """
    # The second field orders events of the same millisecond: releases, then the wheel, then new notes.
    events: list[tuple[int, int, bytes]] = []
    for note in notes:
        events.append((note.start_ms, 2, bytes((0x90, note.pitch, note.velocity))))
        events.append((note.start_ms + note.length_ms, 0, bytes((0x80, note.pitch, 0))))
    for bend in bends:
        value = bend.wheel + 8192
        events.append((bend.start_ms, 1, bytes((0xE0, value & 0x7F, value >> 7))))
    events.sort()
    # Tempo: 500000 us and 500 ticks per quarter note are 1000 ticks per second.
    track = bytearray(b"\x00\xff\x51\x03\x07\xa1\x20" + b"\x00" + bytes((0xC0, program)))
    now = 0
    for time_ms, _, message in events:
        track += _variable_length(time_ms - now) + message
        now = time_ms
    track += b"\x00\xff\x2f\x00"
    header = (
        b"MThd" + (6).to_bytes(4, "big") + b"\x00\x00\x00\x01" + (_TICKS_PER_SECOND // 2).to_bytes(2, "big")
    )
    return header + b"MTrk" + len(track).to_bytes(4, "big") + bytes(track)


def _variable_length(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.insert(0, (value & 0x7F) | 0x80)
    return bytes(out)


def _strum(
    draw: np.random.RandomState, beat_ms: int, end_ms: int, root: int, steps: tuple[int, ...]
) -> list[Note]:
    notes: list[Note] = []
    names = sorted(_CHORDS)
    for bar in range(0, end_ms, 4 * beat_ms):
        shape = _CHORDS[names[draw.randint(len(names))]]
        base = root + steps[draw.randint(len(steps))]
        starts = [bar, *(bar + k * beat_ms // 2 for k in range(2, 8) if draw.randint(3))]
        for start, following in zip(starts, [*starts[1:], bar + 4 * beat_ms], strict=True):
            gap_ms = 6 + draw.randint(16)
            strength = 60 + draw.randint(60)
            strings = list(shape) if draw.randint(3) else list(reversed(shape))
            for string, semitones in enumerate(strings):
                at = start + string * gap_ms
                if at < end_ms:
                    velocity = min(127, strength + draw.randint(8))
                    notes.append(Note(at, max(60, following - at - 5), base + semitones, velocity))
    return sorted(notes, key=lambda note: (note.start_ms, note.pitch))


def _power(
    draw: np.random.RandomState, beat_ms: int, end_ms: int, root: int, steps: tuple[int, ...]
) -> list[Note]:
    notes: list[Note] = []
    base = root
    for index, start in enumerate(range(0, end_ms, beat_ms // 2)):
        if index % 4 == 0:
            base = root + steps[draw.randint(len(steps))]
        if index % 8 and draw.randint(6) == 0:
            continue
        ringing = draw.randint(4) == 0
        length = beat_ms if ringing else beat_ms // 4 + draw.randint(60)
        strength = 70 + draw.randint(57)
        for semitones in (0, 7, 12) if draw.randint(4) else (0,):
            at = start + semitones // 2
            notes.append(Note(at, length, base + semitones, strength))
    return notes


def _arpeggio(
    draw: np.random.RandomState, beat_ms: int, end_ms: int, root: int, steps: tuple[int, ...]
) -> list[Note]:
    notes: list[Note] = []
    names = sorted(_CHORDS)
    for bar in range(0, end_ms, 4 * beat_ms):
        shape = _CHORDS[names[draw.randint(len(names))]]
        base = root + steps[draw.randint(len(steps))]
        for k in range(8):
            start = bar + k * beat_ms // 2
            if start >= end_ms:
                break
            semitones = shape[0] if k == 0 else shape[draw.randint(1, len(shape))]
            ring = bar + 4 * beat_ms - start
            notes.append(Note(start, ring, base + semitones, 45 + draw.randint(70)))
    return notes


def _line(
    draw: np.random.RandomState, beat_ms: int, end_ms: int, root: int, steps: tuple[int, ...], *, octaves: int
) -> list[Note]:
    ladder = [root + 12 * octave + step for octave in range(octaves) for step in steps] + [
        root + 12 * octaves
    ]
    notes: list[Note] = []
    rung = draw.randint(len(ladder))
    start = 0
    while start < end_ms:
        length = beat_ms * (1, 1, 2, 2, 3, 4)[draw.randint(6)] // 2
        if draw.randint(8):
            notes.append(Note(start, max(50, length - draw.randint(40)), ladder[rung], 40 + draw.randint(87)))
        rung = int(np.clip(rung + draw.randint(-3, 4), 0, len(ladder) - 1))
        start += length
    return notes


def _bends(draw: np.random.RandomState, notes: list[Note]) -> list[Bend]:
    """Bend a third of the long notes up by a tone, play a third with vibrato, and leave the rest."""
    bends = [Bend(0, 0)]
    for note in notes:
        kind = draw.randint(3)
        if note.length_ms < 300 or kind == 2:
            continue
        if kind == 0:
            rise = range(0, 160, 10)
            bends += [Bend(note.start_ms + 60 + at, 8191 * at // 160) for at in rise]
        else:
            shake = range(0, note.length_ms - 150, 12)
            bends += [Bend(note.start_ms + 120 + at, round(900 * np.sin(at * 0.035))) for at in shake]
        bends.append(Bend(note.start_ms + note.length_ms, 0))
    return bends
