"""How a piece of a kit is changed for the length of a mixture, so that few recordings sound like many.

A piece, such as the low tom, keeps its change within a mixture, as a drum does; the next mixture draws
another one. Pitch, attack and decay change each stroke; an equaliser, saturation and early reflections act on
the sum of a piece's strokes, so that they cost the same for one stroke and for a hundred.

Source: the cookbook of R. Bristow-Johnson, "Audio EQ cookbook formulae", for the shape of the filters.
"""

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import signal

from neurdsp.drumsep.data.config import TimbreConfig
from neurdsp.drumsep.data.recordings import SAMPLE_RATE

__all__ = ["Timbre", "bell", "draw_timbre", "shelf"]

Array = NDArray[np.float32]

_SHELVES_HZ = ((60, 350), (2500, 9000))
_BELLS_HZ = (80, 12_000)
_N_BELLS = 3
_LONGEST_REFLECTION_S = 0.03
_MOST_DB = 15.0
_MOST_SUSTAIN_DB = 10.0
"""Recordings have noise where they end: it is not raised by more."""


@dataclass(frozen=True)
class Timbre:
    """A change of a piece.

    Parameters
    ----------
    semitones
        Pitch, by playing faster or slower.
    damping_db
        By how much the end of a stroke becomes quieter; below 0 louder. Recordings end where they have fallen
        by 70 dB.
    attack_db, attack_s
        Gain of the beginning, and how long it takes until it has mostly gone.
    filters
        Second-order sections at `SAMPLE_RATE`.
    drive
        Of a soft clipper, as a factor to the peak; 0 leaves it out.
    reflections
        Delays in samples, and gains.
    """

    semitones: float
    damping_db: float
    attack_db: float
    attack_s: float
    filters: NDArray[np.float32]
    drive: float
    reflections: tuple[tuple[int, float], ...]

    def shaped(self, stroke: NDArray[np.int16] | Array) -> Array:
        """Return a stroke ``(channels, n_samples)`` at its pitch, with its attack and decay."""
        x = np.asarray(stroke, np.float32)
        if abs(self.semitones) > 0.02:
            rate = SAMPLE_RATE * 2 ** (self.semitones / 12)
            x = soxr.resample(np.ascontiguousarray(x.T), rate, SAMPLE_RATE, "QQ").T
        time = np.arange(x.shape[-1], dtype=np.float32)
        fall_db = np.maximum(time * np.float32(self.damping_db / len(time)), -_MOST_SUSTAIN_DB)
        begin_db = np.float32(self.attack_db) * np.exp(time / np.float32(-self.attack_s * SAMPLE_RATE))
        gain = np.exp((begin_db - fall_db) * np.float32(np.log(10) / 20))
        return np.asarray(x * gain, np.float32)

    def coloured(self, played: Array) -> Array:
        """Return the strokes of a piece ``(channels, n_samples)``, filtered and at their peak."""
        peak = np.abs(played).max()
        if peak <= 0:
            return played
        x = played
        if self.drive > 0:
            x = np.tanh(x * np.float32(self.drive / peak))
        if self.reflections:
            late = np.zeros_like(x)
            for delay, gain in self.reflections:
                late[:, delay:] += np.float32(gain) * x[:, :-delay]
            x = x + late
        if len(self.filters):
            x = signal.sosfilt(self.filters, x, axis=-1)
        return np.asarray(x * np.float32(peak / (np.abs(x).max() + 1e-9)), np.float32)


def draw_timbre(rng: np.random.Generator, config: TimbreConfig) -> Timbre | None:
    """Draw the change of a piece; None if it stays as it was recorded.

    Parameters
    ----------
    rng
        What it draws from.
    config
        Chances and strengths.
    """
    if rng.random() >= config.change:
        return None
    reflections: list[tuple[int, float]] = []
    if rng.random() < config.reflections:
        for _ in range(int(rng.integers(1, 6))):
            delay = rng.uniform(0.0005, _LONGEST_REFLECTION_S)
            fade = np.exp(-delay / 0.015)
            reflections.append((round(delay * SAMPLE_RATE), float(rng.uniform(-0.6, 0.6) * fade)))
    drive = float(rng.uniform(0.3, 3)) if rng.random() < config.saturate else 0.0
    return Timbre(
        semitones=float(rng.uniform(-1, 1) * config.semitones),
        # Shorter more often than longer.
        damping_db=float(rng.normal(0.5, 1) * config.decay_db),
        attack_db=float(rng.normal() * config.attack_db),
        attack_s=float(np.exp(rng.uniform(np.log(0.004), np.log(0.04)))),
        filters=_filters(rng, config.equaliser_db),
        drive=drive,
        reflections=tuple(reflections),
    )


def _filters(rng: np.random.Generator, strength_db: float) -> NDArray[np.float32]:
    """Draw two shelves and a few bells."""
    if strength_db <= 0:
        return np.zeros((0, 6), np.float32)
    sections = [
        shelf(_between(rng, *_SHELVES_HZ[0]), _gain(rng, strength_db), high=False),
        shelf(_between(rng, *_SHELVES_HZ[1]), _gain(rng, strength_db), high=True),
    ]
    for _ in range(_N_BELLS):
        sections.append(bell(_between(rng, *_BELLS_HZ), _gain(rng, strength_db), _between(rng, 0.4, 4)))
    return np.array(sections, np.float32)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _gain(rng: np.random.Generator, strength_db: float) -> float:
    return float(np.clip(rng.normal(0, strength_db), -_MOST_DB, _MOST_DB))


def bell(hertz: float, gain_db: float, quality: float) -> list[float]:
    """Return the second-order section, at `SAMPLE_RATE`, of a bell with its gain at a frequency."""
    amplitude, angle = 10 ** (gain_db / 40), 2 * np.pi * hertz / SAMPLE_RATE
    alpha, middle = np.sin(angle) / (2 * quality), -2 * np.cos(angle)
    return _section(
        (1 + alpha * amplitude, middle, 1 - alpha * amplitude),
        (1 + alpha / amplitude, middle, 1 - alpha / amplitude),
    )


def shelf(hertz: float, gain_db: float, *, high: bool) -> list[float]:
    """Return the second-order section of a shelf with its gain below, or above, a frequency."""
    a, angle = 10 ** (gain_db / 40), 2 * np.pi * hertz / SAMPLE_RATE
    # A high shelf is a low one with the cosine's sign turned.
    cosine, sign = (np.cos(angle), 1.0) if not high else (-np.cos(angle), -1.0)
    slope = 2 * np.sqrt(a) * np.sin(angle) / np.sqrt(2)
    return _section(
        (
            a * ((a + 1) - (a - 1) * cosine + slope),
            sign * 2 * a * ((a - 1) - (a + 1) * cosine),
            a * ((a + 1) - (a - 1) * cosine - slope),
        ),
        (
            (a + 1) + (a - 1) * cosine + slope,
            sign * -2 * ((a - 1) + (a + 1) * cosine),
            (a + 1) + (a - 1) * cosine - slope,
        ),
    )


def _section(over: tuple[float, float, float], under: tuple[float, float, float]) -> list[float]:
    return [*(value / under[0] for value in over), 1.0, under[1] / under[0], under[2] / under[0]]
