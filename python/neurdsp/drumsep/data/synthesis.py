"""Drum kits that are synthesised: in the manner of the 808 and the 909, of membranes, and of plates.

Kits of membranes have the cymbals of drum machines; those of plates have membranes, and cymbals that ring.
Each kit has parameters of its own, drawn from its seed, and several strokes of each piece.

Sources: K. Werner, J. Abel, J. Smith, "The TR-808 cymbal", ICMC 2014 (its six oscillators); N. Fletcher,
T. Rossing, "The physics of musical instruments", 2nd edition, chapter 18 (modes of membranes).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from neurdsp.drumsep.data.plates import draw_plate
from neurdsp.drumsep.data.recordings import SAMPLE_RATE, Instrument, Kit, Stroke, clean
from neurdsp.drumsep.data.roles import PERCUSSION

__all__ = ["STYLES", "synthesise"]

STYLES = ("808", "909", "membrane", "plate")
"""What kits there are."""

_OSCILLATORS_HZ = np.array([205.3, 304.4, 369.6, 522.7, 540.0, 800.0])
_MODES = np.array([1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501, 3.6, 4.06])
_STRUCK = ("membrane", "plate")
"""Styles whose drums are membranes."""
_VELOCITIES = (0.25, 0.5, 0.75, 1.0)

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class _Voice:
    """A random generator with the shapes that all voices need."""

    rng: np.random.Generator

    def between(self, low: float, high: float) -> float:
        """Return a number between two, evenly on a logarithmic scale."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def noise(self, seconds: float) -> Signal:
        return self.rng.standard_normal(round(seconds * SAMPLE_RATE))


def _times(seconds: float) -> Signal:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _swept(seconds: float, base_hz: float, rise: float, rise_s: float) -> Signal:
    """Return a sine that falls to ``base_hz`` from ``1 + rise`` times that."""
    t = _times(seconds)
    return np.sin(2 * np.pi * base_hz * (t + rise * rise_s * (1 - np.exp(-t / rise_s))))


def _decay(x: Signal, decay_s: float, attack_s: float = 0.0) -> Signal:
    t = np.arange(len(x)) / SAMPLE_RATE
    envelope = np.exp(-t / decay_s)
    return x * envelope * (1 - np.exp(-t / attack_s) if attack_s > 0 else 1.0)


def _band(x: Signal, low_hz: float | None, high_hz: float | None, order: int = 2) -> Signal:
    nyquist = 0.49 * SAMPLE_RATE
    if low_hz is not None:
        x = signal.sosfilt(
            signal.butter(order, min(low_hz, nyquist), "high", fs=SAMPLE_RATE, output="sos"), x
        )
    if high_hz is not None:
        x = signal.sosfilt(
            signal.butter(order, min(high_hz, nyquist), "low", fs=SAMPLE_RATE, output="sos"), x
        )
    return np.asarray(x)


def _metal(seconds: float, pitches_hz: Signal, phases: Signal) -> Signal:
    """Return the sum of square waves, band-limited by their octave-wise harmonics."""
    t = _times(seconds)
    return np.asarray(
        np.sum([signal.square(2 * np.pi * (f * t + p)) for f, p in zip(pitches_hz, phases, strict=True)], 0)
    )


Piece = Callable[[float], Signal]
"""From a velocity to a stroke."""


def _kick(v: _Voice, style: str) -> Piece:
    if style == "808":
        base, decay, rise, rise_s = v.between(42, 62), v.between(0.12, 0.7), v.between(0.3, 2), 0.012
        click = v.between(0.03, 0.4)
    elif style == "909":
        base, decay, rise, rise_s = v.between(45, 70), v.between(0.08, 0.3), v.between(2, 6), 0.03
        click = v.between(0.1, 0.8)
    else:
        base, decay, rise, rise_s = v.between(48, 80), v.between(0.05, 0.2), v.between(0.2, 1), 0.02
        click = v.between(0.1, 1)
    bright, drive = v.between(2000, 9000), v.between(0.3, 3)
    head = _membrane_table(v)

    def strike(velocity: float) -> Signal:
        body = _decay(_swept(1.4, base, rise * (0.5 + velocity / 2), rise_s), decay, 0.0005)
        if style in _STRUCK:
            body += 0.4 * head(1.4, base, decay * 0.6, velocity)
        snap = _decay(_band(v.noise(1.4), 500, bright), 0.004)
        return np.asarray(np.tanh(drive * (body + click * velocity * snap)) / np.tanh(drive))

    return strike


