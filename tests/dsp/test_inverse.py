"""The inverse transform stays in bounds where windows fade out, and exact where they do not."""

import neurdsp
import numpy as np
import pytest
import torch
from neurdsp.nn import STFT, mirror, stft_ops

WINDOWS = [
    "hann",
    "hamming",
    "blackman",
    "blackmanharris",
    "nuttall",
    "flattop",
    "bohman",
    "parzen",
    "povey",
    "bartlett",
    "cosine",
    ("kaiser", 14.0),
    ("gaussian", 100.0),
    ("tukey", 0.5),
]


def signal(dtype, n_samples=12_000):
    return (0.4 * np.random.default_rng(0).uniform(-1, 1, n_samples)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_an_unchanged_spectrum_gives_no_more_than_its_signal(window, center, dtype):
    y = signal(dtype)
    framing = {"hop_length": 256, "window": window, "center": center}
    back = neurdsp.istft(neurdsp.stft(y, n_fft=1024, **framing), n_fft=1024, **framing)
    n = back.size
    assert np.abs(back).max() <= np.abs(y).max() * (1 + 1e-5)
    middle = slice(0, n) if center else slice(512, n - 512)
    assert np.abs(back - y[:n])[middle].max() < (1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("hop_length", [256, 512, 1000])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_masked_spectrum_stays_in_bounds_where_windows_fade_out(window, hop_length, center):
    y = signal(np.float32)
    framing = {"hop_length": hop_length, "window": window, "center": center}
    spectrum = neurdsp.stft(y, n_fft=1024, **framing)
    spectrum *= np.random.default_rng(1).random(spectrum.shape) > 0.5
    frames = np.fft.irfft(spectrum, axis=0)
    # What a frame can reach divided by the root of the floor; without one it was 1e3 to 1e9.
    most = np.abs(frames).max() * 1e-3**-0.5
    for length in (None, 12_000, 14_000):
        back = neurdsp.istft(spectrum, n_fft=1024, length=length, **framing)
        assert np.isfinite(back).all()
        assert np.abs(back).max() < min(most, 12)
    assert np.abs(back[-100:]).max() < 0.4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_module_has_the_same_floor_on_every_device(dtype, monkeypatch):
    y = torch.from_numpy(signal(np.float64)).to(dtype)
    module = STFT(n_fft=1024, hop_length=256, window="blackman", center=False)
    spectrum = module(y) * (torch.rand(513, 43, generator=torch.Generator().manual_seed(2)) > 0.5)
    ours = module.inverse(spectrum, length=12_030)
    plain = neurdsp.istft(
        spectrum.numpy(), n_fft=1024, hop_length=256, window="blackman", center=False, length=12_030
    )
    assert np.array_equal(ours.numpy(), plain)
    assert ours.abs().max() < 8
    monkeypatch.setattr(stft_ops, "istft", mirror.istft)
    torch.testing.assert_close(module.inverse(spectrum, length=12_030), ours, rtol=1e-4, atol=1e-5)


def test_a_window_of_next_to_nothing_gives_finite_samples():
    y = signal(np.float32)
    for scale in (1e-6, 1e-15, 1e-18):
        window = scale * np.hanning(512)
        spectrum = neurdsp.stft(y, n_fft=512, window=window, center=False)
        assert np.isfinite(neurdsp.istft(spectrum, n_fft=512, window=window, center=False)).all()


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large")
@pytest.mark.parametrize("center", [False, True])
def test_griffin_lim_stays_in_bounds(center):
    y = signal(np.float32)
    magnitude = np.abs(neurdsp.stft(y, n_fft=1024, window="blackman", center=center))
    made = neurdsp.griffinlim(magnitude, n_iter=4, window="blackman", center=center, length=12_000)
    # What a frame with the worst phases can reach, divided by the root of the floor. The phases depend on the
    # last bits of each sum, so a tighter bound would hold on some processors only.
    most = 2 * magnitude.sum(axis=0).max() / 1024 * 1e-3**-0.5
    assert np.isfinite(made).all()
    assert np.abs(made).max() < most
