"""A small random network of the kind, the files that it can come in, and a small bank of recordings."""

import numpy as np
import pytest
from neurdsp import _core
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.drumsep.data.bank import open_bank, write_bank
from neurdsp.drumsep.data.groove import Performance
from neurdsp.drumsep.data.recordings import SAMPLE_RATE, Instrument, Kit, Stroke
from neurdsp.drumsep.data.roles import ROLES
from neurdsp.modelfile import build_metadata, write

TINY = TfcTdfConfig(
    n_fft=256,
    hop_length=64,
    n_bins=128,
    chunk_samples=31 * 64,
    channels=4,
    growth=4,
    n_scales=3,
    n_subbands=4,
)


@pytest.fixture(scope="session")
def tiny_config():
    return TINY


@pytest.fixture(scope="session")
def tiny_network():
    import torch
    from neurdsp.drumsep.model import TfcTdfNet

    torch.manual_seed(0)
    network = TfcTdfNet(TINY).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim == 1:  # of the norms, which begin with ones and zeros
                parameter.copy_(torch.rand_like(parameter) + (0.5 if name.endswith("weight") else -0.5))
    return network


def write_tiny(path, config, seed=0):
    """Write a model file with random weights; the engine gives its test vectors, so that torch stays out."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in config.parameter_shapes.items():
        fan_in = max(int(np.prod(shape[1:])), 1)
        values = rng.uniform(0.5, 1.5, shape) if len(shape) == 1 else rng.standard_normal(shape) / fan_in**0.5
        weights[name] = (values - (1 if name.endswith("bias") else 0)).astype(np.float32)
    metadata = build_metadata(
        architecture="drumsep.tfc_tdf",
        config=config.model_dump(mode="json"),
        sample_rate=config.sample_rate,
        channels=config.audio_channels,
    )
    audio = rng.standard_normal((config.audio_channels, config.chunk_samples)).astype(np.float32)
    stems = _core.TfcTdf(metadata, weights).forward(audio, 1)
    vectors = {f"parity.output.{name}": stem for name, stem in zip(config.stems, stems, strict=True)}
    write(path, metadata, {**weights, "parity.input": audio, **vectors})
    return path


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory):
    """A model file of the tiny network, made without torch."""
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors", TINY)


SPLITS = ("train", "validation", "test")
#: Decay in seconds and pitch in Hz of each role; noise where there is no pitch.
SOUNDS = {
    "kick": (0.1, 60),
    "snare": (0.08, None),
    "tom_low": (0.2, 110),
    "hihat_closed": (0.03, 6000),
    "crash": (0.4, 9000),
    "percussion": (0.05, 800),
}


def kit(name, split, seed=0):
    rng = np.random.default_rng(seed)
    instruments = []
    for role, (decay, hertz) in SOUNDS.items():
        time = np.arange(round(4 * decay * SAMPLE_RATE)) / SAMPLE_RATE
        carrier = rng.standard_normal(len(time)) if hertz is None else np.sin(2 * np.pi * hertz * time)
        sound = (carrier * np.exp(-time / decay)).astype(np.float32)
        strokes = [
            Stroke(0.0, 0.5, np.stack([0.5 * sound, 0.3 * sound])),
            Stroke(0.5, 1.0, sound[None]),
        ]
        instruments.append(Instrument.of(role, strokes))
    return Kit(name, f"author of {name}", "CC0-1.0", split, tuple(instruments))


def performance(split, seed):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 8, 60)).astype(np.float32)
    roles = rng.choice([ROLES.index(role) for role in SOUNDS if role != "percussion"], 60).astype(np.uint8)
    return Performance(split, times, roles, rng.uniform(0.2, 1, 60).astype(np.float32))


@pytest.fixture(scope="session")
def make_kit():
    return kit


@pytest.fixture(scope="session")
def make_performance():
    return performance


@pytest.fixture(scope="session")
def bank_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / "bank.safetensors"
    kits = [kit(f"kit {split}", split, seed) for seed, split in enumerate(SPLITS)]
    write_bank(path, kits, [performance(split, seed) for seed, split in enumerate(SPLITS * 2)])
    return path


@pytest.fixture(scope="session")
def bank(bank_path):
    return open_bank(bank_path)


@pytest.fixture(scope="session")
def make_tiny():
    """A function ``(path, config)`` that writes such a file of another shape."""
    return write_tiny
