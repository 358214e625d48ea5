"""Fitting a code to audio: pitch, distance and refusals."""

import numpy as np
import pytest
from neurdsp.errors import ParameterError
from neurdsp.kick.code import KNOTS
from neurdsp.kick.fit import fit, onset
from neurdsp.kick.judge.figures import log_mel_distance, low_band_snr_db
from neurdsp.kick.reference import render
from neurdsp.kick.synth import synthesise

T = np.arange(66_150) / 44_100


def glide_hz(t):
    return 50 * (1 + 3 * np.exp(-t / 0.03))


@pytest.fixture(scope="module")
def audio():
    draw = np.random.default_rng(3)
    cycles = np.cumsum(glide_hz(T)) / 44_100
    body = np.sin(2 * np.pi * cycles) * np.exp(-T / 0.18)
    return body + 0.02 * draw.standard_normal(len(T)) * np.exp(-T / 0.01)


@pytest.fixture(scope="module")
def code(audio):
    return fit(np.concatenate([np.zeros(5000), 0.3 * audio]), iterations=120)


def test_the_pitch_of_a_glide_is_found_within_half_a_semitone(code):
    heard = (KNOTS > 0.01) & (KNOTS < 0.5)
    start_s = 0.0005  # the onset keeps half a millisecond before it
    error = 12 * np.log2(np.exp(code.log_f[0][heard]) / glide_hz(KNOTS[heard] - start_s))
    assert np.abs(error).max() < 0.5


def test_the_render_is_near_the_audio_in_spectrum(audio, code):
    target = onset(audio, 44_100)
    made = render(code, 1, level=False)
    assert log_mel_distance(target, made) < 0.8


def test_a_glide_without_noise_is_rebuilt_in_its_waveform():
    cycles = np.cumsum(glide_hz(T)) / 44_100
    body = np.sin(2 * np.pi * cycles) * np.exp(-T / 0.18)
    made = fit(body, iterations=120)
    assert low_band_snr_db(onset(body, 44_100), render(made, 1, level=False)) > 35


def test_a_rendered_code_is_fitted_within_what_two_seeds_differ_by():
    source = render(synthesise(1, seed=21, style="rock")[0].take(0), 1)
    made = fit(source)
    between_seeds = log_mel_distance(render(made, 2, level=False), render(made, 3, level=False))
    assert log_mel_distance(onset(source, 44_100), render(made, 2, level=False)) < 0.25 + 1.3 * between_seeds


def test_the_recording_may_have_another_rate(audio):
    slow = audio[::2]
    made = fit(slow, 22_050, iterations=30)
    assert 40 < np.exp(made.log_f[0, 20]) < 65


@pytest.mark.parametrize(
    ("audio_", "message"),
    [(np.zeros(1000), "silent"), (np.full(1000, np.nan), "not finite"), (np.zeros((2, 2, 2)), "shape")],
)
def test_what_cannot_be_fitted_is_refused(audio_, message):
    with pytest.raises(ParameterError, match=message):
        fit(audio_)