def _snare(v: _Voice, style: str) -> Piece:
    low = v.between(150, 260)
    high, mix, wires_s = low * v.between(1.5, 2.1), v.between(0.4, 2.5), v.between(0.05, 0.25)
    body_s, edge, top = v.between(0.03, 0.15), v.between(700, 3000), v.between(6000, 16000)
    head = _membrane_table(v)

    def strike(velocity: float) -> Signal:
        if style in _STRUCK:
            body = head(1.0, low, body_s, velocity)
        else:
            body = _decay(_swept(1.0, low, 0.4, 0.01), body_s) + 0.7 * _decay(
                _swept(1.0, high, 0.2, 0.01), body_s * 0.6
            )
        wires = _decay(_band(v.noise(1.0), edge, top), wires_s * (0.6 + 0.4 * velocity), 0.0008)
        return body + mix * (0.5 + velocity / 2) * wires

    return strike


def _membrane_table(v: _Voice) -> Callable[[float, float, float, float], Signal]:
    """Return a membrane with its own modes: seconds, base in Hz, decay in s, velocity to a stroke."""
    ratios = _MODES * (1 + 0.03 * v.rng.standard_normal(len(_MODES)))
    levels = v.rng.uniform(0.2, 1, len(_MODES)) / (1 + np.arange(len(_MODES))) ** v.rng.uniform(0.5, 1.5)
    damping = v.rng.uniform(0.3, 1.2)
    glide, glide_s = v.between(0.02, 0.25), v.between(0.02, 0.12)

    def strike(seconds: float, base_hz: float, decay_s: float, velocity: float) -> Signal:
        total = np.zeros(round(seconds * SAMPLE_RATE))
        for index, (ratio, level) in enumerate(zip(ratios, levels, strict=True)):
            hit = level * (1 if index == 0 else velocity**0.7) * v.rng.uniform(0.8, 1.2)
            mode = _swept(seconds, base_hz * ratio, glide * velocity, glide_s)
            total += hit * _decay(mode, decay_s / ratio**damping, 0.0004)
        return total

    return strike


def _tom(v: _Voice, style: str, base_hz: float) -> Piece:
    decay, rise = v.between(0.1, 0.5), v.between(0.1, 0.8) * (2 if style == "909" else 1)
    stick, bright = v.between(0.02, 0.4), v.between(1500, 7000)
    second = v.rng.uniform(0, 0.5)
    head = _membrane_table(v)

    def strike(velocity: float) -> Signal:
        if style in _STRUCK:
            body = head(1.9, base_hz, decay, velocity)
        else:
            body = _decay(_swept(1.9, base_hz, rise, 0.03), decay, 0.0005)
            body += second * _decay(_swept(1.9, 1.5 * base_hz, rise, 0.02), decay * 0.5)
        return body + stick * velocity * _decay(_band(v.noise(1.9), 300, bright), 0.012)

    return strike


def _hihat(v: _Voice, style: str, decay_s: float) -> Piece:
    if style == "plate":
        return draw_plate(v.rng, decay_s, longest_s=3.0)
    scale, edge = v.between(0.8, 1.6), v.between(5000, 9000)
    pitches, hiss = (
        _OSCILLATORS_HZ * scale,
        v.rng.uniform(0.05, 0.5) if style == "808" else v.rng.uniform(0.5, 2),
    )
    if style != "808":
        pitches = v.rng.uniform(300, 1800, 8)
    top = v.between(11_000, 20_000)

    def strike(velocity: float) -> Signal:
        seconds = min(3.0, 8 * decay_s + 0.05)
        metal = _metal(seconds, pitches, v.rng.random(len(pitches))) / 3
        return _decay(
            _band(metal + hiss * v.noise(seconds), edge, top, 3), decay_s * (0.7 + 0.3 * velocity), 0.0005
        )

    return strike


def _cymbal(v: _Voice, style: str, decay_s: float, *, bell: float) -> Piece:
    if style == "plate":
        return draw_plate(v.rng, decay_s, longest_s=5.0)
    low, top = v.between(500, 3500), v.between(10_000, 19_000)
    pitches = _OSCILLATORS_HZ * v.between(0.9, 1.8) if style == "808" else v.rng.uniform(250, 2500, 14)
    hiss, tones = v.rng.uniform(0.2, 1.5), v.rng.uniform(400, 5000, 5)

    def strike(velocity: float) -> Signal:
        seconds = min(5.0, 6 * decay_s)
        metal = _metal(seconds, pitches, v.rng.random(len(pitches))) / len(pitches) ** 0.5
        wash = _decay(_band(metal + hiss * v.noise(seconds), low, top), decay_s, 0.002)
        strong = _decay(_band(v.noise(seconds), 3000, top), 0.05) * velocity
        t = _times(seconds)
        ring = np.sum([np.sin(2 * np.pi * f * t + v.rng.uniform(0, 6.28)) for f in tones], 0)
        return wash + 0.6 * strong + bell * _decay(ring, decay_s * 0.5, 0.0005)

    return strike


