"""A small device and recordings of it."""

import numpy as np
import pytest
from neurdsp.audio import write_audio

RATE = 8000


def played(n_samples: int, seed: int = 0) -> np.ndarray:
    """Plucked decaying tones with changing loudness: coloured and bursty like a guitar."""
    rng = np.random.default_rng(seed)
    signal = np.zeros(n_samples)
    for start in range(0, n_samples, RATE // 8):
        t = np.arange(min(RATE // 2, n_samples - start)) / RATE
        pitch = 110 * 2 ** (rng.integers(0, 24) / 12)
        harmonics = sum(np.sin(2 * np.pi * pitch * k * t + rng.uniform(0, 6)) / k for k in range(1, 9))
        signal[start : start + t.size] += rng.uniform(0.05, 0.4) * np.exp(-8 * t) * harmonics
    signal += 1e-3 * rng.standard_normal(n_samples)
    return (0.5 * signal / np.abs(signal).max()).astype(np.float32)


def device(dry: np.ndarray) -> np.ndarray:
    """A one-pole low-pass into an asymmetric tanh, inverted nowhere, without delay."""
    wet, state = np.empty(dry.size), 0.0
    for index, sample in enumerate(dry.astype(float)):
        state += 0.5 * (sample - state)
        wet[index] = state
    return (0.3 * (np.tanh(6 * wet + 0.2) - np.tanh(0.2))).astype(np.float32)


@pytest.fixture(scope="session")
def dry() -> np.ndarray:
    return played(6 * RATE)


@pytest.fixture(scope="session")
def wet(dry) -> np.ndarray:
    return device(dry)


@pytest.fixture
def recordings(tmp_path, dry, wet):
    """Paths of the input, and of the output 37 samples late."""
    write_audio(tmp_path / "in.wav", dry, RATE)
    write_audio(tmp_path / "out.wav", np.concatenate([np.zeros(37, np.float32), wet]), RATE)
    return tmp_path / "in.wav", tmp_path / "out.wav"
