"""``neurdsp bench amp``: every preset, as a table and as JSON."""

import json

import numpy as np
import pytest
from neurdsp import _core
from neurdsp.amp import AmpModel
from neurdsp.cli.bench import bench_amp, bench_separator
from neurdsp.cli.main import app
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.export import write_band_split
from neurdsp.errors import ParameterError
from typer.testing import CliRunner


def test_json_holds_the_four_presets_with_consistent_numbers() -> None:
    isa = _core.instruction_sets()[-1]
    result = CliRunner().invoke(app, ["bench", "amp", "--json", "--seconds", "0.05", "--isa", isa])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["model"] for row in rows] == ["16x6", "18x9", "32x10", "48x12"]
    assert [row["claim"] for row in rows] == [None, "2-3", "4-6", "6-8"]
    for row in rows:
        channels, num_layers = map(int, row["model"].split("x"))
        operations = 2 * (3 * channels**2 * num_layers + 2 * channels)
        assert row["gflops"] == pytest.approx(row["x_realtime"] * 48000 * operations * 1e-9)
        assert row["percent_of_core"] == pytest.approx(100 / row["x_realtime"])


def test_files_of_models_are_measured_by_their_parameters_and_sample_rate() -> None:
    result = CliRunner().invoke(app, ["bench", "amp", "ts9", "--json", "--seconds", "0.05"])
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    model = AmpModel.load("ts9")
    assert row["model"] == "ts9"
    rate = row["x_realtime"] * model.sample_rate
    assert row["gflops"] == pytest.approx(rate * 2 * model.n_parameters * 1e-9)


def test_every_machine_has_the_portable_code() -> None:
    assert _core.instruction_sets()[0] == "scalar"


def test_a_wrong_argument_is_named() -> None:
    with pytest.raises(ParameterError, match="isa is 'neon9'"):
        bench_amp(16, 6, isa="neon9")
    with pytest.raises(ParameterError, match="block_size is 0"):
        bench_amp(16, 6, isa="scalar", block_size=0)
    with pytest.raises(ParameterError, match="channels is 1000000"):
        bench_amp(1000000, 6, isa="scalar", seconds=0.01)
    with pytest.raises(ParameterError, match="seconds"):
        bench_amp(16, 6, isa="scalar", seconds=float("nan"))


def test_a_separator_is_measured_on_stereo_and_mono(tmp_path):
    shape = {
        "n_fft": 128,
        "hop_length": 16,
        "bands": (1, 7, 57),
        "n_phase_bins": 8,
        "width": 8,
        "hidden": 8,
        "mixer": 4,
        "n_blocks": 1,
        "head": 8,
    }
    config = BandSplitConfig(**shape)
    weights = {name: np.zeros(shape, np.float32) for name, shape in config.parameter_shapes.items()}
    write_band_split(weights, config, tmp_path / "net.safetensors")
    call = ["bench", "drumsep", str(tmp_path / "net.safetensors"), "--json", "--seconds", "0.02"]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 0, result.output
    stereo, mono = json.loads(result.stdout)
    assert (stereo["channels"], mono["channels"], stereo["block_size"]) == (2, 1, 64)
    for speed in (stereo, mono):
        assert speed["x_realtime"] > 0
        assert speed["percent_of_core"] == pytest.approx(100 / speed["x_realtime"])
    with pytest.raises(ParameterError, match="channels is 3"):
        bench_separator(tmp_path / "net.safetensors", channels=3)
