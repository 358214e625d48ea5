"""Steps of several phases: a GAN, a denoiser with averaged weights, accumulation, loss scaling."""

import json
import math
import os
import signal
from pathlib import Path

import pytest
import torch
from neurdsp.config import build
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.training import (
    AdamWConfig,
    Phase,
    Reporter,
    StepContext,
    Trainer,
    TrainingConfig,
    exponential_decay,
    load_checkpoint,
)
from neurdsp.training.updates import Updates
from neurdsp.training.weights import WeightAverage
from torch import nn


def generator(number):
    return torch.Generator().manual_seed(number)


class TinyGan:
    """A generator of numbers near 2 ± 0.5 against two discriminators, as vocoders are trained.

    The generator's loss has two terms. A step can be poisoned after the discriminators have been updated.
    """

    samples_per_step = 64
    adamw = AdamWConfig(betas=(0.8, 0.99))

    def __init__(self, *, interrupt_at=None, poison=()):
        self.interrupt_at, self.poison = interrupt_at, poison

    @staticmethod
    def network():
        torch.manual_seed(5)
        judges = [nn.Sequential(nn.Linear(1, 8), nn.LeakyReLU(), nn.Linear(8, 1)) for _ in range(2)]
        maker = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
        return nn.ModuleDict({"generator": maker, "discriminators": nn.ModuleList(judges)})

    def phases(self, model):
        decay = exponential_decay(0.9, every_steps=10)
        common = {"optimizer": self.adamw.build, "schedule": decay}
        parameters = {name: part.parameters() for name, part in model.items()}
        return [
            Phase("discriminators", self.judge, parameters["discriminators"], learning_rate=0.02, **common),
            Phase("generator", self.deceive, parameters["generator"], learning_rate=0.01, **common),
        ]

    def real_and_fake(self, model, context):
        random = generator(context.batch)
        real = 2 + 0.5 * torch.randn(64, 1, generator=random)
        return real, model["generator"](torch.randn(64, 2, generator=random))

    def judge(self, model, context):
        real, fake = self.real_and_fake(model, context)
        return sum(
            (d(real) - 1).square().mean() + d(fake.detach()).square().mean() for d in model["discriminators"]
        )

    def deceive(self, model, context):
        if context.step == self.interrupt_at:
            os.kill(os.getpid(), signal.SIGTERM)
        real, fake = self.real_and_fake(model, context)
        adversarial = sum((d(fake) - 1).square().mean() for d in model["discriminators"])
        distance = (fake.mean() - real.mean()).abs() + (fake.std() - real.std()).abs()
        return {
            "adversarial": adversarial * (math.nan if context.step in self.poison else 1),
            "distance": distance,
        }

    @torch.no_grad()
    def validate(self, model):
        fake = model["generator"](torch.randn(512, 2, generator=generator(999)))
        return {"score": float((fake.mean() - 2).abs() + (fake.std() - 0.5).abs())}

    def improved(self, model, metrics):
        pass


class TinyDenoiser:
    """Predicts noise from a noisy sine, as diffusion models do; draws the noise from the global generator."""

    samples_per_step = 16

    def __init__(self, *, interrupt_at=None):
        self.interrupt_at = interrupt_at
        self.contexts = []

    @staticmethod
    def network():
        torch.manual_seed(6)
        return nn.Sequential(nn.Linear(2, 16), nn.SiLU(), nn.Linear(16, 1))

    def phases(self, model):
        return [Phase("denoiser", self.loss_terms, schedule=lambda context: 1.0)]

    def loss_terms(self, model, context):
        self.contexts.append(context)
        if context.step == self.interrupt_at and context.batch % 2 == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        time = torch.rand(16, 1, generator=generator(context.batch))
        noise = torch.randn(16, 1)
        found = model(torch.cat([torch.sin(6 * time) * (1 - time) + noise * time, time], dim=1))
        # The second term is annealed over the budget, as the KL term of a VAE is.
        return {
            "noise": (found - noise).square().mean(),
            "size": context.progress * 0.01 * found.square().mean(),
        }

    @torch.no_grad()
    def validate(self, model):
        time = torch.linspace(0.1, 1, 64)[:, None]
        noise = torch.randn(64, 1, generator=generator(998))
        found = model(torch.cat([torch.sin(6 * time) * (1 - time) + noise * time, time], dim=1))
        return {"score": float((found - noise).square().mean())}

    def improved(self, model, metrics):
        pass


def settings(**changes):
    return build(TrainingConfig, {"minutes": None, "steps": 40, "validate_steps": 7, "threads": 1, **changes})


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


TASKS = {
    "gan": (TinyGan, {"gradient_clip": 0}),
    "averaged denoiser": (
        TinyDenoiser,
        {"ema_decay": 0.9, "accumulate_batches": 2, "optimizer": {"type": "sgd", "momentum": 0.5}},
    ),
}


