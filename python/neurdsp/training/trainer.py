"""The training loop: budget, annealed learning rate, the best model kept, resume, a way back from NaN.

The trainer knows steps, scores and clocks. What a batch is, what the loss means and what a best
model is worth, it asks its :class:`Task`.
"""

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from neurdsp.errors import ConfigError
from neurdsp.training.checkpoint import load_checkpoint, save_checkpoint
from neurdsp.training.config import TrainingConfig
from neurdsp.training.ranks import Ranks
from neurdsp.training.report import Reporter
from neurdsp.training.schedule import learning_rate_factor
from neurdsp.training.stopping import StopRequest
from neurdsp.training.threads import ThreadChoice, usable_cores

__all__ = ["Task", "Trainer", "TrainingSummary"]

MAX_ROLLBACKS = 8
DIVERGED_FACTOR = 10.0
"""A validation score this many times the best one is taken as divergence, like NaN."""

StopReason = Literal["budget", "interrupted", "target", "diverged"]


class Task(Protocol):
    """What a family brings to the trainer.

    ``samples_per_step`` and ``unit`` only serve the rate that is shown.
    """

    samples_per_step: int

    def loss(self, model: nn.Module, step: int) -> Tensor:
        """Return the loss of the batch that belongs to a step, a scalar with a gradient.

        Of several processes each asks for other steps.

        The batch must follow from the step alone, so that a resumed run sees what an unbroken one sees.
        """
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure the model on held-out data; ``score`` is what to minimise."""
        ...

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Take the best model so far, to export it."""
        ...


@dataclass(frozen=True)
class TrainingSummary:
    """How a run ended.

    Parameters
    ----------
    stopped
        Why: the budget was spent, a signal came, the target score was reached, or it diverged too often.
    steps
        Steps done, those before a resume included.
    seconds
        Time spent in steps and validations by the clock of the run, likewise.
    best_score
        The lowest validation score.
    best_metrics
        All that was measured with it.
    rollbacks
        How often the run diverged and went back to its best.
    samples_per_second
        Mean rate of training, validations included.
    """

    stopped: StopReason
    steps: int
    seconds: float
    best_score: float
    best_metrics: Mapping[str, float]
    rollbacks: int
    samples_per_second: float


def _finite(score: float) -> float:
    """Return a score by which to compare: one that is no number is the worst."""
    return score if math.isfinite(score) else math.inf


