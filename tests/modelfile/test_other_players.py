"""LSTMs of AIDA-X and Proteus: they play as PyTorch plays them, and convert in every direction."""

import json

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.amp import AmpModel, render_file
from neurdsp.amp.lookup import find_model
from neurdsp.audio import read_audio, write_audio
from neurdsp.cli.model import app
from neurdsp.errors import ModelFileError, ParameterError, UnsupportedModelError
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

N = 4_000


class _Lstm(torch.nn.Module):
    """The network of Automated-GuitarAmpModelling, with which the files of both players are trained."""

    def __init__(self, hidden, layers, skip):
        super().__init__()
        torch.manual_seed(hidden)
        self.rec = torch.nn.LSTM(1, hidden, layers)
        self.lin = torch.nn.Linear(hidden, 1)
        self.hidden, self.layers, self.skip = hidden, layers, skip
        self.double()

    def play(self, signal, input_gain=1.0, output_gain=1.0):
        # Half a second of silence, in which players let the state settle.
        padded = np.concatenate([np.zeros(24_000), signal]) * input_gain
        with torch.no_grad():
            x = torch.from_numpy(padded)[:, None, None]
            y = self.lin(self.rec(x)[0]) + self.skip * x
        return y[24_000:, 0, 0].numpy() * output_gain

    def proteus(self):
        state = {name: value.tolist() for name, value in self.state_dict().items()}
        shape = {"input_size": 1, "output_size": 1, "hidden_size": self.hidden, "num_layers": self.layers}
        model = {"model": "SimpleRNN", "unit_type": "LSTM", "skip": self.skip, "bias_fl": True} | shape
        return {"model_data": model, "state_dict": state}

    def aidax(self, in_gain=0.0, out_gain=0.0):
        """The layout of RTNeural: kernels of Keras, transposed, with both biases summed."""
        state = {name: value.numpy() for name, value in self.state_dict().items()}
        layers = []
        for k in range(self.layers):
            bias = state[f"rec.bias_ih_l{k}"] + state[f"rec.bias_hh_l{k}"]
            weights = [state[f"rec.weight_ih_l{k}"].T, state[f"rec.weight_hh_l{k}"].T, bias]
            shape = [None, None, self.hidden]
            layers.append({"type": "lstm", "activation": "", "shape": shape, "weights": weights})
        dense = [state["lin.weight"].T, state["lin.bias"]]
        layers.append({"type": "dense", "activation": "", "shape": [None, None, 1], "weights": dense})
        for layer in layers:
            layer["weights"] = [array.tolist() for array in layer["weights"]]
        about = {"name": "an amp", "author": "somebody", "samplerate": "48000", "esr": "0.02"}
        gains = {"in_skip": self.skip, "in_gain": in_gain, "out_gain": out_gain}
        return {
            "in_shape": [None, None, 1],
            "samplerate": 48_000.0,
            "metadata": about,
            "layers": layers,
        } | gains


