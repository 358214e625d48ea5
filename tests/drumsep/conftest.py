"""A small random network of the kind, and the files that it can come in."""

import numpy as np
import pytest
from neurdsp import _core
from neurdsp.drumsep.config import TfcTdfConfig
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
