"""The null test and the ONNX export, as functions and as commands: known differences, known decibels."""

import json
import math

import numpy as np
import pytest
import soundfile
from neurdsp.cli import app
from neurdsp.drumsep import DrumSeparator
from neurdsp.drumsep.backends.onnx_file import calibration_of, export_onnx
from neurdsp.drumsep.export import write_network
from neurdsp.drumsep.null import null_test
from neurdsp.drumsep.stored import StoredNetwork, read_network
from neurdsp.errors import ModelFileError, ParameterError
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_network, tiny_config):
    path = tmp_path_factory.mktemp("null") / "tiny.safetensors"
    weights = {name: tensor.numpy() for name, tensor in tiny_network.state_dict().items()}
    write_network(weights, tiny_config, path)
    return path


@pytest.fixture(scope="module")
def recording(model):
    path = model.parent / "loop.wav"
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (6_000, 2)).astype(np.float32)
    soundfile.write(path, audio, 44_100, subtype="FLOAT")
    return path


def run(*arguments):
    if arguments[1] == "null":  # engines that wait for each other burn time on a busy machine
        arguments = (*arguments, "--threads", 1)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


class Scaled:
    """A separator whose engine is louder than its references by a known factor."""

    def separate(self, audio, sample_rate, *, backend="engine", tier="exact", precision=None, **_):
        gain = {"engine": 1.001, "torch": 1.0}[backend]
        silent = np.zeros_like(audio)
        return {"kick": audio * np.float32(gain), "snare": silent}


def test_a_gain_of_a_thousandth_nulls_at_60_db_and_silence_exactly():
    audio = np.array([0.5, -0.25, 0.125], np.float32)
    result = null_test(Scaled(), audio, 44_100)
    assert result.null_db == pytest.approx(-60, abs=0.01)
    assert result.stems["kick"].null_db == pytest.approx(-60, abs=0.01)
    assert result.stems["kick"].peak_db == pytest.approx(20 * math.log10(0.5e-3), abs=0.01)
    assert result.stems["snare"].null_db == result.stems["snare"].peak_db == -math.inf


def test_the_engine_nulls_with_torch_at_overlap_8_and_fewer_chunks_null_less(model, recording):
    separator = DrumSeparator.load(model)
    audio = soundfile.read(recording, dtype="float32")[0].T
    exact = null_test(separator, audio, 44_100, against="torch", threads=1)
    fewer = null_test(separator, audio, 44_100, against="torch", tier="balanced", threads=1)
    again = null_test(separator, audio, 44_100, against="exact", threads=1)
    assert exact.null_db < -85
    assert -60 < fewer.null_db < -3
    assert again.null_db == -math.inf
    assert min(exact.cpu_s, exact.against_cpu_s) > 0


def test_the_command_prints_the_null_of_each_stem_and_judges_it(model, recording):
    done = run("drumsep", "null", model, recording, "--against", "onnxruntime", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["null_db"] < -85
    assert sorted(report["stems"]) == ["cymbals", "hihat", "kick", "snare", "toms"]
    assert report["seconds"] == pytest.approx(6_000 / 44_100)
    done = run(
        "drumsep", "null", model, recording, "--against", "engine", "--seconds", "0.05", "--limit", "-90"
    )
    assert done.exit_code == 0, done.output
    assert "all stems" in done.stdout
    assert "none" in done.stdout
    done = run("drumsep", "null", model, recording, "--tier", "fast", "--against", "exact", "--limit", "-90")
    assert done.exit_code == 1


def test_mistakes_are_named(model, recording):
    with pytest.raises(ParameterError, match="against is 'uvr', but must be one of torch, onnxruntime"):
        null_test(DrumSeparator.load(model), np.zeros(9), 44_100, against="uvr")
    for more, message in (
        (["null", model, recording, "--seconds", "-1"], "--seconds is -1, but must be at least 0"),
        (["null", model, recording, "--tier", "best"], "tier is 'best'"),
        (["export-onnx", model, "x.onnx", "--calibration", recording], "is for --int8"),
    ):
        done = run("drumsep", *more)
        assert message in str(done.exception)


def test_an_onnx_file_has_the_test_vectors_of_its_model(model, tmp_path, tiny_config):
    import onnx

    target = tmp_path / "tiny.onnx"
    done = export_onnx(model, target)
    assert done.error_db < -100
    assert done.n_bytes == target.stat().st_size
    file = onnx.load(target)
    onnx.checker.check_model(file, full_check=True)
    facts = {entry.key: entry.value for entry in file.metadata_props}
    assert type(tiny_config).model_validate_json(facts["neurdsp.config"]) == tiny_config
    assert {entry.domain for entry in file.opset_import} == {""}
    n_values = sum(math.prod(tensor.dims) for tensor in file.graph.initializer if tensor.data_type == 1)
    assert n_values == tiny_config.n_parameters


def test_a_network_with_relu_and_one_channel_is_exported_too(tmp_path, tiny_config):
    config = type(tiny_config).model_validate(
        tiny_config.model_dump()
        | {"activation": "relu", "audio_channels": 1, "scale": (1, 2), "stems": ("a", "b")}
    )
    rng = np.random.default_rng(3)
    weights = {
        name: (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)
        for name, shape in config.parameter_shapes.items()
    }
    write_network(weights, config, tmp_path / "relu.safetensors")
    assert export_onnx(tmp_path / "relu.safetensors", tmp_path / "relu.onnx").error_db < -90


def test_int8_is_smaller_and_its_loss_is_printed(model, recording, tmp_path):
    target = tmp_path / "int8.onnx"
    done = run("drumsep", "export-onnx", model, target, "--int8", "--calibration", recording)
    assert done.exit_code == 0, done.output
    assert "INT8 leaves an error of -" in done.stderr
    assert list(tmp_path.iterdir()) == [target]
    done = run("drumsep", "export-onnx", model, target, "--int8", "--json", "--overwrite")
    assert -40 < json.loads(done.stdout)["error_db"] < -6


def test_a_file_that_misses_the_test_vectors_is_not_written(model, tmp_path, monkeypatch):
    stored = read_network(model)
    wrong = stored.weights | {"final_conv.2.weight": stored.weights["final_conv.2.weight"] * 1.01}
    damaged = StoredNetwork(stored.config, stored.metadata, wrong, stored.proof, stored.parity_db)
    monkeypatch.setattr("neurdsp.drumsep.backends.onnx_file.read_network", lambda _: damaged)
    with pytest.raises(ModelFileError, match=r"is -40\.0 dB from the test vectors .* -75 dB are allowed"):
        export_onnx(model, tmp_path / "bad.onnx")
    assert not list(tmp_path.iterdir())


def test_a_recording_for_calibration_gets_the_channels_and_the_rate_of_the_network(model, tmp_path):
    soundfile.write(tmp_path / "mono.wav", np.full(48_000 * 11, 0.1), 48_000)
    assert calibration_of(model, tmp_path / "mono.wav").shape == (2, 441_000)
    soundfile.write(tmp_path / "many.wav", np.full((4_800, 3), 0.1), 48_000)
    with pytest.raises(ParameterError, match="has 3 channels"):
        calibration_of(model, tmp_path / "many.wav")
