"""Doubtful calls are answered, with a warning at the caller's line."""

import warnings

import neurdsp
import numpy as np
import pytest
from neurdsp.errors import ParameterError

SHORT = np.ones(1500, np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: neurdsp.stft(SHORT), "n_fft=2048 is too large for input of 1500 samples"),
        (lambda: neurdsp.stft([np.ones(9000), SHORT]), "1500 samples"),
        (lambda: neurdsp.spectrogram(SHORT), "1500 samples"),
        (lambda: neurdsp.mel_spectrogram(SHORT), "1500 samples"),
        (lambda: neurdsp.mfcc(SHORT), "1500 samples"),
        (lambda: neurdsp.griffinlim(np.ones((9, 8)), momentum=1.5, n_iter=1), "momentum is 1.5, above 1"),
        (lambda: neurdsp.power_to_db(np.ones(3, complex)), "power_to_db was called on complex input"),
        (lambda: neurdsp.amplitude_to_db(np.ones(3, complex)), "amplitude_to_db was called on complex input"),
        (lambda: neurdsp.pcen(np.ones((3, 3), complex)), "pcen was called on complex input"),
        (lambda: neurdsp.filters.mel(sr=22050, n_fft=512, n_mels=256), r"Empty filters: \d+ of 256"),
    ],
)
def test_what_is_warned_of(call, message):
    with pytest.warns(UserWarning, match=message) as caught:
        call()
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_each_call_warns_though_its_plan_is_remembered():
    calls = [
        (lambda: neurdsp.log_mel(np.ones(3000, np.float32), n_fft=512, n_mels=256), "Empty filters"),
        (lambda: neurdsp.log_mel(SHORT), "1500 samples"),
    ]
    for call, message in calls:
        for _ in range(3):
            with pytest.warns(UserWarning, match=message) as caught:
                call()
            assert len(caught) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: neurdsp.stft(np.ones(2048, np.float32)),
        lambda: neurdsp.stft(SHORT, n_fft=1500),
        lambda: neurdsp.stft(SHORT, n_fft=1024, center=False),
        lambda: neurdsp.griffinlim(np.ones((9, 8)), momentum=1.0, n_iter=1),
        lambda: neurdsp.power_to_db(np.ones(3)),
        lambda: neurdsp.filters.mel(sr=22050, n_fft=2048),
    ],
)
def test_ordinary_calls_are_silent(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call()


@pytest.mark.parametrize("seed", [3, np.int64(3), np.random.RandomState(3)], ids=["int", "int64", "state"])
def test_equal_seeds_give_equal_audio(seed):
    S = np.random.default_rng(0).random((129, 12))
    wanted = neurdsp.griffinlim(S, n_iter=2, random_state=np.random.RandomState(3))
    assert (neurdsp.griffinlim(S, n_iter=2, random_state=seed) == wanted).all()


@pytest.mark.parametrize("seed", ["garbage", 1.5, -1, 2**32, True])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ParameterError, match="random_state is"):
        neurdsp.griffinlim(np.ones((9, 4)), random_state=seed)


def test_decibels_of_no_frames_are_no_frames():
    assert neurdsp.power_to_db(np.empty((80, 0), np.float32)).shape == (80, 0)
    assert neurdsp.amplitude_to_db(np.empty((80, 0))).shape == (80, 0)
