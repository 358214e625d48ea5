"""The torch network: the outputs of the reference, and silence in, silence out."""

import math
from pathlib import Path

import pytest
import torch
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.drumsep.model import TfcTdfNet
from safetensors.torch import load_file

REFERENCES = Path(__file__).parents[3] / "shared" / "data" / "drumsep"
STEMS = {
    5: ("kick", "snare", "toms", "hihat", "cymbals"),
    6: ("kick", "snare", "toms", "hihat", "ride", "crash"),
}


@pytest.mark.skipif(
    not REFERENCES.is_dir(), reason="the reference outputs are beside the repository, not in it"
)
@pytest.mark.parametrize("n_stems", STEMS)
def test_outputs_are_those_of_the_reference(n_stems):
    tensors = load_file(REFERENCES / f"tiny_{n_stems}stems.safetensors")
    config = TfcTdfConfig(channels=8, growth=8, stems=STEMS[n_stems], chunk_samples=63 * 512)
    network = TfcTdfNet(config)
    state = {name[6:]: tensor for name, tensor in tensors.items() if name.startswith("model.")}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == config.parameter_shapes
    network.load_state_dict(state)
    # In double precision the result is that of any processor. The outputs of the reference are rounded to
    # single precision on the way: they are -107.6 dB (5 stems) and -114.4 dB (6 stems) from it.
    with torch.no_grad():
        stems = network.double()(tensors["golden.input"][None].double())[0]
    wanted = tensors["golden.output"].double()
    error = ((stems - wanted) ** 2).sum() / (wanted**2).sum()
    assert 10 * math.log10(float(error) + 1e-30) < {5: -107, 6: -114}[n_stems]


def test_silence_gives_exact_silence(tiny_network, tiny_config):
    with torch.no_grad():
        stems = tiny_network(torch.zeros(1, 2, tiny_config.chunk_samples))
    assert stems.shape == (1, 5, 2, tiny_config.chunk_samples)
    assert (stems == 0).all()


def test_the_state_has_the_shapes_of_the_config(tiny_network, tiny_config):
    shapes = {name: tuple(tensor.shape) for name, tensor in tiny_network.state_dict().items()}
    assert shapes == tiny_config.parameter_shapes
    assert sum(parameter.numel() for parameter in tiny_network.parameters()) == tiny_config.n_parameters
