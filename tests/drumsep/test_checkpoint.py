"""Weights out of checkpoints: every wrapping gives the same network, and every mistake one line."""

import collections

import numpy as np
import pytest
import torch
from neurdsp.drumsep.checkpoint import read_mdx23c_weights
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.errors import ModelFileError
from safetensors.torch import save_file


class Extra:
    """What a training program pickles beside the weights."""


def prefixed(state, prefix):
    return {prefix + name: tensor for name, tensor in state.items()}


WRAPPINGS = {
    "bare": lambda state: state,
    "ordered": collections.OrderedDict,
    "state": lambda state: {"state": state},
    "state_dict": lambda state: {"state_dict": state, "epoch": 3, "hyper_parameters": Extra()},
    "model_state_dict": lambda state: {"optimizer": {"lr": 1e-3}, "model_state_dict": state},
    "module": lambda state: prefixed(state, "module."),
    "lightning": lambda state: {"state_dict": prefixed(state, "model."), "callbacks": {Extra: {"best": 1.0}}},
    "compiled": lambda state: {"model": prefixed(state, "_orig_mod.")},
    "parameters": lambda state: {name: torch.nn.Parameter(tensor) for name, tensor in state.items()},
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_wrapping_gives_the_same_weights(tmp_path, tiny_network, tiny_config, wrapping):
    state = tiny_network.state_dict()
    torch.save(WRAPPINGS[wrapping](state), tmp_path / "net.ckpt")
    weights = read_mdx23c_weights(tmp_path / "net.ckpt", tiny_config)
    assert weights.keys() == state.keys() == tiny_config.parameter_shapes.keys()
    assert all((weights[name] == tensor.numpy()).all() for name, tensor in state.items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_widened_or_narrowed_exactly(tmp_path, tiny_network, tiny_config, dtype):
    state = {name: tensor.to(dtype) for name, tensor in tiny_network.state_dict().items()}
    torch.save(state, tmp_path / "net.pth")
    weights = read_mdx23c_weights(tmp_path / "net.pth", tiny_config)
    assert all((weights[name] == tensor.float().numpy()).all() for name, tensor in state.items())
    assert {array.dtype for array in weights.values()} == {np.dtype("float32")}


def test_safetensors_gives_the_same_weights(tmp_path, tiny_network, tiny_config):
    state = tiny_network.state_dict()
    save_file(state, tmp_path / "net.safetensors")
    weights = read_mdx23c_weights(tmp_path / "net.safetensors", tiny_config)
    assert all((weights[name] == tensor.numpy()).all() for name, tensor in state.items())


def test_a_checkpoint_of_five_stems_and_a_yaml_of_six_name_the_mismatch(tmp_path, tiny_network, tiny_config):
    torch.save(tiny_network.state_dict(), tmp_path / "five.ckpt")
    six = TfcTdfConfig(
        **{**tiny_config.model_dump(), "stems": ("kick", "snare", "toms", "hihat", "ride", "crash")}
    )
    with pytest.raises(ModelFileError) as caught:
        read_mdx23c_weights(tmp_path / "five.ckpt", six, config_name="'six.yaml'")
    assert "does not fit 'six.yaml': its last layer has 80 rows, for 5 stems, but 6 stems" in str(
        caught.value
    )
    assert "need 96" in str(caught.value)


def test_mistakes_are_named(tmp_path, tiny_network, tiny_config):
    state = tiny_network.state_dict()

    def refused(content, message, config=tiny_config):
        torch.save(content, tmp_path / "bad.ckpt")
        with pytest.raises(ModelFileError) as caught:
            read_mdx23c_weights(tmp_path / "bad.ckpt", config)
        assert message in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1

    refused({"weight": torch.zeros(3)}, "holds no MDX23C network")
    refused([1, 2], "holds no MDX23C network")
    refused({**state, "extra.weight": torch.zeros(3)}, "has the tensor 'extra.weight' (1 too many)")
    some = {name: tensor for name, tensor in state.items() if "tdf.3.bias" not in name}
    refused(some, "'encoder_blocks.0.tfc_tdf.blocks.0.tdf.3.bias' is missing, one of")
    refused(
        {**state, "first_conv.weight": torch.zeros(4, 8, 1, 1)},
        "'first_conv.weight' has the shape [4, 8, 1, 1]",
    )
    refused(
        {**state, "first_conv.weight": torch.full((4, 16, 1, 1), torch.nan)}, "a value that is not finite"
    )
