"""The training loop that every family shares; it knows nothing of amps, drums or music.

The loop loads on first use, so that :class:`TrainingConfig` can be read without torch.
"""

from typing import TYPE_CHECKING, Any

from neurdsp.dependencies import require
from neurdsp.training.config import TrainingConfig

if TYPE_CHECKING:
    from neurdsp.training.checkpoint import load_checkpoint, save_checkpoint
    from neurdsp.training.ranks import Ranks
    from neurdsp.training.report import Reporter
    from neurdsp.training.trainer import Task, Trainer, TrainingSummary

__all__ = [
    "Ranks",
    "Reporter",
    "Task",
    "Trainer",
    "TrainingConfig",
    "TrainingSummary",
    "load_checkpoint",
    "save_checkpoint",
]

_HOMES = {
    "Ranks": "ranks",
    "Reporter": "report",
    "Task": "trainer",
    "Trainer": "trainer",
    "TrainingSummary": "trainer",
    "load_checkpoint": "checkpoint",
    "save_checkpoint": "checkpoint",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    require("torch", extra="train", purpose="training")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
