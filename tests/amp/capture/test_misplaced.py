"""A misplaced output is found wherever it is, to the sample; what else is wrong with a chain is named."""

import re

import numpy as np
import pytest
from neurdsp.amp.capture.check import examine
from neurdsp.amp.capture.follow import follow
from neurdsp.amp.capture.known import KnownInput, recognise
from neurdsp.amp.capture.report import Report
from neurdsp.amp.capture.signal import LAYOUT, capture_signal
from neurdsp.amp.config import DataConfig, WaveNetAmpConfig
from neurdsp.amp.data import load_pair, split_in_time
from neurdsp.audio import FloatArray, resample, write_audio
from neurdsp.config import build
from neurdsp.errors import AudioFileError
from scipy import signal as scipy_signal

RATE = 8000
BLIPS = (4000, 8000, 12_800, 18_400)


def amp(dry: FloatArray, rate: int = RATE) -> FloatArray:
    """A coupling capacitor, an asymmetric stage, and the loss of a cabinet."""
    bright = scipy_signal.sosfilt(scipy_signal.butter(1, 80, "high", fs=rate, output="sos"), dry)
    driven = 0.4 * (np.tanh(6 * bright + 0.2) - np.tanh(0.2))
    return scipy_signal.sosfilt(
        scipy_signal.butter(1, 0.35 * rate, "low", fs=rate, output="sos"), driven
    ).astype(np.float32)


def late(signal: FloatArray, n_samples: int, noise_db: float | None = None) -> FloatArray:
    before = np.zeros(n_samples)
    if noise_db is not None:
        before = 10 ** (noise_db / 20) * np.random.default_rng(9).standard_normal(n_samples)
    return np.concatenate([before, signal]).astype(np.float32)


def echoing(signal: FloatArray, seconds: float, level: float) -> FloatArray:
    delay = round(seconds * RATE)
    return signal + level * late(signal, delay)[: signal.size]


def reverberating(signal: FloatArray, seconds: float, level: float) -> FloatArray:
    n = round(seconds * RATE)
    room = np.random.default_rng(5).standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    room *= level / np.sqrt(np.sum(room**2))
    return (signal + scipy_signal.fftconvolve(signal, room)[: signal.size]).astype(np.float32)


@pytest.fixture(scope="module")
def dry() -> FloatArray:
    """Three seconds with four clicks, then twenty seconds of noise whose loudness changes."""
    rng = np.random.default_rng(4)
    clicks = np.zeros(3 * RATE, np.float32)
    clicks[list(BLIPS)] = 0.9
    swell = np.repeat(rng.uniform(0.05, 1.0, 100), RATE // 5)
    return np.concatenate([clicks, (0.3 * swell * rng.standard_normal(swell.size)).astype(np.float32)])


@pytest.fixture(scope="module")
def wet(dry: FloatArray) -> FloatArray:
    return amp(dry)


@pytest.fixture
def look(tmp_path):
    def examined(
        dry: FloatArray, wet: FloatArray, data: DataConfig | None = None, rate: int = RATE
    ) -> Report:
        for name, signal in (("i.wav", dry), ("o.wav", wet)):
            write_audio(tmp_path / name, signal, rate, subtype="FLOAT")
        return examine(tmp_path / "i.wav", tmp_path / "o.wav", data).report

    return examined


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity != "note"}


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.5, 4.0])
@pytest.mark.parametrize("noise_db", [None, -50.0, -30.0])
def test_silence_or_noise_before_the_output_is_measured_to_the_sample(look, dry, wet, seconds, noise_db):
    lag = round(seconds * RATE) + 3
    report = look(dry, late(wet, lag, noise_db))
    assert {finding.code for finding in report.errors} == {"far_lag"}
    assert report.alignment is not None
    assert report.alignment.latency_samples == lag
    assert f"data.latency_samples={lag}" in report.errors[0].message
    assert "swap" not in report.errors[0].message


@pytest.mark.parametrize("lead", [10, 77, 1000, 9000])
def test_an_early_output_is_measured_and_the_given_lead_trains(look, tmp_path, dry, wet, lead):
    report = look(dry, wet[lead:])
    assert codes(report) == {"early"}
    assert report.alignment is not None
    assert abs(report.alignment.latency_samples + lead) <= 1
    assert "data.latency_samples=0" not in report.errors[0].message
    proposed = int(re.search(r"data\.latency_samples=(-\d+)", report.errors[0].message)[1])
    settings = build(
        WaveNetAmpConfig,
        {"model": {"channels": 4, "num_layers": 5}, "data": {"latency_samples": proposed}},
    )
    pair = load_pair(tmp_path / "i.wav", tmp_path / "o.wav", settings)
    assert pair.lead_samples == -proposed
    np.testing.assert_array_equal(pair.dry, dry[-proposed:])
    np.testing.assert_array_equal(pair.wet, wet[lead:][: pair.dry.size])


