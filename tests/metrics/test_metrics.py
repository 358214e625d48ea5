"""Metrics agree with closed forms and with independent numpy, in blocks of any size."""

import json
import math

import numpy as np
import pytest
from neurdsp import metrics
from neurdsp.errors import ParameterError
from neurdsp.metrics import Comparison
from neurdsp.metrics.alignment import correlate


@pytest.fixture
def pair():
    rng = np.random.default_rng(5)
    target = (0.3 * np.sin(np.arange(150_000) * 0.05) + 0.1 * rng.standard_normal(150_000)).astype(np.float32)
    predicted = (0.8 * target + 0.02 * rng.standard_normal(target.size) + 0.01).astype(np.float32)
    return target, predicted


def test_esr_of_a_scaled_copy_is_the_square_of_the_missing_part(pair):
    target, _ = pair
    assert metrics.esr(target, 0.75 * target) == pytest.approx(0.0625, rel=1e-6)
    assert metrics.null_depth_db(target, 0.9 * target) == pytest.approx(-20, abs=1e-4)
    assert metrics.esr(target, np.zeros_like(target)) == 1
    assert metrics.null_depth_db(target, target) == -math.inf


def test_pre_emphasis_has_the_gain_of_its_formula():
    n = np.arange(48_000)
    for frequency in (100.0, 5_000.0, 20_000.0):
        omega = 2 * np.pi * frequency / 48_000
        filtered = metrics.pre_emphasis(np.sin(omega * n).astype(np.float32))
        gain = abs(1 - 0.97 * np.exp(-1j * omega))
        expected_db = 20 * np.log10(gain) - 10 * np.log10(2)
        assert metrics.rms_db(filtered[1:]) == pytest.approx(expected_db, abs=1e-3)


def test_treble_errors_weigh_more_after_pre_emphasis():
    n = np.arange(48_000)
    target = np.sin(0.05 * n).astype(np.float32)
    bass = target + 0.1 * np.sin(0.01 * n).astype(np.float32)
    treble = target + 0.1 * np.sin(2.0 * n).astype(np.float32)
    assert metrics.esr(target, bass) == pytest.approx(metrics.esr(target, treble), rel=0.01)
    assert metrics.pre_emphasised_esr(target, treble) > 100 * metrics.pre_emphasised_esr(target, bass)


def test_levels_of_a_sine_are_known():
    sine = np.sin(2 * np.pi * np.arange(48_000) / 48).astype(np.float32)
    assert metrics.rms_db(sine) == pytest.approx(-3.0103, abs=1e-4)
    assert metrics.peak_db(sine) == pytest.approx(0, abs=1e-6)
    assert metrics.dc_offset(sine + np.float32(0.25)) == pytest.approx(0.25, abs=1e-6)
    assert metrics.rms_db(np.zeros(4, np.float32)) == -math.inf


@pytest.mark.parametrize("lag", [-300, -1, 0, 7, 1_000])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_best_lag_and_gain_undo_a_shift_and_a_scale(lag, sign):
    rng = np.random.default_rng(6)
    source = rng.standard_normal(12_000).astype(np.float32)
    target = source[2_000:10_000]
    predicted = sign * 0.5 * source[2_000 - lag : 10_000 - lag]
    assert metrics.best_lag_samples(target, predicted) == lag
    if lag == 0:
        assert metrics.best_gain(target, predicted) == pytest.approx(2 * sign, rel=1e-6)


@pytest.mark.parametrize(("n", "max_lag"), [(10, 3), (1_000, 64), (5_000, 700), (30, 100), (1, 0)])
def test_correlation_equals_numpys(n, max_lag):
    target, predicted = np.random.default_rng(n).standard_normal((2, n)).astype(np.float32)
    expected = np.correlate(np.pad(predicted.astype(np.float64), max_lag), target.astype(np.float64), "valid")
    np.testing.assert_allclose(correlate(target, predicted, max_lag), expected, atol=1e-9)


