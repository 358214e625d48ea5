"""The training loop: budget, validation, the best model kept, resume, and roll-back after divergence.

The trainer knows steps, scores and clocks. The task gives batches, losses, validation and export; `Updates`
takes the steps.
"""

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neurdsp.errors import ConfigError
from neurdsp.training.checkpoint import load_checkpoint, save_checkpoint
from neurdsp.training.config import TrainingConfig
from neurdsp.training.ranks import Ranks
from neurdsp.training.report import Reporter
from neurdsp.training.stopping import StopRequest
from neurdsp.training.summary import StopReason, TrainingSummary
from neurdsp.training.task import PhasedTask, Task, phases_of
from neurdsp.training.threads import ThreadChoice, usable_cores
from neurdsp.training.updates import Updates
from neurdsp.training.weights import WeightAverage, copy_weights

__all__ = ["Trainer"]

MAX_ROLLBACKS = 8
DIVERGED_FACTOR = 10.0
"""A validation score this many times the best one counts as divergence, as NaN does."""


@dataclass
class _Best:
    """The best validation so far, and the weights that gave it; at first the initial ones."""

    weights: dict[str, Tensor]
    score: float = math.inf
    metrics: Mapping[str, float] | None = None


class Trainer:
    """Trains one model.

    Parameters
    ----------
    model
        The module, on its device and initialised. A model of several networks (a GAN) holds them all.
    task
        Batches, losses, validation and export.
    config
        Budget, optimiser and validation.
    run_dir
        An existing folder for ``checkpoint.pt``.
    reporter
        Where progress goes; silent by default.
    ranks
        The processes that train this model together; by default this one alone. Only the first rank
        validates, exports and writes.

    Examples
    --------
    >>> Trainer(model, task, TrainingConfig(minutes=None, steps=100), run_dir=folder).run()  # doctest: +SKIP
    """

    def __init__(
        self,
        model: nn.Module,
        task: Task | PhasedTask,
        config: TrainingConfig,
        *,
        run_dir: str | os.PathLike[str],
        reporter: Reporter | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.model = model
        self.task = task
        self.config = config
        self.checkpoint_path = Path(run_dir) / "checkpoint.pt"
        self._ranks = ranks or Ranks()
        self._reporter = reporter or Reporter()
        self._phases = phases_of(task, model)
        self._updates = Updates(model, self._phases, config, self._ranks)
        self._average = WeightAverage(model, config.ema_decay) if config.ema_decay > 0 else None
        self._best = _Best(copy_weights(model))
        self._step = 0
        self._seconds = 0.0
        self._rollbacks = 0
        self._losses: dict[str, float] = {}  # moving averages, only for display
        self._last_validation = (0, 0.0)  # step, seconds

    @property
    def learning_rates(self) -> dict[str, float]:
        """The learning rate of each phase, as of the last step."""
        return self._updates.learning_rates

    def run(self, *, resume: bool = False) -> TrainingSummary:
        """Train until the budget is spent or something else stops the run, and load the best weights.

        Parameters
        ----------
        resume
            Continue from the checkpoint in the run folder. On a CPU, with the budget in steps, the result is
            bit for bit that of a run that was never stopped.

        Returns
        -------
        TrainingSummary
            Why the run stopped, and its best score.

        Raises
        ------
        ConfigError
            If there is nothing to resume, or the checkpoint belongs to another model.
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
                elif not (self._train_step(choice) and self._validate_if_due()):
                    stopped = self._roll_back()
                elif self.config.target_score is not None and self._best.score <= self.config.target_score:
                    stopped = "target"
            # Without the last validation, so that a resumed run continues as if it had not taken place.
            saved, best = self._save(), self._best
            if self._last_validation[0] != self._step or self._best.metrics is None:
                self._validate()
            if saved is not None and self._best is not best:
                # Beside what a resumed run continues with: the best of all, for an export.
                result = {"result_state": self._best.weights, "result_metrics": self._best.metrics}
                save_checkpoint(self.checkpoint_path, {**saved, **result})
            self.model.load_state_dict(self._best.weights)
            if self._best.metrics is not None:
                self._export(self._best.metrics)
            self._seconds = clock() - began
            return self._summary(stopped, first_step, first_seconds)

    def _summary(self, stopped: StopReason, first_step: int, first_seconds: float) -> TrainingSummary:
        spent = max(self._seconds - first_seconds, 1e-9)
        summary = TrainingSummary(
            stopped=stopped,
            steps=self._step,
            seconds=self._seconds,
            best_score=self._best.score,
            best_metrics=dict(self._best.metrics or {}),
            rollbacks=self._rollbacks,
            samples_per_second=(self._step - first_step) * self._samples_per_step() / spent,
        )
        values = {"reason": stopped, "step": self._step, "seconds": round(self._seconds, 3)}
        self._reporter.event("stopped", {**values, "best_score": self._best.score})
        return summary

    def _train_step(self, choice: ThreadChoice) -> bool:
        """Take one step; False if it diverged."""
        began = time.perf_counter()
        choice.before_step()
        losses = self._updates.step(self._step, progress=self._progress())
        self._step += 1
        if losses is None:
            return False
        if self._average is not None:
            self._average.update(self.model, self._step)
        for name, value in losses.items():
            shown = self._losses.get(name)
            # Over about the last 50 steps.
            self._losses[name] = value if shown is None else 0.98 * shown + 0.02 * value
        self._show()
        choice.after_step(time.perf_counter() - began)
        return True

    def _shown_loss(self) -> float | None:
        """Return the sum of the losses of all phases so far."""
        totals = [self._losses[phase.name] for phase in self._phases if phase.name in self._losses]
        return sum(totals) if totals else None

    def _validate_if_due(self) -> bool:
        """Validate and save if it is time to; False if the model has diverged."""
        step, seconds = self._last_validation
        if self.config.steps is not None:
            due = self._step - step >= self.config.validate_steps
        else:
            due = self._seconds - seconds >= self.config.validate_seconds
        finished = self._progress() >= 1
        if not due and not finished:
            return True
        sound = self._validate()
        if sound and not finished:
            self._save()
        return sound

    def _validate(self) -> bool:
        """Validate, and keep and export the model if it is the best; False if it has diverged."""
        self._last_validation = (self._step, self._seconds)
        current = copy_weights(self.model)
        # The average lags behind while the learning rate is high, so the better of the two counts.
        candidates = [current] if self._average is None else [current, self._average.state]
        measured = self._ranks.decided(lambda: [self._measure(weights) for weights in candidates])
        which = min(range(len(candidates)), key=lambda i: _finite(measured[i]["score"]))
        metrics, score = measured[which], measured[which]["score"]
        if not math.isfinite(score) or score > DIVERGED_FACTOR * self._best.score:
            self.model.load_state_dict(current)
            return False
        improved = score < self._best.score
        if improved:
            self.model.load_state_dict(candidates[which])
            self._best = _Best(copy_weights(self.model), score, dict(metrics))
            self._export(metrics)
        self.model.load_state_dict(current)
        self._report_validation(metrics, improved)
        return True

    def _report_validation(self, metrics: Mapping[str, float], improved: bool) -> None:
        numbers = {
            "step": self._step,
            "seconds": round(self._seconds, 3),
            "train_loss": self._shown_loss(),
        }
        if len(self._losses) > 1:
            numbers |= {f"train_loss.{name}": value for name, value in self._losses.items()}
        others = " ".join(f"{name} {value:.5f}" for name, value in metrics.items() if name != "score")
        mark = ", best so far: exported" if improved else ""
        self._reporter.event(
            "validation",
            {**numbers, **metrics, "best": improved},
            text=f"step {self._step}: {others}{mark}",
        )

    def _measure(self, weights: Mapping[str, Tensor]) -> dict[str, float]:
        self.model.load_state_dict(weights)
        self.model.eval()
        with torch.no_grad():
            return self.task.validate(self.model)

    def _export(self, metrics: Mapping[str, float]) -> None:
        if self._ranks.first:
            self.task.improved(self.model, metrics)

    def _roll_back(self) -> StopReason | None:
        """Return to the best weights with half the learning rates; give up after too many times."""
        self._rollbacks += 1
        if self._rollbacks > MAX_ROLLBACKS:
            self._reporter.event("diverged", {"step": self._step}, text="The run keeps diverging; stopped.")
            return "diverged"
        self.model.load_state_dict(self._best.weights)
        if self._average is not None:
            self._average.restart(self.model)
        self._updates.roll_back()
        rate = self.config.learning_rate * self._updates.rate_scale
        self._reporter.event(
            "rollback",
            {"step": self._step, "learning_rate": rate},
            text=f"step {self._step}: diverged; back to the best weights with learning rate {rate:g}",
        )
        return None

    def _progress(self) -> float:
        """Return the part of the budget that is spent."""
        if self.config.steps is not None:
            return self._step / self.config.steps
        return self._seconds / (60 * (self.config.minutes or math.inf))

    def _samples_per_step(self) -> int:
        return self._ranks.size * self.config.accumulate_batches * self.task.samples_per_step

    def _show(self) -> None:
        progress = self._progress()
        rate = self._step * self._samples_per_step() / max(self._seconds, 1e-9)
        self._reporter.step(
            progress=progress,
            loss=self._shown_loss() or 0.0,
            score=None if self._best.metrics is None else self._best.score,
            rate=f"{rate / 1000:.0f}k samples/s",
            seconds_left=self._seconds * (1 - progress) / max(progress, 1e-9),
        )

    def _save(self) -> dict[str, Any] | None:
        """Write the checkpoint, and return what is in it; None if another rank writes it."""
        if not self._ranks.first:
            return None
        state = {
            "model": copy_weights(self.model),
            "updates": self._updates.state_dict(),
            "average": None if self._average is None else self._average.state,
            "rng": {"cpu": torch.get_rng_state(), "cuda": self._cuda_rng_states()},
            "step": self._step,
            "seconds": self._seconds,
            "rollbacks": self._rollbacks,
            "best_score": self._best.score,
            "best_metrics": self._best.metrics,
            "best_state": self._best.weights,
            "losses": self._losses,
            "last_validation": list(self._last_validation),
        }
        save_checkpoint(self.checkpoint_path, state)
        return state

    def _restore(self, state: dict[str, Any]) -> None:
        if (state.get("average") is None) != (self._average is None):
            raise ConfigError(f"{self.checkpoint_path}: ema_decay was switched on or off since; set it back")
        try:
            self.model.load_state_dict(state["model"])
            self._updates.load_state_dict(state["updates"])
            if self._average is not None:
                self._average.load(state["average"])
            torch.set_rng_state(state["rng"]["cpu"])
            if len(state["rng"]["cuda"]) == len(self._cuda_rng_states()) > 0:
                torch.cuda.set_rng_state_all(state["rng"]["cuda"])
            self._step = int(state["step"])
            self._seconds = float(state["seconds"])
            self._rollbacks = int(state["rollbacks"])
            score = float(state["best_score"])
            metrics = dict(state["best_metrics"]) if math.isfinite(score) else None
            self._best = _Best(state["best_state"], score, metrics)
            self._losses = dict(state["losses"])
            self._last_validation = (int(state["last_validation"][0]), float(state["last_validation"][1]))
        except (KeyError, RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise ConfigError(
                f"{self.checkpoint_path}: belongs to another model ({str(error).splitlines()[0][:100]}); "
                f"start without --resume"
            ) from None

    def _cuda_rng_states(self) -> list[Tensor]:
        """Return the states of the generators of all GPUs; none if the model is on the CPU."""
        return torch.cuda.get_rng_state_all() if self._on_cuda() else []

    def _on_cuda(self) -> bool:
        return next(self.model.parameters()).is_cuda

    @contextmanager
    def _threads(self) -> Iterator[ThreadChoice]:
        """Choose the number of threads for the run, and restore the former number at its end."""
        before = torch.get_num_threads()
        fixed = self.config.threads
        shared = self._ranks.size > 1 or self._on_cuda()
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


def _finite(score: float) -> float:
    """Return a score for comparison: one that is no number is the worst."""
    return score if math.isfinite(score) else math.inf
