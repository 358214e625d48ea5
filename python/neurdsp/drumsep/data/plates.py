"""Hi-hats and cymbals that are synthesised as plates: many modes, and noise in bands that decay apart.

High modes decay sooner than low ones, and a harder stroke excites more of them.

Source: N. Fletcher, T. Rossing, "The physics of musical instruments", 2nd edition, chapter 20 (cymbals).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from neurdsp.drumsep.data.recordings import SAMPLE_RATE

__all__ = ["draw_plate"]

Signal = NDArray[np.float64]

_N_BANDS = 5
_HEARD = 8.0
"""A mode is computed for this many times its decay, until it has fallen by 70 dB."""


def draw_plate(rng: np.random.Generator, decay_s: float, *, longest_s: float) -> Callable[[float], Signal]:
    """Draw a cymbal.

    Parameters
    ----------
    rng
        What it draws from.
    decay_s
        Time in which its middle falls by 8.7 dB.
    longest_s
        Duration of a stroke at most.

    Returns
    -------
    callable
        From a velocity, from 0 to 1, to a stroke.

    Examples
    --------
    >>> stroke = draw_plate(np.random.default_rng(0), 0.3, longest_s=2.0)(1.0)
    >>> bool(abs(stroke[:4410]).max() > 10 * abs(stroke[-4410:]).max())
    True
    """
    n_samples = round(min(longest_s, _HEARD * decay_s * 1.5 + 0.05) * SAMPLE_RATE)
    low_hz, top_hz = np.exp(rng.uniform(np.log([250, 9000]), np.log([2500, 19_000])))
    tilt, sooner = rng.uniform(-0.8, 0.8), rng.uniform(0.1, 0.7)
    dark, bright = (np.zeros(n_samples) for _ in range(2))
    for hertz in low_hz + (top_hz - low_hz) * rng.random(int(rng.integers(30, 110))) ** rng.uniform(1, 2.5):
        decay = decay_s * (3000 / hertz) ** sooner * np.exp(rng.normal(0, 0.25))
        length = min(n_samples, round(_HEARD * decay * SAMPLE_RATE) + 64)
        level = rng.exponential() * (hertz / 3000) ** tilt
        turn = np.exp(2j * np.pi * hertz / SAMPLE_RATE - 1 / (decay * SAMPLE_RATE))
        # By doubling, which is several times as fast as a power for each sample.
        mode = np.full(1, level * np.exp(2j * np.pi * rng.random()))
        while len(mode) < length:
            mode = np.concatenate([mode, mode * turn ** len(mode)])
        (bright if hertz > 5000 else dark)[:length] += mode[:length].imag
    scale = np.sqrt(np.mean((dark + bright)[: SAMPLE_RATE // 20] ** 2)) + 1e-9
    edges = np.geomspace(low_hz, top_hz, _N_BANDS + 1)
    levels = rng.exponential(size=_N_BANDS) * np.sqrt(edges[1:] / 3000) ** (tilt + 0.5)
    decays_s = decay_s * (3000 / edges[1:]) ** sooner * np.exp(rng.normal(0, 0.3, _N_BANDS))
    rises_s = np.exp(rng.uniform(np.log(0.0004), np.log(0.015), _N_BANDS)) * min(1.0, 2 * decay_s)
    hiss, harder = np.exp(rng.uniform(np.log(0.2), np.log(4))), rng.uniform(0.3, 1.2)

    def strike(velocity: float) -> Signal:
        time = np.arange(n_samples) / SAMPLE_RATE
        noise = np.zeros(n_samples)
        bins = fft.rfft(rng.standard_normal(n_samples))
        hertz = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE)
        for index in range(_N_BANDS):
            inside = (hertz >= edges[index]) & (hertz < edges[index + 1])
            band = fft.irfft(np.where(inside, bins, 0), n_samples)
            band *= np.exp(-time / decays_s[index]) * -np.expm1(-time / rises_s[index])
            gain = levels[index] * velocity ** (harder * index / (_N_BANDS - 1))
            noise += gain / np.sqrt(max(np.mean(inside), 1e-6)) * band / _N_BANDS**0.5
        ring = dark + bright * velocity**harder
        return np.asarray(ring / scale * rng.uniform(0.9, 1.1) + hiss * noise)

    return strike