def reference_stft_distance(target, predicted):
    """Independent: numpy's FFT over a strided view, everything in float64."""
    total = 0.0
    for n_fft in (512, 1024, 2048):
        magnitudes = []
        for signal in (target, predicted):
            padded = np.pad(signal.astype(np.float64), n_fft // 2)
            frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[:: n_fft // 4]
            window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
            power = np.abs(np.fft.rfft(frames * window)) ** 2
            magnitudes.append(np.sqrt(np.maximum(power, 1e-8)))
        a, b = magnitudes
        total += np.linalg.norm(a - b) / np.linalg.norm(a) + np.abs(np.log(a) - np.log(b)).mean()
    return total / 3


@pytest.mark.parametrize("n_samples", [100, 5_000, 150_000])
def test_spectral_distance_equals_an_independent_computation(pair, n_samples):
    target, predicted = pair[0][:n_samples], pair[1][:n_samples]
    expected = reference_stft_distance(target, predicted)
    assert metrics.multi_resolution_stft_distance(target, predicted) == pytest.approx(expected, rel=2e-5)


def test_spectral_distance_of_a_scaled_copy_is_known(pair):
    target, _ = pair
    # Convergence 0.5 and log distance ln 2 at every resolution.
    expected = 0.5 + math.log(2)
    assert metrics.multi_resolution_stft_distance(target, 0.5 * target) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("block", [333, 65_536, 150_000])
def test_a_comparison_in_blocks_equals_the_functions_on_the_whole(pair, block):
    target, predicted = pair
    comparison = Comparison()
    for start in range(0, target.size, block):
        comparison.update(target[start : start + block], predicted[start : start + block])
    result = comparison.result()
    assert result == comparison.result()
    assert result.n_samples == target.size
    assert result.esr == pytest.approx(metrics.esr(target, predicted), rel=1e-9)
    assert result.pre_emphasised_esr == pytest.approx(metrics.pre_emphasised_esr(target, predicted), rel=1e-5)
    assert result.null_depth_db == pytest.approx(metrics.null_depth_db(target, predicted), abs=1e-6)
    assert result.stft_distance == pytest.approx(
        metrics.multi_resolution_stft_distance(target, predicted), rel=1e-6
    )
    assert result.target_rms_db == pytest.approx(metrics.rms_db(target), abs=1e-9)
    assert result.predicted_peak_db == pytest.approx(metrics.peak_db(predicted), abs=1e-9)
    assert result.predicted_dc == pytest.approx(metrics.dc_offset(predicted), abs=1e-9)
    assert result.best_gain_db == pytest.approx(
        20 * math.log10(metrics.best_gain(target, predicted)), abs=1e-9
    )
    assert result.best_lag_samples == 0


def test_equal_signals_make_valid_json(pair):
    comparison = Comparison()
    comparison.update(pair[0], pair[0])
    numbers = comparison.result().to_json()
    assert numbers["esr"] == 0
    assert numbers["null_depth_db"] is None
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


@pytest.mark.parametrize(
    ("target", "predicted", "message"),
    [
        ([0.0, 0.0], [0.0, 1.0], "target is silent"),
        ([1.0, 0.0], [1.0], "target has 2 samples and predicted has 1"),
        ([1.0, np.nan], [1.0, 1.0], "target: sample 1 is nan"),
        ([1.0], np.ones((2, 1)), "predicted has shape"),
        ([], [], "target is empty"),
    ],
)
def test_pairs_that_make_no_sense_are_refused(target, predicted, message):
    with pytest.raises(ParameterError, match=message):
        metrics.esr(target, predicted)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ParameterError, match=r"coefficient must be between 0 and 1, got 1\.5"):
        metrics.pre_emphasis([1.0], coefficient=1.5)
    with pytest.raises(ParameterError, match="max_lag_samples"):
        metrics.best_lag_samples([1.0], [1.0], max_lag_samples=-1)
    with pytest.raises(ParameterError, match="resolutions is empty"):
        metrics.multi_resolution_stft_distance([1.0], [1.0], resolutions=())
    with pytest.raises(ParameterError, match="predicted is silent"):
        metrics.best_gain([1.0], [0.0])
    with pytest.raises(ParameterError, match="nothing to compare"):
        Comparison().result()


def compared(target, predicted):
    comparison = Comparison()
    comparison.update(np.float32(target), np.float32(predicted))
    return comparison.result()


def test_an_inverted_prediction_is_known_as_such_at_any_lag_and_offset(rng):
    target = 0.2 * rng.standard_normal(20_000)
    result = compared(target, -0.5 * target)
    assert (result.inverted, result.alike, result.best_lag_samples) == (True, True, 0)
    assert result.esr == pytest.approx(2.25, rel=1e-6)
    assert result.best_gain_db == pytest.approx(20 * math.log10(2), abs=1e-5)
    late = compared(target, 0.3 - np.roll(target, 30))
    assert (late.inverted, late.best_lag_samples) == (True, 30)
    kept = compared(target, 0.3 + np.roll(target, -30))
    assert (kept.inverted, kept.alike, kept.best_lag_samples) == (False, True, -30)


@pytest.mark.parametrize(("value", "level_db"), [(0.0, -math.inf), (0.1, -20.0)])
def test_a_constant_prediction_has_no_lag_no_gain_and_no_polarity(rng, value, level_db):
    target = 0.2 * rng.standard_normal(20_000)
    result = compared(target, np.full(target.size, value))
    assert (result.predicted_constant, result.alike, result.inverted) == (True, False, False)
    assert result.best_lag_samples is None
    assert math.isnan(result.best_gain_db)
    assert result.predicted_peak_db == pytest.approx(level_db, abs=1e-5)
    numbers = result.to_json()
    assert (numbers["best_lag_samples"], numbers["best_gain_db"]) == (None, None)
    json.dumps(numbers, allow_nan=False)
    other = compared(np.full(target.size, 0.1), target)
    assert (other.best_lag_samples, other.predicted_constant, other.alike) == (None, False, False)
    same = compared(np.full(9, 0.1), np.full(9, 0.1))
    assert (same.esr, same.alike, same.best_lag_samples) == (0.0, True, None)


def test_noise_of_its_own_resembles_nothing(rng):
    result = compared(rng.standard_normal(20_000), rng.standard_normal(20_000))
    assert (result.alike, result.inverted, result.predicted_constant) == (False, False, False)
    assert math.isnan(result.best_gain_db)
