"""Synthetic plucked strings: guitar phrases for the capture signal, without samples and without a licence.

Each note is a Karplus-Strong string (K. Karplus and A. Strong, "Digital synthesis of plucked-string and drum
timbres", 1983; pick position and dynamics as in D. Jaffe and J. Smith, 1983), followed by the resonance of a
pickup. It need not sound real. It must drive a device as a guitar does, with attacks, decays, chords, bends
and mutes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray

__all__ = ["Phrase", "phrase", "pluck"]

Signal = npt.NDArray[np.float64]

_LOWEST_HZ = 82.41  # the open sixth string
_SCALES = {
    "minor pentatonic": (0, 3, 5, 7, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "major": (0, 2, 4, 5, 7, 9, 11),
}
_CHORDS = ((0, 7, 12), (0, 7, 12, 16, 19, 24), (0, 7, 12, 15, 19, 24), (0, 7, 10, 16, 19), (0, 5, 12, 17))


@dataclass(frozen=True)
class Phrase:
    """Style, length, key, tempo and loudness of a phrase.

    Parameters
    ----------
    style
        ``"chords"`` (strummed), ``"riff"`` (muted fifths), ``"lead"`` (with bends and vibrato),
        ``"arpeggio"`` or ``"bass"`` (an octave lower).
    seconds
        Length.
    peak_db
        Level of the loudest sample, in dBFS.
    root
        Semitones above the open low E.
    scale
        ``"minor pentatonic"``, ``"dorian"`` or ``"major"``.
    tempo_bpm
        Beats a minute.
    """

    style: str
    seconds: float
    peak_db: float
    root: int = 0
    scale: str = "minor pentatonic"
    tempo_bpm: float = 110.0


def pluck(
    frequency_hz: float,
    seconds: float,
    sample_rate: float,
    rng: np.random.Generator,
    *,
    force: float = 0.7,
    decay_s: float = 3.0,
    position: float = 0.15,
    bend: Signal | None = None,
) -> Signal:
    """Synthesise one plucked string.

    Parameters
    ----------
    frequency_hz, seconds, sample_rate
        Pitch, length and rate.
    rng
        Of the noise burst that excites the string.
    force
        0 to 1: louder, and brighter.
    decay_s
        Time in which the fundamental decays by 60 dB; short for a muted string.
    position
        Position of the pick as a fraction of the string; it makes a comb in the spectrum.
    bend
        Deviation from the pitch at each sample in semitones, ``(n_samples,)``.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        The note, faded in and out over a few milliseconds.

    Examples
    --------
    >>> pluck(110.0, 0.5, 48_000, np.random.default_rng(0)).shape
    (24000,)
    """
    n_samples = round(seconds * sample_rate)
    semitones = np.zeros(n_samples) if bend is None else bend
    period = max(2, int(sample_rate / frequency_hz))  # the loop itself adds half a sample
    speed = frequency_hz * (period + 0.5) / sample_rate * 2 ** (semitones / 12)
    where = np.cumsum(speed) - speed[0]
    n_loop = int(where[-1]) + 2
    burst = rng.uniform(-1, 1, period)
    # A soft pick stroke has less treble: smooth the burst over one to about twelve samples.
    width = 1 + int(12 * (1 - force) * sample_rate / 48_000)
    spectrum = np.fft.rfft(burst) * np.sinc(np.fft.rfftfreq(period) * width)
    spectrum *= 1 - np.exp(-2j * np.pi * np.arange(spectrum.size) * position)
    spectrum[0] = 0
    burst = np.fft.irfft(spectrum, period)
    gain = 10 ** (-3 * period / (decay_s * sample_rate))
    string = np.empty((n_loop // period + 2) * period)
    string[:period] = burst
    for start in range(period, string.size, period):
        last = string[start - period : start]
        string[start : start + period] = 0.5 * gain * last
        string[start + 1 : start + period] += 0.5 * gain * last[:-1]
        string[start] += 0.5 * gain * (string[start - period - 1] if start > period else last[-1])
    note: Signal = force * np.interp(where, np.arange(string.size), string)
    attack, release = (max(1, round(t * sample_rate)) for t in (0.0005, 0.012))
    note[:attack] *= np.linspace(0, 1, attack, endpoint=False)[: note.size]
    note[-release:] *= np.linspace(1, 0, release)[-note.size :]
    return note


def phrase(what: Phrase, sample_rate: float, rng: np.random.Generator) -> FloatArray:
    """Synthesise a phrase.

    Parameters
    ----------
    what
        The phrase.
    sample_rate
        In Hz.
    rng
        Random numbers for the notes and the strings.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        The phrase; its loudest sample is at ``what.peak_db``.

    Examples
    --------
    >>> riff = phrase(Phrase("riff", 1.0, peak_db=-6.0), 48_000, np.random.default_rng(1))
    >>> round(float(20 * np.log10(np.abs(riff).max())), 3)
    -6.0
    """
    n_samples = round(what.seconds * sample_rate)
    out = np.zeros(n_samples)
    play = {"chords": _chords, "riff": _riff, "lead": _lead, "arpeggio": _arpeggio, "bass": _bass}[what.style]
    for start_s, length_s, semitone, force, decay_s, bend in play(what, rng):
        start = round(start_s * sample_rate)
        length = min(round(length_s * sample_rate), n_samples - start)
        if length < 64:
            continue
        curve = None
        if bend:
            time_s = np.arange(length) / sample_rate
            rise = np.clip((time_s - 0.08) / 0.2, 0, 1)
            curve = bend * rise + 0.15 * np.sin(2 * np.pi * 5.5 * time_s) * np.clip(time_s - 0.4, 0, 1)
        pitch_hz = _LOWEST_HZ * 2 ** (semitone / 12)
        note = pluck(
            pitch_hz,
            length / sample_rate,
            sample_rate,
            rng,
            force=force,
            decay_s=decay_s,
            position=rng.uniform(0.08, 0.3),
            bend=curve,
        )
        out[start : start + note.size] += note
    out = _pickup(out, sample_rate)
    fade = round(0.01 * sample_rate)
    out[:fade] *= np.linspace(0, 1, fade)
    out[-fade:] *= np.linspace(1, 0, fade)
    scaled: FloatArray = (out * (10 ** (what.peak_db / 20) / np.abs(out).max())).astype(np.float32)
    return scaled


def _pickup(signal: Signal, sample_rate: float) -> Signal:
    """Filter like a magnetic pickup with its cable: a resonance at 3.5 kHz, then -12 dB per octave."""
    n_fft = 1 << (signal.size + 4096 - 1).bit_length()
    ratio = np.fft.rfftfreq(n_fft, 1 / sample_rate) / 3_500
    response = 1 / (1 - ratio**2 + 1j * ratio / 2.0)
    filtered: Signal = np.fft.irfft(np.fft.rfft(signal, n_fft) * response, n_fft)[: signal.size]
    return filtered


_Notes = list[tuple[float, float, float, float, float, float]]
"""Start and length in s, semitones above low E, force, decay in s, and bend in semitones, of each note."""


def _step(what: Phrase, rng: np.random.Generator, octaves: int) -> float:
    scale = _SCALES[what.scale]
    return what.root + int(rng.choice(scale)) + 12 * int(rng.integers(octaves))


def _chords(what: Phrase, rng: np.random.Generator) -> _Notes:
    beat, notes, start = 60 / what.tempo_bpm, [], 0.0
    while start < what.seconds:
        root = _step(what, rng, 1) % 8
        shape = _CHORDS[int(rng.integers(1, len(_CHORDS)))]
        length = beat * int(rng.choice([1, 2, 4]))
        force = rng.uniform(0.3, 1.0)
        order = shape if rng.random() < 0.7 else shape[::-1]
        spread = rng.uniform(0.004, 0.02)
        notes += [
            (start + spread * i, length - spread * i, root + s, force * rng.uniform(0.8, 1), 4.0, 0.0)
            for i, s in enumerate(order)
        ]
        start += length
    return notes


def _riff(what: Phrase, rng: np.random.Generator) -> _Notes:
    eighth, notes, start = 30 / what.tempo_bpm, [], 0.0
    while start < what.seconds:
        root = _step(what, rng, 1) % 10
        muted = rng.random() < 0.7
        force = rng.uniform(0.6, 1.0)
        length = eighth * (1 if muted else int(rng.choice([2, 3])))
        notes += [
            (start + 0.003 * i, length, root + s, force, 0.35 if muted else 4.0, 0.0)
            for i, s in enumerate(_CHORDS[0])
        ]
        start += length
    return notes


def _lead(what: Phrase, rng: np.random.Generator) -> _Notes:
    eighth, notes, start = 30 / what.tempo_bpm, [], 0.0
    while start < what.seconds:
        length = eighth * int(rng.choice([1, 1, 1, 2, 4, 6]))
        if rng.random() < 0.9:
            bend = float(rng.choice([0.0, 1.0, 2.0])) if length > 3 * eighth else 0.0
            notes.append((start, length, 12 + _step(what, rng, 2), rng.uniform(0.25, 1.0), 5.0, bend))
        start += length
    return notes


def _arpeggio(what: Phrase, rng: np.random.Generator) -> _Notes:
    eighth, notes, start = 30 / what.tempo_bpm, [], 0.0
    while start < what.seconds:
        root = _step(what, rng, 1) % 10
        shape = _CHORDS[int(rng.integers(1, len(_CHORDS)))]
        for i in range(8):
            semitone = root + shape[i % len(shape)]
            notes.append((start + i * eighth, (8 - i) * eighth, semitone, rng.uniform(0.2, 0.9), 4.0, 0.0))
        start += 8 * eighth
    return notes


def _bass(what: Phrase, rng: np.random.Generator) -> _Notes:
    eighth, notes, start = 30 / what.tempo_bpm, [], 0.0
    while start < what.seconds:
        length = eighth * int(rng.choice([1, 2, 2, 3]))
        notes.append((start, length, _step(what, rng, 1) - 12, rng.uniform(0.4, 1.0), 3.0, 0.0))
        start += length
    return notes
