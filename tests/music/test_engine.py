"""The engine against torch: a thousand steps in float32, and in int8 to within the rounding of its steps."""

import re

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.errors import ModelFileError, ParameterError, UnsupportedModelError
from neurdsp.modelfile import build_metadata
from neurdsp.music.config import (
    CONFIGS,
    NAMES,
    DynamicsConfig,
    EmotionConfig,
    GrooveConfig,
    HarmonyConfig,
    MelodyConfig,
    config_of,
)
from neurdsp.music.network import MusicNetwork

torch = pytest.importorskip("torch")

from neurdsp.music.export import export_network, parity_inputs  # noqa: E402
from neurdsp.music.model import network_of, quantised  # noqa: E402

#: Pruned shapes, whose widths are no whole registers.
PRUNED = (
    EmotionConfig(mels=40, first=27, second=50, hidden=70, outputs=5),
    MelodyConfig(width=52, heads=3, head_width=9, hidden=75, window=20, condition=6),
    HarmonyConfig(first=101, second=37),
    DynamicsConfig(first=70, second=21),
    GrooveConfig(first=90, second=33),
)


def random_network(config, seed=0):
    torch.manual_seed(seed)
    network = network_of(config).eval()
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim == 1:  # of the norms, which begin with ones and zeros
                value.copy_(torch.rand_like(value) + (0.5 if "norm.weight" in name else -0.5))
    return network


def a_thousand(config):
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((1000, config.n_inputs)).astype(np.float32)
    if isinstance(config, MelodyConfig):
        inputs[:, 0] = rng.integers(0, config.tokens, 1000)
    return inputs


@pytest.mark.parametrize("config", [*map(config_of, NAMES), *PRUNED], ids=lambda config: config.name)
def test_a_thousand_steps_are_those_of_torch(config, tmp_path):
    network = random_network(config)
    path = tmp_path / "network.safetensors"
    assert export_network(network, path, metrics={"loss": 0.5}).passed
    engine = MusicNetwork(path)
    inputs = a_thousand(config)
    with torch.inference_mode():
        expected = network.steps(torch.from_numpy(inputs)).numpy()
    found = engine.step(inputs)
    assert np.abs(found - expected).max() <= 1e-5
    engine.reset()
    one_by_one = np.stack([engine.step(row) for row in inputs[:100]])
    assert np.array_equal(one_by_one, found[:100])
    assert (engine.name, engine.precision) == (config.name, "float32")
    assert engine.parameters == config.n_parameters
    assert engine.config == config
    assert engine.metrics == {"loss": 0.5}


@pytest.mark.parametrize("config", [*map(config_of, NAMES), *PRUNED], ids=lambda config: config.name)
def test_int8_is_that_of_torch_but_for_values_at_the_edge_of_two_steps(config, tmp_path):
    network = random_network(config)
    path = tmp_path / "network.safetensors"
    verdict = export_network(network, path, precision="int8")
    assert verdict.passed
    assert modelfile.verify(path).error_db == verdict.error_db <= -32
    engine = MusicNetwork(path)
    assert engine.precision == "int8"
    inputs = a_thousand(config)[:200]
    with torch.inference_mode(), quantised(network):
        expected = network.steps(torch.from_numpy(inputs)).numpy()
    error = np.linalg.norm(engine.step(inputs) - expected) / np.linalg.norm(expected)
    assert error <= 10 ** (-32 / 20)


def test_all_five_fit_into_a_mebibyte_in_int8(tmp_path):
    total = 0
    for name in NAMES:
        path = tmp_path / f"{name}.safetensors"
        export_network(random_network(config_of(name)), path, precision="int8")
        total += MusicNetwork(path).bytes
    assert total <= 1 << 20


def test_inputs_that_do_not_fit_are_refused_in_one_line(tmp_path):
    path = tmp_path / "melody.safetensors"
    export_network(random_network(PRUNED[1]), path)
    melody = MusicNetwork(path)
    for inputs, message in [
        (np.zeros(3), "inputs have shape [3], but melody takes [7] or [n_steps, 7]"),
        (np.zeros((1, 1, 7)), "inputs have shape [1, 1, 7]"),
        (np.full(7, np.nan), "input holds NaN at index 0"),
        (np.full(7, 200.0), "the token, is 200, but must be a whole number from 0 to 127"),
    ]:
        with pytest.raises(ParameterError, match=re.escape(message)):
            melody.step(inputs)
    assert melody.step(np.zeros((0, 7))).shape == (0, 128)


def test_files_that_are_no_music_networks_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    with pytest.raises(ModelFileError):
        MusicNetwork(path)
    config = {"channels": 2, "num_layers": 1, "kernel_size": 1, "dilation_base": 1}
    metadata = build_metadata(architecture="amp.wavenet", config=config, sample_rate=48000)
    weights = {
        "input_conv.weight": (2, 1, 1),
        "input_conv.bias": (2,),
        "layers.0.conv.weight": (2, 2, 1),
        "layers.0.conv.bias": (2,),
        "output_conv.weight": (1, 2, 1),
        "output_conv.bias": (1,),
    }
    tensors = {name: np.zeros(shape, np.float32) for name, shape in weights.items()}
    vector = np.zeros(4, np.float32)
    modelfile.write(path, metadata, {**tensors, "parity.input": vector, "parity.output": vector})
    with pytest.raises(UnsupportedModelError, match=r"runs only: music\.emotion, music\.melody"):
        MusicNetwork(path)


def test_a_network_that_was_not_trained_well_is_not_exported(tmp_path):
    network = random_network(config_of("dynamics"))
    with torch.no_grad():
        network.output.bias[0] = torch.nan
    with pytest.raises(ParameterError, match=r"'output\.bias' is not finite"):
        export_network(network, tmp_path / "network.safetensors")
    with pytest.raises(ParameterError, match="precision is 'int4', but must be one of float32, int8"):
        export_network(network, tmp_path / "network.safetensors", precision="int4")
    assert list(tmp_path.iterdir()) == []


def test_the_test_vectors_of_a_melody_go_around_its_ring():
    assert len(parity_inputs(config_of("melody"))) > CONFIGS["melody"]().window
