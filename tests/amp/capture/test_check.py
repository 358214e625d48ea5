"""Wrong recordings are named in words before training; right ones pass with the right numbers."""

import json
import re

import numpy as np
import pytest
from neurdsp.amp.capture.check import examine
from neurdsp.amp.capture.known import KnownInput, find_repeats
from neurdsp.amp.config import DataConfig, WaveNetAmpConfig
from neurdsp.amp.data import Pair, load_pair, split_in_time
from neurdsp.audio import resample, write_audio
from neurdsp.cli import app
from neurdsp.config import build
from typer.testing import CliRunner

RATE = 8000


def late(signal, n_samples):
    return np.concatenate([np.zeros(n_samples, np.float32), signal])


@pytest.fixture
def look(tmp_path):
    """Write two signals and examine them."""

    def examined(dry, wet, *, rate=RATE, data=None, subtype="FLOAT"):
        write_audio(tmp_path / "i.wav", dry, rate, subtype=subtype)
        write_audio(tmp_path / "o.wav", wet, rate, subtype=subtype)
        return examine(tmp_path / "i.wav", tmp_path / "o.wav", data).report

    return examined


def codes(report, severity=None):
    return [f.code for f in report.findings if severity in (None, f.severity)]


@pytest.fixture(scope="module")
def material():
    """Twenty seconds of noise whose loudness changes, and what a soft clipper makes of it."""
    rng = np.random.default_rng(4)
    swell = np.repeat(rng.uniform(0.05, 1.0, 100), RATE // 5)
    dry = (0.3 * swell * rng.standard_normal(swell.size)).astype(np.float32)
    return dry, (0.4 * np.tanh(4 * dry)).astype(np.float32)


def test_a_good_pair_has_no_findings_and_the_right_lag(look, material):
    report = look(material[0], late(material[1], 123))
    assert codes(report, "error") == codes(report, "warning") == []
    assert report.alignment.latency_samples == 123
    assert abs(report.drift.total_samples) < 0.1
    assert 0.01 < report.linear_esr < 0.5


@pytest.mark.parametrize("ppm", [-40.0, 25.0])
def test_a_clock_error_is_measured_and_undone(look, material, ppm):
    drifted = resample(late(material[1], 50), RATE, RATE * (1 + 1e-6 * ppm))
    report = look(material[0], drifted)
    assert report.drift.ppm == pytest.approx(ppm, abs=2)
    assert "clock" in codes(report, "note")
    assert report.alignment.latency_samples in (49, 50)
    refused = look(material[0], drifted, data=DataConfig(drift="refuse"))
    assert codes(refused, "error") == ["clock"]
    assert "one interface" in refused.errors[0].message


def test_what_undoing_a_clock_leaves_is_the_capture(tmp_path, material):
    dry, wet = material
    write_audio(tmp_path / "i.wav", dry, RATE)
    write_audio(tmp_path / "o.wav", resample(late(wet, 50), RATE, RATE * (1 + 30e-6)), RATE)
    undone = examine(tmp_path / "i.wav", tmp_path / "o.wav").wet[50:]
    n = min(undone.size, wet.size) - 1000
    band = np.fft.rfft(wet[:n]), np.fft.rfft(undone[:n])
    keep = slice(0, int(0.8 * len(band[0])))  # where the resampler is flat
    error = np.sum(np.abs(band[0][keep] - band[1][keep]) ** 2) / np.sum(np.abs(band[0][keep]) ** 2)
    assert error < 1e-3


def test_a_lost_buffer_is_named_with_its_time(look, material):
    dry, wet = material
    report = look(dry, np.concatenate([wet[: 9 * RATE], wet[9 * RATE + 128 :]]))
    assert codes(report, "error") == ["dropout"]
    found = re.search(r"jumps by (-\d+) samples at (\d+) s", report.errors[0].message)
    assert int(found[1]) == -128
    assert float(found[2]) == pytest.approx(9, abs=1)


def test_another_rate_than_the_header_says(look, material):
    report = look(material[0], resample(material[1], 48_000, 44_100))
    assert codes(report, "error") == ["rate"]
    assert "44100" in report.errors[0].message
    assert report.alignment is None


def test_a_lag_out_of_reach_is_named_in_seconds(look, material):
    report = look(material[0], late(material[1], 3 * RATE))
    assert codes(report, "error") == ["far_lag"]
    assert "3.00 s late" in report.errors[0].message


def test_unrelated_recordings(look, material, rng):
    report = look(material[0], (0.1 * rng.standard_normal(material[0].size)).astype(np.float32))
    assert codes(report, "error") == ["unrelated"]


def test_another_take_has_the_loudness_but_not_the_waveform(look, material, rng):
    envelope = np.repeat(np.abs(material[0]).reshape(-1, RATE // 5).max(axis=1), RATE // 5)
    report = look(material[0], (0.2 * envelope * rng.standard_normal(envelope.size)).astype(np.float32))
    assert codes(report, "error") == ["other_take"]


def test_polarity_clipping_and_offset_are_noted(look, material):
    wet = np.clip(-8 * material[1] + 0.5, -1, 1).astype(np.float32)
    report = look(material[0], wet, subtype="PCM_16")
    assert codes(report, "error") == []
    assert {"clipped", "polarity", "dc"} <= set(codes(report))
    assert report.output.clipped_samples > 1000


def test_a_bypassed_device_is_linear(look, material):
    report = look(material[0], 0.5 * material[0])
    assert "linear" in codes(report)
    assert report.linear_esr < 1e-5


def test_noise_is_measured_where_the_input_is_silent(look, material, rng):
    gaps = material[0].copy()
    gaps[5 * RATE : 7 * RATE] = 0
    wet = np.tanh(4 * gaps) * 0.4 + 10 ** (-50 / 20) * rng.standard_normal(gaps.size)
    report = look(gaps, late(wet.astype(np.float32), 40))
    assert report.output.noise_db == pytest.approx(-50, abs=0.5)
    assert "noise" in codes(report, "warning")


def test_stereo_with_one_live_channel_says_which(look, material):
    stereo = np.stack([np.zeros_like(material[1]), material[1]])
    report = look(material[0], stereo)
    assert codes(report) == ["channels"]
    assert "only the right one has sound" in report.errors[0].message


def test_the_validation_passage_is_never_trained_on_wherever_it_is_played(rng):
    passage = rng.standard_normal(3000).astype(np.float32)
    dry = rng.standard_normal(30_000).astype(np.float32)
    dry[4000:7000] = dry[15_000:18_000] = dry[27_000:30_000] = passage
    from neurdsp.amp.capture.align import Alignment

    pair = Pair(
        dry,
        dry,
        RATE,
        Alignment(0, 1.0, inverted=False),
        known=KnownInput("made", validation=(27_000, 30_000), repeat=(4000, 7000)),
    )
    settings = build(WaveNetAmpConfig, {"model": {"channels": 4, "num_layers": 5}})
    split = split_in_time(pair, settings)
    assert split.validation == (27_000, 30_000)
    assert find_repeats(dry, split.validation) == ((4000, 7000), (15_000, 18_000))
    margin = settings.model.receptive_field - 1
    assert split.training == ((0, 4000 - margin), (7000, 15_000 - margin), (18_000, 27_000 - margin))


def test_the_trainer_refuses_with_the_same_words(tmp_path, material):
    write_audio(tmp_path / "i.wav", material[0], RATE)
    write_audio(tmp_path / "o.wav", resample(material[1], 48_000, 44_100), RATE)
    from neurdsp.errors import AudioFileError

    settings = build(WaveNetAmpConfig, {"model": {"channels": 4, "num_layers": 5}})
    said = examine(tmp_path / "i.wav", tmp_path / "o.wav").report.errors[0].message
    with pytest.raises(AudioFileError) as caught:
        load_pair(tmp_path / "i.wav", tmp_path / "o.wav", settings)
    assert str(caught.value) == said


def test_the_command_prints_json_and_ends_with_status_one_on_errors(tmp_path, material):
    write_audio(tmp_path / "i.wav", material[0], RATE)
    write_audio(tmp_path / "o.wav", late(material[1], 7), RATE)
    pair = [str(tmp_path / "i.wav"), str(tmp_path / "o.wav")]
    good = CliRunner().invoke(app, ["amp", "check", *pair, "--json"])
    assert good.exit_code == 0
    found = json.loads(good.stdout)
    assert found["ok"]
    assert found["alignment"]["latency_samples"] == 7
    bad = CliRunner().invoke(app, ["amp", "check", *pair[::-1]])
    assert bad.exit_code == 1
    assert "cannot be used" in bad.stdout


def test_the_picture_is_a_png(tmp_path, material):
    from neurdsp.amp.capture.check_plot import plot_examination

    write_audio(tmp_path / "i.wav", material[0], RATE)
    write_audio(tmp_path / "o.wav", late(material[1], 7), RATE)
    plot_examination(examine(tmp_path / "i.wav", tmp_path / "o.wav"), tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
