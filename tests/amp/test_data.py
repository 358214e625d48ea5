"""Recordings: what is refused and in which words, the split without overlap, the crops."""

import numpy as np
import pytest
from neurdsp.amp.capture.align import Alignment
from neurdsp.amp.config import WaveNetAmpConfig
from neurdsp.amp.data import Crops, Pair, load_pair, split_in_time
from neurdsp.audio import write_audio
from neurdsp.config import build
from neurdsp.errors import AudioFileError

RATE = 8000


def config(**sections):
    return build(WaveNetAmpConfig, {"model": {"channels": 4, "num_layers": 5}, **sections})


def refusal(input_path, output_path, settings=None) -> str:
    with pytest.raises(AudioFileError) as caught:
        load_pair(input_path, output_path, settings or config())
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_output_is_shifted_to_the_input(recordings, wet):
    pair = load_pair(*recordings, config())
    assert pair.alignment.latency_samples == 37
    assert pair.dry.size == pair.wet.size
    # One sample is left of the latency, for safety.
    np.testing.assert_array_equal(pair.wet[1:], wet[: pair.wet.size - 1])
    exact = load_pair(*recordings, config(data={"safety_samples": 0}))
    np.testing.assert_array_equal(exact.wet, wet)


def test_a_given_latency_is_used(recordings):
    pair = load_pair(*recordings, config(data={"latency_samples": 5}))
    assert pair.alignment == Alignment(5, 1.0, inverted=False, method="given")


def test_swapped_files_with_latency(recordings):
    message = refusal(recordings[1], recordings[0])
    assert "swap the two files" in message
    assert str(recordings[0]) in message


def test_rates_that_differ(recordings, tmp_path, wet):
    write_audio(tmp_path / "other.wav", wet, 44_100)
    message = refusal(recordings[0], tmp_path / "other.wav")
    assert "8000 Hz" in message
    assert "44100 Hz" in message


def test_stereo(recordings, tmp_path, wet):
    write_audio(tmp_path / "stereo.wav", np.stack([wet, wet]), RATE)
    assert "has 2 channels, but mono is needed" in refusal(recordings[0], tmp_path / "stereo.wav")


def test_silence(recordings, tmp_path, wet):
    write_audio(tmp_path / "silent.wav", wet * 1e-6, RATE)
    assert "silent.wav' is silent" in refusal(recordings[0], tmp_path / "silent.wav")


def test_nan(recordings, tmp_path, wet):
    import soundfile

    broken = wet.copy()
    broken[123] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, RATE, subtype="FLOAT")
    assert "sample 123 is nan" in refusal(recordings[0], tmp_path / "nan.wav")


def test_short_says_how_much_is_needed_and_that_is_enough(tmp_path, dry, wet):
    settings = config(model={"channels": 4, "num_layers": 9})

    def write(n_samples):
        write_audio(tmp_path / "i.wav", dry[:n_samples], RATE)
        write_audio(tmp_path / "o.wav", wet[:n_samples], RATE)
        return tmp_path / "i.wav", tmp_path / "o.wav"

    message = refusal(*write(3000), settings)
    assert "receptive field 1023 samples" in message
    needed = int(message.split("needs ")[1].split()[0])
    pair = load_pair(*write(needed + 1), settings)  # a sample of latency may be lost
    assert split_in_time(pair, settings).training


def test_unrelated_files(recordings, tmp_path, dry):
    noise = np.random.default_rng(1).standard_normal(dry.size).astype(np.float32) * 0.1
    write_audio(tmp_path / "noise.wav", noise, RATE)
    assert "does not seem to be made from" in refusal(recordings[0], tmp_path / "noise.wav")


def test_the_same_file_twice(recordings):
    assert "both as input and as output" in refusal(recordings[0], recordings[0])


def test_missing_file(recordings, tmp_path):
    assert "absent.wav" in refusal(recordings[0], tmp_path / "absent.wav")


def test_odd_levels_are_warned_about(tmp_path, dry, wet):
    write_audio(tmp_path / "in.wav", dry, RATE)
    clipped = np.clip(wet * 20, -1, 1)
    write_audio(tmp_path / "out.wav", -clipped, RATE)
    warnings = " ".join(load_pair(tmp_path / "in.wav", tmp_path / "out.wav", config()).warnings)
    assert "seems clipped" in warnings
    assert "reversed polarity" in warnings


def made_pair(dry, wet):
    return Pair(dry, wet, RATE, Alignment(0, 1.0, inverted=False))


@pytest.mark.parametrize("start_s", [None, 0.0, 2.5])
def test_no_training_input_enters_a_validation_output_nor_the_reverse(dry, wet, start_s):
    settings = config(data={"validation_start_s": start_s})
    split = split_in_time(made_pair(dry, wet), settings)
    begin, end = split.validation
    assert end - begin == int(0.1 * dry.size)
    heard = set(range(max(0, begin - (settings.model.receptive_field - 1)), end))
    for start, stop in split.training:
        assert heard.isdisjoint(range(start, stop))
    assert sum(stop - start for start, stop in split.training) > 0.85 * dry.size


def test_a_silent_ending_is_not_what_is_measured(dry, wet):
    quiet = wet.copy()
    quiet[-10_000:] = 0
    begin, end = split_in_time(made_pair(dry, quiet), config()).validation
    assert np.mean(quiet[begin:end] ** 2) > 0.01 * np.mean(quiet**2)


def test_validation_outside_the_recording_is_refused(dry, wet):
    with pytest.raises(AudioFileError, match=r"validation_start_s = 5\.9"):
        split_in_time(made_pair(dry, wet), config(data={"validation_start_s": 5.9}))


def test_crops_belong_together_stay_inside_and_follow_from_the_step(dry, wet):
    # A ramp for the input, so that every crop says where it is from; the target is the ramp itself.
    ramp = np.arange(dry.size, dtype=np.float32)
    settings = config(data={"validation_start_s": 2.0})
    split = split_in_time(made_pair(ramp, ramp), settings)
    crops = Crops(made_pair(ramp, ramp), split, batch_size=8, crop_samples=500, receptive_field=63, seed=3)
    used = set()
    for step in range(50):
        inputs, targets = crops.batch(step)
        assert inputs.shape == (8, 562)
        assert targets.shape == (8, 500)
        np.testing.assert_array_equal(inputs[:, 62:], targets)
        np.testing.assert_array_equal(np.diff(inputs, axis=1), 1)
        for row in inputs.astype(int):
            which = [i for i, (a, b) in enumerate(split.training) if a <= row[0] and row[-1] < b]
            assert len(which) == 1
            used.update(which)
    assert used == {0, 1}
    np.testing.assert_array_equal(crops.batch(7)[0], crops.batch(7)[0])
    assert not np.array_equal(crops.batch(7)[0], crops.batch(8)[0])


def test_crops_avoid_silence(dry, wet):
    half = wet.copy()
    half[: half.size // 2] = 0
    split = split_in_time(made_pair(dry, half), config())
    crops = Crops(made_pair(dry, half), split, batch_size=50, crop_samples=500, receptive_field=63, seed=0)
    silent = np.mean([np.abs(target).max() == 0 for target in crops.batch(0)[1]])
    assert silent < 0.2  # half of the recording, but a sixteenth is expected after four draws
