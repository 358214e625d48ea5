"""The learning rate as a function of how much of the budget is spent."""

import math

__all__ = ["learning_rate_factor"]


def learning_rate_factor(progress: float, *, step: int, warmup_steps: int, final: float) -> float:
    """Linear warm-up by steps, then a cosine over the whole budget.

    Parameters
    ----------
    progress
        Part of the budget that is spent, 0 to 1; clipped to that.
    step
        Steps done so far.
    warmup_steps
        Steps of the warm-up.
    final
        The factor at the end of the budget.

    Returns
    -------
    float
        What to multiply the highest learning rate by.

    Examples
    --------
    >>> learning_rate_factor(1.0, step=1000, warmup_steps=10, final=0.01)
    0.01
    """
    progress = min(max(progress, 0.0), 1.0)
    cosine = final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))
    warmup = min(1.0, (step + 1) / (warmup_steps + 1))
    return cosine * warmup
