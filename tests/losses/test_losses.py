"""The losses against independent numpy, and the claim that silence does not dominate them."""

import numpy as np
import pytest
import torch
from neurdsp.config import build
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.losses import (
    AWeightedLoss,
    DCLoss,
    ESRLoss,
    LossConfig,
    PreEmphasisLoss,
    SpectralLoss,
    build_loss,
)
from neurdsp.losses.perceptual import a_weighting


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    target = rng.standard_normal((3, 5000)) * 0.2 + 0.01
    return target + rng.standard_normal((3, 5000)) * 0.02 + 0.005, target


def as_torch(*arrays):
    return tuple(torch.from_numpy(array) for array in arrays)


def numpy_stft_magnitude(signal, n_fft):
    """Centred frames with reflection, periodic Hann, hop a quarter; written from the definition."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    padded = np.pad(signal, ((0, 0), (n_fft // 2, n_fft // 2)), mode="reflect")
    starts = range(0, padded.shape[1] - n_fft + 1, n_fft // 4)
    return np.stack([np.abs(np.fft.rfft(padded[:, s : s + n_fft] * window)) for s in starts], axis=-1)


def numpy_spectral(prediction, target, sizes, power=None):
    rms = np.sqrt(np.mean(target**2) if power is None else power)
    total = 0.0
    for size in sizes:
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
        found, wanted = (numpy_stft_magnitude(x, size) for x in (prediction, target))
        typical = rms * np.sqrt(np.sum(window**2))
        scale = wanted.mean() if power is None else typical * np.sqrt(np.pi) / 2
        floor = typical * 1e-3
        total += np.mean(np.abs(found - wanted)) / scale
        total += np.mean(np.abs(np.log(found + floor) - np.log(wanted + floor)))
    return total / len(sizes)


def test_esr_is_error_energy_over_target_energy(pair):
    prediction, target = pair
    expected = np.sum((prediction - target) ** 2) / np.sum(target**2)
    assert float(ESRLoss()(*as_torch(*pair))) == pytest.approx(expected, rel=1e-6)


def test_dc_is_squared_mean_error_over_target_power(pair):
    prediction, target = pair
    expected = np.mean((prediction.mean(1) - target.mean(1)) ** 2) / np.mean(target**2)
    assert float(DCLoss()(*as_torch(*pair))) == pytest.approx(expected, rel=1e-6)


def test_pre_emphasis_is_the_esr_of_the_filtered_signals(pair):
    def filtered(signals):
        return np.array([[x[n] - 0.97 * x[n - 1] for n in range(1, x.size)] for x in signals])

    prediction, target = map(filtered, pair)
    expected = np.sum((prediction - target) ** 2) / np.sum(target**2)
    assert float(PreEmphasisLoss()(*as_torch(*pair))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("power", [None, 0.09])
def test_spectral_matches_the_definition(pair, power):
    loss = SpectralLoss(reference_power=power)
    expected = numpy_spectral(*pair, (512, 1024, 2048), power)
    assert float(loss(*as_torch(*pair))) == pytest.approx(expected, rel=1e-5)


def test_hybrid_is_the_weighted_sum(pair):
    tensors = as_torch(*pair)
    expected = 1.0 * ESRLoss()(*tensors) + 0.5 * SpectralLoss()(*tensors) + 0.1 * PreEmphasisLoss()(*tensors)
    assert float(build_loss(LossConfig(type="hybrid"))(*tensors)) == pytest.approx(float(expected), rel=1e-6)


def test_default_is_the_weighted_sum(pair):
    tensors = as_torch(*pair)
    terms = {1.0: ESRLoss(), 0.1: SpectralLoss(), 0.3: PreEmphasisLoss()}
    expected = sum(weight * term(*tensors) for weight, term in terms.items()) + 0.1 * DCLoss()(*tensors)
    assert float(build_loss(LossConfig())(*tensors)) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize(
    "name", ["default", "hybrid", "esr", "esr_dc", "spectral", "pre_emphasis", "a_weighted"]
)
def test_every_recipe_is_zero_at_the_target_and_has_a_finite_gradient_from_silence(pair, name):
    (target,) = as_torch(pair[1])
    loss = build_loss(LossConfig(type=name), reference=target.reshape(-1), sample_rate=48_000)
    assert float(loss(target, target)) == 0.0
    for level in (0.0, 1e-6):
        quiet = (target * level).requires_grad_()
        loss(quiet, target).backward()
        assert torch.isfinite(quiet.grad).all()
    assert float(quiet.grad.abs().sum()) > 0


def test_weights_replace_those_of_the_recipe():
    weights = build(LossConfig, {"type": "hybrid", "preemph_weight": 0.05}).weights()
    assert weights == {"esr": 1.0, "dc": 0.0, "pre_emphasis": 0.05, "spectral": 0.5, "a_weighted": 0.0}


@pytest.mark.parametrize("name", ["default", "hybrid", "spectral"])
def test_a_silent_batch_does_not_dominate(pair, name):
    """Hiss 90 dB down against silence costs under a fifth of an error 20 dB down on music."""
    prediction, target = as_torch(*pair)
    loss = build_loss(LossConfig(type=name), reference=target.reshape(-1))
    hiss = torch.from_numpy(np.random.default_rng(1).standard_normal((3, 5000))) * 0.2 * 10 ** (-90 / 20)
    assert float(loss(hiss, torch.zeros_like(hiss))) < 0.2 * float(loss(prediction, target))
    # It dominates the usual form, log(magnitude + 1e-7): this is what the floor is for.
    naive = np.mean(np.abs(np.log(numpy_stft_magnitude(hiss.numpy(), 1024) + 1e-7) - np.log(1e-7)))
    assert naive > 10 * float(loss(prediction, target))


def test_too_short_for_the_spectral_term_says_so():
    signal = torch.zeros(1, 1024)
    with pytest.raises(ParameterError, match="more than 1024 samples, got 1024"):
        SpectralLoss()(signal, signal)


def test_all_weights_zero_is_refused():
    with pytest.raises(ParameterError, match="all weights of the loss are 0"):
        build_loss(LossConfig(type="esr", esr_weight=0))


def test_unknown_loss_names_the_known():
    with pytest.raises(ConfigError, match=r"'type' = 'hybrd'.*'hybrid'"):
        build(LossConfig, {"type": "hybrd"})


def test_the_a_curve_is_that_of_the_standard():
    # IEC 61672-1:2013, table 3, which rounds to 0.1 dB at the exact centres of third-octave bands.
    centres = 1000 * 10 ** (torch.tensor([-16, -10, -7, 0, 6, 10, 12], dtype=torch.float64) / 10)
    found = 10 * torch.log10(a_weighting(centres))
    torch.testing.assert_close(
        found, torch.tensor([-44.7, -19.1, -10.9, 0.0, 1.0, -2.5, -6.6]).double(), rtol=0, atol=0.06
    )


@pytest.mark.parametrize("with_reference", [False, True])
def test_an_error_counts_by_the_a_curve_at_its_frequency(with_reference):
    time = torch.arange(48_000, dtype=torch.float64) / 48_000
    target = 0.2 * torch.sin(2 * torch.pi * 1000 * time)[None]
    loss = AWeightedLoss(sample_rate=48_000, reference=target[0] if with_reference else None)
    for hz, decibels in ((1000, 0.0), (199.53, -10.9), (10_000, -2.5)):
        error = 0.02 * torch.sin(2 * torch.pi * hz * time)[None]
        found = 10 * torch.log10(loss(target + error, target))
        # A Hann window is two bins wide at each side, over which the curve is not flat.
        assert float(found) == pytest.approx(-20 + decibels, abs=0.25)


def test_an_a_weighted_loss_needs_the_rate_and_enough_samples():
    with pytest.raises(ParameterError, match="give sample_rate"):
        build_loss(LossConfig(type="a_weighted"))
    with pytest.raises(ParameterError, match="more than 1024 samples, got 1024"):
        AWeightedLoss(sample_rate=8000)(torch.zeros(1, 1024), torch.zeros(1, 1024))
    with pytest.raises(ParameterError, match="sample_rate is 0"):
        AWeightedLoss(sample_rate=0)
