"""Active learning of settings: the unknown is captured, choices are reproducible, a stopped run continues."""

import numpy as np
import pytest
from neurdsp.amp.capture.lv2 import CaptureResult
from neurdsp.amp.capture.manifest import Knob, Manifest, load_manifest
from neurdsp.amp.capture.sweep import sweep
from neurdsp.amp.config import build_config
from neurdsp.amp.knobs.active import extend
from neurdsp.audio import read_audio, write_audio
from neurdsp.config import save_yaml
from neurdsp.errors import ParameterError

RATE = 8_000
KNOBS = {"gain": Knob(control="g")}
CONFIG = build_config(
    {
        "architecture": "nam.wavenet",
        "model": {"arrays": [{"channels": 3, "kernel_size": 2, "dilations": [1], "activation": "Tanh"}]},
        "data": {"crop_samples": 512, "latency_samples": 0},
        "loss": {"type": "esr"},
    }
)


class Device:
    """A waveshaper with a gain."""

    def __init__(self):
        self.played = []

    def __call__(self, source, output, controls):
        dry, rate = read_audio(source)
        wet = np.tanh((1 + 12 * controls["g"]) * dry).astype(np.float32)
        write_audio(output, wet, rate)
        self.played.append(controls["g"])
        return CaptureResult("shaper", dict(controls), wet.size, rate, 0.0, 0.0)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "in.wav"
    rng = np.random.default_rng(5)
    dry = rng.standard_normal(5 * RATE) * np.repeat(rng.uniform(0.05, 0.4, 40), RATE // 8)
    write_audio(path, dry.astype(np.float32), RATE)
    return path


def start(source, folder, device, n_more, log=lambda _: None):
    """Begin with two captures from the lower quarter of the knob."""
    folder.mkdir(exist_ok=True)
    path = folder / "manifest.yaml"
    if not path.exists():
        captures = [{"output": f"{g}.wav", "positions": {"gain": g}} for g in (0.0, 0.25)]
        save_yaml(Manifest(input=str(source), knobs=KNOBS, captures=captures), path)
    extend(path, n_more, n_models=3, n_steps=50, seed=4, config=CONFIG, player=device, log=log)
    return load_manifest(path).captures


@pytest.fixture(scope="module")
def unbroken(source, tmp_path_factory):
    """Captures, device and lines of a run that adds two captures."""
    device, lines = Device(), []
    captures = start(source, tmp_path_factory.mktemp("unbroken"), device, 2, lines.append)
    return captures, device, lines


def test_the_far_end_of_the_knob_is_captured_next(unbroken):
    captures, device, lines = unbroken
    first, second = (c for c in captures if c.method == "active")
    assert (first.output, second.output) == ("train_002.wav", "train_003.wav")
    assert first.positions["gain"] > 0.75  # the far end
    assert abs(first.positions["gain"] - second.positions["gain"]) >= 0.08
    assert device.played == [0.0, 0.25, first.positions["gain"], second.positions["gain"]]
    assert sum("training 3 models" in line for line in lines) == 2


def test_a_run_that_was_stopped_ends_with_the_same_settings(source, unbroken, tmp_path):
    device = Device()
    start(source, tmp_path / "b", device, 1)
    (tmp_path / "b" / "train_002.wav").unlink()  # as if it had been stopped before that capture
    assert start(source, tmp_path / "b", device, 2) == unbroken[0]
    assert len(device.played) == 3 + 1 + 1
    start(source, tmp_path / "b", device, 2)  # nothing left to do
    assert len(device.played) == 3 + 1 + 1


def test_a_sweep_keeps_what_was_added_to_it(source, tmp_path):
    def plan():
        return sweep(source, tmp_path / "a", "shaper", KNOBS, n_train=2, player=device)

    device = Device()
    extend(plan(), 1, n_models=2, n_steps=3, config=CONFIG, player=device)
    assert len(load_manifest(plan()).captures) == 3
    assert len(device.played) == 3


def test_one_model_cannot_disagree(source, tmp_path):
    path = sweep(source, tmp_path / "a", "shaper", KNOBS, n_train=2, player=Device())
    with pytest.raises(ParameterError, match="two models or more"):
        extend(path, 1, n_models=1, player=Device())


def test_a_file_in_the_way_of_a_new_capture_is_kept(source, tmp_path):
    path = sweep(source, tmp_path / "a", "shaper", KNOBS, n_train=2, player=Device())
    (tmp_path / "a" / "train_002.wav").write_bytes(b"precious")
    before = load_manifest(path)
    with pytest.raises(ParameterError, match=r"train_002\.wav' is in the way of a new capture"):
        extend(path, 1, n_models=2, n_steps=3, config=CONFIG, player=Device())
    assert (tmp_path / "a" / "train_002.wav").read_bytes() == b"precious"
    assert load_manifest(path) == before
