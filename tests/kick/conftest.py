"""Kicks of three kits, gathered and prepared for the smallest preset."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 44_100


def decaying(frequency_hz: float, seed: int, n_samples: int = 6_000) -> np.ndarray:
    """A decaying sine with some noise."""
    time_s = np.arange(n_samples) / RATE
    noise = np.random.default_rng(seed).standard_normal(n_samples)
    return 0.5 * np.exp(-20 * time_s) * np.sin(2 * np.pi * frequency_hz * time_s) + 0.01 * noise


def write(folder: Path) -> None:
    """Write three kits of three kicks: deep, high and hard ones."""
    for number, kit in enumerate(("Alpha", "Beta", "Gamma")):
        (folder / kit).mkdir(parents=True)
        for index, word in enumerate(("deep", "high", "hard")):
            samples = decaying(50 * (1 + index), 10 * number + index)
            soundfile.write(folder / kit / f"{word} kick {number}.wav", samples, RATE)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of shards."""
    from neurdsp.kick.data.aggregate import aggregate
    from neurdsp.kick.data.prepare import PrepareConfig, prepare
    from neurdsp.kick.mel.recipe import load_recipe

    folder = tmp_path_factory.mktemp("kicks")
    write(folder / "kits")
    aggregate([folder / "kits"], folder / "data")
    config = PrepareConfig(mel=load_recipe("seed-tiny").model.mel, fade_s=0.05)
    return prepare(folder / "data", config=config).folder


@pytest.fixture
def kick():
    """A function of a frequency, a seed and a length that returns a kick."""
    return decaying


@pytest.fixture
def write_kits():
    """A function that writes three kits into a folder."""
    return write
