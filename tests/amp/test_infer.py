"""AmpModel plays what numpy computes: whole, in blocks, at other sample rates, and from the wheel by name."""

import copy
import json
import multiprocessing
import pickle

import neurdsp.amp.lookup
import numpy as np
import pytest
from neurdsp.amp import AmpModel, shipped_amps
from neurdsp.audio import resample
from neurdsp.errors import ModelFileError, ParameterError


@pytest.fixture
def amp(amp_path):
    return AmpModel.load(amp_path)


@pytest.fixture
def guitar():
    n = np.arange(60_000)
    return (0.4 * np.exp(-n / 3e4) * np.sin(n * 0.02) + 0.05 * np.sin(n * 0.31)).astype(np.float32)


def test_the_properties_are_those_of_the_file(amp, random_amp):
    assert amp.sample_rate == 48_000
    assert amp.receptive_field == random_amp.receptive_field
    assert amp.n_parameters == random_amp.n_parameters
    assert amp.latency == 0
    assert amp.architecture == "amp.wavenet"
    assert amp.metadata["neurdsp.name"] == "random"
    assert repr(amp) == "AmpModel(amp.wavenet, 221 parameters, 48000 Hz, receptive field 31 samples)"


def test_render_is_within_two_millionths_of_float64(amp, random_amp, guitar):
    wet = amp.render(guitar, 48_000)
    assert wet.dtype == np.float32
    assert wet.shape == guitar.shape
    assert np.abs(wet - random_amp.forward(guitar)).max() <= 2e-6


def test_a_clip_shorter_than_the_receptive_field_is_played(amp, random_amp, guitar):
    for n in (1, 5, random_amp.receptive_field - 1):
        clip = guitar[1_000 : 1_000 + n]
        assert np.abs(amp.render(clip, 48_000) - random_amp.forward(clip)).max() <= 2e-6


@pytest.mark.parametrize("block", [1, 7, 64, 512, 60_000])
def test_a_stream_equals_render_bit_for_bit(amp, guitar, block):
    guitar = guitar[:5_000] if block == 1 else guitar
    stream = amp.stream()
    wet = np.concatenate([stream.process(guitar[i : i + block]) for i in range(0, guitar.size, block)])
    np.testing.assert_array_equal(wet, amp.render(guitar, 48_000))


def test_reset_forgets_and_streams_are_independent(amp, guitar):
    first, second = amp.stream(), amp.stream()
    wet = first.process(guitar)
    first.process(guitar[::-1].copy())
    np.testing.assert_array_equal(second.process(guitar), wet)
    first.reset()
    np.testing.assert_array_equal(first.process(guitar), wet)
    assert first.process(np.zeros(0, np.float32)).size == 0