def test_a_lead_moves_the_passages_of_a_known_input() -> None:
    known = KnownInput("made", blips=(50, 500), validation=(9000, 9900), repeat=(800, 1700))
    assert known.cut(100) == KnownInput("made", (400,), (8900, 9800), (700, 1600))
    assert known.cut(900).repeat is None


def test_a_device_that_only_the_magnitude_follows_is_placed(look, dry):
    octave = np.abs(scipy_signal.sosfilt(scipy_signal.butter(1, 2500, fs=RATE, output="sos"), dry))
    report = look(dry[24_000:], late(octave[24_000:].astype(np.float32), 60))
    assert report.errors == ()
    assert report.alignment is not None
    assert 59 <= report.alignment.latency_samples <= 61
    assert report.linear_esr is not None
    assert report.linear_esr > 0.8


def test_a_given_latency_that_is_wrong_is_refused_with_the_right_one(look, dry, wet):
    report = look(dry, late(wet, 37), DataConfig(latency_samples=5000))
    assert codes(report) == {"given_latency"}
    assert "at 37 samples" in report.errors[0].message
    assert codes(look(dry, late(wet, 37), DataConfig(latency_samples=37))) == set()


def test_a_given_latency_beyond_the_recordings_is_refused(look, dry, wet):
    for given in (9_000_000, -9_000_000):
        assert codes(look(dry, wet, DataConfig(latency_samples=given))) == {"given_latency"}


@pytest.mark.parametrize("played", [0.5, 44_100 / 48_000, 48_000 / 44_100, 2.0])
@pytest.mark.parametrize("late_s", [0.0, 1.5])
def test_another_rate_is_named_also_if_it_is_late(look, dry, wet, played, late_s):
    moved = late(resample(wet, 48_000, 48_000 * played), round(late_s * RATE))
    report = look(dry, moved)
    assert {finding.code for finding in report.errors} == {"rate"}
    percent = 100 * abs(1 - played)
    assert f"played {percent:.1f} % {'faster' if played > 1 else 'slower'}" in report.errors[0].message


@pytest.mark.parametrize("seconds", [0.1, 0.35, 0.75])
def test_a_delay_is_found_with_its_time(look, dry, wet, seconds):
    report = look(dry, late(echoing(wet, seconds, 0.3), 12))
    assert codes(report) == {"tail"}
    (found,) = [f for f in report.findings if f.code == "tail"]
    assert float(re.search(r"a delay of (\d+) ms", found.message)[1]) == pytest.approx(1e3 * seconds, abs=6)
    assert report.alignment is not None
    assert report.alignment.latency_samples == 12


@pytest.mark.parametrize("clicks", [True, False])
def test_a_reverb_is_found_with_and_without_clicks(look, dry, wet, clicks):
    start = 0 if clicks else 3 * RATE
    report = look(dry[start:], late(reverberating(wet, 1.5, 0.3)[start:], 12))
    assert codes(report) == {"tail"}
    assert any("a reverb" in finding.message for finding in report.findings)


def test_the_ringing_of_a_cabinet_is_no_tail(look, dry, wet):
    rng = np.random.default_rng(2)
    n = round(0.05 * RATE)
    cabinet = rng.standard_normal(n) * np.exp(-np.arange(n) / (0.006 * RATE))
    report = look(dry, (0.2 * scipy_signal.fftconvolve(wet, cabinet)[: wet.size]).astype(np.float32))
    assert codes(report) == set()


def test_a_cut_in_the_middle_is_named_with_its_length(look, dry, wet):
    report = look(dry, np.concatenate([wet[: 12 * RATE], wet[12 * RATE + 4000 :]]))
    assert codes(report) == {"dropout"}
    found = re.search(r"jumps by (-\d+) samples at (\d+) s", report.errors[0].message)
    assert int(found[1]) == -4000
    assert float(found[2]) == pytest.approx(12, abs=1.5)