def _copy_state(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


class Trainer:
    """Trains one model.

    Parameters
    ----------
    model
        The module, already on its device and initialised.
    task
        Batches, loss, validation and export.
    config
        Budget and optimiser.
    run_dir
        An existing folder for ``checkpoint.pt``.
    reporter
        Where progress goes; silent by default.
    ranks
        The processes that train this model together; by default this one alone. Only the first one validates,
        exports, and writes.

    Examples
    --------
    >>> Trainer(model, task, TrainingConfig(minutes=None, steps=100), run_dir=folder).run()  # doctest: +SKIP
    """

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        config: TrainingConfig,
        *,
        run_dir: str | os.PathLike[str],
        reporter: Reporter | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.model = model
        self._ranks = ranks or Ranks()
        self.task = task
        self.config = config
        self.checkpoint_path = Path(run_dir) / "checkpoint.pt"
        self._reporter = reporter or Reporter()
        self._optimizer = self._new_optimizer()
        self._average = _copy_state(model) if config.ema_decay > 0 else None
        self._step = 0
        self._seconds = 0.0
        self._rate_scale = 1.0
        self._rollbacks = 0
        self._best_score = math.inf
        self._best_metrics: dict[str, float] = {}
        self._best_state = _copy_state(model)
        self._shown_loss: float | None = None
        self._last_validation = (0, 0.0)  # step, seconds

    def run(self, *, resume: bool = False) -> TrainingSummary:
        """Train until the budget is spent or something else stops the run; the model then holds the best.

        Parameters
        ----------
        resume
            Go on from the checkpoint in the run folder. On a CPU, with the budget in steps, the
            result is bit for bit that of a run that was never stopped.

        Raises
        ------
        ConfigError
            When there is nothing to resume or the checkpoint belongs to another model.
        """
        if resume:
            self._restore(load_checkpoint(self.checkpoint_path))
        first_step, first_seconds = self._step, self._seconds
        with self._threads() as choice, StopRequest() as stop, self._reporter:
            clock = time.process_time if self.config.clock == "cpu" else time.monotonic
            began = clock() - self._seconds
            stopped: StopReason | None = None
            while stopped is None:
                self._seconds, interrupted = self._ranks.decided(lambda: (clock() - began, stop.requested))
                if self._progress() >= 1:
                    stopped = "budget"
                elif interrupted:
                    stopped = "interrupted"
                elif not self._train_step(choice) or (self._validation_due() and not self._validate()):
                    stopped = self._roll_back()
                elif self.config.target_score is not None and self._best_score <= self.config.target_score:
                    stopped = "target"
            # Before the last validation: a resumed run then continues as if it had not happened.
            self._save()
            if self._last_validation[0] != self._step or math.isinf(self._best_score):
                self._validate()
            self.model.load_state_dict(self._best_state)
            if not math.isinf(self._best_score):
                self._export(self._best_metrics)
            self._seconds = clock() - began
            return self._summary(stopped, first_step, first_seconds)

    def _summary(self, stopped: StopReason, first_step: int, first_seconds: float) -> TrainingSummary:
        spent = max(self._seconds - first_seconds, 1e-9)
        summary = TrainingSummary(
            stopped=stopped,
            steps=self._step,
            seconds=self._seconds,
            best_score=self._best_score,
            best_metrics=dict(self._best_metrics),
            rollbacks=self._rollbacks,
            samples_per_second=(self._step - first_step) * self._samples_per_step() / spent,
        )
        values = {"reason": stopped, "step": self._step, "seconds": round(self._seconds, 3)}
        self._reporter.event("stopped", {**values, "best_score": self._best_score})
        return summary

    def _train_step(self, choice: ThreadChoice) -> bool:
        """Do one step; False when the loss or the gradient is not finite, with the weights then untouched."""
        began = time.perf_counter()
        choice.before_step()
        self.model.train()
        factor = learning_rate_factor(
            self._progress(),
            step=self._step,
            warmup_steps=self.config.warmup_steps,
            final=self.config.final_learning_rate,
        )
        for group in self._optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self._rate_scale * factor
        self._optimizer.zero_grad(set_to_none=True)
        loss = self.task.loss(self.model, self._ranks.batch_index(self._step))
        value = float(loss.detach())
        self._step += 1
        finite = math.isfinite(value)
        if finite:
            loss.backward()  # type: ignore[no-untyped-call]
        if not self._ranks.mean_gradients(self.model.parameters(), finite=finite):
            return False
        limit = self.config.gradient_clip or math.inf
        if not math.isfinite(float(nn.utils.clip_grad_norm_(self.model.parameters(), limit))):
            return False
        self._optimizer.step()
        self._update_average()
        # About the last 50 steps, only to be shown.
        self._shown_loss = value if self._shown_loss is None else 0.98 * self._shown_loss + 0.02 * value
        self._show()
        choice.after_step(time.perf_counter() - began)
        return True

    def _update_average(self) -> None:
        if self._average is None:
            return
        # The usual warm-up of the average, so that it forgets the initial weights.
        decay = min(self.config.ema_decay, (1 + self._step) / (10 + self._step))
        for name, tensor in self.model.state_dict().items():
            if tensor.is_floating_point():
                self._average[name].lerp_(tensor.detach().cpu(), 1 - decay)
            else:
                self._average[name].copy_(tensor)

    def _validation_due(self) -> bool:
        step, seconds = self._last_validation
        if self._progress() >= 1:
            return True
        if self.config.steps is not None:
            return self._step - step >= self.config.validate_steps
        return self._seconds - seconds >= self.config.validate_seconds

    def _validate(self) -> bool:
        """Validate, keep and export the model if it is the best; False when it has diverged."""
        self._last_validation = (self._step, self._seconds)
        current = _copy_state(self.model)
        # The average lags behind while the learning rate is high: the better of the two counts.
        states = [current] if self._average is None else [current, self._average]
        measured = self._ranks.decided(lambda: [self._measure(state) for state in states])
        which = min(range(len(states)), key=lambda i: _finite(measured[i]["score"]))
        metrics, score = measured[which], measured[which]["score"]
        if not math.isfinite(score) or score > DIVERGED_FACTOR * self._best_score:
            self.model.load_state_dict(current)
            return False
        self.model.load_state_dict(states[which])
        improved = score < self._best_score
        if improved:
            self._best_score, self._best_metrics = score, dict(metrics)
            self._best_state = _copy_state(self.model)
            self._export(metrics)
        self.model.load_state_dict(current)
        numbers = {"step": self._step, "seconds": round(self._seconds, 3), "train_loss": self._shown_loss}
        others = " ".join(f"{name} {value:.5f}" for name, value in metrics.items() if name != "score")
        mark = ", best so far: exported" if improved else ""
        self._reporter.event(
            "validation", {**numbers, **metrics, "best": improved}, text=f"step {self._step}: {others}{mark}"
        )
        if self._progress() < 1:
            self._save()
        return True

    def _measure(self, state: dict[str, Tensor]) -> dict[str, float]:
        self.model.load_state_dict(state)
        self.model.eval()
        with torch.no_grad():
            return self.task.validate(self.model)

    def _export(self, metrics: Mapping[str, float]) -> None:
        if self._ranks.first:
            self.task.improved(self.model, metrics)

    def _roll_back(self) -> StopReason | None:
        """Return to the best weights with half the learning rate; give up after too many times."""
        self._rollbacks += 1
        if self._rollbacks > MAX_ROLLBACKS:
            self._reporter.event("diverged", {"step": self._step}, text="The run keeps diverging; stopped.")
            return "diverged"
        self.model.load_state_dict(self._best_state)
        self._average = _copy_state(self.model) if self._average is not None else None
        self._optimizer = self._new_optimizer()
        self._rate_scale *= 0.5
        rate = self.config.learning_rate * self._rate_scale
        self._reporter.event(
            "rollback",
            {"step": self._step, "learning_rate": rate},
            text=f"step {self._step}: diverged; back to the best weights with learning rate {rate:g}",
        )
        return None

    def _new_optimizer(self) -> torch.optim.Adam:
        return torch.optim.Adam(self.model.parameters(), lr=self.config.learning_rate)

    def _progress(self) -> float:
        """Return the part of the budget that is spent."""
        if self.config.steps is not None:
            return self._step / self.config.steps
        return self._seconds / (60 * (self.config.minutes or math.inf))

    def _samples_per_step(self) -> int:
        return self._ranks.size * self.task.samples_per_step

    def _show(self) -> None:
        progress = self._progress()
        rate = self._step * self._samples_per_step() / max(self._seconds, 1e-9)
        self._reporter.step(
            progress=progress,
            loss=self._shown_loss or 0.0,
            score=None if math.isinf(self._best_score) else self._best_score,
            rate=f"{rate / 1000:.0f}k samples/s",
            seconds_left=self._seconds * (1 - progress) / max(progress, 1e-9),
        )

    def _save(self) -> None:
        if not self._ranks.first:
            return
        state = {
            "model": _copy_state(self.model),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average,
            "rng": torch.get_rng_state(),
            "step": self._step,
            "seconds": self._seconds,
            "rate_scale": self._rate_scale,
            "rollbacks": self._rollbacks,
            "best_score": self._best_score,
            "best_metrics": self._best_metrics,
            "best_state": self._best_state,
            "shown_loss": self._shown_loss,
            "last_validation": list(self._last_validation),
        }
        save_checkpoint(self.checkpoint_path, state)

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            self.model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
            if (state["average"] is None) != (self._average is None):
                raise ConfigError(
                    f"{self.checkpoint_path}: ema_decay was switched on or off since; set it back"
                )
            self._average = state["average"]
            torch.set_rng_state(state["rng"])
            self._step = int(state["step"])
            self._seconds = float(state["seconds"])
            self._rate_scale = float(state["rate_scale"])
            self._rollbacks = int(state["rollbacks"])
            self._best_score = float(state["best_score"])
            self._best_metrics = dict(state["best_metrics"])
            self._best_state = state["best_state"]
            self._shown_loss = state["shown_loss"]
            self._last_validation = (int(state["last_validation"][0]), float(state["last_validation"][1]))
        except (KeyError, RuntimeError, ValueError, TypeError, IndexError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(
                f"{self.checkpoint_path}: belongs to another model ({str(error).splitlines()[0][:100]}); "
                f"start without --resume"
            ) from None

    @contextmanager
    def _threads(self) -> Iterator[ThreadChoice]:
        """Choose the number of threads for the run, and give back what was."""
        before = torch.get_num_threads()
        fixed = self.config.threads
        shared = self._ranks.size > 1 or next(self.model.parameters()).is_cuda
        if fixed is None and (self.config.steps is not None or shared):
            # Sums over threads round in another order: a run by steps, which promises its bytes, takes one.
            fixed = 1
        choice = ThreadChoice(1 if fixed is not None else usable_cores())
        if fixed is not None:
            torch.set_num_threads(fixed)
        try:
            yield choice
        finally:
            torch.set_num_threads(before)
