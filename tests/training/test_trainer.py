"""The training loop: resume to the bit, signals, divergence, budget, and the log."""

import json
import math
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from neurdsp.config import build
from neurdsp.errors import ConfigError
from neurdsp.training import Reporter, Trainer, TrainingConfig, load_checkpoint, save_checkpoint
from torch import nn


class Line:
    """Fit y = 2x + 1 from random x; can be told to interrupt or to poison a step."""

    samples_per_step = 8

    def __init__(self, *, interrupt_at: int | None = None, poison: tuple[int, ...] = ()):
        self.interrupt_at = interrupt_at
        self.poison = poison
        self.exports: list[dict[str, torch.Tensor]] = []

    def loss(self, model, step):
        if step == self.interrupt_at:
            os.kill(os.getpid(), signal.SIGTERM)
        x = torch.randn(8, 1, generator=torch.Generator().manual_seed(step))
        loss = (model(x) - (2 * x + 1)).square().mean()
        return loss * math.nan if step in self.poison else loss

    def validate(self, model):
        x = torch.linspace(-1, 1, 9)[:, None]
        return {"score": float((model(x) - (2 * x + 1)).square().mean().detach())}

    def improved(self, model, metrics):
        self.exports.append({name: tensor.clone() for name, tensor in model.state_dict().items()})


def network():
    torch.manual_seed(3)
    # Dropout draws from the global generator, whose state a checkpoint must carry.
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 1))


def settings(**changes):
    return build(TrainingConfig, {"minutes": None, "steps": 60, "validate_steps": 7, "threads": 1, **changes})


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@pytest.mark.parametrize("interrupt_at", [3, 20, 21, 45])
def test_interrupted_and_resumed_equals_unbroken_to_the_bit(
    tmp_path: Path, interrupt_at: int, ema_decay: float
):
    config = settings(ema_decay=ema_decay)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    unbroken, whole = network(), Line()
    Trainer(unbroken, whole, config, run_dir=tmp_path / "a").run()

    first = Line(interrupt_at=interrupt_at)
    summary = Trainer(network(), first, config, run_dir=tmp_path / "b").run()
    assert (summary.stopped, summary.steps) == ("interrupted", interrupt_at + 1)
    assert first.exports, "a stopped run leaves an export"

    resumed, second = network(), Line()
    torch.manual_seed(99)  # a new process has another generator state
    summary = Trainer(resumed, second, config, run_dir=tmp_path / "b").run(resume=True)
    assert (summary.stopped, summary.steps) == ("budget", 60)
    assert equal(unbroken.state_dict(), resumed.state_dict())
    assert equal(whole.exports[-1], second.exports[-1])


def test_the_model_ends_with_its_best_weights_and_they_fit(tmp_path: Path):
    model, task = network(), Line()
    summary = Trainer(model, task, settings(steps=400, learning_rate=0.03), run_dir=tmp_path).run()
    assert summary.best_score < 0.01
    assert task.validate(model.eval())["score"] == summary.best_score
    assert equal(task.exports[-1], model.state_dict())


def test_nan_goes_back_to_the_best_with_half_the_rate_and_says_so(tmp_path: Path, capsys):
    task = Line(poison=(30, 31))
    reporter = Reporter(tmp_path / "metrics.jsonl", show=True)
    model = network()
    config = settings(learning_rate=0.01)
    summary = Trainer(model, task, config, run_dir=tmp_path, reporter=reporter).run()
    assert (summary.stopped, summary.rollbacks) == ("budget", 2)
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())
    events = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    rates = [event["learning_rate"] for event in events if event["event"] == "rollback"]
    assert rates == [0.005, 0.0025]
    assert "diverged; back to the best weights with learning rate 0.005" in capsys.readouterr().err


def test_a_run_that_only_diverges_stops(tmp_path: Path):
    summary = Trainer(network(), Line(poison=tuple(range(60))), settings(), run_dir=tmp_path).run()
    assert summary.stopped == "diverged"
    assert summary.steps == 9


def test_target_score_stops_early(tmp_path: Path):
    config = settings(steps=5000, learning_rate=0.03, target_score=0.1)
    summary = Trainer(network(), Line(), config, run_dir=tmp_path).run()
    assert summary.stopped == "target"
    assert summary.best_score <= 0.1
    assert summary.steps < 5000


