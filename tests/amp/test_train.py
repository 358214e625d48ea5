"""Training end to end on a small device: it learns, resumes to the byte, stops, and refuses in one line."""

import base64
import io
import json
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp.amp import AmpModel
from neurdsp.amp.config import load_config
from neurdsp.amp.task import AmpTask
from neurdsp.amp.train import train
from neurdsp.amp.train_many import train_many
from neurdsp.audio import write_audio
from neurdsp.errors import ConfigError, ParameterError

TINY = (
    "model.channels=6",
    "model.num_layers=4",
    "data.crop_samples=1024",
    "training.minutes=null",
    "training.learning_rate=0.01",
    "loss.spectral_n_fft=[256, 512]",
)


def tiny(steps=40, *more):
    return load_config("8k", overrides=[*TINY, f"training.steps={steps}", *more])


def folder(path: Path) -> set[str]:
    return {entry.name for entry in path.rglob("*")}


def test_it_learns_and_says_what_the_engine_measured(recordings, tmp_path, dry, wet):
    result = train(tiny(250), *recordings, model_path=tmp_path / "m.safetensors", run_dir=tmp_path / "run")
    assert result.esr < 0.05
    assert result.summary.stopped == "budget"
    # Measured again, by hand, from the file.
    n_samples = result_split(tmp_path / "run")
    amp = AmpModel.load(tmp_path / "m.safetensors")
    rendered = amp.render(dry, amp.sample_rate)
    assert result.latency_samples == 37
    target = np.concatenate([np.zeros(1, np.float32), wet])[: dry.size]  # less a sample for safety
    start, stop = n_samples
    error = np.sum((rendered - target)[start:stop].astype(float) ** 2)
    assert result.esr == pytest.approx(error / np.sum(target[start:stop].astype(float) ** 2), rel=1e-4)
    recorded = json.loads(amp.metadata["neurdsp.metrics"])
    assert recorded["measured_by"] == "engine"
    assert recorded["esr"] == pytest.approx(result.esr)
    # What training measured, in torch, is what the engine measures.
    assert result.summary.best_metrics["esr"] == pytest.approx(result.esr, rel=1e-3)


@pytest.mark.parametrize("more", [(), ("training.ema_decay=0.9",)])
def test_each_better_model_is_there_in_every_format_at_once(recordings, tmp_path, monkeypatch, dry, more):
    path, run_dir = tmp_path / "m.safetensors", tmp_path / "run"
    original, seen = AmpTask.improved, []

    def watching(self, model, metrics):
        original(self, model, metrics)
        outputs = [
            AmpModel.load(file).render(dry, 8000) for file in (path, run_dir / "m.nam", run_dir / "m.json")
        ]
        for other in outputs[1:]:
            np.testing.assert_allclose(other, outputs[0], atol=2e-6)
        seen.append(metrics["esr"])

    monkeypatch.setattr(AmpTask, "improved", watching)
    config = tiny(30, "training.validate_steps=8", *more)
    train(config, *recordings, model_path=path, run_dir=run_dir)
    assert len(seen) > 2
    assert sorted(seen, reverse=True) == seen
    document = json.loads((run_dir / "m.nam").read_text())
    assert document["metadata"]["training"]["validation_esr"] == pytest.approx(seen[-1], rel=1e-3)


def test_an_lstm_trains_and_the_engine_measures_what_training_did(recordings, tmp_path):
    settings = ["model.hidden_size=6", "model.burn_in=200", "data.crop_samples=512", "training.minutes=null"]
    settings += [
        "training.steps=150",
        "training.validate_steps=75",
        "loss.type=esr",
        "training.learning_rate=0.02",
    ]
    config = load_config("lstm-nano", overrides=settings)
    path = tmp_path / "m.safetensors"
    result = train(config, *recordings, model_path=path, run_dir=tmp_path / "run")
    assert result.esr < 0.5
    assert result.summary.best_metrics["esr"] == pytest.approx(result.esr, rel=1e-2)
    amp, nam = (AmpModel.load(file) for file in (path, tmp_path / "run" / "m.nam"))
    assert amp.architecture == "nam.lstm"
    noise = (0.1 * np.random.default_rng(0).standard_normal(2000)).astype(np.float32)
    assert np.array_equal(amp.render(noise, 8000), nam.render(noise, 8000))


def result_split(run_dir: Path) -> tuple[int, int]:
    start, stop = json.loads((run_dir / "data.json").read_text())["validation"]
    return start, stop


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(recordings, tmp_path):
    files = []
    for index, seed in enumerate((0, 0, 1)):
        path = tmp_path / "m.safetensors"  # one name, for it is in the file
        run = {"model_path": path, "run_dir": tmp_path / str(index), "overwrite": True}
        train(tiny(10, f"training.seed={seed}"), *recordings, **run)
        files.append(tensors(path))
    assert equal(files[0], files[1])
    assert not equal(files[0], files[2])


