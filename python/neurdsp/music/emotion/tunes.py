"""Short tunes with chords, made from a number, and played with cues."""

import numpy as np
from numpy.typing import NDArray

from neurdsp.midi import NOTE
from neurdsp.music.emotion.cues import Cues

__all__ = ["TICKS", "tempo_bpm", "tonic_pitch", "tune_notes"]

TICKS = 480
"""Of a quarter note."""

_SCALES = {1.0: (0, 2, 4, 5, 7, 9, 11), -1.0: (0, 2, 3, 5, 7, 8, 10)}
#: Degrees of the roots, as both modes have them.
_PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 3, 0, 4), (0, 4, 5, 3), (0, 2, 3, 0))


def tempo_bpm(cues: Cues) -> float:
    """Return beats a minute.

    Examples
    --------
    >>> round(tempo_bpm(Cues(1, 1, 0, 0, 0, 0)))
    180
    """
    return float(np.sqrt(60 * 180) * np.sqrt(3) ** cues.tempo)


def tonic_pitch(tune: int, cues: Cues) -> int:
    """Return the MIDI pitch of the tonic in the middle of a tune's range.

    The key is drawn, and the register moves it.

    Examples
    --------
    >>> tonic_pitch(1, Cues(1, 0, 1, 0, 0, 0)) - tonic_pitch(1, Cues(1, 0, 0, 0, 0, 0))
    18
    """
    key = int(np.random.default_rng([17, tune]).integers(0, 12)) - 6
    return 60 + key + round(18 * cues.register)


def tune_notes(tune: int, cues: Cues, *, seconds: float) -> NDArray[np.void]:
    """Return the notes of a tune from its first beat until a time, played with cues.

    Rhythm and degrees of the scale depend on the number alone, so major and minor are the same tune.

    Parameters
    ----------
    tune
        Its number.
    cues
        How it is played.
    seconds
        When the last note starts at the latest.
    """
    rng = np.random.default_rng([18, tune])
    scale, centre = _SCALES[cues.mode], tonic_pitch(tune, cues)
    progression = _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))]
    # A beat of the melody is one note, two, or half of a long one.
    rhythm = rng.choice(3, size=16, p=[0.5, 0.35, 0.15])
    steps = rng.choice([-2, -1, -1, 0, 1, 1, 2], size=64)
    broken = bool(rng.integers(2))
    n_beats = int(np.ceil(seconds * tempo_bpm(cues) / 60))
    hold = 0.625 - 0.375 * cues.articulation
    velocity = 70 + 45 * cues.dynamics
    rows: list[tuple[int, float, int, float]] = []
    place, taken = 0, 0

    def pitch(degree: int) -> int:
        octave, step = divmod(degree, 7)
        return centre + 12 * octave + scale[step]

    for beat in range(n_beats):
        root = progression[(beat // 4) % 4]
        kind = rhythm[beat % 16]
        lengths = ((1.0,), (0.5, 0.5), (2.0,) if beat % 2 == 0 else ())[kind]
        at = float(beat)
        for length in lengths:
            place = int(np.clip(place + steps[taken % 64], -3, 9))
            if at % 4 == 0:  # a tone of the chord on the first beat of a bar
                place = min(
                    (root + 7 * o + d for o in (-1, 0, 1) for d in (0, 2, 4)), key=lambda d: abs(d - place)
                )
            taken += 1
            rows.append((round(at * TICKS), length * hold, pitch(place), velocity + 8 * (at % 2 == 0)))
            at += length
        voices = (root - 7, root - 5, root - 3)
        if broken:
            rows.append((beat * TICKS, hold, pitch(voices[(0, 1, 2, 1)[beat % 4]]), velocity - 10))
        elif beat % 2 == 0:
            rows += [(beat * TICKS, 2 * hold, pitch(degree), velocity - 12) for degree in voices]
    notes = np.zeros(len(rows), NOTE)
    for number, (tick, length, note, loud) in enumerate(rows):
        end = tick + max(round(length * TICKS), 30)
        notes[number] = (tick, end, int(np.clip(note, 21, 108)), int(np.clip(round(loud), 10, 127)), 0, 0)
    return notes[np.argsort(notes["start_ticks"], kind="stable")]
