"""Models with knobs: the folded file plays what the torch network does, and a knob turns without a sound."""

import numpy as np
import pytest
import torch
from neurdsp import modelfile
from neurdsp.amp import AmpChain, AmpModel
from neurdsp.amp.capture.manifest import Manifest
from neurdsp.amp.config import load_config
from neurdsp.amp.knobs.export import export_parametric
from neurdsp.amp.knobs.model import ParametricWaveNet
from neurdsp.amp.knobs.train import train_parametric
from neurdsp.amp.nam_config import NamWaveNetConfig
from neurdsp.audio import write_audio
from neurdsp.cli import app
from neurdsp.config import save_yaml
from neurdsp.errors import ParameterError
from typer.testing import CliRunner

RATE = 8_000
CONFIG = NamWaveNetConfig(
    arrays=[{"channels": 4, "kernel_size": 3, "dilations": [1, 3, 9], "head_kernel_size": 4}]
)
KNOBS = {"gain": 0.5, "tone": 0.25}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    model = ParametricWaveNet(CONFIG, 2, input_scale=3.0, output_scale=0.2)
    with torch.no_grad():
        for parameter in (model.scale, model.shift, model.level):
            parameter.normal_(0, 0.3)
    return model


@pytest.fixture(scope="module")
def path(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("knobs") / "amp.safetensors"
    export_parametric(network, path, knobs=KNOBS, sample_rate=RATE, metrics={})
    return path


@pytest.fixture(scope="module")
def sound():
    return (0.3 * np.random.default_rng(2).standard_normal(RATE)).astype(np.float32)


def test_the_engine_plays_what_torch_computes_at_any_position(network, path, sound):
    amp = AmpModel.load(path)
    assert (amp.architecture, amp.knobs) == ("amp.parametric", pytest.approx(KNOBS))
    margin = network.receptive_field - 1
    audio = torch.from_numpy(np.concatenate([np.zeros(margin, np.float32), sound]))[None]
    heard = []
    for gain, tone in [(0.5, 0.25), (0.0, 1.0), (0.9, 0.1)]:
        with torch.no_grad():
            wanted = network(audio, [gain, tone])[0].numpy()
        turned = amp.with_knobs(gain=gain, tone=tone)
        played = turned.render(sound, RATE)
        assert np.sum((played - wanted) ** 2) < 1e-10 * np.sum(wanted**2)
        assert (turned.n_parameters, turned.latency) == (amp.n_parameters, 0)
        heard.append(played)
    assert np.abs(heard[0] - heard[1]).max() > 0.1 * np.abs(heard[0]).max()


def test_the_others_stay_where_they_are_and_mistakes_are_named(path):
    amp = AmpModel.load(path).with_knobs(gain=0.75)
    assert amp.with_knobs(tone=1.0).knobs == {"gain": 0.75, "tone": 1.0}
    with pytest.raises(ParameterError, match="no knob 'drive'; its knobs: gain, tone"):
        amp.with_knobs(drive=0.5)
    with pytest.raises(ParameterError, match=r"gain is 1.5, but it must be from 0 to 1"):
        amp.with_knobs(gain=1.5)
    with pytest.raises(ParameterError, match="its knobs: none"):
        AmpModel.load("ts9").with_knobs(gain=0.5)


def test_the_file_verifies_and_tells_its_knobs(path, tmp_path):
    assert modelfile.verify(path).passed
    assert modelfile.info(path).knobs == pytest.approx(KNOBS)
    lost = modelfile.convert(path, tmp_path / "amp.nam").lost
    assert "knobs, which stay at their defaults" in lost
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 2_000).astype(np.float32)
    played = [AmpModel.load(file).render(sound, RATE) for file in (path, tmp_path / "amp.nam")]
    assert np.abs(played[0] - played[1]).max() < 1e-6


def test_a_knob_that_turns_to_where_it_is_cannot_be_heard(path, sound):
    still, turned = (AmpChain(AmpModel.load(path), sample_rate=RATE, fade_ms=10) for _ in range(2))
    outputs = []
    for chain in (still, turned):
        blocks = [chain.process(sound[:4_000])]
        if chain is turned:
            chain.set_knobs(gain=0.5)
        outputs.append(np.concatenate([*blocks, chain.process(sound[4_000:])]))
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-6


def test_a_knob_that_turns_ends_at_the_new_sound(path, sound):
    chain = AmpChain(AmpModel.load(path), sample_rate=RATE, fade_ms=10, dc_block_on=False)
    chain.process(sound[:4_000])
    chain.set_knobs(gain=1.0, tone=0.0)
    assert chain.knobs == {"gain": 1.0, "tone": 0.0}
    late = chain.process(sound[4_000:])[2_000:]
    wanted = AmpModel.load(path).with_knobs(gain=1.0, tone=0.0).render(sound, RATE)[6_000:]
    assert np.abs(late - wanted).max() < 1e-5
    with pytest.raises(ParameterError, match="no model whose knobs"):
        AmpChain().set_knobs(gain=0.5)


def test_the_command_turns_knobs(path, sound, tmp_path):
    write_audio(tmp_path / "in.wav", sound, RATE)
    out = tmp_path / "out.wav"
    arguments = ["amp", "render", str(tmp_path / "in.wav"), "-m", str(path), "-o", str(out)]
    assert CliRunner().invoke(app, [*arguments, "--knob", "gain=0.9"]).exit_code == 0
    assert CliRunner().invoke(app, [*arguments, "--knob", "gain"]).exit_code != 0


def test_training_learns_settings_between_the_captured_ones(tmp_path):
    rng = np.random.default_rng(5)
    n = 6 * RATE
    dry = rng.standard_normal(n) * np.repeat(rng.uniform(0.02, 0.4, 48), n // 48)
    dry = np.convolve(dry, [0.5, 0.3, 0.2])[:n].astype(np.float32)
    write_audio(tmp_path / "in.wav", dry, RATE)
    captures = []
    for index, (gain, part) in enumerate([(0, "train"), (0.5, "train"), (1, "train"), (0.25, "test")]):
        wet = (0.5 * np.tanh((1 + 9 * gain) * dry)).astype(np.float32)
        write_audio(tmp_path / f"{index}.wav", wet, RATE)
        captures.append({"output": f"{index}.wav", "positions": {"gain": gain}, "part": part})
    manifest = Manifest(input="in.wav", knobs={"gain": {}}, captures=captures)
    save_yaml(manifest, tmp_path / "manifest.yaml")
    config = load_config(
        "tiny",
        overrides=[
            "model={arrays: [{channels: 4, kernel_size: 2, dilations: [1]}]}",
            "training.minutes=null",
            "training.steps=250",
            "training.learning_rate=0.02",
            "training.validate_steps=125",
            "data.latency_samples=0",
            "data.crop_samples=2048",
            "loss.type=esr",
        ],
    )
    result = train_parametric(
        config,
        tmp_path / "manifest.yaml",
        model_path=tmp_path / "amp.safetensors",
        run_dir=tmp_path / "run",
    )
    assert result.esr_test is not None
    assert result.esr_train < 0.01
    assert result.esr_test < 0.3 * result.esr_nearest
    assert modelfile.read(tmp_path / "amp.safetensors").metrics["esr_test"] == pytest.approx(
        result.esr_test, rel=1e-3
    )
