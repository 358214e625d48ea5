"""A short drum loop with its stems, synthesised by numpy alone: for demos and tests, without any recording.

The synthesis of training data, `neurdsp.drumsep.data.synthesis`, has many kits and needs scipy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurdsp.audio import FloatArray
from neurdsp.errors import ParameterError

__all__ = ["SAMPLE_RATE", "Loop", "render_loop"]

SAMPLE_RATE = 44_100
"""Of the loop, in Hz."""

_STEP_S = 0.125  # a sixteenth at 120 beats a minute
_TAIL_S = 0.5
_LEVEL = 0.9
Signal = NDArray[np.float64]

# A bar of sixteen steps for each piece: X loud, x soft, dot silent.
_BARS: dict[str, tuple[str, ...]] = {
    "kick": ("X.....X.X.......", "X.....X.X..x....", "X.....X.X......."),
    "snare": ("....X.......X...", "....X..x....X..x", "....X..........."),
    "high tom": ("................", "................", "........X.x....."),
    "low tom": ("................", "................", "..........X.X.X."),
    "closed hat": ("X.x.X.x.X.x.X...", "X.x.X.x.X.x.X.x.", "X.x.X.x........."),
    "open hat": ("..............X.", "................", "................"),
    "crash": ("X...............", "................", "................"),
    "ride": ("................", "x...x...x...x...", "x...x..........."),
}
_STEM_OF = {
    "kick": "kick",
    "snare": "snare",
    "high tom": "toms",
    "low tom": "toms",
    "closed hat": "hihat",
    "open hat": "hihat",
    "crash": "cymbals",
    "ride": "cymbals",
}
_PAN = {"high tom": 0.35, "low tom": -0.35, "closed hat": 0.25, "open hat": 0.25, "crash": -0.4, "ride": -0.5}


@dataclass(frozen=True)
class Loop:
    """A loop: its true stems by name, each ``(2, n_samples)``, and their sum."""

    stems: dict[str, FloatArray]
    mixture: FloatArray
    sample_rate: int = SAMPLE_RATE


def render_loop(n_bars: int = 3) -> Loop:
    """Return a loop of some bars of two seconds, with half a second to fade; always the same samples.

    Parameters
    ----------
    n_bars
        1 to 3. Toms are in the third.

    Raises
    ------
    ParameterError
        If there are not that many bars.

    Examples
    --------
    >>> loop = render_loop(1)
    >>> list(loop.stems), loop.mixture.shape
    (['kick', 'snare', 'toms', 'hihat', 'cymbals'], (2, 110250))
    """
    if not 1 <= n_bars <= 3:
        raise ParameterError(f"n_bars is {n_bars}, but must be 1 to 3")
    n_samples = round((16 * n_bars * _STEP_S + _TAIL_S) * SAMPLE_RATE)
    stems = {name: np.zeros((2, n_samples)) for name in dict.fromkeys(_STEM_OF.values())}
    rng = np.random.default_rng(16)
    for piece, bars in _BARS.items():
        angle = np.pi / 4 * (1 + _PAN.get(piece, 0.0))
        sides = np.array([[np.cos(angle)], [np.sin(angle)]])
        for step, mark in enumerate("".join(bars[:n_bars])):
            if mark == ".":
                continue
            stroke = _VOICES[piece](1.0 if mark == "X" else 0.45, rng)
            start = round(step * _STEP_S * SAMPLE_RATE)
            stroke = stroke[: n_samples - start]
            stems[_STEM_OF[piece]][:, start : start + len(stroke)] += sides * stroke
    fade = np.minimum(1, np.arange(n_samples)[::-1] / (_TAIL_S / 2 * SAMPLE_RATE))
    gain = fade * _LEVEL / np.abs(sum(stems.values())).max()
    parts = {name: (gain * stem).astype(np.float32) for name, stem in stems.items()}
    return Loop(parts, np.sum(list(parts.values()), axis=0, dtype=np.float32))


def _times(seconds: float) -> Signal:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _swept(seconds: float, base_hz: float, rise: float, rise_s: float) -> Signal:
    """Return a sine that falls to ``base_hz`` from ``1 + rise`` times that."""
    t = _times(seconds)
    return np.asarray(np.sin(2 * np.pi * base_hz * (t + rise * rise_s * (1 - np.exp(-t / rise_s)))))


def _decay(x: Signal, decay_s: float) -> Signal:
    """Let a sound die away, from a ramp of half a millisecond on."""
    t = np.arange(len(x)) / SAMPLE_RATE
    return np.asarray(x * np.exp(-t / decay_s) * np.minimum(1, t / 0.0005))


def _band(x: Signal, low_hz: float, high_hz: float) -> Signal:
    """Keep a band, with slopes of 12 dB per octave; by the FFT, without phase."""
    hz = np.fft.rfftfreq(2 * len(x), 1 / SAMPLE_RATE)
    gain = 1 / (1 + (low_hz / np.maximum(hz, 1)) ** 2) / (1 + (hz / high_hz) ** 2)
    return np.fft.irfft(np.fft.rfft(x, 2 * len(x)) * gain)[: len(x)]


def _noise(seconds: float, rng: np.random.Generator) -> Signal:
    return rng.standard_normal(round(seconds * SAMPLE_RATE))


def _metal(seconds: float, pitches_hz: Sequence[float], rng: np.random.Generator) -> Signal:
    """Return square waves without a common root, as cymbals of drum machines have them."""
    t = _times(seconds)
    return np.asarray(
        sum(np.sign(np.sin(2 * np.pi * (hz * t + rng.random()))) for hz in pitches_hz) / len(pitches_hz)
    )


def _kick(velocity: float, rng: np.random.Generator) -> Signal:
    body = _decay(_swept(0.6, 52, 2.5, 0.025), 0.16)
    click = _decay(_band(_noise(0.6, rng), 500, 5_000), 0.004)
    return np.asarray(velocity * np.tanh(1.5 * body + 0.3 * velocity * click))


def _snare(velocity: float, rng: np.random.Generator) -> Signal:
    body = _decay(_swept(0.5, 185, 0.4, 0.01), 0.07) + 0.6 * _decay(_swept(0.5, 330, 0.2, 0.01), 0.04)
    wires = _decay(_band(_noise(0.5, rng), 1_500, 9_000), 0.06 + 0.05 * velocity)
    return np.asarray(velocity * (0.7 * body + 0.8 * wires))


def _tom(base_hz: float) -> "Voice":
    def strike(velocity: float, rng: np.random.Generator) -> Signal:
        body = _decay(_swept(1.0, base_hz, 0.4, 0.04), 0.22)
        body += 0.35 * _decay(_swept(1.0, 1.59 * base_hz, 0.3, 0.03), 0.12)
        stick = _decay(_band(_noise(1.0, rng), 400, 3_500), 0.01)
        return np.asarray(0.7 * velocity * (body + 0.2 * velocity * stick))

    return strike


def _hat(decay_s: float) -> "Voice":
    def strike(velocity: float, rng: np.random.Generator) -> Signal:
        seconds = 6 * decay_s
        metal = _metal(seconds, (310, 456, 554, 784, 810, 1_200), rng)
        sound = _band(_band(2 * metal + 0.6 * _noise(seconds, rng), 7_000, 15_000), 7_000, 20_000)
        return 2.0 * velocity * _decay(sound, decay_s)

    return strike


def _cymbal(decay_s: float, level: float, bell: float) -> "Voice":
    def strike(velocity: float, rng: np.random.Generator) -> Signal:
        seconds = 4 * decay_s
        pitches = rng.uniform(300, 2_400, 12)
        wash = _band(_metal(seconds, list(pitches), rng) + 0.7 * _noise(seconds, rng), 2_500, 14_000)
        ring = sum(_swept(seconds, hz, 0, 1) for hz in (1_310.0, 2_070.0, 3_190.0))
        return np.asarray(level * velocity * _decay(wash + bell * ring, decay_s))

    return strike


Voice = Callable[[float, np.random.Generator], Signal]
"""From a velocity of 0 to 1 to a stroke."""

_VOICES: dict[str, Voice] = {
    "kick": _kick,
    "snare": _snare,
    "high tom": _tom(165),
    "low tom": _tom(98),
    "closed hat": _hat(0.03),
    "open hat": _hat(0.2),
    "crash": _cymbal(0.8, 0.8, 0.0),
    "ride": _cymbal(0.45, 0.5, 0.25),
}