@pytest.mark.parametrize("interrupt_at", [3, 10, 27])
@pytest.mark.parametrize("name", TASKS)
def test_interrupted_and_resumed_equals_unbroken_to_the_bit(tmp_path: Path, name: str, interrupt_at: int):
    task, changes = TASKS[name]
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    unbroken = task.network()
    Trainer(unbroken, task(), settings(**changes), run_dir=tmp_path / "a").run()
    first = Trainer(
        task.network(), task(interrupt_at=interrupt_at), settings(**changes), run_dir=tmp_path / "b"
    )
    assert first.run().stopped == "interrupted"
    resumed = task.network()
    torch.manual_seed(99)
    summary = Trainer(resumed, task(), settings(**changes), run_dir=tmp_path / "b").run(resume=True)
    assert (summary.stopped, summary.steps) == ("budget", 40)
    assert equal(unbroken.state_dict(), resumed.state_dict())
    ends = [load_checkpoint(tmp_path / folder / "checkpoint.pt") for folder in ("a", "b")]
    assert equal(ends[0]["model"], ends[1]["model"])
    assert ends[0]["losses"] == ends[1]["losses"]


def test_a_gan_learns_the_distribution_and_decays_both_rates(tmp_path: Path):
    task, model = TinyGan(), TinyGan.network()
    before = task.validate(model)["score"]
    reporter = Reporter(tmp_path / "metrics.jsonl")
    config = settings(steps=300, validate_steps=20, gradient_clip=0)
    trainer = Trainer(model, task, config, run_dir=tmp_path, reporter=reporter)
    assert trainer.run().best_score < 0.1 * before
    decayed = pytest.approx(0.9**29, rel=1e-12)
    rates = trainer.learning_rates
    assert (rates["discriminators"] / 0.02, rates["generator"] / 0.01) == (decayed, decayed)
    events = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    last = [event for event in events if event["event"] == "validation"][-1]
    parts = last["train_loss.generator.adversarial"] + last["train_loss.generator.distance"]
    assert last["train_loss.generator"] == pytest.approx(parts, rel=1e-5)
    assert last["train_loss"] == last["train_loss.generator"] + last["train_loss.discriminators"]


def test_divergence_in_the_second_phase_rolls_every_network_back(tmp_path: Path):
    trainer = Trainer(TinyGan.network(), TinyGan(poison=(30,)), settings(steps=31), run_dir=tmp_path)
    assert trainer.run().rollbacks == 1
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    assert equal(state["model"], state["best_state"])
    assert {name: one["state"]["state"] for name, one in state["updates"]["optimizers"].items()} == {
        "discriminators": {},
        "generator": {},
    }
    assert state["updates"]["rate_scale"] == 0.5


def test_a_gan_that_only_diverges_stops(tmp_path: Path):
    summary = Trainer(TinyGan.network(), TinyGan(poison=range(40)), settings(), run_dir=tmp_path).run()
    assert (summary.stopped, summary.steps) == ("diverged", 9)


def test_a_denoiser_exports_the_average_and_sees_its_progress(tmp_path: Path):
    task, model = TinyDenoiser(), TinyDenoiser.network()
    before = task.validate(model)["score"]
    config = settings(steps=300, ema_decay=0.95, accumulate_batches=2, learning_rate=0.05)
    summary = Trainer(model, task, config, run_dir=tmp_path).run()
    assert summary.best_score < 0.7 * before
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    scores = {}
    for name in ("model", "average"):
        model.load_state_dict(state[name])
        scores[name] = task.validate(model.eval())["score"]
    assert scores["average"] < scores["model"]
    assert task.contexts[:3] == [StepContext(0, 0, 0.0), StepContext(0, 1, 0.0), StepContext(1, 2, 1 / 300)]


def test_the_average_of_weights_follows_its_recurrence():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    average = WeightAverage(model, 0.5)
    expected = 1.0
    for step, value in enumerate((3.0, -2.0, 5.0, 4.0), start=1):
        nn.init.constant_(model.weight, value)
        average.update(model, step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        assert float(average.state["weight"]) == pytest.approx(expected, rel=1e-6)


def value(model):
    return float(model.weight.detach())


def one_weight(start=1.0):
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, start)
    return model


def plain(name, loss, **options):
    """A phase of plain gradient descent at a constant rate of 1."""
    options = {"optimizer": lambda parameters, rate: torch.optim.SGD(parameters, rate), **options}
    return Phase(name, loss, learning_rate=1.0, schedule=lambda context: 1.0, **options)


def test_accumulated_batches_step_by_their_mean_gradient():
    model = one_weight()
    phase = plain("p", lambda model, context: (context.batch + 1.0) * model.weight.sum())
    updates = Updates(model, [phase], settings(accumulate_batches=4, gradient_clip=0))
    assert updates.step(0, progress=0.0) == {"p": 2.5}
    assert value(model) == 1 - 2.5
    updates.step(1, progress=0.0)  # batches 4 to 7
    assert value(model) == 1 - 2.5 - 6.5


