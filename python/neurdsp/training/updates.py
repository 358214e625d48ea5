"""One training step: the phases of a task in turn, each with its gradient, its checks and its optimiser."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from neurdsp.errors import ParameterError
from neurdsp.training.config import TrainingConfig
from neurdsp.training.precision import gradient_scaler
from neurdsp.training.ranks import Ranks
from neurdsp.training.schedule import learning_rate_factor
from neurdsp.training.task import Loss, Phase, StepContext

__all__ = ["Updates"]


class Updates:
    """The optimisers of a run, and the step that they take together.

    Parameters
    ----------
    model
        The module, on its device.
    phases
        The phases of a step, at least one, with distinct names.
    config
        Default optimiser and schedule, gradient clipping, accumulation and precision.
    ranks
        The processes that train together; by default this one alone.

    Raises
    ------
    ParameterError
        If there is no phase, two have the same name, or one has nothing to train.

    Examples
    --------
    >>> updates = Updates(model, phases_of(task, model), TrainingConfig())  # doctest: +SKIP
    >>> updates.step(0, progress=0.0)  # doctest: +SKIP
    {'model': 0.731}
    """

    def __init__(
        self, model: nn.Module, phases: Sequence[Phase], config: TrainingConfig, ranks: Ranks | None = None
    ) -> None:
        names = [phase.name for phase in phases]
        if not names or len(set(names)) < len(names):
            raise ParameterError(
                f"the phases are {names}; give at least one phase, and each a name of its own"
            )
        self._model, self._config, self._ranks = model, config, ranks or Ranks()
        self._phases = [_RunningPhase(phase, model, config) for phase in phases]
        self._scaler = self._new_scaler()
        self._rate_scale = 1.0

    @property
    def learning_rates(self) -> dict[str, float]:
        """Learning rate of the first parameter group of each phase, as of the last step."""
        return {entry.name: float(entry.optimizer.param_groups[0]["lr"]) for entry in self._phases}

    @property
    def rate_scale(self) -> float:
        """Factor on all learning rates: one half to the power of the number of roll-backs."""
        return self._rate_scale

    def step(self, step: int, *, progress: float) -> dict[str, float] | None:
        """Take a step.

        Parameters
        ----------
        step
            Steps done before.
        progress
            Part of the budget that is spent, from 0 to 1.

        Returns
        -------
        dict or None
            The loss of each phase that took part, under its name, and of its terms, under ``phase.term``.
            None if a loss or a gradient is not finite on any rank. Phases before the one that failed have
            then changed their weights: load sound weights and call `roll_back` before the next step.
        """
        self._model.train()
        first = step * self._config.accumulate_batches
        contexts = [
            StepContext(step, self._ranks.batch_index(first + i), progress)
            for i in range(self._config.accumulate_batches)
        ]
        losses: dict[str, float] = {}
        for entry in self._phases:
            if not entry.active(contexts[0]):
                continue
            entry.set_learning_rates(self._rate_scale, contexts[0])
            entry.optimizer.zero_grad(set_to_none=True)
            found = self._backward(entry, contexts)
            if not self._ranks.mean_gradients(entry.parameters, finite=found is not None) or found is None:
                return None
            if not self._update(entry):
                return None
            losses |= found
        self._scaler.update()
        return losses

    def _backward(self, entry: "_RunningPhase", contexts: Sequence[StepContext]) -> dict[str, float] | None:
        """Accumulate the mean gradient over the batches; None if a loss is not finite."""
        sums: dict[str, float] = {}
        for context in contexts:
            total, terms = _total(entry.phase.loss(self._model, context))
            names = [entry.name, *(f"{entry.name}.{term}" for term in terms)]
            values = _numbers([total, *terms.values()])
            if not math.isfinite(values[0]):
                return None
            for name, value in zip(names, values, strict=True):
                sums[name] = sums.get(name, 0.0) + value / len(contexts)
            scaled = self._scaler.scale(total / len(contexts))
            scaled.backward()  # type: ignore[no-untyped-call]
        return sums

    def _update(self, entry: "_RunningPhase") -> bool:
        """Clip the gradient and let the optimiser step; False if the gradient is not finite."""
        self._scaler.unscale_(entry.optimizer)
        limit = self._config.gradient_clip or math.inf
        norm = float(nn.utils.clip_grad_norm_(entry.parameters, limit))
        # A float16 gradient may overflow until its scale has come down: the scaler then skips the update.
        if not math.isfinite(norm) and self._scaler.get_scale() <= 1:
            return False
        self._scaler.step(entry.optimizer)
        return True

    def roll_back(self) -> None:
        """Start all optimisers afresh with half the learning rates."""
        self._rate_scale *= 0.5
        for entry in self._phases:
            entry.optimizer = entry.new_optimizer()
        self._scaler = self._new_scaler()

    def _new_scaler(self) -> torch.amp.GradScaler:
        return gradient_scaler(self._config.precision, next(self._model.parameters()).device)

    def state_dict(self) -> dict[str, Any]:
        """Return all that the steps to come depend on, the weights apart."""
        return {
            "optimizers": {
                entry.name: {"type": type(entry.optimizer).__name__, "state": entry.optimizer.state_dict()}
                for entry in self._phases
            },
            "scaler": self._scaler.state_dict(),
            "rate_scale": self._rate_scale,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the state is damaged, or is that of other phases or optimisers.
        """
        saved = state["optimizers"]
        began, now = ({name: one["type"] for name, one in saved.items()}, self._types())
        if began != now:
            raise ValueError(f"its optimisers are {_listed(began)}, now they are {_listed(now)}")
        for entry in self._phases:
            entry.optimizer.load_state_dict(saved[entry.name]["state"])
        if state["scaler"] and self._scaler.is_enabled():
            self._scaler.load_state_dict(state["scaler"])
        self._rate_scale = float(state["rate_scale"])

    def _types(self) -> dict[str, str]:
        return {entry.name: type(entry.optimizer).__name__ for entry in self._phases}


