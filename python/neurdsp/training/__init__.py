"""The training loop that all model families share; it knows nothing of amps, drums or music.

The loop is imported on first use, so that `TrainingConfig` can be read without torch.
"""

from typing import TYPE_CHECKING

from neurdsp.dependencies import lazy_names
from neurdsp.training.config import TrainingConfig
from neurdsp.training.optimizers import AdamConfig, AdamWConfig, OptimizerConfig, SgdConfig

if TYPE_CHECKING:
    from neurdsp.training.checkpoint import load_checkpoint, save_checkpoint
    from neurdsp.training.precision import autocast
    from neurdsp.training.ranks import Ranks
    from neurdsp.training.report import Reporter
    from neurdsp.training.schedule import exponential_decay
    from neurdsp.training.summary import TrainingSummary
    from neurdsp.training.task import Phase, PhasedTask, StepContext, Task
    from neurdsp.training.trainer import Trainer

__all__ = [
    "AdamConfig",
    "AdamWConfig",
    "OptimizerConfig",
    "Phase",
    "PhasedTask",
    "Ranks",
    "Reporter",
    "SgdConfig",
    "StepContext",
    "Task",
    "Trainer",
    "TrainingConfig",
    "TrainingSummary",
    "autocast",
    "exponential_decay",
    "load_checkpoint",
    "save_checkpoint",
]

_HOMES = {
    "Phase": "task",
    "PhasedTask": "task",
    "Ranks": "ranks",
    "Reporter": "report",
    "StepContext": "task",
    "Task": "task",
    "Trainer": "trainer",
    "TrainingSummary": "summary",
    "autocast": "precision",
    "exponential_decay": "schedule",
    "load_checkpoint": "checkpoint",
    "save_checkpoint": "checkpoint",
}

__getattr__ = lazy_names(__name__, _HOMES, needs="torch", extra="train", purpose="training")
