"""Latency is found to the sample, through colour, distortion, inversion and noise."""

import numpy as np
import pytest
from neurdsp.amp.capture.align import find_latency
from neurdsp.errors import AudioFileError
from scipy import signal as scipy_signal

RATE = 8000


def late(signal, n_samples):
    return np.concatenate([np.zeros(n_samples, np.float32), signal]).astype(np.float32)


@pytest.mark.parametrize("delay", [0, 1, 37, 900])
def test_a_pure_delay_is_exact(dry, delay):
    found = find_latency(dry, late(dry, delay), sample_rate=RATE, max_latency_samples=1000)
    assert (found.latency_samples, found.inverted) == (delay, False)
    assert found.confidence > 0.9


@pytest.mark.parametrize("delay", [0, 250])
def test_distortion_keeps_it_within_a_sample_and_never_late(dry, wet, delay):
    found = find_latency(dry, late(wet, delay), sample_rate=RATE, max_latency_samples=1000)
    assert found.latency_samples in (delay - 1, delay)
    assert found.confidence > 0.5


def test_inversion_is_reported(dry, wet):
    assert find_latency(dry, -late(wet, 20), sample_rate=RATE, max_latency_samples=400).inverted


@pytest.mark.parametrize(
    "filtered",
    [
        scipy_signal.butter(2, 2500, "low", fs=RATE, output="sos"),
        scipy_signal.butter(2, 200, "high", fs=RATE, output="sos"),
        scipy_signal.butter(1, [150, 3000], "band", fs=RATE, output="sos"),
    ],
)
def test_a_filter_in_the_device_does_not_make_it_late(dry, filtered):
    wet = scipy_signal.sosfilt(filtered, dry).astype(np.float32)
    found = find_latency(dry, late(wet, 100), sample_rate=RATE, max_latency_samples=400)
    assert 99 <= found.latency_samples <= 101


def test_a_lead_is_negative(dry):
    assert find_latency(late(dry, 50), dry, sample_rate=RATE, max_latency_samples=400).latency_samples == -50


def test_unrelated_recordings_have_no_confidence(dry):
    noise = np.random.default_rng(5).standard_normal(dry.size).astype(np.float32)
    assert find_latency(dry, noise, sample_rate=RATE, max_latency_samples=400).confidence < 0.1


def test_silence_is_refused(dry):
    with pytest.raises(AudioFileError, match="silent throughout"):
        find_latency(dry, np.zeros_like(dry), sample_rate=RATE, max_latency_samples=400)