class _RunningPhase:
    """A phase with its parameters, its optimiser, and the highest learning rate of each parameter group."""

    def __init__(self, phase: Phase, model: nn.Module, config: TrainingConfig) -> None:
        self.phase, self.name, self._config = phase, phase.name, config
        self.parameters = list(model.parameters() if phase.parameters is None else phase.parameters)
        if not self.parameters:
            raise ParameterError(f"the phase '{phase.name}' has no parameters to train")
        self.optimizer = self.new_optimizer()
        self._highest_rates = [group["lr"] for group in self.optimizer.param_groups]
        self._schedule = phase.schedule or self._warm_cosine

    def new_optimizer(self) -> Optimizer:
        build: Callable[[Iterable[nn.Parameter], float], Optimizer] = (
            self.phase.optimizer or self._config.optimizer.build
        )
        rate = self.phase.learning_rate
        return build(self.parameters, self._config.learning_rate if rate is None else rate)

    def active(self, context: StepContext) -> bool:
        return self.phase.active is None or self.phase.active(context)

    def set_learning_rates(self, scale: float, context: StepContext) -> None:
        factor = self._schedule(context)
        for group, highest in zip(self.optimizer.param_groups, self._highest_rates, strict=True):
            group["lr"] = highest * scale * factor

    def _warm_cosine(self, context: StepContext) -> float:
        return learning_rate_factor(
            context.progress,
            step=context.step,
            warmup_steps=self._config.warmup_steps,
            final=self._config.final_learning_rate,
        )


def _total(loss: Loss) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the sum of the terms of a loss, and the terms by name, none for a plain loss."""
    if isinstance(loss, Tensor):
        return loss, {}
    terms = dict(loss)
    return torch.stack(list(terms.values())).sum(), terms


def _numbers(scalars: Sequence[Tensor]) -> list[float]:
    """Return the values of scalars with one transfer from the device."""
    if len(scalars) == 1:
        return [float(scalars[0].detach())]
    values: list[float] = torch.stack([scalar.detach().float() for scalar in scalars]).tolist()
    return values


def _listed(types: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {kind}" for name, kind in types.items())
