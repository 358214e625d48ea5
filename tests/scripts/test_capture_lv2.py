"""Capturing a plugin: a failure never passes for a capture, and figures tell linear devices from others."""

import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="module")
def lv2(import_run: Callable[[str], ModuleType]) -> ModuleType:
    return import_run("capture_lv2")


@pytest.fixture
def dry(tmp_path: Path) -> Path:
    path = tmp_path / "dry.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(4800) * 0.03), 48_000, subtype="FLOAT")
    return path


def _install(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """Put a stand-in for lv2apply, whose fourth argument is the output, first in the PATH."""
    program = folder / "bin" / "lv2apply"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_a_failing_run_deletes_the_old_output(
    lv2: ModuleType, dry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, tmp_path, "echo 'no such plugin' >&2; exit 1")
    wet = tmp_path / "wet.wav"
    wet.write_bytes(dry.read_bytes())
    with pytest.raises(RuntimeError, match="status 1: no such plugin"):
        lv2.run_device("urn:none", dry, wet, {})
    assert not wet.exists()


def test_a_run_that_claims_success_but_writes_nothing_is_refused(
    lv2: ModuleType, dry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, tmp_path, "exit 0")
    with pytest.raises(RuntimeError, match="status 0"):
        lv2.run_device("urn:none", dry, tmp_path / "wet.wav", {})


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(4800), "only silence"),
        (np.full(4800, np.nan), "NaN"),
        (np.ones(4799), "4799 frames, its input 4800"),
    ],
    ids=["silence", "nan", "short"],
)
def test_an_unusable_output_is_refused(
    lv2: ModuleType,
    dry: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    samples: np.ndarray,
    message: str,
) -> None:
    prepared = tmp_path / "prepared.wav"
    soundfile.write(prepared, samples, 48_000, subtype="FLOAT")
    _install(monkeypatch, tmp_path, f'cp "{prepared}" "$4"')
    with pytest.raises(RuntimeError, match=message):
        lv2.run_device("urn:any", dry, tmp_path / "wet.wav", {})


def test_a_missing_program_is_named_with_its_package(
    lv2: ModuleType, dry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="apt-get install lilv-utils"):
        lv2.run_device("urn:any", dry, tmp_path / "wet.wav", {})


def test_controls_reach_the_plugin(
    lv2: ModuleType, dry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, tmp_path, f'echo "$@" > "{tmp_path}/seen"; cp "$2" "$4"')
    lv2.run_device("urn:any", dry, tmp_path / "wet.wav", {"drive": 0.5, "level": -4.0})
    seen = (tmp_path / "seen").read_text().split()
    assert seen[4:] == ["-c", "drive", "0.5", "-c", "level", "-4.0", "urn:any"]


def test_the_report_finds_delay_distortion_and_nonlinearity(
    lv2: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    noise = 0.3 * rng.standard_normal(48_000)

    def device(audio: np.ndarray) -> np.ndarray:
        delayed = np.concatenate([np.zeros(3), audio[:-3]])
        return delayed + 0.5 * delayed**3

    def run(uri: str, dry: Path, wet: Path, controls: dict[str, float]) -> None:
        audio, rate = soundfile.read(dry)
        soundfile.write(wet, device(audio), rate, subtype="FLOAT")

    monkeypatch.setattr(lv2, "run_device", run)
    report = lv2.describe("urn:any", noise, device(noise), {}, tmp_path)
    assert report.delay_samples == 3
    # sin^3 has a third of its amplitude in the third harmonic: a + 3/8 a^3 against a^3 / 8, at a = 0.125.
    assert report.thd_percent == pytest.approx(100 * 0.125**2 / 8 / (1 + 3 / 8 * 0.125**2), rel=0.01)
    # The cubic's part that no gain explains: var(x^3) - cov^2/var = (15 - 9) s^6, halved twice.
    power = (1 + 3 * 0.5 * 0.09) ** 2 * 0.09 + 0.25 * 6 * 0.09**3
    assert report.best_linear_esr == pytest.approx(0.25 * 6 * 0.09**3 / power, rel=0.15)
    assert not list(tmp_path.iterdir())


def test_a_filter_is_recognised_as_linear(lv2: ModuleType, rng: np.random.Generator) -> None:
    noise = rng.standard_normal(20_000)
    wet = np.convolve(noise, [0.5, -0.3, 0.2])[:20_000]
    assert lv2._linear_esr(noise, wet, 64) < 1e-5


@pytest.mark.skipif(
    shutil.which("lv2apply") is None or not Path("/usr/lib/lv2/gxts9.lv2").is_dir(),
    reason="needs lilv-utils and guitarix-lv2",
)
def test_the_real_device_gives_the_recording_that_the_shipped_amp_is_judged_by(
    lv2: ModuleType, tmp_path: Path
) -> None:
    clip = Path(str(resources.files("neurdsp.amp"))) / "shipped" / "di_clip.flac"
    recording = Path(__file__).parents[1] / "amp" / "ts9_clip_wet.flac"
    wet = tmp_path / "wet.flac"
    controls = {"fslider0_": -4.0, "fslider1_": 500.0, "fslider2_": 0.5}
    lv2.run_device("http://guitarix.sourceforge.net/plugins/gxts9#ts9sim", clip, wet, controls)
    expected, _ = soundfile.read(recording)
    played, _ = soundfile.read(wet, frames=len(expected))
    error_db = 10 * np.log10(np.sum((played - expected) ** 2) / np.sum(expected**2) + 1e-30)
    assert error_db < -70.0, "another version of the plugin: make the shipped amp anew"
