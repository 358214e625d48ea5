"""What a model family brings to the trainer: its batches and losses, its validation, its export."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["SINGLE_PHASE", "Loss", "Phase", "PhasedTask", "StepContext", "Task", "phases_of"]

SINGLE_PHASE = "model"
"""Name of the phase of a `Task`, which has only one."""


@dataclass(frozen=True)
class StepContext:
    """Where a run is when it asks for a loss.

    Parameters
    ----------
    step
        Steps done before this one, the same on all ranks.
    batch
        Number of the batch. No two ranks, steps or accumulated batches of a step share one.
    progress
        Part of the budget that is spent, from 0 to 1. Anneal weights of loss terms with it.
    """

    step: int
    batch: int
    progress: float


Loss = Tensor | Mapping[str, Tensor]
"""A scalar, or scalar terms by name: their sum is minimised, and each is logged."""


@dataclass(frozen=True)
class Phase:
    """A part of each training step: one loss, minimised by one optimiser.

    Only the phase's own parameters are updated and clipped; their old gradients are cleared before it begins.

    Parameters
    ----------
    name
        Names the phase in logs and checkpoints.
    loss
        Returns the loss of a batch. The batch must depend on the context alone, so that a resumed run sees
        the same batches.
    parameters
        What the phase trains; None stands for all parameters of the model.
    optimizer
        Returns a new optimiser for parameters and a learning rate: the `build` of an optimiser config, or any
        function. None takes ``training.optimizer``.
    learning_rate
        Highest learning rate; None takes ``training.learning_rate``.
    schedule
        Returns the factor on the learning rate; None takes the warm-up and cosine of the configuration.
    active
        Whether the phase takes part in a step; None stands for always. It must return the same on all ranks.

    Examples
    --------
    >>> Phase("critic", loss, parameters=critic.parameters(), active=lambda at: at.step > 999)
    ... # doctest: +SKIP
    """

    name: str
    loss: Callable[[nn.Module, StepContext], Loss]
    parameters: Iterable[nn.Parameter] | None = None
    optimizer: Callable[[Iterable[nn.Parameter], float], Optimizer] | None = None
    learning_rate: float | None = None
    schedule: Callable[[StepContext], float] | None = None
    active: Callable[[StepContext], bool] | None = None


class Task(Protocol):
    """A task with one loss over all parameters of the model.

    ``samples_per_step`` is the number of samples in a batch; it only serves the rate that is shown.
    """

    samples_per_step: int

    def loss(self, model: nn.Module, step: int) -> Tensor:
        """Return the loss of the batch with this number, a scalar with a gradient.

        The batch must depend on the number alone, so that a resumed run sees the same batches. Of several
        processes each asks for different numbers.
        """
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure the model on held-out data; ``score`` is what to minimise."""
        ...

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Export the model, which is the best so far."""
        ...


@runtime_checkable
class PhasedTask(Protocol):
    """A task whose steps have phases, each with its own loss and optimiser: a GAN, for instance.

    ``samples_per_step`` is the number of samples in a batch; it only serves the rate that is shown.

    State that training changes belongs in the model, as parameters or buffers: checkpoints and roll-backs
    cover the model, not the task.
    """

    samples_per_step: int

    def phases(self, model: nn.Module) -> Sequence[Phase]:
        """Return the phases of a step in their order; called once per run."""
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure the model on held-out data; ``score`` is what to minimise."""
        ...

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Export the model, which is the best so far."""
        ...


def phases_of(task: Task | PhasedTask, model: nn.Module) -> tuple[Phase, ...]:
    """Return the phases of a task: its own, or one that minimises its loss."""
    if isinstance(task, PhasedTask):
        return tuple(task.phases(model))
    return (Phase(SINGLE_PHASE, lambda model, context: task.loss(model, context.batch)),)
