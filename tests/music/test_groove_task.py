"""Training of groove and dynamics on a few bars: batches, baselines, figures and pruning."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from neurdsp.music.dataset import Dataset  # noqa: E402
from neurdsp.music.groove.chance import played_like, quantised_copy  # noqa: E402
from neurdsp.music.groove.takes import bars_of  # noqa: E402
from neurdsp.music.model import network_of  # noqa: E402
from neurdsp.music.pruning import kept_units, pruned  # noqa: E402
from neurdsp.music.recipe import load_recipe  # noqa: E402
from neurdsp.music.tasks import task_of  # noqa: E402
from neurdsp.music.train import load_trained, train  # noqa: E402


def groove(n_bars=24, late=20, seed=0):
    """Notes of a drummer whose snare drags and whose hat is loud on the beat."""
    rng = np.random.default_rng(seed)
    notes = []
    for step in range(16 * n_bars):
        jitter = int(rng.integers(-4, 5))
        notes.append((max(step * 120 + jitter, 0), 42, 90 if step % 4 == 0 else 50))
        if step % 8 == 4:
            notes.append((step * 120 + late + jitter, 38, 110))
        if step % 8 == 0:
            notes.append((max(step * 120 + jitter, 0), 36, 100))
    return np.array(sorted(notes), np.int64)


@pytest.fixture(scope="module")
def data():
    arrays = {}
    for seed, split in enumerate(("train", "validation", "test")):
        notes = groove(seed=seed)
        arrays[f"{split}.notes"] = notes
        arrays[f"{split}.takes"] = np.array([(0, len(notes), 480, 500_000, 4, 4)], np.int64)
    return Dataset("groove", arrays)


@pytest.fixture(scope="module")
def task(data):
    return task_of("groove").task(data, load_recipe("groove", overrides=["training.batch_size=32"]))


def still(inputs):
    return np.zeros((len(inputs), 32), np.float32)


def test_a_reference_tells_a_dragging_snare_and_loud_beats(task):
    alone, told = task.baselines("test")["quantised"], task.baselines("test")["reference_alone"]
    assert told["timing_ms"] < alone["timing_ms"]
    assert told["velocity"] < 2 < alone["velocity"]
    figures = task.metrics(still, "test")
    assert figures["timing_ms"] == pytest.approx(told["timing_ms"], abs=1e-5)


def test_a_network_learns_a_few_bars(task):
    torch.manual_seed(0)
    network = network_of(load_recipe("groove").shape)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for number in range(60):
        batch = task.batch(number)
        loss = task.loss(task.predict(network, batch), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])


def test_batches_depend_on_their_number_alone(task):
    for one, other in zip(task.batch(7), task.batch(7), strict=True):
        assert torch.equal(one, other)


def test_chance_is_measured_and_played(task, data):
    text = task.details(still)["groove.residuals"]
    examples = quantised_copy(bars_of(data, "test"), still)
    assert task.applied(still, {}, "test") == {}
    applied = task.applied(still, {"groove.residuals": text}, "test")
    assert applied["played_spread"] == played_like(examples, text)["spread"]
    figures = played_like(examples, text, seed=3)
    assert 0.7 < figures["spread"] < 1.3
    assert figures["w1_ms"] < 4


@pytest.mark.parametrize("keep", [0.5, 0.25])
def test_pruning_keeps_the_part_of_the_parameters_that_was_asked_for(task, keep):
    torch.manual_seed(0)
    network = network_of(load_recipe("groove").shape)
    smaller = pruned(network, kept_units(network, task, keep=keep, batches=range(2)))
    assert smaller.config.n_parameters == pytest.approx(keep * 19_040, rel=0.06)
    assert smaller(torch.zeros(3, 64)).shape == (3, 32)


def test_pruning_nothing_changes_nothing(task):
    torch.manual_seed(0)
    network = network_of(load_recipe("groove").shape).eval()
    same = pruned(network, kept_units(network, task, keep=1.0, batches=range(1)))
    x = torch.randn(5, 64)
    assert torch.equal(network(x), same(x))


@pytest.mark.parametrize("name", ["emotion", "melody", "harmony", "dynamics"])
def test_units_of_every_network_can_be_taken_out(name):
    """A unit that is silent is no loss: with zero weights behind it, the network says the same without it."""
    from neurdsp.music.pruning import groups_of

    torch.manual_seed(0)
    network = network_of(load_recipe("groove").shape if name == "groove" else config(name)).eval()
    chosen = []
    for group in groups_of(network.config):
        kept = torch.arange(group.size - 1)
        silenced = group.indices(torch.tensor([group.size - 1]), len(group.slices) - 1)
        parameter, dimension = group.slices[-1]
        weight = network.state_dict()[parameter]
        weight.index_fill_(dimension, silenced, 0.0)
        if name == "emotion" and group.field == "hidden":
            network.state_dict()["lstm.weight_hh_l0"].index_fill_(1, silenced, 0.0)
        chosen.append((group, kept))
    smaller = pruned(network, chosen)
    inputs = torch.randn(9, network.config.n_inputs)
    if name == "melody":
        inputs[:, 0] = torch.arange(9.0)
    with torch.inference_mode():
        assert torch.allclose(network.steps(inputs), smaller.steps(inputs), atol=1e-5)
    assert smaller.config.n_parameters < network.config.n_parameters


def config(name):
    from neurdsp.music.config import config_of

    return config_of(name)


def test_a_run_can_be_resumed_and_gives_the_same_network(data, tmp_path):
    recipe = load_recipe("groove", overrides=["training.batch_size=16", "training.validate_steps=4"])

    def steps(count):
        return recipe.model_copy(update={"training": recipe.training.model_copy(update={"steps": count})})

    train(steps(8), data, run_dir=tmp_path / "whole")
    train(steps(4), data, run_dir=tmp_path / "parts")
    before = load_trained(tmp_path / "parts")[2]["steps"]
    train(steps(8), data, run_dir=tmp_path / "parts", resume=True)
    after = load_trained(tmp_path / "parts")[2]["steps"]
    assert (before, after) == (4, 8)


def test_a_teacher_and_its_part_come_together(data, tmp_path):
    from neurdsp.errors import ConfigError

    with pytest.raises(ConfigError, match="above 0 it needs a teacher"):
        train(load_recipe("groove", overrides=["teacher=0.5"]), data, run_dir=tmp_path)
