"""``.nam`` models through the Python API: what they compute, sizes, metadata, conversion."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp import modelfile
from neurdsp.amp import AmpModel
from neurdsp.amp.lookup import find_model
from neurdsp.cli.model import app
from neurdsp.errors import ModelFileError, ParameterError, UnsupportedModelError
from typer.testing import CliRunner


def _document(architecture, config, weights, version="0.5.4"):
    weights = [float(np.float32(weight)) for weight in weights]
    document = {"version": version, "architecture": architecture, "config": config, "weights": weights}
    return document | {"sample_rate": 48_000}


def _linear(length, bias=False):
    weights = np.random.default_rng(length).normal(size=length + bias)
    return _document("Linear", {"receptive_field": length, "bias": bias}, weights)


def _write(tmp_path, document, name="model.nam"):
    path = tmp_path / name
    path.write_text(json.dumps(document))
    return path


def _signal(n_samples):
    return np.random.default_rng(7).uniform(-0.7, 0.7, n_samples).astype(np.float32)


_REFERENCE = Path(os.environ.get("NEURDSP_AMP_REFERENCE", "reference-is-not-here"))


@pytest.mark.parametrize("expected", sorted(_REFERENCE.glob("expected/*.wav")), ids=lambda path: path.stem)
def test_models_play_as_nam_core_plays_them(expected):
    """Set NEURDSP_AMP_REFERENCE to a folder of models/*.nam, expected/*.wav and input.wav."""
    stem, _, size = expected.stem.partition("__size_")
    amp = AmpModel.load(_REFERENCE / "models" / f"{stem}.nam", size=float(size) if size else None)
    dry, rate = soundfile.read(_REFERENCE / "input.wav", dtype="float32")
    wanted, _ = soundfile.read(expected, dtype="float32")
    error = (amp.render(dry, rate) - wanted) / np.max(np.abs(wanted))
    rms_db, peak_db = 20 * np.log10([np.sqrt(np.mean(error**2)), np.max(np.abs(error))])
    # Rounding makes rare spikes: on wavenet_a1_standard NAM Core itself is -98.9 dB from double precision.
    assert rms_db < -110
    assert peak_db < -95


def _sizes():
    submodels = [{"max_value": 0.5, "model": _linear(1)}, {"max_value": 1.0, "model": _linear(2)}]
    metadata = {"name": "two sizes", "gear_make": "Acme", "gear_type": "amp", "loudness": -18.5, "gain": 0.4}
    metadata |= {"input_level_dbu": 12.0, "output_level_dbu": None, "training": {"validation_esr": 0.01}}
    document = _document("SlimmableContainer", {"submodels": submodels}, [], "0.7.0")
    return document | {"metadata": metadata}


def test_a_model_of_several_sizes_plays_the_one_that_is_asked_for(tmp_path):
    path = _write(tmp_path, _sizes())
    assert [AmpModel.load(path, size=size).n_parameters for size in (0, 0.49, 0.5, 1, None)] == [
        1,
        1,
        2,
        2,
        2,
    ]
    assert AmpModel.load(path).size_steps == [0.5]
    with pytest.raises(ParameterError, match=r"size is 1\.5, but it must be from 0 \(smallest\)"):
        AmpModel.load(path, size=1.5)
    with pytest.raises(ParameterError, match="conventions is 'both'"):
        AmpModel.load(path, conventions="both")


def _quirky():
    """One layer without layer1x1 and a second one that hears its residual signal."""
    array = {"input_size": 1, "condition_size": 1, "channels": 1, "kernel_size": 1, "dilations": [1, 1]}
    array |= {"activation": "Tanh", "layer1x1": {"active": False, "groups": 1}}
    array |= {"head": {"out_channels": 1, "kernel_size": 1, "bias": False}}
    # Rechannel; conv, bias and mixin of both layers; head; scale.
    weights = [1, 0.5, 0.0, 0.25, 0.5, 0.0, 0.0, 1.0, 1.0]
    return _document("WaveNet", {"layers": [array], "head": None, "head_scale": 1.0}, weights, "0.7.0")


def test_the_conventions_differ_where_a_layer_has_no_1x1(tmp_path):
    path = _write(tmp_path, _quirky())
    x = _signal(100).astype(np.float64)
    z = np.tanh(0.75 * x)
    for conventions, h in (("core", x), ("trainer", x + z)):
        found = AmpModel.load(path, conventions=conventions).stream().process(x.astype(np.float32))
        np.testing.assert_allclose(found, z + np.tanh(0.5 * h), atol=2e-6)


def test_what_the_file_says_about_the_capture_is_told(tmp_path):
    amp = AmpModel.load(_write(tmp_path, _sizes()))
    assert amp.architecture == "nam.container"
    assert amp.capture["loudness"] == -18.5
    assert amp.metadata["neurdsp.name"] == "two sizes"
    told = modelfile.info(tmp_path / "model.nam")
    assert (told.format, told.metrics) == (".nam 0.7.0", {"esr": 0.01})
    assert [size["n_parameters"] for size in told.submodels] == [1, 2]
    assert told.config == {"models": ["Linear", "Linear"]}


def test_the_command_tells_levels_with_units_and_takes_the_name_of_a_shipped_amp(tmp_path):
    runner = CliRunner()
    told = runner.invoke(app, ["info", str(_write(tmp_path, _sizes()))]).stdout.replace("\n", " ")
    for text in ("nam.container", "12 dBu at 0 dBFS", "-18.5 dB", "Acme", "2 parameters", "two sizes"):
        assert text in told
    shipped = runner.invoke(app, ["info", "ts9", "--json"])
    assert json.loads(shipped.stdout)["architecture"] == "amp.wavenet"


def test_a_nam_file_goes_to_a_model_file_that_proves_itself_and_back_without_loss(tmp_path):
    weights = np.random.default_rng(5).normal(size=16 * 5 + 16 + 4 + 4 + 4 + 1)
    config = {"input_size": 1, "hidden_size": 4, "num_layers": 1}
    model = _document("LSTM", config, weights) | {"notes": ["kept"]}
    model["metadata"] = {"name": "an amp", "loudness": -20.25}
    path = _write(tmp_path, model)
    there = modelfile.convert(path, tmp_path / "there.safetensors")
    assert there.lost == ()
    assert modelfile.verify(there.target).passed
    assert AmpModel.load(there.target).capture == model["metadata"]
    back = modelfile.convert(there.target, tmp_path / "back.nam")
    assert json.loads(back.target.read_text()) == model


def test_an_amp_model_plays_the_same_as_nam_and_comes_back(tmp_path):
    source = find_model("ts9")
    there = modelfile.convert(source, tmp_path / "amp.nam")
    assert "parity vectors" in there.lost
    document = json.loads(there.target.read_text())
    assert (document["version"], document["architecture"]) == ("0.5.4", "WaveNet")
    assert document["metadata"]["name"] == "TS9"
    assert document["metadata"]["training"]["validation_esr"] == pytest.approx(0.013, rel=0.01)
    signal = _signal(8000)
    wanted = AmpModel.load(source).stream().process(signal)
    found = AmpModel.load(there.target).stream().process(signal)
    assert np.max(np.abs(found - wanted)) < 2e-6
    back = modelfile.convert(there.target, tmp_path / "amp.json")
    again = AmpModel.load(back.target).stream().process(signal)
    assert np.max(np.abs(again - wanted)) < 2e-6


def test_levels_and_gear_go_along_from_a_model_file_to_nam(tmp_path):
    file = modelfile.read(find_model("ts9"))
    capture = {"gear_make": "Acme", "loudness": -17.5, "input_level_dbu": 12.25, "tone_type": "crunch"}
    source = tmp_path / "amp.safetensors"
    modelfile.write(source, file.metadata | {"neurdsp.capture": json.dumps(capture)}, file.tensors)
    modelfile.convert(source, tmp_path / "amp.nam")
    told = AmpModel.load(tmp_path / "amp.nam").capture
    assert told.items() >= capture.items()
    assert told["name"] == file.metadata["neurdsp.name"]


def test_json_cannot_hold_another_nam_model(tmp_path):
    path = _write(tmp_path, _linear(3))
    with pytest.raises(UnsupportedModelError, match="only files that neurdsp wrote from such a model"):
        modelfile.convert(path, tmp_path / "amp.json")
    assert not (tmp_path / "amp.json").exists()


def test_the_folder_of_an_older_model_loads(tmp_path):
    model = _linear(30, bias=True)
    signal = _signal(100)
    wanted = AmpModel.load(_write(tmp_path, model)).stream().process(signal)
    weights = np.float32(model.pop("weights"))
    folder = tmp_path / "older"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(model))
    np.save(folder / "weights.npy", weights)
    np.testing.assert_array_equal(AmpModel.load(folder).stream().process(signal), wanted)
    modelfile.convert(folder, tmp_path / "older.safetensors")
    assert modelfile.verify(tmp_path / "older.safetensors").passed
    np.save(folder / "weights.npy", weights[:-1])
    with pytest.raises(ModelFileError, match="it has 30 values, but the config asks for 31"):
        AmpModel.load(folder)


def test_a_version_that_is_not_known_is_refused_with_the_next_step(tmp_path):
    model = _linear(3) | {"version": "0.9.0"}
    with pytest.raises(
        UnsupportedModelError, match=r'version "0\.9\.0" is not supported: versions 0\.5\.0 to 0\.7\.x'
    ):
        AmpModel.load(_write(tmp_path, model))