def tensors(path):
    from safetensors.numpy import load_file

    return load_file(path)


def equal(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_stopped_by_a_signal_and_resumed_gives_the_bytes_of_an_unbroken_run(
    recordings, tmp_path, monkeypatch
):
    unbroken = tmp_path / "unbroken.safetensors"
    train(tiny(30, "training.validate_steps=8"), *recordings, model_path=unbroken, run_dir=tmp_path / "a")

    broken, run_dir = tmp_path / "broken.safetensors", tmp_path / "b"
    original = AmpTask.loss

    def interrupting(self, model, step):
        if step == 13:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, model, step)

    with monkeypatch.context() as patch:
        patch.setattr(AmpTask, "loss", interrupting)
        config = tiny(30, "training.validate_steps=8")
        first = train(config, *recordings, model_path=broken, run_dir=run_dir)
    assert first.summary.stopped == "interrupted"
    AmpModel.load(broken)  # a stopped run leaves a whole model
    second = train(config, *recordings, model_path=broken, run_dir=run_dir, resume=True)
    assert second.summary.steps == 30
    assert equal(tensors(unbroken), tensors(broken))


def test_the_run_folder_says_everything(recordings, tmp_path):
    run_dir = tmp_path / "deep" / "run"
    config = tiny(6, "training.validate_steps=3")
    train(config, *recordings, model_path=tmp_path / "m.safetensors", run_dir=run_dir)
    log = {"config.yaml", "data.json", "metrics.jsonl", "checkpoint.pt", "result.json"}
    assert folder(run_dir) == log | {"m.nam", "m.json"}
    assert load_config(file=run_dir / "config.yaml") == config
    events = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["validation", "validation", "stopped"]
    assert json.loads((run_dir / "data.json").read_text())["alignment"]["latency_samples"] == 37


def test_the_report_shows_and_plays_what_was_measured(recordings, tmp_path):
    run_dir = tmp_path / "run"
    config = tiny(20, "training.validate_steps=5", "training.learning_rate=0.02")
    path = tmp_path / "<m>.safetensors"
    result = train(config, *recordings, model_path=path, run_dir=run_dir, report=True)
    page = (run_dir / "report.html").read_text()
    assert f"{result.esr:.3g}, of this file" in page
    assert "&lt;m&gt;" in page
    assert "<m>" not in page
    clips = re.findall(r"data:audio/wav;base64,([^\"]+)", page)
    assert len(clips) == 3
    seconds = [soundfile.info(io.BytesIO(base64.b64decode(clip))).duration for clip in clips]
    assert seconds[0] == seconds[1] == seconds[2] > 0.4
    assert base64.b64decode(re.search(r"image/png;base64,([^\"]+)", page)[1]).startswith(b"\x89PNG")
    points = re.search(r'points="([^"]+)"', page)[1].split()
    assert len(points) == 4


def test_a_step_that_does_not_fit_into_memory_says_what_to_make_smaller(recordings, tmp_path, monkeypatch):
    message = "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory"
    for error in (MemoryError(), RuntimeError(message), RuntimeError("CUDA out of memory. Tried ...")):

        def full(self, model, step, error=error):
            raise error

        monkeypatch.setattr(AmpTask, "loss", full)
        with pytest.raises(ParameterError, match=r"2 crops of 1024 .* training\.batch_size=1, .*=512"):
            train(tiny(3), *recordings, model_path=tmp_path / "m.safetensors", run_dir=tmp_path / "run")
    monkeypatch.setattr(AmpTask, "loss", lambda *_: (_ for _ in ()).throw(RuntimeError("shapes")))
    with pytest.raises(RuntimeError, match="shapes"):
        train(tiny(3), *recordings, model_path=tmp_path / "m.safetensors", run_dir=tmp_path / "run")


def test_several_captures_are_ranked_and_a_bad_one_does_not_stop_the_others(recordings, tmp_path, wet):
    dry_path, good = recordings
    write_audio(tmp_path / "silent.wav", np.zeros_like(wet), 8000)
    write_audio(tmp_path / "linear.wav", 0.5 * wet, 8000)
    outputs, names = [tmp_path / "silent.wav", tmp_path / "linear.wav", good], []
    board = train_many(tiny(20), dry_path, outputs, folder=tmp_path / "amps", started=names.append)
    assert names == ["silent", "linear", "out"]
    assert {entry.name for entry in board[:2]} == {"linear", "out"}
    assert board[0].esr <= board[1].esr
    assert board[2].esr is None
    assert "silent" in board[2].error
    assert json.loads((tmp_path / "amps" / "leaderboard.json").read_text())[2]["error"] == board[2].error
    for entry in board[:2]:
        assert json.loads(AmpModel.load(entry.model_path).metadata["neurdsp.metrics"])["esr"] == entry.esr
    # Resumed with a longer budget, each run goes on from where it was.
    more = train_many(tiny(25), dry_path, outputs[1:], folder=tmp_path / "amps", resume=True)
    steps = [
        json.loads((tmp_path / "amps" / "runs" / name / "result.json").read_text())["summary"]["steps"]
        for name in ("linear", "out")
    ]
    assert (steps, len(more)) == ([25, 25], 2)


