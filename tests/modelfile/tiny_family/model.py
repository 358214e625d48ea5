"""The model: each channel times its gain, times a weight of eight bits with a scale."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from neurdsp import modelfile

ARCHITECTURE = "tiny.mixer"


def mix(tensors: Mapping[str, np.ndarray], audio: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Mix ``audio`` of shape (2, samples) with ``gain`` of shape (2,)."""
    weight = tensors["weight"].astype(np.float32) * tensors["scale"].astype(np.float32)  # (2,)
    return (weight * gain)[:, None] * audio


def export(path: Path, weight: list[int], *, sample_rate: float = 48_000) -> None:
    """Write a model file with parity vectors of two inputs and a two-dimensional output."""
    tensors = {"weight": np.array(weight, np.int8), "scale": np.array([0.25], np.float16)}
    audio = np.random.default_rng(3).uniform(-1, 1, (2, 100)).astype(np.float32)
    gain = np.array([0.5, 2.0], np.float32)
    parity = modelfile.build_parity({"audio": audio, "gain": gain}, mix(tensors, audio, gain))
    metadata = modelfile.build_metadata(
        architecture=ARCHITECTURE, config={}, sample_rate=sample_rate, channels=2, metrics={"loss": 0.5}
    )
    modelfile.write(path, metadata, tensors | parity)