@pytest.mark.parametrize("rate", [8_000, 44_100, 88_200, 96_000, 44_099.5])
@pytest.mark.parametrize("n_samples", [1, 100, 4_801, 60_000])
def test_other_sample_rates_keep_length(amp, guitar, rate, n_samples):
    wet = amp.render(guitar[:n_samples], rate)
    assert wet.shape == (n_samples,)
    assert np.isfinite(wet).all()


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_other_sample_rates_keep_time_and_sound(amp, guitar, rate):
    """Rendering the same sound at another rate gives the same sound."""
    expected = resample(amp.render(guitar, 48_000), 48_000, rate)
    wet = amp.render(resample(guitar, 48_000, rate), rate)
    n = min(wet.size, expected.size)
    middle = slice(n // 4, 3 * n // 4)
    residual = wet[middle] - expected[middle]
    level = expected[middle] - expected[middle].mean()
    assert 10 * np.log10(np.sum(residual**2) / np.sum(level**2)) < -60


def test_blocks_of_any_size_render_the_same_at_another_rate(amp, guitar):
    whole = amp.render(guitar, 44_100)
    blocks = (guitar[i : i + 1_000] for i in range(0, guitar.size, 1_000))
    parts = np.concatenate(list(amp.render_blocks(blocks, 44_100)))
    assert parts.size == whole.size
    assert np.abs(parts - whole).max() < 2e-6


def test_bad_audio_is_named_by_its_place_in_the_clip(amp, guitar):
    bad = np.tile(guitar, 3)
    bad[150_001] = np.nan
    with pytest.raises(ParameterError, match="sample 150001 is nan"):
        amp.render(bad, 48_000)
    with pytest.raises(ParameterError, match="sample 150001 is nan"):
        list(amp.render_blocks((bad[i : i + 1_000] for i in range(0, bad.size, 1_000)), 44_100))
    with pytest.raises(ParameterError, match="block: sample 3 is inf"):
        amp.stream().process([0, 0, 0, np.inf])
    with pytest.raises(ParameterError, match="audio is empty"):
        amp.render([], 48_000)
    with pytest.raises(ParameterError, match=r"shape \(100, 2\), but at most 64 channels .* transpose it"):
        amp.render(np.zeros((100, 2)), 48_000)
    with pytest.raises(ParameterError, match="other channels than those before"):
        list(amp.render_blocks([np.zeros((2, 9)), np.zeros(9)], 48_000))


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_each_channel_plays_as_it_does_alone(amp, guitar, rate):
    both = amp.render(np.stack([guitar, -guitar]), rate)
    np.testing.assert_array_equal(both[0], amp.render(guitar, rate))
    np.testing.assert_array_equal(both[1], amp.render(-guitar, rate))


@pytest.mark.parametrize(
    ("rate", "message"), [(0, "between 1"), (100, "too far"), (1e6, "too far"), ("a", "between")]
)
def test_absurd_sample_rates_are_refused(amp, rate, message):
    with pytest.raises(ParameterError, match=f"sample_rate.* {message}"):
        amp.render([0.0, 0.5], rate)


def test_shipped_amps_load_by_name_and_unknown_names_list_them(amp_path, monkeypatch, tmp_path):
    monkeypatch.setattr(neurdsp.amp.lookup, "_SHIPPED", amp_path.parent)
    assert shipped_amps() == ["amp"]
    assert AmpModel.load("amp").n_parameters == 221
    with pytest.raises(ModelFileError, match=r"cannot load 'map': no such file, .*\(shipped: amp\)"):
        AmpModel.load("map")
    with pytest.raises(ModelFileError, match="it is a folder"):
        AmpModel.load(tmp_path)


def test_a_damaged_file_is_refused_in_one_line(amp_path):
    data = amp_path.read_bytes()
    for cut in (0, 4, 100, len(data) // 2, len(data) - 1):
        amp_path.write_bytes(data[:cut])
        with pytest.raises(ModelFileError) as caught:
            AmpModel.load(amp_path)
        assert "\n" not in str(caught.value)


def played_elsewhere(amp, sound):
    return amp.render(sound, 48_000)


def copies(amp):
    yield copy.copy(amp)
    yield copy.deepcopy(amp)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(amp, protocol))


def test_a_model_can_be_copied_and_pickled_even_when_its_file_is_gone(tmp_path, random_amp, guitar):
    path = random_amp.write(tmp_path / "gone.safetensors")
    amp = AmpModel.load(path)
    path.unlink()
    wanted = amp.render(guitar, 48_000)
    for other in copies(amp):
        np.testing.assert_array_equal(other.render(guitar, 48_000), wanted)
        assert other.metadata == amp.metadata
        assert repr(other) == repr(amp)


def test_a_copy_keeps_the_knobs(guitar):
    amp = AmpModel.load("crunch").with_knobs(gain=0.83, tone=0.21)
    wanted = amp.render(guitar, 48_000)
    for other in copies(amp):
        assert other.knobs == amp.knobs
        np.testing.assert_array_equal(other.render(guitar, 48_000), wanted)


def test_a_copy_keeps_size_and_conventions(tmp_path):
    submodels = [
        {
            "max_value": value,
            "model": {
                "version": "0.5.4",
                "architecture": "Linear",
                "config": {"receptive_field": taps, "bias": False},
                "weights": [0.5] * taps,
                "sample_rate": 48_000,
            },
        }
        for value, taps in ((0.5, 1), (1.0, 2))
    ]
    document = {
        "version": "0.7.0",
        "architecture": "SlimmableContainer",
        "config": {"submodels": submodels},
        "weights": [],
        "sample_rate": 48_000,
    }
    (tmp_path / "two.nam").write_text(json.dumps(document))
    for size, taps in ((0.2, 1), (1.0, 2)):
        for other in copies(AmpModel.load(tmp_path / "two.nam", size=size)):
            assert other.n_parameters == taps
            assert other.size_steps == [0.5]


def test_other_processes_play_a_model_that_is_sent_to_them(amp, guitar):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        (played,) = pool.starmap(played_elsewhere, [(amp, guitar)])
    np.testing.assert_array_equal(played, amp.render(guitar, 48_000))


def test_what_holds_sound_says_that_it_cannot_be_copied(amp):
    from neurdsp.amp import AmpChain, NoiseGate

    for one in (amp.stream(), AmpChain(amp), NoiseGate(48_000)):
        for copied in (pickle.dumps, copy.deepcopy, copy.copy):
            with pytest.raises(
                TypeError, match="holds sound that is playing and cannot be copied or pickled"
            ):
                copied(one)
