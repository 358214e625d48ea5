"""``neurdsp music benchmark``: its figures are complete, and every backend computes the same network."""

import json

import numpy as np
import pytest
from neurdsp.cli import app
from neurdsp.errors import ParameterError
from neurdsp.music.bench import bench_networks, step_inputs
from neurdsp.music.network import MusicNetwork
from typer.testing import CliRunner

NAMES = ("emotion", "melody", "harmony", "dynamics", "groove")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch = pytest.importorskip("torch")
    from neurdsp.music.config import CONFIGS
    from neurdsp.music.export import export_network
    from neurdsp.music.model import network_of

    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("networks")
    for name in NAMES:
        export_network(network_of(CONFIGS[name]()), place / f"{name}.safetensors")
    return place


def test_the_command_tells_time_and_memory_of_each_network_and_of_all(folder):
    words = ["music", "benchmark", "--models", folder, "--iterations", 30, "--backend", "f32", "--json"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert [row["name"] for row in found["models"]] == list(NAMES)
    memory = sum(row["memory_bytes"] for row in found["models"])
    assert memory == found["pipeline"]["memory_bytes"] == 4 * 1_016_880
    for row in [*found["models"], found["pipeline"]]:
        assert 0 < row["median_us"] <= row["p99_us"]
        assert row["load_ms"] > 0
    # The pipeline makes a step of each.
    slowest = max(row["median_us"] for row in found["models"])
    assert found["pipeline"]["median_us"] > slowest


def test_eight_bits_are_a_quarter_of_the_memory(folder):
    speeds = bench_networks(folder, iterations=2, backend="int8")
    assert speeds[-1].memory_bytes < 1.06e6


@pytest.mark.parametrize("peer", ["torch", "ort"])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "melody"])
def test_peers_compute_what_the_engine_computes(folder, tmp_path, peer, name):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from neurdsp.music.pytorch import onnx_file, onnx_step, torch_step

    path = folder / f"{name}.safetensors"
    network = MusicNetwork(path)
    inputs = step_inputs(network.config)
    if peer == "ort":
        onnx_file(path, tmp_path / "step.onnx")
        step = onnx_step(tmp_path / "step.onnx", inputs)
    else:
        step = torch_step(path, inputs)
    for _ in range(3):  # what a step leaves behind counts, too
        said = step()
        wanted = network.step(inputs)
    found = said[0] if isinstance(said, tuple) else said
    np.testing.assert_allclose(np.asarray(found.numpy()).ravel(), wanted, atol=2e-6)


def test_wrong_numbers_are_refused(folder):
    with pytest.raises(ParameterError, match="iterations"):
        bench_networks(folder, iterations=0)
    with pytest.raises(ParameterError, match="backend"):
        bench_networks(folder, backend="gpu")
