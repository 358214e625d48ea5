"""Checks of arrays name the first bad sample; resampling keeps time and level, in blocks of any size."""

import librosa
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
    assert result.size == target
    middle = slice(target // 4, 3 * target // 4)
    assert np.abs(result[middle] - expected[middle]).max() < 2e-6


def test_channels_are_resampled_alone():
    audio = np.random.default_rng(3).standard_normal((2, 4_800)).astype(np.float32)
    both = resample(audio, 48_000, 32_000)
    np.testing.assert_array_equal(both[1], resample(audio[1], 48_000, 32_000))


@pytest.mark.parametrize(
    ("n_samples", "source", "target", "wanted"),
    [
        (44_098, 44_100, 16_000, 16_000),
        (44_100, 44_100, 16_000, 16_000),
        (44_101, 44_100, 16_000, 16_001),
        (1, 44_100, 16_000, 1),
        (1, 192_000, 8_000, 1),
        (2, 48_000, 44_100, 2),
        (44_100, 16_000, 44_100, 121_551),
        (10, 44_100, 1_234.5, 1),
    ],
)
@pytest.mark.parametrize("block", [64, 1_000, 100_000])
def test_the_length_is_rounded_up_in_whole_and_in_blocks(n_samples, source, target, wanted, block):
    audio = np.random.default_rng(4).standard_normal(n_samples).astype(np.float32)
    whole = resample(audio, source, target)
    assert whole.size == wanted
    assert resample(np.stack([audio, audio]), source, target).shape == (2, wanted)
    stream = StreamResampler(source, target)
    parts = [stream.process(audio[i : i + block]) for i in range(0, audio.size, block)]
    np.testing.assert_array_equal(np.concatenate([*parts, stream.finish()]), whole)


@pytest.mark.parametrize("n_samples", [1, 999, 44_098, 44_100, 44_101, 100_003])
@pytest.mark.parametrize(("source", "target"), [(44_100, 16_000), (48_000, 16_000), (16_000, 48_000)])
def test_the_length_is_that_of_librosa(n_samples, source, target):
    audio = np.zeros(n_samples, np.float32)
    assert resample(audio, source, target).size == len(
        librosa.resample(audio, orig_sr=source, target_sr=target)
    )


def test_rates_out_of_range_are_named():
    with pytest.raises(ParameterError, match="to_rate must be between 1"):
        resample([0.0], 48_000, 0)
