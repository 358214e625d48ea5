"""The shipped amp proves itself and sounds like the device that it was captured from; the clip is clean.

``ts9_clip_wet.flac`` is what the device made of the first four seconds of the shipped clip: a recording of
guitarix's gxts9 plugin, made by ``scripts/runs/ship_ts9.sh``. The plugin is GPL software; its sound is not.
"""

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.amp import AmpModel, shipped_amps
from neurdsp.amp.catalogue import describe_amps
from neurdsp.audio import FloatArray, read_audio
from neurdsp.errors import ModelFileError
from neurdsp.metrics import esr

SHIPPED = Path(str(resources.files("neurdsp.amp"))) / "shipped"
ROOT = Path(__file__).parents[2]
DEVICE = Path(__file__).parent / "ts9_clip_wet.flac"


@pytest.fixture(scope="module")
def clip() -> FloatArray:
    samples, rate = read_audio(SHIPPED / "di_clip.flac")
    assert rate == 48_000
    return samples


@pytest.fixture(scope="module")
def recorded() -> dict[str, float]:
    metrics: dict[str, float] = json.loads(AmpModel.load("ts9").metadata["neurdsp.metrics"])
    return metrics


def test_the_shipped_amp_is_found_by_name_and_is_small() -> None:
    assert "ts9" in shipped_amps()
    assert (SHIPPED / "ts9.safetensors").stat().st_size < 200_000
    amp = AmpModel.load("ts9")
    assert (amp.n_parameters, amp.sample_rate, amp.receptive_field, amp.latency) == (4753, 48_000.0, 127, 0)


def test_the_shipped_amp_verifies() -> None:
    result = modelfile.verify(SHIPPED / "ts9.safetensors")
    assert result.passed
    assert result.error_db <= -100.0


def test_the_recorded_error_on_the_clip_is_what_the_engine_gives(
    clip: FloatArray, recorded: dict[str, float]
) -> None:
    target, _ = read_audio(DEVICE)
    wet = AmpModel.load("ts9").render(clip[: len(target)], sample_rate=48_000)
    measured = esr(target, wet)
    assert measured == pytest.approx(recorded["clip_esr"], rel=1e-3)
    assert measured < 0.02


def test_the_amp_was_judged_on_material_it_never_heard(recorded: dict[str, float]) -> None:
    assert recorded["test_seconds"] == pytest.approx(30.0)
    assert recorded["test_esr"] < 0.02


def test_the_clip_alone_is_far_from_the_device(clip: FloatArray) -> None:
    # The guard of the tests above: a file that passes the signal through must not pass them.
    target, _ = read_audio(DEVICE)
    dry = clip[: len(target)]
    gain = float(dry @ target / (dry @ dry))
    assert esr(target, gain * dry) > 0.2


def test_the_clip_is_a_clean_recording(clip: FloatArray) -> None:
    assert len(clip) == 7 * 48_000
    assert 20 * np.log10(np.abs(clip).max()) == pytest.approx(-9.0, abs=0.1)
    assert abs(float(clip.mean())) < 1e-4
    # Between two samples a guitar moves little: a click would be a jump of most of the peak.
    assert float(np.abs(np.diff(clip)).max()) < 0.25 * float(np.abs(clip).max())
    power = np.abs(np.fft.rfft(clip.astype(np.float64))) ** 2
    guitar = power[7 * 75 : 7 * 5_000].sum() / power.sum()
    assert guitar > 0.99


def test_name_device_and_licence_travel_with_the_file() -> None:
    metadata = AmpModel.load("ts9").metadata
    assert metadata["neurdsp.name"] == "TS9"
    assert metadata["neurdsp.license"] == "MIT OR Apache-2.0"
    assert json.loads(metadata["neurdsp.device"])["plugin"].endswith("gxts9#ts9sim")
    licences = (SHIPPED / "LICENSES.md").read_text()
    assert "ts9.safetensors" in licences
    assert "di_clip.flac" in licences


@pytest.mark.parametrize("name", shipped_amps())
def test_every_shipped_amp_verifies_and_has_a_card(name: str) -> None:
    path = SHIPPED / f"{name}.safetensors"
    assert modelfile.verify(path).passed
    amp = AmpModel.load(name)
    said = amp.metadata
    assert said["neurdsp.name"]
    assert said["neurdsp.license"] == "MIT OR Apache-2.0"
    assert "controls" in json.loads(said["neurdsp.device"])
    assert (ROOT / said["neurdsp.recipe"]).is_file()
    metrics = json.loads(said["neurdsp.metrics"])
    assert 0 < metrics["test_esr"] < 0.1
    if amp.knobs:
        assert metrics["esr_test"] < metrics["esr_blend"]
    assert path.name in (SHIPPED / "LICENSES.md").read_text()
    assert name in {told.name for told in describe_amps()}


@pytest.mark.parametrize("name", [amp.name for amp in describe_amps() if amp.knobs])
def test_a_shipped_knob_changes_the_sound_and_stays_finite(name: str, clip: FloatArray) -> None:
    amp = AmpModel.load(name)
    for knob in amp.knobs:
        low, high = (amp.with_knobs(**{knob: at}).render(clip[:48_000], 48_000) for at in (0.0, 1.0))
        assert np.isfinite(low).all()
        assert np.isfinite(high).all()
        assert esr(high, low) > 0.01


def test_a_folder_of_the_same_name_does_not_hide_an_amp(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crunch").mkdir()
    assert AmpModel.load("crunch").knobs
    (tmp_path / "crunch" / "config.json").write_text("{}")  # an old model, or meant as one
    with pytest.raises(ModelFileError):
        AmpModel.load("crunch")


def test_what_is_shipped_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 3_000_000
