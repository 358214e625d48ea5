"""Pruning: all units kept is the same network, useless units go first, and the engine runs what is left."""

import json

import numpy as np
import pytest
import torch
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.export import write_band_split
from neurdsp.drumsep.bandsplit.network import BandSplitNet
from neurdsp.drumsep.bandsplit.pruning import measure_importance, pruned, pruned_config
from neurdsp.drumsep.bandsplit.recipe import load_recipe
from neurdsp.drumsep.bandsplit.start import read_band_split
from neurdsp.drumsep.bandsplit.task import SeparationTask
from neurdsp.errors import ParameterError, UnsupportedModelError
from neurdsp.modelfile.files import verify

QUICK = [
    "training.minutes=null",
    "training.steps=1",
    "data.validation_clips=1",
    "data.validation_seconds=0.5",
]


@pytest.fixture(scope="module")
def recipe():
    return load_recipe("tiny", overrides=QUICK)


@pytest.fixture(scope="module")
def task(bank, recipe):
    return SeparationTask(bank, recipe, device=torch.device("cpu"))


@pytest.fixture
def network(recipe):
    torch.manual_seed(0)
    return BandSplitNet(recipe.model).eval()


@pytest.fixture(scope="module")
def model_path(recipe, tmp_path_factory):
    torch.manual_seed(0)
    state = BandSplitNet(recipe.model).state_dict()
    path = tmp_path_factory.mktemp("network") / "net.safetensors"
    write_band_split({key: value.numpy() for key, value in state.items()}, recipe.model, path)
    return path


def called(run, *words):
    done = run(*words)
    assert done.status == 0, done
    return json.loads(done.out)


def silence_every_second_unit(network):
    """Cut off what follows the odd units."""
    with torch.no_grad():
        for block in network.blocks:
            block.time_out.weight[:, 1::2] = 0
            block.band_out.weight[:, 1::2] = 0
        for decoder in network.decoders:
            decoder.weight[:, 1::2] = 0


def test_units_that_do_nothing_go_first_and_nothing_changes_without_them(network, task):
    silence_every_second_unit(network)
    importance = measure_importance(network, task, range(2))
    for scores in (importance.hidden, importance.mixer, importance.head):
        assert float(scores[:, 1::2].max()) == 0 < float(scores[:, ::2].min())
    smaller = pruned(network, importance, 0.5)
    sizes = smaller.config.hidden, smaller.config.mixer, smaller.config.head
    assert sizes == (4, 4, 4)
    audio = 0.1 * torch.randn(1, 2, 2000)
    with torch.inference_mode():
        assert torch.allclose(smaller(audio), network(audio), atol=1e-6)


def test_all_units_kept_is_the_same_network_bit_for_bit(network, task):
    kept = pruned(network, measure_importance(network, task, range(1)), 1.0)
    assert kept.config == network.config
    assert kept.state_dict().keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert torch.equal(kept.state_dict()[name], value)


def test_a_constant_unit_lives_on_in_the_bias_behind_it(network, task):
    """The head's units of one band are made constant; without them the masks stay as they are."""
    with torch.no_grad():
        network.head.weight[0, 1::2] = 0
        network.head.bias[0, 1::2] = 2.0
        for other in network.decoders[1:]:
            other.weight[:, 1::2] = 0
        network.decoders[0].weight[:, 1::2] *= 0.01  # so that they matter least
        for block in network.blocks:
            block.time_out.weight[:, 1::2] = 0
            block.band_out.weight[:, 1::2] = 0
    importance = measure_importance(network, task, range(2))
    smaller = pruned(network, importance, 0.5)
    assert not torch.equal(smaller.decoders[0].bias, network.decoders[0].bias)
    audio = 0.1 * torch.randn(1, 1, 2000)
    with torch.inference_mode():
        assert torch.allclose(smaller(audio), network(audio), atol=1e-5)


def test_shapes_shrink_in_steps_that_fit_vectors():
    config = BandSplitConfig()
    half = pruned_config(config, 0.5)
    assert (half.hidden, half.mixer, half.head, half.width) == (32, 32, 40, 64)
    assert half.macs_per_second < 0.55 * config.macs_per_second
    assert pruned_config(config, 1.0) is config
    assert pruned_config(config, 0.3).head == 24
    assert pruned_config(config, 0.001).hidden == 1
    for keep in (0, -1, 1.01, float("nan")):
        with pytest.raises(ParameterError, match="above 0 and at most 1"):
            pruned_config(config, keep)


def test_the_command_writes_a_file_that_proves_itself_and_prints_figures(
    run, model_path, bank_path, tmp_path
):
    out = tmp_path / "half.safetensors"
    call = ["drumsep", "prune", model_path, bank_path, "-o", out, "--preset", "tiny", "--json"]
    call += [word for setting in QUICK[2:] for word in ("--set", setting)]
    found = called(run, *call, "--steps", 1)
    assert verify(out).passed
    assert read_band_split(out).config.hidden == 4
    assert found["steps"] == 1
    assert found["tuned"]["n_parameters"] == found["pruned"]["n_parameters"] < found["before"]["n_parameters"]
    assert set(found["tuned"]["sdr_db"]) <= {"kick", "snare", "toms", "hihat", "cymbals"}
    same = tmp_path / "same.safetensors"
    call[5] = same
    unchanged = called(run, *call, "--steps", 0, "--keep", 1)
    assert unchanged["tuned"] is None
    assert unchanged["before"] == unchanged["pruned"]
    ours, theirs = (read_band_split(path).state_dict() for path in (same, model_path))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_network_of_another_kind_is_refused(tiny_file):
    with pytest.raises(UnsupportedModelError, match=r"drumsep\.tfc_tdf, but only drumsep\.band_split"):
        read_band_split(tiny_file)


def test_importance_leaves_the_network_as_it_was(network, task):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measure_importance(network, task, range(1))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(value.grad is None for value in network.parameters())
    assert np.isfinite(float(measure_importance(network, task, range(1)).hidden.sum()))
