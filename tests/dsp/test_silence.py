"""Level per frame and silence are librosa's."""

import librosa
import neurdsp
import numpy as np
import pytest
import torch
from neurdsp.errors import ParameterError


def signal(dtype):
    rng = np.random.default_rng(0)
    parts = [np.zeros(9000), 0.3 * rng.standard_normal(20_000), np.zeros(12_000)]
    return np.concatenate([*parts, 1e-2 * rng.standard_normal(5000), np.zeros(3000)]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "framing",
    [{}, {"frame_length": 1023, "hop_length": 100}, {"center": False}, {"pad_mode": "reflect"}],
    ids=str,
)
def test_rms(dtype, framing):
    y = np.stack([signal(dtype), signal(dtype)[::-1]])
    got, wanted = neurdsp.rms(y, **framing), librosa.feature.rms(y=y, **framing)
    assert (got.shape, got.dtype) == (wanted.shape, dtype)
    assert np.abs(got - wanted).max() < 1e-7


@pytest.mark.parametrize("frame_length", [2048, 1023])
def test_rms_of_magnitudes(frame_length):
    magnitudes = np.abs(librosa.stft(signal(np.float64), n_fft=frame_length, window="boxcar"))
    wanted = librosa.feature.rms(S=magnitudes, frame_length=frame_length, dtype=np.float64)
    assert np.abs(neurdsp.rms(S=magnitudes, frame_length=frame_length) - wanted).max() < 1e-12


@pytest.mark.parametrize(
    "options",
    [{}, {"top_db": 20}, {"top_db": 20, "ref": 1.0}, {"frame_length": 512, "hop_length": 128}],
    ids=str,
)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_trim_and_split(options, n_channels):
    y = signal(np.float32)
    y = y if n_channels == 1 else np.stack([y, np.roll(y, 3000)])
    trimmed, index = neurdsp.trim(y, **options)
    wanted, wanted_index = librosa.effects.trim(y, **options)
    np.testing.assert_array_equal(trimmed, wanted)
    np.testing.assert_array_equal(index, wanted_index)
    np.testing.assert_array_equal(neurdsp.split(y, **options), librosa.effects.split(y, **options))


def test_tensors_and_lists_are_given_back_as_such():
    y = signal(np.float32)
    trimmed, index = neurdsp.trim(torch.from_numpy(y))
    assert isinstance(trimmed, torch.Tensor)
    assert trimmed.shape[0] == int(index[1] - index[0])
    assert [one.shape for one in neurdsp.rms([y, y[:5000]])] == [(1, 96), (1, 10)]


def test_mistakes_are_told():
    with pytest.raises(ParameterError, match="y or S is needed"):
        neurdsp.rms()
    with pytest.raises(ParameterError, match="S has 5 bins, but frame_length = 2048 makes 1025"):
        neurdsp.rms(S=np.ones((5, 3)))
    with pytest.raises(ParameterError, match="y has 100 samples, but one frame needs 2048"):
        neurdsp.rms(np.ones(100), center=False)
    with pytest.raises(ParameterError, match="sample 3 of y is not finite"):
        neurdsp.trim(np.array([0, 0, 0, np.nan]))
    with pytest.raises(ParameterError, match="pad_mode is 'round'"):
        neurdsp.rms(np.ones(100), pad_mode="round")
    with pytest.raises(ParameterError, match="y is empty"):
        neurdsp.split(np.zeros(0))