def test_captures_of_one_name_are_refused_before_anything_is_written(recordings, tmp_path):
    with pytest.raises(ParameterError, match="two outputs are called 'out'"):
        train_many(tiny(3), recordings[0], [recordings[1], "other/out.wav"], folder=tmp_path / "amps")
    with pytest.raises(ParameterError, match="no capture"):
        train_many(tiny(3), recordings[0], [], folder=tmp_path / "amps")
    assert not (tmp_path / "amps").exists()


def test_a_run_by_cpu_time_ends_by_it(recordings, tmp_path):
    config = load_config("8k", overrides=[*TINY, "training.minutes=0.02", "training.clock=cpu"])
    result = train(config, *recordings, model_path=tmp_path / "m.safetensors", run_dir=tmp_path / "run")
    assert result.summary.stopped == "budget"
    assert 1.2 <= result.summary.seconds < 10


def test_resume_refuses_another_network_and_other_recordings(recordings, tmp_path, dry):
    model_path, run_dir = tmp_path / "m.safetensors", tmp_path / "run"
    train(tiny(3), *recordings, model_path=model_path, run_dir=run_dir)
    config = tiny(6, "model.channels=7")
    with pytest.raises(ConfigError, match=r"the run began with model\.channels = 6, now it is 7"):
        train(config, *recordings, model_path=model_path, run_dir=run_dir, resume=True)
    write_audio(recordings[1], np.tanh(dry), 8000)
    with pytest.raises(ConfigError, match="other recordings"):
        train(tiny(6), *recordings, model_path=model_path, run_dir=run_dir, resume=True)
    with pytest.raises(ConfigError, match="no run to resume"):
        train(tiny(6), *recordings, model_path=model_path, run_dir=tmp_path / "x", resume=True)


def test_nothing_is_written_when_the_start_is_refused(recordings, tmp_path):
    before = folder(tmp_path)
    for model_path, error in [
        (tmp_path / "absent" / "m.safetensors", OSError),
        (tmp_path / "m.txt", ParameterError),
    ]:
        with pytest.raises(error):
            train(tiny(3), *recordings, model_path=model_path, run_dir=tmp_path / "run")
    with pytest.raises(OSError, match=r"absent\.wav"):
        train(
            tiny(3),
            tmp_path / "absent.wav",
            recordings[1],
            model_path=tmp_path / "m.safetensors",
            run_dir=tmp_path / "run",
        )
    assert folder(tmp_path) == before


