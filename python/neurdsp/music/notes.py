"""The bars and tempi of a MIDI file as the engine takes them."""

import numpy as np

from neurdsp.midi import MidiFile

__all__ = ["Timing", "timing_of"]

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
