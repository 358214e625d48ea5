"""A run on captures of several settings resumes to the byte, and only with the captures it began with."""

import shutil

import numpy as np
import pytest
from neurdsp.amp.capture.manifest import Manifest
from neurdsp.amp.config import load_config
from neurdsp.amp.knobs.train import train_parametric
from neurdsp.audio import write_audio
from neurdsp.config import save_yaml
from neurdsp.errors import ConfigError
from safetensors.numpy import load_file

RATE = 8_000


def config(steps, *more):
    return load_config(
        "tiny",
        overrides=[
            "model={arrays: [{channels: 2, kernel_size: 2, dilations: [1]}]}",
            "training.minutes=null",
            f"training.steps={steps}",
            "training.validate_steps=4",
            "data.latency_samples=0",
            "data.crop_samples=256",
            "loss.type=esr",
            *more,
        ],
    )


def write_captures(folder, *, gains=(0.0, 1.0, 0.5), drive=9.0):
    """Write captures of a waveshaper, the last one for testing, and their manifest."""
    folder.mkdir(exist_ok=True)
    dry = (0.2 * np.random.default_rng(5).standard_normal(2 * RATE)).astype(np.float32)
    write_audio(folder / "in.wav", dry, RATE)
    captures = []
    for index, gain in enumerate(gains):
        wet = np.tanh((1 + drive * gain) * dry).astype(np.float32)
        write_audio(folder / f"{index}.wav", wet, RATE)
        part = "test" if index == len(gains) - 1 else "train"
        captures.append({"output": f"{index}.wav", "positions": {"gain": gain}, "part": part})
    path = folder / "manifest.yaml"
    save_yaml(Manifest(input="in.wav", knobs={"gain": {}}, captures=captures), path)
    return path


def run(folder, manifest, settings, *, resume=False):
    return train_parametric(
        settings, manifest, model_path=folder / "m.safetensors", run_dir=folder / "run", resume=resume
    )


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run of four steps, which more steps may follow."""
    folder = tmp_path_factory.mktemp("begun")
    run(folder, write_captures(folder), config(4))
    return folder


@pytest.fixture
def copy(begun, tmp_path):
    return shutil.copytree(begun, tmp_path / "copy")


@pytest.mark.parametrize(
    "change", [{"drive": 8.0}, {"gains": (0.0, 0.9, 0.5)}, {"gains": (0.0, 0.25, 1.0, 0.5)}]
)
def test_other_captures_are_refused_and_nothing_is_overwritten(copy, change):
    manifest = write_captures(copy, **change)
    before = {path.name: path.read_bytes() for path in (copy / "run").iterdir()}
    model = (copy / "m.safetensors").read_bytes()
    with pytest.raises(ConfigError, match="the run began with other recordings"):
        run(copy, manifest, config(8), resume=True)
    assert {path.name: path.read_bytes() for path in (copy / "run").iterdir()} == before
    assert (copy / "m.safetensors").read_bytes() == model


def test_another_network_is_refused_and_the_configuration_stays(copy):
    before = (copy / "run" / "config.yaml").read_bytes()
    with pytest.raises(ConfigError, match=r"began with training.learning_rate = 0\.\d+, now it is 0.5"):
        run(copy, copy / "manifest.yaml", config(8, "training.learning_rate=0.5"), resume=True)
    assert (copy / "run" / "config.yaml").read_bytes() == before


def test_a_run_without_a_checkpoint_cannot_be_resumed(tmp_path):
    with pytest.raises(ConfigError, match="no run to resume"):
        run(tmp_path, write_captures(tmp_path), config(8), resume=True)


@pytest.mark.parametrize("older", [False, True])
def test_more_steps_continue_the_run_also_in_a_folder_without_data_json(copy, older):
    if older:  # versions up to 0.1 wrote none
        (copy / "run" / "data.json").unlink()
    assert run(copy, copy / "manifest.yaml", config(8), resume=True).steps == 8
    assert (copy / "run" / "data.json").is_file()
    with pytest.raises(ConfigError, match="other recordings"):
        run(copy, write_captures(copy, drive=8.0), config(12), resume=True)


def test_other_test_captures_may_be_measured_on(copy):
    manifest = write_captures(copy, gains=(0.0, 1.0, 0.75))
    result = run(copy, manifest, config(8), resume=True)
    assert [one["positions"]["gain"] for one in result.settings] == [0.0, 1.0, 0.75]


def test_a_run_that_is_complete_resumes_without_a_step(copy):
    before = load_file(copy / "m.safetensors")
    assert run(copy, copy / "manifest.yaml", config(4), resume=True).steps == 4
    after = load_file(copy / "m.safetensors")
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_worse_model_with_knobs_never_replaces_a_better_one(copy):
    settings, fresh = config(1), {"model_path": copy / "m.safetensors", "run_dir": copy / "new"}
    better = run(copy, copy / "manifest.yaml", config(40, "training.learning_rate=0.02"), resume=False)
    assert better.model_path == copy / "m.safetensors"
    assert "was replaced" in better.older_model
    before = better.model_path.read_bytes()
    worse = train_parametric(settings, copy / "manifest.yaml", **fresh)
    assert worse.esr_train > better.esr_train
    assert (copy / "m.safetensors").read_bytes() == before
    assert worse.model_path == copy / "new" / "m-new.safetensors"
    assert "was kept" in worse.older_model
    assert worse.model_path.is_file()
    again = train_parametric(settings, copy / "manifest.yaml", **fresh, overwrite=True)
    assert again.model_path == copy / "m.safetensors"
    assert (copy / "m.safetensors").read_bytes() != before


def test_a_run_never_writes_over_a_capture_of_its_manifest(copy):
    captures = {name: (copy / name).read_bytes() for name in ("in.wav", "0.wav", "2.wav", "manifest.yaml")}
    for name in captures:
        for link in (copy / "x.safetensors", copy / "other" / "checkpoint.pt"):
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(copy / name)
            with pytest.raises(FileExistsError, match="it is also an input"):
                train_parametric(
                    config(4),
                    copy / "manifest.yaml",
                    model_path=copy / "x.safetensors",
                    run_dir=copy / "other",
                    overwrite=True,
                )
            link.unlink()
    assert {name: (copy / name).read_bytes() for name in captures} == captures
