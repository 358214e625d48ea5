"""Distillation: targets are the parts of truth and teacher, runs resume, and what cannot be is refused."""

import json
import signal

import numpy as np
import pytest
import torch
from neurdsp.audio import write_audio
from neurdsp.drumsep.bandsplit.distil import distil
from neurdsp.drumsep.bandsplit.recipe import load_recipe
from neurdsp.drumsep.bandsplit.task import SeparationTask
from neurdsp.drumsep.bandsplit.teacher import Recordings, TaughtTask, Teacher
from neurdsp.drumsep.bandsplit.train import load_trained, train
from neurdsp.drumsep.infer import DrumSeparator
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.modelfile.files import verify

QUICK = ["training.minutes=null", "data.validation_clips=1", "data.validation_seconds=0.5"]
CPU = torch.device("cpu")


def tiny(*settings):
    return load_recipe("tiny", overrides=[*QUICK, "training.steps=1", *settings])


def called(run, *words):
    done = run(*words)
    assert done.status == 0, done
    return json.loads(done.out)


@pytest.fixture
def teacher(tiny_file):
    recipe = tiny()
    return Teacher(DrumSeparator.load(tiny_file), recipe.model.stems, sample_rate=recipe.model.sample_rate)


@pytest.fixture
def songs(tmp_path):
    folder = tmp_path / "songs"
    (folder / "more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    write_audio(folder / "stereo.wav", 0.1 * rng.standard_normal((2, 60_000)).astype(np.float32), 44_100)
    write_audio(folder / "more" / "mono.wav", 0.1 * rng.standard_normal(9_000).astype(np.float32), 22_050)
    return folder


def test_targets_are_the_parts_of_truth_and_teacher(bank, teacher):
    recipe = tiny("loss.teacher=0.25", "data.seconds=0.2")
    truth, mixtures = SeparationTask(bank, recipe, device=CPU).batch(3)
    found, same = TaughtTask(bank, recipe, teacher, device=CPU).batch(3)
    assert np.array_equal(mixtures, same)
    taught = np.stack([teacher.stems_of(mixture) for mixture in mixtures])
    assert np.abs(taught - truth).max() > 1e-3
    assert np.abs(found - (0.75 * truth + 0.25 * taught)).max() < 1e-6
    # What the teacher gives sums to the mixture, too.
    assert np.abs(taught.sum(axis=1) - mixtures).max() < 1e-5


def test_recordings_without_stems_take_the_teachers_alone(bank, teacher, songs):
    recipe = tiny("data.unlabelled=1", "data.seconds=0.2", "data.stereo=0.5")
    recordings = Recordings(songs, sample_rate=44_100)
    one, other = (TaughtTask(bank, recipe, teacher, recordings, device=CPU) for _ in range(2))
    shapes = set()
    for number in range(6):
        stems, mixtures = one.batch(number)
        assert np.array_equal(stems, other.batch(number)[0])
        assert np.array_equal(stems[0], teacher.stems_of(mixtures[0]))
        assert np.abs(mixtures).max() > 0.1
        shapes.add(mixtures.shape)
    assert shapes == {(2, 1, 8820), (1, 2, 8820)}


def test_a_short_recording_at_another_rate_is_resampled_and_filled_with_zeros(songs):
    (songs / "stereo.wav").unlink()
    window = Recordings(songs, sample_rate=44_100).window(np.random.default_rng(0), 30_000, 2)
    assert window.shape == (2, 30_000)
    assert np.array_equal(window[0], window[1])
    assert np.abs(window[:, :17_900]).max() > 0.1
    assert not window[:, 18_100:].any()


def test_a_run_that_was_stopped_goes_on_bit_for_bit(bank_path, tiny_file, tmp_path, monkeypatch):
    recipe = tiny("training.steps=3", "loss.teacher=0.5", "data.seconds=0.2")
    runs = [tmp_path / "whole", tmp_path / "stopped"]
    outputs = [tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"]
    result = distil(tiny_file, bank_path, outputs[0], recipe, run_dir=runs[0])
    assert verify(outputs[0]).passed
    assert all(np.isfinite(value) for value in result.sdr_db.values())
    with monkeypatch.context() as patch:
        loss = SeparationTask.loss

        def interrupted(self, model, step):
            if step == 1:
                signal.raise_signal(signal.SIGTERM)
            return loss(self, model, step)

        patch.setattr(SeparationTask, "loss", interrupted)
        stopped = distil(tiny_file, bank_path, outputs[1], recipe, run_dir=runs[1])
        assert stopped.run.summary.stopped == "interrupted"
    distil(tiny_file, bank_path, outputs[1], recipe, run_dir=runs[1], resume=True)
    a, b = (load_trained(folder, which="last")[0].state_dict() for folder in runs)
    assert all(torch.equal(a[name], b[name]) for name in a)
    # With another teacher it is another run.
    with pytest.raises(ConfigError, match="other recordings"):
        distil(outputs[0], bank_path, outputs[1], recipe, run_dir=runs[1], resume=True)


def test_what_cannot_be_learned_is_refused_before_anything_is_written(bank_path, tiny_file, tmp_path, songs):
    def attempt(*settings, **more):
        distil(
            tiny_file, bank_path, tmp_path / "x.safetensors", tiny(*settings), run_dir=tmp_path / "x", **more
        )

    with pytest.raises(ConfigError, match="nothing is learned"):
        attempt()
    with pytest.raises(ConfigError, match="without recordings"):
        attempt("data.unlabelled=0.5")
    with pytest.raises(ConfigError, match="with recordings"):
        attempt("loss.teacher=0.5", recordings=songs)
    with pytest.raises(ParameterError, match="gives no bells, but the student"):
        attempt("loss.teacher=0.5", "model.stems=[kick, bells]")
    with pytest.raises(ParameterError, match="holds no recordings"):
        attempt("data.unlabelled=0.5", recordings=bank_path.parent)
    with pytest.raises(ConfigError, match="need a teacher"):
        train(tiny("loss.teacher=0.5"), bank_path, run_dir=tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "x.safetensors").exists()


def test_the_command_writes_the_student_and_its_figures(run, bank_path, tiny_file, tmp_path):
    out = tmp_path / "student.safetensors"
    call = ["drumsep", "distil", tiny_file, bank_path, "-o", out, "--preset", "tiny", "--steps", 1, "--json"]
    call += [word for setting in QUICK[1:] for word in ("--set", setting)]
    found = called(run, *call)
    assert found["summary"]["steps"] == 1
    assert found["test_sdr_db"]
    assert verify(out).passed
    assert (tmp_path / "student.run" / "checkpoint.pt").is_file()
