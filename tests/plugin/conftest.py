"""The built plugin, and a preset with a random model in it. Hosts load what players load."""

import os
from pathlib import Path

import numpy as np
import pytest
from neurdsp.amp import write_plugin_preset

ROOT = Path(__file__).parents[2]
# The build that aborts the process where the audio thread allocates.
BUNDLE = Path(os.environ.get("NEURDSP_PLUGIN", ROOT / "target/bundled-debug/neurdsp.vst3"))

# What plays the model alone, as AmpModel.render does.
BARE = {
    "gate": False,
    "tone": False,
    "cabinet": False,
    "dc_block": False,
    "output_mode": "raw",
    "ceiling": False,
}


@pytest.fixture(scope="session")
def bundle() -> str:
    """Path of the VST3 bundle."""
    if not BUNDLE.exists():
        pytest.skip(f"{BUNDLE} is not built; cargo xtask bundle makes it")
    return str(BUNDLE)


@pytest.fixture
def amp(random_amp, tmp_path):
    """The file of a random amp."""
    return random_amp.write(tmp_path / "random.safetensors")


@pytest.fixture
def preset(tmp_path):
    """A function that writes a preset and returns its path."""

    def write(model=None, **settings):
        return str(write_plugin_preset(tmp_path / "test.vstpreset", model, **settings))

    return write


@pytest.fixture
def guitar(rng) -> np.ndarray:
    """A second of decaying notes with noise, mono."""
    time = np.arange(48_000) / 48_000
    notes = sum(np.sin(2 * np.pi * f * time) * np.exp(-3 * (time % 0.25)) for f in (110.0, 164.8, 220.0))
    return (0.2 * notes + 0.01 * rng.standard_normal(time.size)).astype(np.float32)


@pytest.fixture
def bare() -> dict:
    """Settings under which the model plays alone."""
    return BARE


@pytest.fixture(name="null_db")
def _null_db():
    """The function below, for tests, which cannot import from here."""
    return null_db


def null_db(output: np.ndarray, reference: np.ndarray) -> float:
    """The level of the difference relative to the reference, in dB."""
    difference = np.sqrt(np.mean((output.astype(float) - reference) ** 2))
    return 20 * np.log10(difference / np.sqrt(np.mean(reference.astype(float) ** 2)) + 1e-15)
