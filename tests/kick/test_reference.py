"""The renderer in NumPy: pitch, ends, noise and edits are what the contract says."""

import numpy as np
import pytest
from neurdsp.kick.code import KNOTS, NOISE_KNOTS, KickCode
from neurdsp.kick.kick import with_parts
from neurdsp.kick.reference import gate, render
from neurdsp.kick.synth import synthesise


def sine(hertz=55.0, decay_s=0.2):
    log_f, log_a = np.full((3, 31), np.log(hertz)), np.full((3, 31), -9.0)
    log_a[0] = -KNOTS / decay_s
    return with_parts(KickCode.silent(), {"log_f": log_f, "log_a": log_a})


def pitch_hz(audio, rate, start_s=0.1, stop_s=0.6):
    part = audio[int(start_s * rate) : int(stop_s * rate)] * np.hanning(
        int(stop_s * rate) - int(start_s * rate)
    )
    size = 1 << 20
    power = np.log(np.abs(np.fft.rfft(part, size)) + 1e-12)
    k = int(np.argmax(power))
    left, middle, right = power[k - 1 : k + 2]
    return (k + 0.5 * (left - right) / (left - 2 * middle + right)) * rate / size


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000])
def test_pitch_is_within_a_cent_at_every_rate(rate):
    audio = render(sine(), 1, sample_rate=rate, length=rate)
    assert abs(1200 * np.log2(pitch_hz(audio, rate) / 55)) < 1


@pytest.mark.parametrize("tune", [-12, 7, 12])
def test_tune_moves_the_pitch_by_its_semitones(tune):
    audio = render(sine(80), 1, tune=tune)
    assert abs(1200 * np.log2(pitch_hz(audio, 44_100) / 80) - 100 * tune) < 2


@pytest.mark.parametrize("length", [64, 1000, 44_100, 88_200, 200_000])
def test_any_length_has_exactly_that_many_samples_and_ends_at_zero(length):
    code = synthesise(1, seed=5, style="sub")[0].take(0)
    audio = render(code, 3, length=length)
    assert audio.shape == (length,)
    assert audio[-1] == 0
    assert np.isfinite(audio).all()


def test_a_length_beyond_the_code_is_filled_without_silence_or_repetition():
    audio = render(sine(50, 0.5), 1, length=4 * 44_100)
    assert np.abs(audio[3 * 44_100 : 3 * 44_100 + 4000]).max() > 1e-3
    levels = np.abs(audio).reshape(8, -1).max(axis=1)
    assert (np.diff(levels) < 0).all()


def test_decay_stretches_what_comes_after_the_attack():
    short, long = render(sine(50, 0.1), 1, level=False), render(sine(50, 0.1), 1, level=False, decay=2)
    assert np.abs(short[:780] - long[:780]).max() < 1e-6
    ratio = np.abs(long[17_640:20_000]).max() / np.abs(short[8_820:11_000]).max()
    assert 0.8 < ratio < 1.6


def test_noise_stays_the_same_while_partials_move():
    code = synthesise(1, seed=8, style="acoustic")[0].take(0)
    other = with_parts(code, {"log_f": code.log_f + 0.3, "log_a": code.log_a - 1})
    layers = ("low", "noise", "fine")
    a, b = (render(one, 9, level=False, layers=layers) for one in (code, other))
    assert np.array_equal(a, b)
    assert np.abs(a).max() > 0


def test_noise_at_level_zero_is_white_with_variance_one():
    noise = np.zeros((32, 32))
    audio = render(with_parts(KickCode.silent(), {"noise": noise}), 4, level=False)
    power = np.abs(np.fft.rfft(audio[2000:34_768])) ** 2 / 32_768
    hertz = np.fft.rfftfreq(32_768, 1 / 44_100)
    for low, high in ((1000, 3000), (3000, 9000), (9000, 20_000)):
        assert abs(power[(hertz > low) & (hertz < high)].mean() - 1) < 0.1


def test_noise_is_the_same_sound_at_another_rate():
    noise = np.broadcast_to(-1 - NOISE_KNOTS[:, None] / 0.1, (32, 32))
    code = with_parts(KickCode.silent(), {"noise": noise})
    low = render(code, 4, level=False)
    high = render(code, 4, level=False, sample_rate=88_200, length=176_400)
    assert np.abs(high[::2][1000:20_000] - low[1000:20_000]).max() < 0.05 * np.abs(low).max()


def test_the_gate_shares_the_first_18_ms():
    assert gate(np.array([0.0, 0.012, 0.015, 0.018, 1.0])).tolist() == pytest.approx([1, 1, 0.5, 0, 0])


def test_a_gain_of_the_code_is_a_gain_of_the_audio():
    code = synthesise(1, seed=2)[0].take(0)
    audio = render(code, 1, level=False)
    assert np.abs(render(code.louder(0.5), 1, level=False) - 0.5 * audio).max() < 1e-3 * np.abs(audio).max()


def test_kicks_have_no_dc():
    codes, _ = synthesise(12, seed=11)
    means = [abs(float(render(codes.take(i), i).mean())) for i in range(12)]
    assert np.median(means) < 1e-3
    assert max(means) < 1e-2
