"""How long and how fast to train. Needs no torch."""

from typing import Literal

from pydantic import Field, model_validator

from neurdsp.config import Config

__all__ = ["TrainingConfig"]


class TrainingConfig(Config):
    """Budget, optimiser and bookkeeping of a run.

    Parameters
    ----------
    minutes
        Wall time to train for; the learning rate is annealed to it. Exactly one of ``minutes`` and ``steps``.
    steps
        Number of steps to train for. On a CPU a run by steps gives the same bytes each time; a run by minutes
        does not, because its learning rate follows the clock.
    clock
        What ``minutes`` are: of wall time, or of the CPU time of the process, which does not depend on what
        else the machine has to do.
    batch_size
        Crops in a step. Small is better on a CPU: more steps in the same time.
    learning_rate
        Highest learning rate, of Adam.
    warmup_steps
        Steps over which the learning rate rises from zero.
    final_learning_rate
        Where the cosine ends, as a fraction of ``learning_rate``.
    gradient_clip
        Largest norm of the gradient; 0 does not clip.
    ema_decay
        Decay per step of an exponential moving average of the weights, which is then validated beside the
        weights themselves; the better of the two is exported. 0 is off.
    target_score
        Stop as soon as the validation score is this low; null never does.
    validate_seconds, validate_steps
        Validate at least this often: by the clock where the budget is minutes, by steps where it is steps.
    seed
        Of the initial weights and of the crops.
    threads
        Threads of torch on a CPU. Null tries one and all cores and stays with the faster where the budget is
        minutes, and takes one where it is steps, because the number of threads changes the last bits.
    tensorboard
        Whether to write the numbers of each validation for TensorBoard, into the run folder.
    device
        Where to train: ``auto`` takes CUDA where there is one.
    precision
        ``bfloat16`` runs the network in mixed precision on CUDA, with weights and loss in float32.
    compile
        Whether to run the network through ``torch.compile`` on CUDA: a minute at the start, less time a step.
    """

    minutes: float | None = Field(default=5.0, gt=0, le=100_000)
    steps: int | None = Field(default=None, gt=0)
    clock: Literal["wall", "cpu"] = "wall"
    batch_size: int = Field(default=2, ge=1, le=4096)
    learning_rate: float = Field(default=8e-3, gt=0, le=1)
    warmup_steps: int = Field(default=20, ge=0)
    final_learning_rate: float = Field(default=0.01, ge=0, le=1)
    gradient_clip: float = Field(default=1.0, ge=0)
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    target_score: float | None = Field(default=None, gt=0)
    validate_seconds: float = Field(default=15.0, gt=0)
    validate_steps: int = Field(default=100, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**31)
    threads: int | None = Field(default=None, ge=1, le=256)
    tensorboard: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False

    @model_validator(mode="after")
    def _one_budget(self) -> "TrainingConfig":
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give the budget either as minutes or as steps, and set the other one to null")
        return self
