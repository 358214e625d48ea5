"""A small random network of the kind, and the files that it can come in."""

import pytest
from neurdsp.drumsep.config import TfcTdfConfig

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
