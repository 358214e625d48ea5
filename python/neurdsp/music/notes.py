"""The bars and tempi of a MIDI file as the engine takes them."""

import numpy as np

from neurdsp.errors import ParameterError
from neurdsp.midi import MidiFile

__all__ = ["Timing", "meters_of", "timing_of"]

Timing = tuple[int, list[tuple[int, int, int]], list[tuple[int, int]]]
"""Ticks of a quarter note; meters: tick, beats, note of a beat; tempi: tick, microseconds of a quarter."""


def timing_of(midi: MidiFile) -> Timing:
    """Return the bars and tempi of a file.

    Parameters
    ----------
    midi
        Of format 0 or 1, in ticks of a quarter note.

    Raises
    ------
    ParameterError
        If its ticks are frames of film, or its tracks have tempi of their own.

    Examples
    --------
    >>> timing_of(MidiFile.new(tempos=[(0, 100.0)]))
    (480, [(0, 4, 4)], [(0, 600000)])
    """
    tempo = midi.tempo_map
    meters = [
        (signature.tick, signature.numerator, signature.denominator)
        for signature in midi.time_signatures
        # A note of a beat beyond a 128th is no meter that is played: the one before goes on.
        if 1 <= signature.denominator <= 128
    ]
    changes = zip(tempo.ticks.tolist(), np.maximum(tempo.microseconds_per_quarter, 1).tolist(), strict=True)
    return midi.ticks_per_quarter, meters, list(changes)


def meters_of(midi: MidiFile, end_ticks: int) -> list[tuple[int, int | None, int, int]]:
    """Return the meters that begin before an end, 4/4 without any.

    Returns
    -------
    list of tuple
        Tick of a meter, tick of the next one, beats of a bar, and note of a beat.

    Raises
    ------
    ParameterError
        If the file has no beats.
    """
    if not midi.has_beats:
        raise ParameterError("the file counts frames of film instead of beats; give one with quarter notes")
    meters = {0: (4, 4)} | {sign.tick: (sign.numerator, sign.denominator) for sign in midi.time_signatures}
    ticks = sorted(tick for tick in meters if tick < max(end_ticks, 1))
    return [(tick, until, *meters[tick]) for tick, until in zip(ticks, [*ticks[1:], None], strict=True)]