def _stick(v: _Voice) -> Piece:
    pitch, second, decay = v.between(400, 1800), v.between(1.4, 2.2), v.between(0.006, 0.025)

    def strike(velocity: float) -> Signal:
        tone = _swept(0.3, pitch, 0.1, 0.003) + 0.6 * _swept(0.3, pitch * second, 0.1, 0.003)
        return _decay(tone, decay) + 0.5 * velocity * _decay(_band(v.noise(0.3), 1500, 12_000), 0.004)

    return strike


def _clap(v: _Voice) -> Piece:
    centre, gap, decay = v.between(700, 1500), v.rng.uniform(0.007, 0.014), v.between(0.03, 0.15)

    def strike(velocity: float) -> Signal:
        x = _band(v.noise(1.0), centre * 0.6, centre * 3)
        t = _times(1.0)
        envelope = np.sum([np.where(t >= i * gap, np.exp(-(t - i * gap) / 0.004), 0.0) for i in range(3)], 0)
        tail = np.where(t > 3 * gap, np.exp(-(t - 3 * gap) / decay), 0.0)
        return np.asarray(x * (envelope + velocity * tail))

    return strike


def _cowbell(v: _Voice) -> Piece:
    pitch, decay = v.between(450, 700), v.between(0.04, 0.3)

    def strike(velocity: float) -> Signal:  # noqa: ARG001
        return _decay(_band(_metal(0.9, np.array([pitch, 1.48 * pitch]), v.rng.random(2)), 400, 6000), decay)

    return strike


def synthesise(style: str, seed: int, *, split: str = "train") -> Kit:
    """Return a kit of a style; the same arguments give the same samples.

    Parameters
    ----------
    style
        One of `STYLES`.
    seed
        Decides the sound of every piece.
    split
        Of the kit.

    Examples
    --------
    >>> synthesise("808", 3).roles[:2]
    ('kick', 'snare')
    """
    v = _Voice(np.random.default_rng([STYLES.index(style), seed]))
    lowest = v.between(55, 110)
    closed, opened = v.between(0.015, 0.06), v.between(0.15, 0.6)
    pieces: list[tuple[str, Piece]] = [("kick", _kick(v, style)), ("kick", _kick(v, style))]
    pieces += [("snare", _snare(v, style)), ("snare", _snare(v, style)), ("stick", _stick(v))]
    for role, ratio in (
        ("tom_low", 1.0),
        ("tom_mid", v.between(1.25, 1.6)),
        ("tom_high", v.between(1.7, 2.4)),
    ):
        pieces += [
            (role, _tom(v, style, lowest * ratio)),
            (role, _tom(v, style, lowest * ratio * v.between(0.9, 1.1))),
        ]
    pieces += [("hihat_closed", _hihat(v, style, closed)), ("hihat_pedal", _hihat(v, style, closed * 1.3))]
    pieces += [
        ("hihat_open", _hihat(v, style, opened)),
        ("crash", _cymbal(v, style, v.between(0.4, 1.5), bell=0.05)),
    ]
    pieces += [
        ("ride", _cymbal(v, style, v.between(0.3, 1.2), bell=0.3)),
        ("bell", _cymbal(v, style, 0.6, bell=0.8)),
    ]
    pieces += [(PERCUSSION, _clap(v)), (PERCUSSION, _cowbell(v))]
    curve = v.between(0.5, 1.5)
    instruments = []
    for role, piece in pieces:
        strokes = []
        for level in _VELOCITIES:
            samples = clean(piece(level), SAMPLE_RATE, role)
            if samples is not None:
                samples = samples / np.abs(samples).max() * np.float32(level**curve)
                strokes.append(Stroke(level - 0.25, level, samples))
        instrument = Instrument.of(role, strokes)
        if instrument is not None:
            instruments.append(instrument)
    return Kit(f"{style}-{seed}", f"synthesis-{style}-{seed}", "CC0-1.0", split, tuple(instruments))
