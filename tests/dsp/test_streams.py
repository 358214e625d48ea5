"""A stream gives the frames of the whole signal, bit for bit, whatever the blocks."""

import tracemalloc

import neurdsp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neurdsp.dsp.presets import PRESETS
from neurdsp.errors import ParameterError


def noise(length, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(length).astype(dtype)


def in_blocks(stream, y, sizes):
    frames, position, turn = [], 0, 0
    while position < len(y):
        size = sizes[turn % len(sizes)]
        frames.append(stream.push(y[position : position + size]))
        position, turn = position + size, turn + 1
    frames.append(stream.flush())
    return np.concatenate(frames, axis=1)


@pytest.mark.filterwarnings("ignore:.*are empty")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PRESETS)
def test_presets(name, dtype):
    plan = neurdsp.MelSpectrogram.preset(name, normalize=None)
    y = noise(20_000, dtype)
    stream = plan.stream(dtype=dtype)
    whole = plan(y)
    for sizes in ([1000], [20_000], [1, 7, 511, 64]):
        got = in_blocks(stream, y, sizes)
        assert got.dtype == whole.dtype
        assert got.shape == whole.shape
        assert (got == whole).all()


@pytest.mark.filterwarnings("ignore:(.*are empty|n_fft=.* is too large)")
@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(PRESETS)),
    st.sampled_from([np.float32, np.float64]),
    st.integers(2100, 9000),
    st.lists(st.one_of(st.integers(1, 40), st.integers(1, 3000)), min_size=1, max_size=6),
    st.integers(0, 2**32 - 1),
)
def test_any_blocks_give_every_preset_bit_for_bit(name, dtype, length, sizes, seed):
    plan = neurdsp.MelSpectrogram.preset(name, normalize=None)
    y = noise(length, dtype, seed)
    got, whole = in_blocks(plan.stream(dtype=dtype), y, sizes), plan(y)
    assert got.dtype == whole.dtype == dtype
    assert got.shape == whole.shape
    assert (got == whole).all()


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large")
@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 2000),
    st.integers(1, 300),
    st.integers(1, 400),
    st.lists(st.integers(1, 500), min_size=1, max_size=4),
    st.sampled_from(["constant", "reflect", "edge", "symmetric"]),
    st.booleans(),
)
def test_any_framing_and_any_blocks(length, n_fft, hop_length, sizes, pad_mode, center):
    options = {"n_fft": n_fft, "hop_length": hop_length, "pad_mode": pad_mode, "center": center, "n_bins": 1}
    plan = neurdsp.MelSpectrogram(**options)
    y = noise(length)
    got = in_blocks(plan.stream(), y, sizes)
    if not center and length < n_fft:
        assert got.shape == (1, 0)
    else:
        assert (got == plan(y)).all()


def test_memory_is_bounded():
    plan = neurdsp.MelSpectrogram(n_fft=1024, n_mels=40)
    stream, block = plan.stream(), noise(8192)
    stream.push(block)
    tracemalloc.start()
    for _ in range(300):
        stream.push(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_frames_come_as_soon_as_their_samples_are_there():
    stream = neurdsp.MelSpectrogram(n_fft=512, hop_length=128, n_mels=20).stream()
    assert stream.push(np.zeros(255, np.float32)).shape == (20, 0)
    assert stream.push(np.zeros(1, np.float32)).shape == (20, 1)
    assert stream.push(np.zeros(0, np.float32)).shape == (20, 0)
    assert stream.push(np.zeros(128, np.float32)).shape == (20, 1)


def test_flush_and_reset_begin_anew():
    plan = neurdsp.MelSpectrogram(n_fft=512, n_mels=20)
    y = noise(3000)
    stream = plan.stream()
    assert (in_blocks(stream, y, [100]) == in_blocks(stream, y, [999])).all()
    stream.push(y)
    stream.reset()
    assert (in_blocks(stream, y, [100]) == plan(y)).all()
    assert stream.flush().shape == (20, 0)


def test_bad_blocks_are_refused_and_the_stream_goes_on():
    plan = neurdsp.MelSpectrogram(n_fft=512, n_mels=20)
    y = noise(3000)
    stream = plan.stream()
    first = stream.push(y[:1000])
    for bad, message in [
        (np.full(10, np.nan, np.float32), "NaN"),
        (np.zeros(10), "float64"),
        (np.zeros(10, np.int16), "int16"),
        (np.zeros((2, 10), np.float32), r"\(2, 10\)"),
        ([np.zeros(10, np.float32)], "list"),
    ]:
        with pytest.raises(ParameterError, match=message):
            stream.push(bad)
    rest = [stream.push(y[1000:]), stream.flush()]
    assert (np.concatenate([first, *rest], axis=1) == plan(y)).all()


def test_what_needs_the_whole_signal_is_refused():
    with pytest.raises(ParameterError, match="normalize"):
        neurdsp.MelSpectrogram.preset("whisper").stream()
    with pytest.raises(ParameterError, match="wrap"):
        neurdsp.MelSpectrogram(pad_mode="wrap").stream()
