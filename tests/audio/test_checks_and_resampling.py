"""Checks of arrays name the first bad sample; resampling keeps time and level, in blocks of any size."""

import numpy as np
import pytest
from neurdsp.audio import StreamResampler, check_audio, resample
from neurdsp.errors import ParameterError


@pytest.mark.parametrize(
    ("audio", "keywords", "message"),
    [
        ([], {}, "audio is empty"),
        (np.zeros((2, 0)), {}, "audio is empty"),
        (np.zeros((2, 2, 2)), {}, r"got \(2, 2, 2\)"),
        (0.5, {}, r"got \(\)"),
        (np.zeros(4, np.int16), {}, "contains integers"),
        (np.array(["a"]), {}, "must be an array of floats"),
        (np.zeros((2, 9)), {"mono": True}, "mono is needed"),
        (np.zeros(9), {"min_samples": 10}, "has 9 samples; at least 10"),
        ([0.0, np.inf, np.nan], {}, "sample 1 is inf; 2 samples are not finite"),
        ([0.0, np.nan], {"name": "x", "first_sample": 100}, "x: sample 101 is nan"),
        ([[0.0, 0.0, np.nan], [0.0, -np.inf, 0.0]], {}, "sample 1 of channel 1 is -inf"),
    ],
)
def test_bad_audio_is_refused_by_value(audio, keywords, message):
    with pytest.raises(ParameterError, match=message):
        check_audio(audio, **keywords)


def test_good_audio_is_not_copied():
    audio = np.linspace(-1, 1, 100, dtype=np.float32)
    assert check_audio(audio) is audio
    assert check_audio(audio[None], mono=True).base is audio


def test_large_finite_samples_pass():
    assert check_audio([1e30, 1.0]).size == 2


@pytest.mark.parametrize(("source", "target"), [(44_100, 48_000), (48_000, 44_100), (96_000, 48_000)])
def test_a_sine_survives_resampling_in_time_and_level(source, target):
    n = source
    frequency = 1_000.0
    expected = np.sin(2 * np.pi * frequency * np.arange(target) / target)
    result = resample(
        np.sin(2 * np.pi * frequency * np.arange(n) / source).astype(np.float32), source, target
    )
    assert abs(result.size - target) <= 1
    middle = slice(target // 4, 3 * target // 4)
    assert np.abs(result[middle] - expected[middle]).max() < 2e-6


def test_channels_are_resampled_alone():
    audio = np.random.default_rng(3).standard_normal((2, 4_800)).astype(np.float32)
    both = resample(audio, 48_000, 32_000)
    np.testing.assert_array_equal(both[1], resample(audio[1], 48_000, 32_000))


@pytest.mark.parametrize("block", [64, 1_000, 44_100])
def test_streamed_resampling_equals_the_whole(block):
    audio = np.random.default_rng(4).standard_normal(44_100).astype(np.float32)
    stream = StreamResampler(44_100, 48_000)
    parts = [stream.process(audio[i : i + block]) for i in range(0, audio.size, block)]
    result = np.concatenate([*parts, stream.finish()])
    expected = resample(audio, 44_100, 48_000)
    assert result.size == expected.size
    assert np.abs(result - expected).max() < 1e-6


def test_rates_out_of_range_are_named():
    with pytest.raises(ParameterError, match="to_rate must be between 1"):
        resample([0.0], 48_000, 0)
