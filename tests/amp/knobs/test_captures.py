"""The captures of a manifest: one latency for a device, unless a recording surely has another."""

import numpy as np
import pytest
from neurdsp.amp.capture.manifest import Manifest
from neurdsp.amp.config import load_config
from neurdsp.amp.knobs.captures import load_captures
from neurdsp.audio import read_audio, write_audio
from neurdsp.config import save_yaml
from neurdsp.errors import AudioFileError

RATE = 8_000
GAINS = (0.0, 0.3, 0.6, 1.0)


def make(folder, lags, *, latency=None, signs=(1, 1, 1, 1), **setting):
    """Write four captures, late by these samples, and load them."""
    dry = (0.2 * np.random.default_rng(3).standard_normal(4 * RATE)).astype(np.float32)
    write_audio(folder / "in.wav", dry, RATE)
    captures = []
    for gain, lag, sign in zip(GAINS, lags, signs, strict=True):
        wet = sign * np.tanh((1 + 5 * gain) * dry)
        late = np.concatenate([np.zeros(max(lag, 0)), wet[max(-lag, 0) :]])[: dry.size].astype(np.float32)
        write_audio(folder / f"{gain}.wav", late, RATE)
        captures.append({"output": f"{gain}.wav", "positions": {"gain": gain}})
    captures[2] |= setting
    save_yaml(Manifest(input="in.wav", knobs={"gain": {}}, captures=captures), folder / "manifest.yaml")
    changes = [] if latency is None else [f"data.latency_samples={latency}"]
    config = load_config("tiny", overrides=["model={arrays: [{channels: 2, dilations: [1]}]}", *changes])
    return load_captures(folder / "manifest.yaml", config)


def lag_of(captures, index):
    """By how much a capture is still late."""
    dry, wet = captures.pairs[index].dry[:4_000], captures.pairs[index].wet[:4_000]
    return int(np.correlate(wet, dry[100:3_900], "valid").argmax()) - 100


def test_captures_of_one_latency_are_shifted_alike(tmp_path):
    captures = make(tmp_path, (60, 60, 60, 60))
    assert [lag_of(captures, index) for index in range(4)] == [1, 1, 1, 1]  # the sample of safety
    assert not any("has a latency of" in warning for warning in captures.warnings)


def test_a_capture_with_another_latency_keeps_it_and_is_named(tmp_path):
    captures = make(tmp_path, (60, 60, 97, 60))
    assert [lag_of(captures, index) for index in range(4)] == [1, 1, 1, 1]
    (warning,) = (text for text in captures.warnings if "has a latency of" in text)
    assert "0.6.wav has a latency of 97 samples, the others of 60" in warning
    assert "latency_samples: 60" in warning


def test_the_first_capture_is_not_the_measure_of_all(tmp_path):
    captures = make(tmp_path, (20, 60, 60, 60))
    assert [lag_of(captures, index) for index in range(4)] == [1, 1, 1, 1]
    assert any("0.0.wav has a latency of 20 samples, the others of 60" in text for text in captures.warnings)


def test_a_latency_that_is_given_is_taken(tmp_path):
    assert [lag_of(make(tmp_path, (60, 60, 97, 60), latency_samples=90), index) for index in (1, 2)] == [1, 7]
    assert [lag_of(make(tmp_path, (60, 60, 97, 60), latency=50), index) for index in (1, 2)] == [10, 47]


def test_a_lead_that_is_given_cuts_the_input_alike_in_all_captures(tmp_path):
    captures = make(tmp_path, (-20, -20, -35, -20), latency=-20, latency_samples=-35)
    assert [lag_of(captures, index) for index in range(4)] == [0, 0, 0, 0]
    whole, _ = read_audio(tmp_path / "in.wav")
    for pair in captures.pairs:
        np.testing.assert_array_equal(pair.dry, whole[35 : 35 + pair.dry.size])


def test_a_capture_that_starts_a_second_late_keeps_its_latency(tmp_path):
    captures = make(tmp_path, (60, 60, RATE, 60))
    assert [lag_of(captures, index) for index in range(4)] == [1, 1, 1, 1]
    assert any(f"0.6.wav has a latency of {RATE} samples" in text for text in captures.warnings)


def test_a_capture_of_another_input_is_refused(tmp_path):
    make(tmp_path, (60, 60, 60, 60))
    other = 0.2 * np.random.default_rng(8).standard_normal(4 * RATE)
    write_audio(tmp_path / "0.6.wav", other.astype(np.float32), RATE)
    config = load_config("tiny", overrides=["model={arrays: [{channels: 2, dilations: [1]}]}"])
    with pytest.raises(AudioFileError, match=r"0\.6\.wav' does not follow the input at any latency"):
        load_captures(tmp_path / "manifest.yaml", config)


def test_a_capture_of_the_other_polarity_is_named(tmp_path):
    captures = make(tmp_path, (5, 5, 5, 5), signs=(1, 1, -1, 1))
    assert any("the polarity of 0.6.wav is opposite" in warning for warning in captures.warnings)


def test_a_silent_capture_is_refused(tmp_path):
    with pytest.raises(AudioFileError, match=r"0\.6\.wav' is silent"):
        make(tmp_path, (5, 5, 5, 5), signs=(1, 1, 0, 1), latency=5)
