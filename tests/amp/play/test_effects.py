"""The parts of the chain against scipy's filters and convolution, and against closed forms."""

import numpy as np
import pytest
import soundfile
from neurdsp.amp import Cabinet, DCBlock, NoiseGate, ToneStack, level_gains
from neurdsp.errors import AudioFileError, ParameterError
from scipy import signal

RATE = 48_000


@pytest.fixture
def sound(rng):
    return (0.3 * rng.standard_normal(20_000)).astype(np.float32)


def cookbook(kind, frequency_hz, gain_db, q, rate):
    """Coefficients as Robert Bristow-Johnson's cookbook writes them."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * frequency_hz / rate
    cos, alpha = np.cos(w), np.sin(w) / (2 * q)
    if kind == "peak":
        return (1 + alpha * a, -2 * cos, 1 - alpha * a), (1 + alpha / a, -2 * cos, 1 - alpha / a)
    root = 2 * np.sqrt(a) * alpha
    if kind == "low":
        b = (
            a * (a + 1 - (a - 1) * cos + root),
            2 * a * (a - 1 - (a + 1) * cos),
            a * (a + 1 - (a - 1) * cos - root),
        )
        return b, (a + 1 + (a - 1) * cos + root, -2 * (a - 1 + (a + 1) * cos), a + 1 + (a - 1) * cos - root)
    b = (
        a * (a + 1 + (a - 1) * cos + root),
        -2 * a * (a - 1 + (a + 1) * cos),
        a * (a + 1 + (a - 1) * cos - root),
    )
    return b, (a + 1 - (a - 1) * cos + root, 2 * (a - 1 - (a + 1) * cos), a + 1 - (a - 1) * cos - root)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("gains", [(20, 15, 10), (-20, -15, -10), (3.5, -2, 0), (0, 0, 0)])
def test_the_tone_stack_is_three_cookbook_filters_by_scipy(sound, rate, gains):
    bass, mid, treble = gains
    expected = sound.astype(np.float64)
    for kind, frequency, gain, q in [
        ("low", 150, bass, 0.707),
        ("peak", 425, mid, 1.5 if mid < 0 else 0.7),
        ("high", 1_800, treble, 0.707),
    ]:
        expected = signal.lfilter(*cookbook(kind, frequency, gain, q, rate), expected)
    got = ToneStack(rate, bass_db=bass, mid_db=mid, treble_db=treble).process(sound)
    assert np.abs(got - expected).max() <= 5e-7 * np.abs(expected).max()


@pytest.mark.parametrize("cutoff_hz", [5, 20, 500])
def test_the_dc_block_is_scipys_butterworth_high_pass(sound, cutoff_hz):
    expected = signal.lfilter(*signal.butter(1, cutoff_hz, "high", fs=RATE), sound + 0.25)
    got = DCBlock(RATE, cutoff_hz=cutoff_hz).process(sound + np.float32(0.25))
    assert np.abs(got - expected).max() < 2e-7


@pytest.mark.parametrize("n_taps", [1, 64, 65, 1_000, 8_193, 40_000])
def test_the_cabinet_is_scipys_convolution_without_latency(rng, n_taps):
    sound = rng.standard_normal(60_000).astype(np.float32)
    response = (rng.standard_normal(n_taps) * np.exp(-3 * np.arange(n_taps) / n_taps)).astype(np.float32)
    expected = signal.fftconvolve(sound.astype(np.float64), response.astype(np.float64))[: sound.size]
    cabinet = Cabinet(response, RATE, normalise=False)
    got = np.concatenate([cabinet.process(block) for block in np.array_split(sound, 77)])
    assert np.abs(got - expected).max() < 2e-6 * np.linalg.norm(response) * 5


def test_a_cabinet_from_a_file_is_resampled_and_normalised(tmp_path, rng):
    n = np.arange(4_000)
    response = np.exp(-(((n - 400) / 40.0) ** 2)) * np.cos(n * 0.05)
    stereo = np.stack([response, rng.standard_normal(n.size)], axis=1)
    soundfile.write(tmp_path / "cabinet.wav", 0.1 * stereo, 96_000, subtype="FLOAT")
    click = np.zeros(3_000, np.float32)
    click[0] = 1
    got = Cabinet(tmp_path / "cabinet.wav", RATE).process(click)
    expected = np.interp(np.arange(2_000) / RATE, n / 96_000, response)
    expected /= np.linalg.norm(expected)
    assert np.linalg.norm(got) == pytest.approx(1, abs=1e-5)
    assert np.abs(got[:2_000] - expected).max() < 1e-4
    raw = Cabinet(tmp_path / "cabinet.wav", RATE, normalise=False).process(click)
    # The same gain at every frequency: a sum over half as many samples is as large.
    assert raw.sum() == pytest.approx(0.1 * response.sum(), rel=1e-4)


def test_the_gate_opens_holds_and_closes_by_its_closed_form():
    def curve(p):
        return p * p * (3 - 2 * p)

    gate = NoiseGate(RATE, threshold_db=-20, hysteresis_db=6, attack_ms=1, hold_ms=10, release_ms=5)
    assert not gate.process(np.full(4_800, 0.099)).any()
    opened = gate.process(np.full(480, 0.11))
    np.testing.assert_allclose(opened, 0.11 * curve(np.minimum(np.arange(1, 481) / 48, 1)), atol=1e-6)
    np.testing.assert_array_equal(gate.process(np.full(9_600, 0.06)), np.float32(0.06))
    tail = gate.process(np.full(4_800, 0.001))
    open_for = int(np.argmax(tail < np.float32(0.001)))
    decay = 0.015 * RATE * np.log(0.06 / (0.1 * 10 ** (-6 / 20)))
    assert open_for == pytest.approx(decay + 480, abs=3)
    closing = tail[open_for : open_for + 240]
    np.testing.assert_allclose(closing, 0.001 * curve(1 - np.arange(1, 241) / 240), atol=1e-8)
    assert not tail[open_for + 241 :].any()
    gate.set(threshold_db=-80)
    assert gate.process(np.full(480, 0.001))[-1] == np.float32(0.001)


@pytest.mark.parametrize(
    "make",
    [
        lambda: NoiseGate(RATE, threshold_db=-12),
        lambda: ToneStack(RATE, bass_db=4, treble_db=-3),
        lambda: DCBlock(RATE),
        lambda: Cabinet(np.exp(-np.arange(2_000) / 300), RATE),
    ],
)
def test_blocks_of_any_size_give_the_same_bits_and_reset_forgets(make, sound):
    part = make()
    whole = part.process(sound)
    part.reset()
    cut = [part.process(sound[i : i + 333]) for i in range(0, sound.size, 333)]
    np.testing.assert_array_equal(np.concatenate(cut), whole)
    assert part.process([]).size == 0


def test_levels_become_gains():
    capture = {"input_level_dbu": 18.3, "output_level_dbu": 15, "loudness": -24.5, "gain": None}
    gains = level_gains(capture, interface_level_dbu=12, output_mode="normalised")
    assert gains.input_gain_db == pytest.approx(-6.3)
    assert gains.output_gain_db == pytest.approx(6.5)
    assert level_gains(capture, output_mode="calibrated").output_gain_db == pytest.approx(3)
    assert level_gains({"loudness": None}, output_mode="normalised").output_gain_db == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ToneStack(RATE, bass_db=21), "bass_db is 21, but it must be -20 to 20"),
        (lambda: ToneStack(4_000), "sample_rate is 4000, but it must be 8000 to 768000 Hz"),
        (lambda: ToneStack(RATE, mid_db=float("nan")), "mid_db is nan"),
        (lambda: NoiseGate(RATE, threshold_db="loud"), "threshold_db is 'loud'"),
        (lambda: DCBlock(RATE, cutoff_hz=0), "cutoff_hz is 0, but it must be above 0"),
        (lambda: Cabinet([], RATE), "response is empty"),
        (lambda: Cabinet([np.inf], RATE), "response: sample 0 is inf"),
        (lambda: Cabinet(np.zeros(5_000_000), RATE), "impulse response is 5000000, but it must be at most"),
        (lambda: level_gains({}, output_mode="loud"), "output_mode is 'loud', but it must be one of raw"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cabinet_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(AudioFileError, match=r"text\.wav"):
        Cabinet(tmp_path / "text.wav", RATE)