def test_a_recording_that_stops_is_named_with_its_time(look, dry, wet):
    stopped = wet.copy()
    stopped[12 * RATE :] = 0
    report = look(dry, stopped)
    assert codes(report) == {"stopped"}
    assert codes(look(dry, stopped, DataConfig(latency_samples=0))) == {"stopped"}
    assert "stopped" not in codes(look(dry, stopped, DataConfig(drift="ignore")))
    assert float(re.search(r"from (\d+) to", report.errors[0].message)[1]) == pytest.approx(12, abs=1.5)


def test_swapped_files_are_told_from_an_early_output_by_their_dynamics(look, dry, wet):
    start = 3 * RATE
    swapped = look(late(wet, 40)[start:], dry[start:])
    assert {finding.code for finding in swapped.errors} == {"swapped"}
    early = look(dry[start:], wet[start + 40 :])
    assert {finding.code for finding in early.errors} == {"early"}


def test_training_is_refused_in_the_words_of_the_check(look, tmp_path, dry, wet):
    said = look(dry, late(wet, RATE)).errors[0].message
    settings = build(WaveNetAmpConfig, {"model": {"channels": 4, "num_layers": 5}})
    with pytest.raises(AudioFileError) as caught:
        load_pair(tmp_path / "i.wav", tmp_path / "o.wav", settings)
    assert str(caught.value) == said


@pytest.fixture(scope="module")
def signals() -> dict[int, FloatArray]:
    """The capture signal of two seeds, at the lowest rate that it has."""
    return {seed: capture_signal(32_000, seed=seed) for seed in (1, 2)}


def test_sweeps_that_repeat_after_three_seconds_do_not_place_the_capture_signal(look, signals):
    rate = 32_000
    report = look(signals[1], late(amp(signals[1], rate), 3 * rate), rate=rate)
    assert codes(report) == {"far_lag"}
    assert report.alignment is not None
    assert report.alignment.latency_samples == 96_000


def test_an_early_capture_signal_keeps_its_validation_passage(tmp_path, signals):
    rate, lead = 32_000, 640
    write_audio(tmp_path / "i.wav", signals[1], rate, subtype="FLOAT")
    write_audio(tmp_path / "o.wav", amp(signals[1], rate)[lead:], rate, subtype="FLOAT")
    settings = build(
        WaveNetAmpConfig, {"model": {"channels": 4, "num_layers": 5}, "data": {"latency_samples": -lead}}
    )
    pair = load_pair(tmp_path / "i.wav", tmp_path / "o.wav", settings)
    begin, end = split_in_time(pair, settings).validation
    assert (begin, end) == tuple(round(at * rate) - lead for at in LAYOUT.validation)
    assert pair.report is not None
    assert pair.report.replicate_esr is not None
    assert pair.report.replicate_esr < 1e-6


def test_a_capture_of_another_seed_is_recognised(look, signals):
    report = look(signals[1], late(amp(signals[2], 32_000), 25), rate=32_000)
    assert {finding.code for finding in report.errors} == {"other_signal"}
    assert "--seed 2" in report.errors[0].message


@pytest.mark.slow
def test_a_capture_of_another_version_is_recognised_by_its_sweeps(look, signals):
    rng = np.random.default_rng(1)
    other = rng.permutation(signals[2].reshape(-1, 32_000)).ravel()
    for start, stop in ((0.0, 3.0), (12.0, 21.0), (45.0, 60.0)):
        part = slice(round(start * 32_000), round(stop * 32_000))
        other[part] = signals[1][part]
    report = look(signals[1], amp(other, 32_000), rate=32_000)
    assert {finding.code for finding in report.errors} == {"other_signal"}
    assert "another version" in report.errors[0].message


def test_most_windows_follow_at_the_true_lag_and_few_at_another(signals):
    wet = amp(signals[1], 32_000)
    assert follow(signals[1], wet, 0, sample_rate=32_000).share > 0.9
    assert follow(signals[1], wet, 1500, sample_rate=32_000).share < 0.4
    assert follow(signals[1], amp(signals[2], 32_000), 0, sample_rate=32_000).share < 0.3
    assert recognise(signals[1], 32_000).name == "neurdsp capture signal"


@pytest.mark.slow
@pytest.mark.parametrize("ppm", [300.0, -200.0])
def test_a_clock_that_moves_the_lag_out_of_reach_is_followed(look, signals, ppm):
    rate = 32_000
    moved = resample(amp(signals[1], rate), rate, rate * (1 + 1e-6 * ppm))
    report = look(signals[1], late(moved, 37), rate=rate)
    assert codes(report) == set()
    assert report.drift is not None
    assert report.drift.ppm == pytest.approx(ppm, abs=0.5)
    assert report.alignment is not None
    assert 36 <= report.alignment.latency_samples <= 38
