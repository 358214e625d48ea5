"""The torch networks: their counts, their shapes, the window of the melody, and how they round to 8 bits."""

import numpy as np
import pytest
from neurdsp.config import build
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.music.config import NAMES, EmotionConfig, GrooveConfig, MelodyConfig, config_of

torch = pytest.importorskip("torch")

from neurdsp.music.export import quantise_rows, stored  # noqa: E402
from neurdsp.music.model import MelodyTransformer, fake_quantise, network_of, quantised  # noqa: E402

COUNTS = {"emotion": 497_664, "melody": 412_672, "harmony": 74_048, "dynamics": 13_456, "groove": 19_040}


@pytest.mark.parametrize("name", NAMES)
def test_a_network_has_its_count_and_the_tensors_of_its_config(name):
    config = config_of(name)
    state = network_of(config).state_dict()
    assert sum(value.numel() for value in state.values()) == config.n_parameters == COUNTS[name]
    assert {key: tuple(value.shape) for key, value in state.items()} == config.parameter_shapes


def test_all_five_fit_into_a_mebibyte_in_int8():
    total = 0
    for name in NAMES:
        config = config_of(name)
        weights = {key: np.ones(shape, np.float32) for key, shape in config.parameter_shapes.items()}
        total += sum(value.nbytes for value in stored(weights, config, "int8").values())
    assert total <= 1 << 20


@pytest.mark.parametrize("name", NAMES)
def test_a_step_does_not_depend_on_later_ones(name):
    torch.manual_seed(0)
    network = network_of(config_of(name)).eval()
    inputs = torch.rand(70, network.config.n_inputs)
    with torch.inference_mode():
        whole = network.steps(inputs)
        part = network.steps(inputs[:40])
    assert whole.shape == (70, network.config.n_outputs)
    assert torch.allclose(whole[:40], part, atol=1e-5)


def test_a_step_of_the_melody_sees_its_window_only():
    torch.manual_seed(0)
    network = MelodyTransformer(MelodyConfig(window=4, blocks=1)).eval()
    tokens = torch.randint(0, 128, (1, 12))
    changed = tokens.clone()
    changed[0, 4] = (changed[0, 4] + 1) % 128
    condition = torch.zeros(1, 1, 64)
    with torch.inference_mode():
        difference = (network(tokens, condition) - network(changed, condition)).abs().amax(-1)[0]
    assert (difference[4:8] > 1e-4).all()
    assert (difference[:4] == 0).all()
    assert (difference[8:] == 0).all()


def test_rounding_a_row_moves_it_by_half_a_step_at_most_and_keeps_gradients():
    values = torch.randn(5, 33, requires_grad=True)
    rounded = fake_quantise(values)
    step = values.abs().amax(-1, keepdim=True) / 127
    assert ((rounded - values).abs() <= 0.5001 * step).all()
    rounded.sum().backward()
    assert (values.grad == 1).all()
    integers, scale = quantise_rows(values.detach().numpy())
    assert np.allclose(integers * scale[:, None], rounded.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_in_int8_is_near_itself(name):
    torch.manual_seed(0)
    network = network_of(config_of(name)).eval()
    inputs = torch.rand(20, network.config.n_inputs)
    with torch.inference_mode():
        exact = network.steps(inputs)
        with quantised(network):
            rounded = network.steps(inputs)
        error = (rounded - exact).norm() / exact.norm()
        assert 1e-5 < error < 0.05
        assert torch.equal(network.steps(inputs), exact)


def test_wrong_shapes_and_names_are_refused_in_one_line():
    with pytest.raises(ConfigError, match="'heads' = 0"):
        build(MelodyConfig, {"heads": 0})
    with pytest.raises(ConfigError, match="unknown key 'hiden'; did you mean 'hidden'"):
        build(EmotionConfig, {"hiden": 4})
    with pytest.raises(ParameterError, match="no music network is called 'drums'; choose one of emotion"):
        config_of("drums")
    config = GrooveConfig()
    weights = {key: np.zeros(shape, np.float32) for key, shape in config.parameter_shapes.items()}
    with pytest.raises(ParameterError, match=r"'output\.bias' is missing"):
        stored({key: value for key, value in weights.items() if key != "output.bias"}, config, "float32")
    with pytest.raises(ParameterError, match="'more' is not part"):
        stored({**weights, "more": weights["output.bias"]}, config, "float32")
