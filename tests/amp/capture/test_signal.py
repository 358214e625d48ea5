"""The capture signal: deterministic, recognised, its blips give the latency, a passage of it repeats."""

import numpy as np
import pytest
from neurdsp.amp.capture.align import find_blip_latency
from neurdsp.amp.capture.known import find_blips, recognise
from neurdsp.amp.capture.pluck import Phrase, phrase, pluck
from neurdsp.amp.capture.signal import LAYOUT, capture_signal, write_capture_signal
from neurdsp.audio import read_audio
from neurdsp.errors import ParameterError

RATE = 32_000  # the lowest, to be quick


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Path and samples of the signal, made once for all tests: it is the slow part."""
    path = tmp_path_factory.mktemp("signal") / "in.wav"
    return path, write_capture_signal(path, RATE)


@pytest.fixture
def made(written):
    return written[1]


def test_it_is_three_minutes_within_full_scale(made):
    assert made.dtype == np.float32
    assert made.size == 180 * RATE
    assert np.abs(made).max() < 1


def test_the_same_seed_plays_the_same_notes():
    first, again, other = (
        phrase(Phrase("lead", 0.5, -6.0), RATE, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_it_is_recognised_and_its_validation_is_played_twice(made):
    known = recognise(made, RATE)
    assert known.name == "neurdsp capture signal"
    assert known.blips == tuple(round(t * RATE) for t in LAYOUT.blips)
    (a, b), (c, d) = known.validation, known.repeat
    np.testing.assert_array_equal(made[a:b], made[c:d])
    assert b - a == 9 * RATE


def test_it_is_recognised_at_another_level_and_with_its_end_cut(made):
    assert recognise(0.25 * made[: -RATE // 4], RATE).name == "neurdsp capture signal"


def test_it_reaches_all_levels_and_frequencies(made):
    frames = made[: made.size // 1600 * 1600].reshape(-1, 1600)
    levels = 20 * np.log10(np.abs(frames).max(axis=1) + 1e-9)
    share = np.histogram(levels, bins=[-70, -40, -20, -10, 0])[0] / levels.size
    assert share.min() > 0.05
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(1600))) ** 2, axis=0)
    bands = np.add.reduceat(power, [2, 5, 20, 100, 300])  # 40, 100, 400, 2000 and 6000 Hz on
    assert 10 * np.log10(bands.max() / bands.min()) < 40


def test_a_written_file_has_the_samples_to_24_bits(written):
    path, made = written
    read, rate = read_audio(path)
    assert rate == RATE
    assert np.abs(read - made).max() < 2**-23


@pytest.mark.parametrize("rate", [8000, 200_000, 44_100.5])
def test_an_odd_rate_is_refused(rate):
    with pytest.raises(ParameterError, match="32000 to 192000"):
        capture_signal(rate)


def test_blips_give_the_lag_through_distortion_filter_noise_and_inversion(made, rng):
    start = made[: 3 * RATE].astype(np.float64)
    smeared = np.convolve(np.tanh(5 * start), 0.7 ** np.arange(40))[: start.size]
    wet = -np.concatenate([np.zeros(211), smeared]) + 1e-3 * rng.standard_normal(start.size + 211)
    found = find_blip_latency(
        wet.astype(np.float32), find_blips(made, RATE), sample_rate=RATE, max_latency_samples=4000
    )
    assert (found.latency_samples, found.inverted, found.confidence) == (211, True, 1.0)


def test_unanswered_blips_give_nothing(made, rng):
    noise = (0.01 * rng.standard_normal(3 * RATE)).astype(np.float32)
    blips = find_blips(made, RATE)
    assert find_blip_latency(noise, blips, sample_rate=RATE, max_latency_samples=4000) is None


def nam_like(rate, seconds, blips, copies=()):
    """Noise with silence around blips, and the last nine seconds copied: the structure of a NAM input."""
    rng = np.random.default_rng(1)
    signal = (0.1 * rng.standard_normal(seconds * rate)).astype(np.float32)
    for blip in blips:
        at = round(blip * rate) + (signal.size if blip < 0 else 0)
        signal[at - rate // 5 : at + rate // 5] = 0
        signal[at] = 1.0
    for to, source in copies:
        a, b = (round(t * rate) + (signal.size if t < 0 else 0) for t in (to, source))
        signal[a : a + 9 * rate] = signal[b : b + 9 * rate]
    return signal


@pytest.mark.parametrize(
    ("name", "signal", "rate", "validation", "repeat"),
    [
        ("NAM input v1", nam_like(48_000, 61, (0.25, 0.75)), 48_000, (52, 61), None),
        (
            "NAM input v2",
            nam_like(48_000, 190, (0.5, 1.5, -1.5, -0.5), [(-20, -11)]),
            48_000,
            (170, 179),
            (179, 188),
        ),
        ("NAM input v3", nam_like(48_000, 190, (10.5, 11.5), [(0, -9)]), 48_000, (181, 190), (0, 9)),
        ("NAM input v4 (Proteus)", nam_like(44_100, 61, (0.5,)), 44_100, (51, 61), None),
    ],
    ids=["v1", "v2", "v3", "v4"],
)
def test_inputs_of_nam_are_known_by_their_structure(name, signal, rate, validation, repeat):
    known = recognise(signal, rate)
    assert known.name == name
    assert known.validation == tuple(t * rate for t in validation)
    assert known.repeat == (repeat and tuple(t * rate for t in repeat))


def test_a_string_has_its_pitch_and_decays(rng):
    note = pluck(220.0, 1.0, 48_000, rng, decay_s=1.5)
    autocorrelation = np.fft.irfft(np.abs(np.fft.rfft(note[4800:28_800], 1 << 16)) ** 2)
    lag = 150 + np.argmax(autocorrelation[150:300])
    assert 48_000 / lag == pytest.approx(220, rel=0.005)
    early, late = (np.sum(note[a : a + 4800] ** 2) for a in (4800, 38_400))
    assert 10 * np.log10(early / late) > 15


def test_louder_plucks_are_brighter():
    def brightness(force):
        spectrum = np.abs(np.fft.rfft(pluck(110.0, 0.5, 48_000, np.random.default_rng(3), force=force))) ** 2
        return float(np.sum(np.arange(spectrum.size) * spectrum) / spectrum.sum())

    assert brightness(1.0) > 1.3 * brightness(0.3)


@pytest.mark.parametrize("style", ["chords", "riff", "lead", "arpeggio", "bass"])
def test_every_style_plays_at_the_peak_that_was_asked_for(style, rng):
    played = phrase(Phrase(style, 1.5, -9.0), 32_000, rng)
    assert played.size == 48_000
    assert 20 * np.log10(np.abs(played).max()) == pytest.approx(-9.0, abs=1e-3)
