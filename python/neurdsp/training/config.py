"""How long and how fast to train. Reading it needs no torch."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from neurdsp.config import Config, apply_overrides, build, load_preset, load_yaml
from neurdsp.training.optimizers import AdamConfig, OptimizerConfig

__all__ = ["Precision", "TrainingConfig", "read_recipe"]

Precision = Literal["float32", "bfloat16", "float16"]
RecipeT = TypeVar("RecipeT", bound=Config)

_LATER_FIELDS = ("accumulate_batches", "optimizer")


class TrainingConfig(Config):
    """Budget, optimiser and bookkeeping of a run.

    Parameters
    ----------
    minutes
        Time to train for; the learning rate is annealed over it. Give either ``minutes`` or ``steps``.
    steps
        Number of steps to train for. On a CPU a run by steps gives the same bytes each time; a run by minutes
        does not, because its learning rate follows the clock.
    clock
        Whether ``minutes`` are wall time or CPU time of the process, which other programs do not change.
    batch_size
        Crops in a batch. Small batches are better on a CPU: they allow more steps in the same time.
    accumulate_batches
        Batches in a step; their gradients are averaged. Raise it if a large batch does not fit into memory.
    optimizer
        ``type`` (``adam``, ``adamw`` or ``sgd``) and its settings. A task with several optimisers may choose
        others.
    learning_rate
        Highest learning rate.
    warmup_steps
        Steps over which the learning rate rises from zero.
    final_learning_rate
        Learning rate at the end of the cosine, as a fraction of ``learning_rate``.
    gradient_clip
        Largest norm of the gradient; 0 turns clipping off.
    ema_decay
        Decay per step of an exponential moving average of the weights. The average is validated beside the
        weights themselves, and the better of the two is exported. 0 turns it off.
    target_score
        Stop when the validation score is this low; null never does.
    validate_seconds, validate_steps
        Longest time between validations: in seconds if the budget is in minutes, else in steps.
    seed
        Seed of the initial weights and of the crops.
    threads
        Threads of torch on a CPU. Null means one if the budget is in steps, because the number of threads
        changes the last bits; otherwise it tries one and all cores, and keeps the faster.
    tensorboard
        Whether to write the figures of each validation for TensorBoard, into the run folder.
    device
        Where to train; ``auto`` takes CUDA if there is one.
    precision
        ``bfloat16`` and ``float16`` run the network in mixed precision on CUDA, with weights and loss in
        float32; ``float16`` scales the loss.
    compile
        Whether to run the network through ``torch.compile`` on CUDA: it takes a minute at the start, and each
        step is faster.
    """

    minutes: float | None = Field(default=5.0, gt=0, le=100_000)
    steps: int | None = Field(default=None, gt=0)
    clock: Literal["wall", "cpu"] = "wall"
    batch_size: int = Field(default=2, ge=1, le=4096)
    accumulate_batches: int = Field(default=1, ge=1, le=4096)
    optimizer: OptimizerConfig = AdamConfig()
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
    precision: Precision = "float32"
    compile: bool = False

    @model_validator(mode="after")
    def _one_budget(self) -> "TrainingConfig":
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give the budget either as minutes or as steps, and set the other one to null")
        return self

    @model_serializer(mode="wrap")
    def _without_later_defaults(
        self, serialize: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        """Omit later fields at their defaults, so that files keep the bytes of earlier versions."""
        tree: dict[str, Any] = serialize(self)
        if info.mode == "json":
            for name in _LATER_FIELDS:
                if getattr(self, name) == type(self).model_fields[name].default:
                    tree.pop(name, None)
        return tree


def read_recipe(
    kind: type[RecipeT], package: str, preset: str, *, path: str | Path | None, overrides: Iterable[str]
) -> RecipeT:
    """Read a preset of a family, or a file in its place, and apply overrides.

    Parameters
    ----------
    kind
        The configuration of a training of the family.
    package
        That of the family; its presets are in it.
    preset
        Name of a preset; without meaning if there is a path.
    path
        A YAML file.
    overrides
        Such as ``training.minutes=5``.

    Raises
    ------
    ConfigError
        If the preset is unknown, or a key or value is wrong.
    """
    if path is not None:
        return build(kind, apply_overrides(load_yaml(path), overrides), source=str(path))
    tree = apply_overrides(load_preset(package, preset), overrides)
    return build(kind, tree, source=f"preset {preset}")
