"""Cue-model valence and arousal: labels, tunes, frames, and how a file is heard."""

import json

import numpy as np
import pytest
from neurdsp.audio import write_audio
from neurdsp.cli import app
from neurdsp.errors import ParameterError
from neurdsp.music.config import EmotionConfig
from neurdsp.music.dataset import Dataset
from neurdsp.music.emotion.cues import CUES, Cues, draw_cues, mood_of
from neurdsp.music.emotion.features import mel_frames
from neurdsp.music.emotion.listen import hear
from neurdsp.music.emotion.sources import _FIRST_TUNE, _PATCHES, SHAPE, _sounding, _Tune
from neurdsp.music.emotion.synthesis import PRESETS, RATE_HZ, play_patch
from neurdsp.music.emotion.tunes import tempo_bpm, tonic_pitch, tune_notes
from neurdsp.music.infer import MusicPipeline
from neurdsp.music.recipe import load_recipe
from typer.testing import CliRunner

PLAIN = Cues(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_the_cue_model_is_additive_and_stays_within_one():
    rng = np.random.default_rng(0)
    cues = np.array([draw_cues(rng, rng.uniform(-1, 1)) for _ in range(200)])
    mood = mood_of(cues)
    assert np.abs(mood_of(np.ones(6))).max() <= 1
    assert np.abs(mood).max() <= 1
    parts = sum(mood_of(np.where(np.arange(6) == place, cues, 0)) for place in range(6))
    np.testing.assert_allclose(parts, mood, atol=1e-12)
    # Mode decides valence and leaves arousal alone; fast and loud is excited.
    assert mood_of(PLAIN)[0] > 0 > mood_of(PLAIN._replace(mode=-1.0))[0]
    assert mood_of(PLAIN)[1] == 0 < mood_of(PLAIN._replace(tempo=1.0, dynamics=1.0))[1]


def test_each_cue_changes_its_own_part_of_a_tune():
    plain = tune_notes(5, PLAIN, seconds=4)
    minor = tune_notes(5, PLAIN._replace(mode=-1.0), seconds=4)
    assert (plain["start_ticks"] == minor["start_ticks"]).all()
    assert 0 < np.abs(plain["pitch"].astype(int) - minor["pitch"]).max() <= 1
    high = tune_notes(5, PLAIN._replace(register=1.0), seconds=4)
    assert (high["pitch"].astype(int) - plain["pitch"] == 18).all()
    short = tune_notes(5, PLAIN._replace(articulation=1.0), seconds=4)
    assert (short["end_ticks"] - short["start_ticks"]).sum() < 0.5 * (
        plain["end_ticks"] - plain["start_ticks"]
    ).sum()
    loud = tune_notes(5, PLAIN._replace(dynamics=1.0), seconds=4)
    assert (loud["velocity"] > plain["velocity"]).all()
    assert tempo_bpm(PLAIN._replace(tempo=1.0)) / tempo_bpm(PLAIN._replace(tempo=-1.0)) == pytest.approx(3)


def test_pitch_classes_are_those_of_the_notes_that_are_held_and_the_tonic_ends_the_scale():
    for mode, scale in ((1.0, {0, 2, 4, 5, 7, 9, 11}), (-1.0, {0, 2, 3, 5, 7, 8, 10})):
        cues = PLAIN._replace(mode=mode, tempo=-1.0)
        notes, tonic = tune_notes(8, cues, seconds=4), tonic_pitch(8, cues) % 12
        assert {(int(pitch) - tonic) % 12 for pitch in notes["pitch"]} <= scale
        bits = _sounding(_Tune(cues, notes, tempo_bpm(cues), tonic), 87)
        for frame in range(0, 87, 5):
            at_ticks = frame * 1024 / 22_050 * 480
            near = 0.6 * 1024 / 22_050 * 480
            held = notes[(notes["start_ticks"] < at_ticks - near) & (notes["end_ticks"] > at_ticks + near)]
            some = notes[(notes["start_ticks"] < at_ticks + near) & (notes["end_ticks"] > at_ticks - near)]
            found = {number for number in range(12) if bits[frame] >> number & 1}
            assert set(held["pitch"] % 12) <= found <= set(some["pitch"] % 12)


def test_no_preset_patch_or_tune_is_in_two_splits():
    presets = [set(part) for part in PRESETS.values()]
    patches = [set(part) for part in _PATCHES.values()]
    for parts in (presets, patches):
        assert len(set.union(*parts)) == sum(len(part) for part in parts)
    assert len(set(_FIRST_TUNE.values())) == 3


def test_a_patch_plays_the_pitch_of_its_notes():
    notes = tune_notes(1, PLAIN, seconds=1)[:1]
    notes["pitch"], notes["end_ticks"] = 69, notes["start_ticks"] + 960
    clip = play_patch(3, notes, 60, seconds=1)
    spectrum = np.abs(np.fft.rfft(clip))
    assert np.argmax(spectrum[200:700]) + 200 == pytest.approx(440, abs=2)
    assert len(clip) == RATE_HZ


def test_frames_are_decibels_and_do_not_depend_on_channels_or_rate():
    time_s = np.arange(44_100) / 44_100
    tone = (0.25 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    one, two = mel_frames(tone, 44_100, SHAPE), mel_frames(np.stack([tone, tone]), 44_100, SHAPE)
    np.testing.assert_array_equal(one, two)
    half = mel_frames(tone[::2], 22_050, SHAPE)
    assert np.abs(one[2:-2].max(1) - half[2:-2].max(1)).max() < 0.01
    louder = mel_frames(2 * tone, 44_100, SHAPE)
    assert louder[10].max() - one[10].max() == pytest.approx(20 * np.log10(2) / 30, abs=1e-3)
    for wrong in (np.zeros(0), np.full(10, np.nan), np.zeros((1, 2, 3))):
        with pytest.raises(ParameterError):
            mel_frames(wrong, 44_100, EmotionConfig())


def test_the_task_counts_mode_and_is_blind_to_nothing():
    torch = pytest.importorskip("torch")
    from neurdsp.music.emotion.task import build

    rng = np.random.default_rng(1)
    arrays = {}
    for split in ("train", "validation", "test"):
        arrays[f"{split}.frames"] = rng.standard_normal((12, 86, 128)).astype(np.float16)
        arrays[f"{split}.cues"] = np.array([draw_cues(rng, 0.2) for _ in range(12)], np.float32)
        arrays[f"{split}.sounding"] = rng.integers(0, 1 << 12, (12, 86)).astype(np.uint16)
        arrays[f"{split}.tonic"] = rng.integers(0, 12, 12).astype(np.uint8)
    task = build(Dataset("emotion", arrays), load_recipe("emotion"))
    wanted = np.c_[mood_of(arrays["test.cues"]), arrays["test.cues"]]
    singly = iter(wanted)

    def knowing(frames):
        return np.tile(next(singly), (86, 1)) if len(frames) == 86 else np.repeat(wanted, 86, axis=0)

    perfect = task.metrics(knowing, "test")
    assert perfect["score"] < 1e-6
    assert perfect["valence_r2"] == perfect["running_valence_r2"] == pytest.approx(1)
    assert perfect["mode_accuracy"] == 1
    assert task.baselines("test")["mean"]["valence_r2"] <= 0
    frames, targets = task.batch(0)
    # Two clips in a row; the mood stays for a clip, and the pitch classes are those of the frame.
    assert frames.shape == (6, 2 * 86, 128)
    assert targets.shape == (6, 2 * 86, 2 + len(CUES) + 24)
    mood = targets[..., :8].unflatten(1, (2, 86))
    assert (mood == mood[:, :, :1]).all()
    assert set(np.unique(targets[..., 8:20])) == {0, 1}
    assert (targets[..., 20:].sum(-1) == 1).all()
    assert task.loss(torch.nn.functional.pad(targets, (0, 32)), (frames, targets)) == 0


def test_the_command_gives_means_and_an_answer_for_each_frame(tmp_path):
    pytest.importorskip("torch")
    from neurdsp.music.export import export_network
    from neurdsp.music.model import EmotionRecognizer

    shape = EmotionConfig(first=8, second=8, hidden=8, outputs=8, hop_length=1024)
    export_network(EmotionRecognizer(shape), tmp_path / "emotion.safetensors")
    clip = play_patch(900, tune_notes(900_000, PLAIN, seconds=4), tempo_bpm(PLAIN), seconds=4)
    write_audio(tmp_path / "tune.wav", clip, RATE_HZ)
    words = ["music", "emotion", tmp_path / "tune.wav", "--models", tmp_path, "--json", "--curve"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["labels"] == "cue-model"
    assert set(found["cues"]) == set(CUES)
    assert len(found["valence_curve"]) == found["frames"] == 1 + len(clip) // 1024
    # The first second counts for nothing.
    assert found["arousal"] == pytest.approx(np.mean(found["arousal_curve"][22:]), abs=1e-4)


def test_only_the_emotion_network_hears():
    with pytest.raises(ParameterError, match="emotion"):
        hear(MusicPipeline.load()["dynamics"], np.zeros(1000), 44_100)
