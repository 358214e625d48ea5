"""What recordings of drums hold beside their stems: percussion, noise, hum, tones of other instruments."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from neurdsp.drumsep.data.bank import BankKit
from neurdsp.drumsep.data.players import Event, Player
from neurdsp.drumsep.data.recordings import SAMPLE_RATE
from neurdsp.drumsep.data.roles import PERCUSSION

__all__ = ["draw_leftover"]

Array = NDArray[np.float32]


def draw_leftover(
    rng: np.random.Generator, kits: Sequence[BankKit], n_samples: int, channels: int
) -> Array | None:
    """Draw something that belongs in no stem.

    Parameters
    ----------
    rng
        What it draws from.
    kits
        Kits with percussion, if there are any.
    n_samples, channels
        Shape of the result.

    Returns
    -------
    ndarray or None
        ``(channels, n_samples)`` with a peak of about 1, less for noise and hum.
    """
    kind = rng.random()
    if kind < 0.6 and kits:
        return _percussion(rng, kits, n_samples, channels)
    if kind < 0.75:
        return _noise(rng, n_samples, channels)
    if kind < 0.85:
        return _hum(rng, n_samples, channels)
    return _tones(rng, n_samples, channels)


def _percussion(rng: np.random.Generator, kits: Sequence[BankKit], n_samples: int, channels: int) -> Array:
    """Play percussion on a grid of its own, with gaps."""
    out = np.zeros((channels, n_samples), np.float32)
    seconds = n_samples / SAMPLE_RATE
    for _ in range(rng.integers(1, 3)):
        step = rng.uniform(0.1, 0.6)
        times = np.arange(rng.uniform(-0.5, step), seconds, step)
        kept = times[rng.random(len(times)) < rng.uniform(0.2, 0.9)] + rng.normal(0, 0.005)
        events = [Event(float(time), PERCUSSION, float(rng.uniform(0.3, 1))) for time in kept]
        rate = SAMPLE_RATE
        out += Player(kits[int(rng.integers(len(kits)))], rng, channels=channels).stem(
            events, n_samples, rate
        )
    return out


def _noise(rng: np.random.Generator, n_samples: int, channels: int) -> Array:
    """Return noise that falls with frequency, far below the drums."""
    white = rng.standard_normal((channels, n_samples), np.float32)
    pole = rng.uniform(0, 0.95)
    coloured = signal.lfilter([1 - pole], [1, -pole], white, axis=-1)
    return np.asarray(
        coloured / (np.abs(coloured).max() + 1e-9) * 10 ** (rng.uniform(-45, -10) / 20), np.float32
    )


def _hum(rng: np.random.Generator, n_samples: int, channels: int) -> Array:
    """Return the hum of mains and its harmonics."""
    time = np.arange(n_samples, dtype=np.float32) / SAMPLE_RATE
    base = rng.choice([50.0, 60.0])
    hum = np.zeros(n_samples, np.float32)
    for harmonic in (1, 2, 3, 5):
        phase = rng.uniform(0, 2 * np.pi)
        hum += np.float32(rng.uniform(0, 1) / harmonic) * np.sin(
            2 * np.pi * base * harmonic * time + phase, dtype=np.float32
        )
    gains = rng.uniform(0.3, 1, (channels, 1)).astype(np.float32)
    return gains * hum * np.float32(10 ** (rng.uniform(-40, -10) / 20))


def _tones(rng: np.random.Generator, n_samples: int, channels: int) -> Array:
    """Return a few notes of other instruments: harmonics that decay or stay."""
    time = np.arange(n_samples, dtype=np.float32) / SAMPLE_RATE
    out = np.zeros((channels, n_samples), np.float32)
    for _ in range(rng.integers(1, 5)):
        base = float(2 ** rng.uniform(5.5, 9.5))
        begin = rng.uniform(-0.5, 0.8) * time[-1]
        decay = np.float32(2 ** rng.uniform(-3, 2))
        since = np.maximum(time - np.float32(begin), 0)
        envelope = np.minimum(since / np.float32(0.02), 1) * np.exp(-since / decay)
        note = np.zeros(n_samples, np.float32)
        for harmonic in range(1, 5):
            if base * harmonic < 0.4 * SAMPLE_RATE:
                note += np.sin(2 * np.pi * base * harmonic * since, dtype=np.float32) * np.float32(
                    rng.uniform(0, 1) / harmonic
                )
        out += note * envelope * rng.uniform(0.3, 1, (channels, 1)).astype(np.float32)
    return np.asarray(out / (np.abs(out).max() + 1e-9) * 10 ** (rng.uniform(-20, 0) / 20), np.float32)