def test_a_phase_touches_its_own_parameters_only_when_it_is_active():
    model = nn.ModuleDict({"critic": one_weight(), "maker": one_weight()})
    phases = [
        plain("critic", lambda m, _: m["critic"].weight.sum(), parameters=model["critic"].parameters()),
        plain(
            "maker",
            lambda m, _: 2 * m["maker"].weight.sum() + 100 * m["critic"].weight.sum(),
            parameters=model["maker"].parameters(),
            active=lambda context: context.step % 5 == 4,
        ),
    ]
    updates = Updates(model, phases, settings(gradient_clip=0))
    losses = [updates.step(step, progress=0.0) for step in range(10)]
    assert [sorted(found) for found in losses] == ([["critic"]] * 4 + [["critic", "maker"]]) * 2
    assert value(model["critic"]) == 1 - 10
    assert value(model["maker"]) == 1 - 2 * 2


def test_a_task_with_one_loss_takes_the_steps_of_a_plain_adam_loop(tmp_path: Path):
    class Line:
        samples_per_step = 8

        def loss(self, model, step):
            x = torch.randn(8, 1, generator=generator(step))
            return (model(x) - (2 * x + 1)).square().mean()

        def validate(self, model):
            return {"score": 1.0}

        def improved(self, model, metrics):
            pass

    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    twin = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    twin.load_state_dict(model.state_dict())
    Trainer(model, Line(), settings(), run_dir=tmp_path).run()

    optimizer = torch.optim.Adam(twin.parameters(), lr=8e-3)
    for step in range(40):
        cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / 40))
        optimizer.param_groups[0]["lr"] = 8e-3 * (cosine * min(1.0, (step + 1) / 21))
        optimizer.zero_grad()
        Line().loss(twin, step).backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        optimizer.step()
    assert equal(load_checkpoint(tmp_path / "checkpoint.pt")["model"], twin.state_dict())


def test_parameter_groups_keep_the_ratio_of_their_rates():
    model = nn.ModuleDict({"a": one_weight(), "b": one_weight()})

    def grouped(_parameters, rate):
        groups = [
            {"params": model["a"].parameters(), "lr": rate},
            {"params": model["b"].parameters(), "lr": rate / 4},
        ]
        return torch.optim.SGD(groups)

    phase = plain("p", lambda m, _: m["a"].weight.sum() + m["b"].weight.sum(), optimizer=grouped)
    Updates(model, [phase], settings(gradient_clip=0)).step(0, progress=0.0)
    assert (value(model["a"]), value(model["b"])) == (0.0, 0.75)


def test_an_overflowing_float16_gradient_skips_the_update_and_halves_the_scale():
    model = one_weight(1e-3)
    # The scale begins at 65536: 1e34 times that overflows, times half of it does not.
    phase = plain("p", lambda model, _: 1e34 * model.weight.sum())
    updates = Updates(model, [phase], settings(precision="float16"))
    assert updates.step(0, progress=0.0) is not None
    assert value(model) == pytest.approx(1e-3)
    state = updates.state_dict()
    assert state["scaler"]["scale"] == 32768
    updates.step(1, progress=0.0)
    assert value(model) == pytest.approx(1e-3 - 1, rel=1e-5)  # clipped to a norm of 1
    again = Updates(one_weight(), [phase], settings(precision="float16"))
    again.load_state_dict(state)
    assert again.state_dict()["scaler"]["scale"] == 32768


@pytest.mark.parametrize(("precision", "steps"), [("float32", 0), ("float16", 16)])
def test_a_gradient_that_is_never_finite_is_divergence(precision, steps):
    phase = plain(
        "p", lambda model, _: (0 * model.weight).sqrt().sum()
    )  # 0, with a gradient of 0 times infinity
    updates = Updates(one_weight(), [phase], settings(precision=precision))
    found = [updates.step(step, progress=0.0) for step in range(steps + 1)]
    assert found == [{"p": 0.0}] * steps + [None]


@pytest.mark.parametrize(
    ("names", "message"), [([], "give at least one phase"), (["a", "a"], "each a name of its own")]
)
def test_phases_without_names_of_their_own_are_refused(names, message):
    with pytest.raises(ParameterError, match=message):
        Updates(
            one_weight(), [plain(name, lambda model, _: model.weight.sum()) for name in names], settings()
        )


def test_a_phase_without_parameters_is_refused():
    with pytest.raises(ParameterError, match="'p' has no parameters"):
        Updates(one_weight(), [plain("p", lambda model, _: model.weight.sum(), parameters=[])], settings())


def test_resume_with_another_optimiser_says_which(tmp_path: Path):
    Trainer(TinyDenoiser.network(), TinyDenoiser(), settings(steps=2), run_dir=tmp_path).run()
    changed = settings(optimizer={"type": "sgd"})
    with pytest.raises(ConfigError, match="its optimisers are denoiser: Adam, now they are denoiser: SGD"):
        Trainer(TinyDenoiser.network(), TinyDenoiser(), changed, run_dir=tmp_path).run(resume=True)


@pytest.mark.parametrize(
    ("factor", "every", "named"), [(0, 10, "factor is 0"), (1.5, 10, "factor"), (0.9, 0, "every_steps is 0")]
)
def test_a_decay_out_of_range_is_refused(factor, every, named):
    with pytest.raises(ParameterError, match=named):
        exponential_decay(factor, every_steps=every)
