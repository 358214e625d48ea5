"""The torch network, its export, and that the engine computes the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from neurdsp.amp import AmpModel
from neurdsp.amp.config import WaveNetConfig, describe_presets, load_config
from neurdsp.amp.export import export, parity_input
from neurdsp.amp.model import NamWaveNet, WaveNet, build_network
from neurdsp.amp.nam_config import LstmConfig, NamWaveNetConfig
from neurdsp.config import build
from neurdsp.errors import ModelFileError
from neurdsp.modelfile import convert
from safetensors import safe_open

SHAPES = [
    {"channels": 1, "num_layers": 1},
    {"channels": 3, "num_layers": 4, "kernel_size": 2},
    {"channels": 8, "num_layers": 3, "kernel_size": 5, "dilation_base": 3},
    {"channels": 16, "num_layers": 6},
    {"channels": 18, "num_layers": 9},
    {"channels": 32, "num_layers": 10},
]


def network(shape, **scales) -> WaveNet:
    torch.manual_seed(1)
    model = WaveNet(WaveNetConfig(**shape), **scales)
    with torch.no_grad():  # as loud and as nonlinear as a trained one
        for parameter in model.parameters():
            parameter.mul_(1.3)
    return model


def padded_forward(model: WaveNet, audio: torch.Tensor) -> torch.Tensor:
    """The definition, with left padding in every layer, after a burn-in of zeros."""
    margin = model.receptive_field
    hidden = model.input_conv(torch.nn.functional.pad(audio, (margin, 0))[:, None] * model.input_scale)
    for layer in model.layers:
        reach = (model.config.kernel_size - 1) * layer.conv.dilation[0]
        hidden = hidden + torch.tanh(layer.conv(torch.nn.functional.pad(hidden, (reach, 0))))
    return model.output_conv(hidden)[:, 0, margin:] * model.output_scale


@pytest.mark.parametrize("shape", SHAPES)
def test_the_network_is_its_definition(shape):
    model = network(shape, input_scale=2.0, output_scale=0.3).double()
    audio = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3000)))
    with torch.no_grad():
        torch.testing.assert_close(model.render(audio), padded_forward(model, audio), rtol=1e-12, atol=1e-12)
        crop = model(audio)
        assert crop.shape == (2, 3000 - model.receptive_field + 1)
        torch.testing.assert_close(crop, model.render(audio)[:, model.receptive_field - 1 :])


@pytest.mark.parametrize("shape", SHAPES)
def test_count_and_receptive_field_are_as_configured(shape):
    model = network(shape)
    assert sum(parameter.numel() for parameter in model.parameters()) == model.config.n_parameters
    audio = torch.zeros(1, 2 * model.receptive_field, requires_grad=True)
    model(audio)[0, -1].backward()
    touched = torch.nonzero(audio.grad[0])[:, 0]
    assert int(touched[-1]) == audio.shape[1] - 1
    assert int(touched[-1] - touched[0]) + 1 == model.receptive_field


@pytest.mark.parametrize("shape", SHAPES)
def test_the_engine_nulls_against_torch_at_100_db(tmp_path: Path, shape):
    model = network(shape, input_scale=3.0, output_scale=0.05)
    path = tmp_path / "m.safetensors"
    export(model, path, sample_rate=44_100, metrics={})
    rng = np.random.default_rng(2)
    audio = (rng.standard_normal(6000) * np.repeat([0.3, 0.01, 0.0], 2000)).astype(np.float32)
    with torch.no_grad():
        wanted = model.double().render(torch.from_numpy(audio).double()[None])[0].numpy()
    amp = AmpModel.load(path)
    found = amp.render(audio, 44_100)
    error_db = 10 * np.log10(np.sum((found - wanted) ** 2) / np.sum(wanted**2))
    assert error_db <= -100
    assert (amp.n_parameters, amp.receptive_field) == (model.config.n_parameters, model.receptive_field)


def test_the_file_holds_what_the_format_says(tmp_path: Path):
    model = network(SHAPES[2], output_scale=0.5)
    path = tmp_path / "m.safetensors"
    export(model, path, sample_rate=48_000, metrics={"esr": 0.01}, name="m", description="d")
    with safe_open(path, "np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert json.loads(metadata["neurdsp.config"]) == {
        "channels": 8,
        "num_layers": 3,
        "kernel_size": 5,
        "dilation_base": 3,
    }
    assert json.loads(metadata["neurdsp.audio"]) == {"sample_rate": 48_000.0, "channels": 1}
    assert json.loads(metadata["neurdsp.metrics"]) == {"esr": 0.01}
    assert (metadata["neurdsp.format"], metadata["neurdsp.architecture"]) == ("1.0", "amp.wavenet")
    shapes = {name: array.shape for name, array in tensors.items() if not name.startswith("parity")}
    layers = {f"layers.{i}.conv.weight": (8, 8, 5) for i in range(3)}
    layers |= {f"layers.{i}.conv.bias": (8,) for i in range(3)}
    assert shapes == layers | {
        "input_conv.weight": (8, 1, 1),
        "input_conv.bias": (8,),
        "output_conv.weight": (1, 8, 1),
        "output_conv.bias": (1,),
    }
    assert all(array.dtype == np.float32 for array in tensors.values())
    assert tensors["parity.input"].shape == tensors["parity.output"].shape == (model.receptive_field + 2048,)
    assert tensors["output_conv.weight"] == pytest.approx(0.5 * model.output_conv.weight.detach().numpy())


def test_folding_keeps_the_function():
    model = network(SHAPES[1], input_scale=7.0, output_scale=0.01).double()
    twin = WaveNet(model.config).double()
    twin.load_state_dict({name: torch.from_numpy(array) for name, array in model.folded().items()})
    audio = torch.from_numpy(parity_input(model.receptive_field)).double()[None]
    with torch.no_grad():
        torch.testing.assert_close(twin.render(audio), model.render(audio), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_broken_network_is_not_written_and_an_old_file_stays(tmp_path: Path, value):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    model = network(SHAPES[1])
    with torch.no_grad():
        model.output_conv.bias.fill_(value)
    with pytest.raises(ModelFileError, match="was not written"):
        export(model, path, sample_rate=48_000, metrics={})
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


ARRAYS = [
    [{"channels": 3, "kernel_size": [6, 2], "dilations": [3, 17], "head_kernel_size": 5}],
    [
        {"channels": 6, "dilations": [1, 2, 4], "gated": True, "head_bias": False},
        {"channels": 4, "dilations": [8, 1], "activation": ["LeakyReLU", "Softsign"]},
    ],
    [{"channels": 5, "bottleneck": 2, "dilations": [1, 30], "head1x1": 3}],
]


@pytest.mark.parametrize("arrays", ARRAYS)
def test_the_engine_nulls_against_torch_for_networks_of_the_nam_format(tmp_path: Path, arrays):
    torch.manual_seed(2)
    config = build(NamWaveNetConfig, {"arrays": arrays})
    model = NamWaveNet(config, input_scale=4.0, output_scale=0.3)
    assert model.weights.numel() + 1 == config.n_parameters
    path = tmp_path / "m.safetensors"
    export(model, path, sample_rate=44_100, metrics={"esr": 0.5})
    audio = (0.3 * np.random.default_rng(2).standard_normal(4000)).astype(np.float32)
    with torch.no_grad():
        wanted = model.double().render(torch.from_numpy(audio).double()[None])[0].numpy()
    amp = AmpModel.load(path)
    found = amp.render(audio, 44_100)
    assert 10 * np.log10(np.sum((found - wanted) ** 2) / np.sum(wanted**2)) <= -100
    assert (amp.n_parameters, amp.receptive_field) == (config.n_parameters, config.receptive_field)


def test_both_scales_are_folded_into_the_list_of_weights(tmp_path: Path):
    config = build(NamWaveNetConfig, {"arrays": ARRAYS[0]})
    model = NamWaveNet(config, input_scale=4.0, output_scale=0.3)
    folded = model.folded()["weights"]
    assert folded[-1] == np.float32(0.3)
    twin = NamWaveNet(config, output_scale=0.3).double()
    twin.load_state_dict({"weights": torch.from_numpy(folded[:-1]).double()})
    audio = torch.from_numpy(parity_input(config.receptive_field)).double()[None]
    with torch.no_grad():
        torch.testing.assert_close(twin.render(audio), model.double().render(audio), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("preset", [preset.name for preset in describe_presets()])
def test_the_engine_plays_every_preset_as_torch_does_from_both_files(tmp_path: Path, preset):
    torch.manual_seed(3)
    config = load_config(preset).model
    model = build_network(config, input_scale=4.0, output_scale=0.1)
    path = tmp_path / "m.safetensors"
    export(model, path, sample_rate=48_000, metrics={})
    convert(path, tmp_path / "m.nam")
    audio = (0.2 * np.random.default_rng(4).standard_normal(3000)).astype(np.float32)
    with torch.no_grad():
        wanted = model.double().render(torch.from_numpy(audio).double()[None])[0].numpy()
    for file in (path, path.with_suffix(".nam")):
        amp = AmpModel.load(file)
        found = amp.render(audio, 48_000)
        assert 10 * np.log10(np.sum((found - wanted) ** 2) / np.sum(wanted**2)) <= -100, file
    assert AmpModel.load(path).n_parameters == config.n_parameters


def test_without_a_1x1_the_engine_follows_core_as_training_did_and_not_the_other_convention(tmp_path: Path):
    torch.manual_seed(5)
    arrays = [{"channels": 3, "dilations": [1, 2, 4], "layer1x1": False}]
    model = NamWaveNet(build(NamWaveNetConfig, {"arrays": arrays}))
    path = tmp_path / "m.safetensors"
    export(model, path, sample_rate=48_000, metrics={})
    convert(path, tmp_path / "m.nam")
    audio = np.random.default_rng(4).standard_normal(500).astype(np.float32)
    with torch.no_grad():
        wanted = model.render(torch.from_numpy(audio)[None])[0].numpy()
    core = AmpModel.load(tmp_path / "m.nam").render(audio, 48_000)
    trainer = AmpModel.load(tmp_path / "m.nam", conventions="trainer").render(audio, 48_000)
    np.testing.assert_allclose(core, wanted, atol=2e-6)
    assert np.abs(trainer - wanted).max() > 1e-2


@pytest.mark.parametrize("shape", [{"hidden_size": 5, "num_layers": 1}, {"hidden_size": 8, "num_layers": 2}])
def test_an_lstm_counts_its_weights_and_learns_after_its_burn_in_only(shape):
    torch.manual_seed(6)
    config = LstmConfig(**shape, burn_in=100)
    model = build_network(config, input_scale=2.0, output_scale=0.3).double()
    assert model.flat_weights().numel() == config.n_parameters
    audio = torch.randn(3, 300, dtype=torch.float64, requires_grad=True)
    output = model(audio)
    assert output.shape == (3, 200)
    output.sum().backward()
    assert float(audio.grad[:, :100].abs().max()) == 0.0
    assert float(audio.grad[:, 100:].abs().min()) > 0.0
    # The same samples with more of the past before them: the states have met.
    longer = model(torch.cat([torch.zeros(3, 50, dtype=torch.float64), audio.detach()], dim=1))
    torch.testing.assert_close(longer[:, 50:], output.detach(), rtol=0, atol=1e-3)
