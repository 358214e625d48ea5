"""What the tasks of music share: prepared data, batches, recipes and their errors."""

import numpy as np
import pytest
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.music.config import NAMES
from neurdsp.music.dataset import Dataset, open_dataset
from neurdsp.music.recipe import load_recipe
from neurdsp.music.tasks import TASKS, Sources, task_of


def test_data_come_back_as_they_were_saved(tmp_path):
    saved = Dataset("groove", {"train.x": np.arange(6).reshape(2, 3)}, {"takes": 2})
    saved.save(tmp_path / "data.safetensors")
    read = open_dataset(tmp_path / "data.safetensors", task="groove")
    assert np.array_equal(read.of("train")["x"], saved.of("train")["x"])
    assert (read.fingerprint, read.facts) == (saved.fingerprint, {"takes": 2})


def test_other_data_have_another_fingerprint():
    one, other = (Dataset("groove", {"train.x": np.array([value])}) for value in (1, 2))
    assert one.fingerprint != other.fingerprint


def test_data_of_another_task_and_damaged_files_are_refused_in_one_line(tmp_path):
    Dataset("groove", {"train.x": np.zeros(1)}).save(tmp_path / "data.safetensors")
    (tmp_path / "junk.safetensors").write_bytes(b"\xff" * 100)
    for name, task, said in (
        ("data.safetensors", "melody", "holds data of groove, not of melody"),
        ("junk.safetensors", "groove", "cannot be read"),
        ("none.safetensors", "groove", "no such file"),
    ):
        with pytest.raises(ConfigError, match=said) as error:
            open_dataset(tmp_path / name, task=task)
        assert "\n" not in str(error.value)
    with pytest.raises(ConfigError, match="no split 'test'"):
        Dataset("groove", {"train.x": np.zeros(1)}).of("test")


def test_each_epoch_has_every_row_once_and_depends_on_the_seed():
    pytest.importorskip("torch")
    from neurdsp.music.task import batch_rows

    def rows(seed):
        return np.concatenate([batch_rows(n, n_rows=100, batch_size=10, seed=seed) for n in range(10)])

    assert np.array_equal(np.sort(rows(0)), np.arange(100))
    assert np.array_equal(rows(0), rows(0))
    assert not np.array_equal(rows(0), rows(1))


@pytest.mark.parametrize("entry", TASKS, ids=lambda entry: entry.name)
def test_every_task_has_a_network_and_a_preset(entry):
    assert entry.name in NAMES
    assert load_recipe(entry.name).network == entry.name


def test_recipes_refuse_what_no_network_has():
    with pytest.raises(ConfigError, match="unknown key 'widht'"):
        load_recipe("groove", overrides=["model.widht=3"])
    with pytest.raises(ParameterError, match="no music task is called 'drone'"):
        task_of("drone")
    with pytest.raises(ParameterError, match="give its path with --groove"):
        Sources().need("groove")
    half = load_recipe("groove", overrides=["model.first=64"])
    assert load_recipe("groove").with_shape(half.shape).shape == half.shape
