"""How a run ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["StopReason", "TrainingSummary"]

StopReason = Literal["budget", "interrupted", "target", "diverged"]


@dataclass(frozen=True)
class TrainingSummary:
    """How a run ended.

    Parameters
    ----------
    stopped
        The reason: the budget is spent, a signal came, the target score is reached, or it diverged too often.
    steps
        Steps done, including those before a resume.
    seconds
        Time spent in steps and validations by the clock of the run, including the time before a resume.
    best_score
        The lowest validation score.
    best_metrics
        All metrics of the validation that gave it.
    rollbacks
        How often the run diverged and returned to its best weights.
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