@pytest.fixture
def signal(rng):
    loud = np.repeat([0.9, 0.02, 0.3, 0.0], N // 4)
    return (loud * rng.uniform(-1, 1, N)).astype(np.float32)


def _write(path, document):
    path.write_text(json.dumps(document))
    return path


def _error_db(found, wanted):
    return 10 * np.log10(np.sum((found - wanted) ** 2) / np.sum(wanted**2))


def _played(path, signal):
    return AmpModel.load(path).stream().process(signal).astype(np.float64)


@pytest.mark.parametrize(
    ("hidden", "layers", "skip", "gains"),
    [(8, 1, 1, (0, 0)), (16, 1, 0, (0, 0)), (12, 2, 1, (-6, 3.5)), (40, 1, 1, (0, 0))],
)
def test_every_direction_plays_as_pytorch_to_minus_100_db(tmp_path, signal, hidden, layers, skip, gains):
    lstm = _Lstm(hidden, layers, skip)
    wanted = lstm.play(signal, *(10 ** (gain / 20) for gain in gains))
    source = _write(tmp_path / "amp.aidax", lstm.aidax(*gains))
    assert _error_db(_played(source, signal), wanted) < -100
    targets = ["a.safetensors", "b.nam", "c.aidax"] + (["d.json"] if gains == (0, 0) else [])
    for name in targets:
        for at in [source, *(tmp_path / other for other in targets if (tmp_path / other).exists())]:
            if at.suffix != (tmp_path / name).suffix:
                modelfile.convert(at, tmp_path / name)
                assert _error_db(_played(tmp_path / name, signal), wanted) < -100, (at.name, name)
    assert modelfile.verify(tmp_path / "a.safetensors").passed
    assert json.loads((tmp_path / "b.nam").read_text())["version"] == "0.5.4"
    written = json.loads((tmp_path / "c.aidax").read_text()) if (tmp_path / "c.aidax").exists() else None
    if written:
        assert (written["in_skip"], written["layers"][0]["shape"][-1]) == (skip, hidden)
        assert written["metadata"]["author"] == "somebody"


@pytest.mark.parametrize(("hidden", "skip"), [(8, 1), (40, 1), (20, 0)])
def test_proteus_plays_as_pytorch_to_minus_100_db(tmp_path, signal, hidden, skip):
    lstm = _Lstm(hidden, 1, skip)
    source = _write(tmp_path / "amp.json", lstm.proteus())
    assert _error_db(_played(source, signal), lstm.play(signal)) < -100
    amp = AmpModel.load(source)
    assert (amp.architecture, amp.sample_rate) == ("nam.lstm", 44_100)
    told = modelfile.info(source)
    assert (told.format, told.sample_rate) == ("Proteus JSON", 44_100)
    modelfile.convert(source, tmp_path / "amp.aidax")
    assert _error_db(_played(tmp_path / "amp.aidax", signal), lstm.play(signal)) < -100
    assert AmpModel.load(tmp_path / "amp.aidax").sample_rate == 44_100


def test_the_commands_take_them(tmp_path, signal):
    lstm = _Lstm(8, 1, 1)
    source = _write(tmp_path / "amp.aidax", lstm.aidax())
    runner = CliRunner()
    told = runner.invoke(app, ["info", str(source)])
    assert told.exit_code == 0, told.output
    assert "AIDA-X JSON" in told.stdout
    done = runner.invoke(app, ["convert", str(source), str(tmp_path / "amp.nam")])
    assert done.exit_code == 0, done.output
    write_audio(tmp_path / "dry.wav", signal, 48_000)
    render_file(tmp_path / "dry.wav", tmp_path / "wet.wav", model=source)
    assert _error_db(read_audio(tmp_path / "wet.wav")[0], lstm.play(signal)) < -100


def test_what_the_target_cannot_hold_is_refused(tmp_path):
    for target in ("amp.aidax", "amp.AIDAX"):
        with pytest.raises(UnsupportedModelError, match="a WaveNet as an AIDA-X file is not supported"):
            modelfile.convert(find_model("ts9"), tmp_path / target)
    source = _write(tmp_path / "amp.aidax", _Lstm(8, 1, 1).aidax(3.0, 0.0))
    with pytest.raises(UnsupportedModelError, match="a Proteus file adds it with a gain of 1"):
        modelfile.convert(source, tmp_path / "amp.json")
    with pytest.raises(ParameterError, match=r"a version of the \.nam format can be chosen only for a \.nam"):
        modelfile.convert(source, tmp_path / "amp.safetensors", nam_version="keep")
    assert list(tmp_path.iterdir()) == [source]


def _document(version, head_kernel=1):
    array = {
        "input_size": 1, "condition_size": 1, "channels": 2, "bottleneck": 2, "kernel_size": 3,
        "dilations": [1, 2], "activation": "Tanh", "gating_mode": "none",
        "layer1x1": {"active": True, "groups": 1},
        "head1x1": {"active": False, "out_channels": 2},
        "head": {"out_channels": 1, "kernel_size": head_kernel, "bias": True},
    }  # fmt: skip
    config = {"layers": [array], "head": None, "head_scale": 0.5}
    n_weights = 2 + 2 * (12 + 2 + 2 + 4 + 2) + 2 * head_kernel + 1 + 1
    weights = np.float32(np.random.default_rng(1).normal(size=n_weights)).tolist()
    return {"version": version, "architecture": "WaveNet", "config": config, "weights": weights}


def test_the_version_of_a_nam_file_is_the_oldest_that_the_network_allows(tmp_path, signal):
    source = _write(tmp_path / "new.nam", _document("0.6.0"))
    model = modelfile.convert(source, tmp_path / "amp.safetensors").target
    for version, expected in [("oldest", "0.5.4"), ("keep", "0.6.0"), ("0.5.4", "0.5.4")]:
        document = json.loads(
            modelfile.convert(model, tmp_path / "out.nam", nam_version=version).target.read_text()
        )
        assert document["version"] == expected
        assert ("gated" in document["config"]["layers"][0]) == (expected == "0.5.4")
        np.testing.assert_array_equal(_played(tmp_path / "out.nam", signal), _played(source, signal))
        (tmp_path / "out.nam").unlink()
    modelfile.convert(source, tmp_path / "old.nam", nam_version="0.5.4")
    assert json.loads((tmp_path / "old.nam").read_text())["version"] == "0.5.4"
    with pytest.raises(ParameterError, match=r"is the file to convert"):
        modelfile.convert(source, source, nam_version="0.5.4")
    wide = _write(tmp_path / "wide.nam", _document("0.7.0", head_kernel=4))
    with pytest.raises(UnsupportedModelError, match=r"it needs the keys of version 0\.7\.0"):
        modelfile.convert(wide, tmp_path / "no.nam", nam_version="0.5.4")
    assert not (tmp_path / "no.nam").exists()


def test_a_file_that_is_none_of_them_says_what_it_is(tmp_path):
    path = _write(tmp_path / "amp.json", {"hello": 1})
    with pytest.raises(ModelFileError, match=r"amp\.json: the JSON of no amp model: its keys are hello"):
        modelfile.convert(path, tmp_path / "out.nam")