def test_minutes_are_kept_and_anneal_the_rate(tmp_path: Path):
    config = build(TrainingConfig, {"minutes": 0.02, "validate_seconds": 0.2, "threads": 1})
    began = time.monotonic()
    trainer = Trainer(network(), Line(), config, run_dir=tmp_path)
    summary = trainer.run()
    assert summary.stopped == "budget"
    assert 1.2 <= summary.seconds <= time.monotonic() - began < 10
    assert trainer.learning_rates["model"] < 0.1 * config.learning_rate


def test_threads_and_signal_handlers_are_given_back(tmp_path: Path):
    before = torch.get_num_threads(), signal.getsignal(signal.SIGINT)
    Trainer(network(), Line(), settings(steps=2, threads=2), run_dir=tmp_path).run()
    assert (torch.get_num_threads(), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize(
    ("damage", "expected"),
    [(None, "no checkpoint to resume"), (b"", "damaged"), (b"PK\x03\x04junk", "damaged")],
)
def test_resume_without_a_sound_checkpoint_is_one_line(tmp_path: Path, damage, expected):
    if damage is not None:
        (tmp_path / "checkpoint.pt").write_bytes(damage)
    with pytest.raises(ConfigError, match=expected) as caught:
        Trainer(network(), Line(), settings(), run_dir=tmp_path).run(resume=True)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_an_os_error_that_leaves_the_old_checkpoint(tmp_path: Path, files_end_at):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"step": 1})
    with files_end_at(10_000), pytest.raises(OSError, match="cannot write the checkpoint") as caught:
        save_checkpoint(path, {"step": 2, "weights": torch.zeros(10_000)})
    assert caught.value.filename == str(path)
    assert load_checkpoint(path)["step"] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_of_the_first_version_resumes(tmp_path: Path):
    """The datum was written by version 0.1 of the trainer at step 21 of the run that is repeated here."""
    config = settings(ema_decay=0.9)
    (tmp_path / "unbroken").mkdir()
    unbroken, resumed = network(), network()
    Trainer(unbroken, Line(), config, run_dir=tmp_path / "unbroken").run()
    shutil.copy(Path(__file__).parent / "data" / "checkpoint_v1.pt", tmp_path / "checkpoint.pt")
    trainer = Trainer(resumed, Line(), config, run_dir=tmp_path)
    assert trainer.run(resume=True).steps == 60
    # To the bit on one machine; another one may round tanh otherwise.
    for name, tensor in unbroken.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)


def test_a_checkpoint_of_a_later_version_is_refused(tmp_path: Path):
    torch.save({"version": 3}, tmp_path / "checkpoint.pt")
    with pytest.raises(ConfigError, match="has version 3, but this neurdsp resumes versions up to 2"):
        load_checkpoint(tmp_path / "checkpoint.pt")


def test_resume_of_another_model_is_refused(tmp_path: Path):
    Trainer(network(), Line(), settings(steps=2), run_dir=tmp_path).run()
    with pytest.raises(ConfigError, match="belongs to another model"):
        Trainer(nn.Linear(1, 1), Line(), settings(), run_dir=tmp_path).run(resume=True)


@pytest.mark.parametrize("budget", [{"minutes": None}, {"minutes": 1, "steps": 5}, {"minutes": 0}])
def test_budget_is_minutes_or_steps(budget):
    with pytest.raises(ConfigError, match="minutes"):
        build(TrainingConfig, budget)


def test_tensorboard_gets_the_numbers_of_every_event(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = tmp_path / "board"
    reporter = Reporter(tmp_path / "metrics.jsonl", tensorboard=board)
    Trainer(network(), Line(), settings(), run_dir=tmp_path, reporter=reporter).run()
    found = EventAccumulator(str(board)).Reload().Scalars("validation/score")
    events = map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines())
    logged = [(event["step"], event["score"]) for event in events if event["event"] == "validation"]
    assert [(scalar.step, pytest.approx(scalar.value, rel=1e-6)) for scalar in found] == logged
