"""Laws that the transforms keep for any signal and any framing."""

import neurdsp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# Signals of any length are tried, short ones too.
pytestmark = pytest.mark.filterwarnings("ignore:n_fft=.* is too large")

law = settings(deadline=None, max_examples=40)

lengths = st.integers(1, 3000)
seeds = st.integers(0, 2**32 - 1)
pad_modes = st.sampled_from(["constant", "reflect", "edge", "symmetric", "wrap"])


def noise(length, seed):
    return np.random.default_rng(seed).standard_normal(length)


def by_definition(y, n_fft, hop_length, win_length, center, pad_mode):
    """The sum that a Fourier transform is, of each frame of a float64 signal."""
    padded = np.pad(y, n_fft // 2 if center else 0, mode=pad_mode)
    n = np.arange(n_fft)
    window = np.zeros(n_fft)
    before = (n_fft - win_length) // 2
    # A periodic Hann window; a single coefficient is one.
    hann = (
        0.5 - 0.5 * np.cos(2 * np.pi * np.arange(win_length) / win_length) if win_length > 1 else np.ones(1)
    )
    window[before : before + win_length] = hann
    # The turns are reduced as integers: a phase of hundreds of radians has lost digits already.
    turns = np.outer(np.arange(n_fft // 2 + 1), n) % n_fft
    kernel = np.exp(-2j * np.pi * turns / n_fft) * window
    n_frames = 1 + (padded.size - n_fft) // hop_length
    frames = np.stack([padded[t * hop_length :][:n_fft] for t in range(n_frames)], axis=1)
    return kernel @ frames


@law
@given(
    st.integers(1, 300),
    st.integers(1, 70),
    st.integers(1, 90),
    st.integers(1, 70),
    st.booleans(),
    pad_modes,
    st.sampled_from([np.float32, np.float64]),
    seeds,
)
def test_the_stft_is_its_definition(length, n_fft, hop_length, win_length, center, pad_mode, dtype, seed):
    y = noise(length, seed).astype(dtype)
    win_length = min(win_length, n_fft)
    options = {"hop_length": hop_length, "win_length": win_length, "center": center, "pad_mode": pad_mode}
    if not center and length < n_fft:
        with pytest.raises(neurdsp.errors.ParameterError, match=f"{length} samples"):
            neurdsp.stft(y, n_fft=n_fft, **options)
        return
    wanted = by_definition(y.astype(np.float64), n_fft, **options)
    got = neurdsp.stft(y, n_fft=n_fft, **options)
    assert got.shape == wanted.shape
    assert got.dtype == np.result_type(dtype, np.complex64)
    scale = np.abs(y).max() * win_length
    assert np.abs(got - wanted).max() <= (1e-6 if dtype == np.float32 else 1e-14) * scale
    power = neurdsp.spectrogram(y, n_fft=n_fft, **options)
    assert np.abs(power - np.abs(wanted) ** 2).max() <= (2e-6 if dtype == np.float32 else 2e-14) * scale**2


@law
@given(lengths, st.integers(2, 300), st.data(), seeds, pad_modes)
def test_round_trip(length, n_fft, data, seed, pad_mode):
    hop_length = data.draw(st.integers(1, max(n_fft // 2, 1)))
    y = noise(length, seed)
    spectrum = neurdsp.stft(y, n_fft=n_fft, hop_length=hop_length, window="hamming", pad_mode=pad_mode)
    back = neurdsp.istft(spectrum, n_fft=n_fft, hop_length=hop_length, window="hamming", length=length)
    # Samples past the last frame's end lie in no frame.
    covered = (spectrum.shape[-1] - 1) * hop_length + n_fft - n_fft // 2
    assert np.abs(back - y)[:covered].max() < 1e-11


@law
@given(lengths, st.integers(1, 300), st.integers(1, 400), seeds)
def test_energy_of_a_frame_is_that_of_its_windowed_samples(length, n_fft, hop_length, seed):
    y = noise(length, seed)
    power = neurdsp.spectrogram(y, n_fft=n_fft, hop_length=hop_length, window="boxcar")
    weights = np.full(n_fft // 2 + 1, 2.0)
    weights[0] = 1.0
    if n_fft % 2 == 0:
        weights[-1] = 1.0
    padded = np.pad(y, n_fft // 2)
    for frame in range(power.shape[-1]):
        energy = np.sum(padded[frame * hop_length :][:n_fft] ** 2)
        assert abs(weights @ power[:, frame] / n_fft - energy) < 1e-10 * (1 + energy)


@law
@given(st.integers(1, 200), st.data())
def test_impulse_has_the_magnitude_of_the_window_in_every_bin(n_fft, data):
    position = data.draw(st.integers(0, n_fft - 1))
    y = np.zeros(n_fft)
    y[position] = 1.0
    magnitudes = neurdsp.spectrogram(y, n_fft=n_fft, center=False, power=1)
    assert np.abs(magnitudes - neurdsp.filters.get_window("hann", n_fft)[position]).max() < 1e-14


@law
@given(st.integers(1, 50), st.integers(1, 64), seeds)
def test_delay_by_hops_delays_the_frames(hops, hop_length, seed):
    y = noise(1500, seed)
    delayed = np.concatenate([np.zeros(hops * hop_length), y])
    first = neurdsp.stft(y, n_fft=128, hop_length=hop_length)
    second = neurdsp.stft(delayed, n_fft=128, hop_length=hop_length)
    assert (second[:, hops : hops + first.shape[-1]] == first).all()


@law
@given(lengths, seeds, st.floats(-4, 4), st.floats(-4, 4))
def test_linearity(length, seed, a, b):
    x, y = noise(length, seed), noise(length, seed + 1)
    together = neurdsp.stft(a * x + b * y, n_fft=200)
    assert np.abs(together - a * neurdsp.stft(x, n_fft=200) - b * neurdsp.stft(y, n_fft=200)).max() < 1e-11


@law
@given(lengths, st.integers(1, 300), st.integers(1, 400), st.booleans(), pad_modes, seeds)
def test_single_precision_is_near_double_precision(length, n_fft, hop_length, reverse, pad_mode, seed):
    y = noise(length, seed).astype(np.float32)
    y = y[::-1] if reverse else y
    options = {"n_fft": n_fft, "hop_length": hop_length, "pad_mode": pad_mode}
    single = neurdsp.stft(y, **options)
    double = neurdsp.stft(y.astype(np.float64), **options)
    assert single.shape == double.shape
    assert np.abs(single - double).max() <= 3e-6 * max(np.abs(double).max(), 1e-30)


@law
@given(st.binary(min_size=4, max_size=4000), st.integers(1, 64), st.integers(1, 64))
def test_any_bytes_are_transformed_to_finite_numbers_or_refused(data, n_fft, hop_length):
    y = np.frombuffer(data[: len(data) // 4 * 4], np.float32)
    try:
        power = neurdsp.spectrogram(y, n_fft=n_fft, hop_length=hop_length)
    except neurdsp.errors.ParameterError:
        # Squares of the largest numbers of single precision are infinite in it.
        assert not np.isfinite(y).all() or np.abs(y).max() > 1e15
    else:
        assert np.isfinite(y).all()
        assert np.isfinite(power).all()
        assert (power >= 0).all()


@law
@given(st.integers(1, 12), st.integers(0, 12), st.sampled_from([0, 1, 2, -1, -2, -3]), seeds)
def test_pcen_goes_on_from_its_state_along_any_axis(length, cut, axis, seed):
    shape = [3, 4, 2]
    shape[axis] = length
    S = np.random.default_rng(seed).exponential(size=shape)
    first, second = np.split(S, [min(cut, length)], axis=axis)
    begun, state = neurdsp.pcen(first, axis=axis, return_zf=True)
    ended = neurdsp.pcen(second, axis=axis, zi=state)
    assert state.shape == tuple(1 if i == axis % 3 else n for i, n in enumerate(shape))
    joined = np.concatenate([begun, ended], axis=axis)
    assert np.abs(joined - neurdsp.pcen(S, axis=axis)).max() < 1e-13
