"""Factors on the learning rate over the course of a run."""

import math
from collections.abc import Callable

from neurdsp.errors import ParameterError
from neurdsp.training.task import StepContext

__all__ = ["exponential_decay", "learning_rate_factor"]


def learning_rate_factor(progress: float, *, step: int, warmup_steps: int, final: float) -> float:
    """Return the factor of a linear warm-up by steps, followed by a cosine over the whole budget.

    Parameters
    ----------
    progress
        Part of the budget that is spent; clipped to 0 to 1.
    step
        Steps done so far.
    warmup_steps
        Steps of the warm-up.
    final
        The factor at the end of the budget.

    Returns
    -------
    float
        Factor on the highest learning rate.

    Examples
    --------
    >>> learning_rate_factor(1.0, step=1000, warmup_steps=10, final=0.01)
    0.01
    """
    progress = min(max(progress, 0.0), 1.0)
    cosine = final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))
    warmup = min(1.0, (step + 1) / (warmup_steps + 1))
    return cosine * warmup


def exponential_decay(factor: float, *, every_steps: int) -> Callable[[StepContext], float]:
    """Return a schedule that multiplies the learning rate by a factor after each epoch, for a `Phase`.

    Parameters
    ----------
    factor
        Above 0, at most 1.
    every_steps
        Steps in an epoch.

    Raises
    ------
    ParameterError
        If either is out of range.

    Examples
    --------
    >>> schedule = exponential_decay(0.5, every_steps=100)
    >>> [schedule(StepContext(step, batch=0, progress=0.0)) for step in (0, 99, 100, 250)]
    [1.0, 1.0, 0.5, 0.25]
    """
    if not 0 < factor <= 1:
        raise ParameterError(f"factor is {factor}, but it must be above 0 and at most 1")
    if every_steps < 1:
        raise ParameterError(f"every_steps is {every_steps}, but it must be at least 1")
    return lambda context: float(factor) ** (context.step // every_steps)