@pytest.mark.parametrize("setting", ["precision=bfloat16", "compile=true"])
def test_what_only_cuda_can_do_is_refused_on_a_cpu(tmp_path, recordings, setting):
    config = tiny(2, "training.device=cpu", f"training.{setting}")
    with pytest.raises(ParameterError, match="is for CUDA: on a CPU the Rust core trains"):
        train(config, *recordings, model_path=tmp_path / "a.safetensors", run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def trained(recordings, tmp_path, steps, *more, **options):
    run = {"model_path": tmp_path / "m.safetensors", "run_dir": tmp_path / "run", **options}
    return train(tiny(steps, *more), *recordings, **run)


def test_a_worse_model_never_replaces_a_better_one_and_is_kept_beside_it(recordings, tmp_path):
    path = tmp_path / "m.safetensors"
    good = trained(recordings, tmp_path, 150, run_dir=tmp_path / "first")
    before = path.read_bytes()
    worse = trained(recordings, tmp_path, 2)
    assert path.read_bytes() == before
    assert worse.esr > good.esr
    assert worse.model_path == tmp_path / "run" / "m-new.safetensors"
    recorded = json.loads(AmpModel.load(worse.model_path).metadata["neurdsp.metrics"])
    assert recorded["esr"] == pytest.approx(worse.esr)
    assert re.search(
        rf"m\.safetensors' was kept: it has an ESR of {good.esr:.3g}, .* --overwrite", worse.older_model
    )
    # Resumed, it goes on beside the better one, which it does not reach.
    again = trained(recordings, tmp_path, 4, resume=True)
    assert path.read_bytes() == before
    assert again.model_path == worse.model_path
    # What the user says counts.
    last = trained(recordings, tmp_path, 2, overwrite=True)
    assert last.model_path == path
    assert path.read_bytes() != before
    assert "was replaced" in last.older_model
    assert not (tmp_path / "run" / "m-new.safetensors").exists()


def test_a_better_model_replaces_a_worse_one_and_a_resumed_run_its_own(recordings, tmp_path):
    path = tmp_path / "m.safetensors"
    bad = trained(recordings, tmp_path, 2, run_dir=tmp_path / "first")
    assert bad.older_model == ""
    good = trained(recordings, tmp_path, 150)
    assert good.model_path == path
    assert good.esr < bad.esr
    assert not (tmp_path / "run" / "m-new.safetensors").exists()
    assert (
        f"was replaced: it had an ESR of {bad.esr:.3g}, and now has one of {good.esr:.3g}" in good.older_model
    )
    more = trained(recordings, tmp_path, 160, resume=True)
    assert more.model_path == path
    assert json.loads(AmpModel.load(path).metadata["neurdsp.metrics"])["steps"] == 160


def test_a_file_that_is_no_model_is_kept(recordings, tmp_path):
    (tmp_path / "m.safetensors").write_bytes(b"precious")
    result = trained(recordings, tmp_path, 2)
    assert (tmp_path / "m.safetensors").read_bytes() == b"precious"
    assert result.model_path == tmp_path / "run" / "m-new.safetensors"
    assert "no recorded ESR" in result.older_model


def test_an_earlier_run_is_set_aside_and_its_checkpoint_resumes_there(recordings, tmp_path):
    trained(recordings, tmp_path, 5)
    checkpoint = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    (tmp_path / "run" / "m.nam").write_text("mine")
    for number in (1, 2):
        trained(recordings, tmp_path, 5, f"training.seed={number}")
        aside = tmp_path / "run" / "earlier" / str(number)
        assert {
            "checkpoint.pt",
            "metrics.jsonl",
            "result.json",
            "config.yaml",
            "data.json",
            "m.nam",
        } <= folder(aside)
    assert (tmp_path / "run" / "earlier" / "1" / "checkpoint.pt").read_bytes() == checkpoint
    assert (tmp_path / "run" / "earlier" / "1" / "m.nam").read_text() == "mine"
    aside = tmp_path / "run" / "earlier" / "1"
    assert trained(recordings, tmp_path, 7, run_dir=aside, resume=True).summary.steps == 7
    trained(recordings, tmp_path, 3, overwrite=True)
    assert not (tmp_path / "run" / "earlier" / "3").exists()


def test_a_run_never_writes_over_what_it_reads(recordings, tmp_path):
    run = tmp_path / "run"
    trained(recordings, tmp_path, 3)
    config = run / "config.yaml"
    before = config.read_bytes()
    with pytest.raises(FileExistsError, match=r"config\.yaml': it is also an input"):
        trained(recordings, tmp_path, 4, config_path=config, overwrite=True)
    assert config.read_bytes() == before
    assert trained(recordings, tmp_path, 5, config_path=config, resume=True).summary.steps == 5
    assert config.read_bytes() == before
    (tmp_path / "other").mkdir()
    for name in ("checkpoint.pt", "result.json", "m.nam", "data.json"):
        (tmp_path / "other" / name).symlink_to(recordings[1])
        with pytest.raises(FileExistsError, match="it is also an input"):
            trained(recordings, tmp_path, 3, run_dir=tmp_path / "other")
        (tmp_path / "other" / name).unlink()
    (tmp_path / "amps").mkdir()
    (tmp_path / "amps" / "out.safetensors").symlink_to(recordings[0])
    sound = recordings[0].read_bytes()
    with pytest.raises(FileExistsError, match="it is also an input"):
        train_many(tiny(3), recordings[0], [recordings[1]], folder=tmp_path / "amps", overwrite=True)
    assert recordings[0].read_bytes() == sound


def test_a_leaderboard_names_the_models_of_its_runs(recordings, tmp_path):
    good = train_many(tiny(100), recordings[0], [recordings[1]], folder=tmp_path / "amps")
    before = Path(good[0].model_path).read_bytes()
    worse = train_many(tiny(2), recordings[0], [recordings[1]], folder=tmp_path / "amps")
    assert Path(good[0].model_path).read_bytes() == before
    assert worse[0].model_path != good[0].model_path
    assert json.loads(AmpModel.load(worse[0].model_path).metadata["neurdsp.metrics"])["esr"] == worse[0].esr
    assert "was kept" in worse[0].older_model
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "leaderboard.json").write_text('["precious"]')
    with pytest.raises(ParameterError, match="it exists already, and is no leaderboard"):
        train_many(tiny(2), recordings[0], [recordings[1]], folder=tmp_path / "mine")
    assert (tmp_path / "mine" / "leaderboard.json").read_text() == '["precious"]'
