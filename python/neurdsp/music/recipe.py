"""The configuration of a training run: network, settings of its task, budget. Reading it needs no torch."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from neurdsp.config import Config, build
from neurdsp.music.config import CONFIGS, Name, NetworkConfig
from neurdsp.training.config import TrainingConfig, read_recipe

__all__ = ["Recipe", "load_recipe"]

PACKAGE = "neurdsp.music"


class Recipe(Config):
    """A training run.

    Parameters
    ----------
    description
        One line, for lists of presets.
    network
        The name of the network.
    model
        Widths of its layers, where they are not the usual ones.
    data
        Settings of the task, which checks them.
    training
        The budget.
    teacher
        Part of the loss, 0 to 1, that asks for the answers of a teacher instead of the true ones.
    quantise
        Whether the network computes in int8 while it trains, so that it learns to bear the rounding.
    """

    description: str = ""
    network: Name
    model: dict[str, int | float] = Field(default_factory=dict)
    data: dict[str, int | float | bool | str] = Field(default_factory=dict)
    training: TrainingConfig
    teacher: float = Field(0.0, ge=0, le=1)
    quantise: bool = False

    @model_validator(mode="after")
    def _known_widths(self) -> "Recipe":
        build(CONFIGS[self.network], self.model, source="model")
        return self

    @property
    def shape(self) -> NetworkConfig:
        """The shape of the network."""
        return build(CONFIGS[self.network], self.model, source="model")

    def with_shape(self, shape: NetworkConfig) -> "Recipe":
        """Return the recipe for another shape."""
        widths: dict[str, Any] = shape.model_dump(mode="json", exclude_defaults=True)
        return self.model_copy(update={"model": widths})


def load_recipe(preset: str, *, path: str | Path | None = None, overrides: Iterable[str] = ()) -> Recipe:
    """Read a preset, which has the name of a network, or a file; and apply overrides.

    Parameters
    ----------
    preset
        Name of a preset.
    path
        A YAML file to read instead.
    overrides
        Such as ``training.steps=100``.

    Raises
    ------
    ConfigError
        If the preset is unknown, or a key or value is wrong.

    Examples
    --------
    >>> load_recipe("groove").shape.n_parameters
    19040
    """
    return read_recipe(Recipe, PACKAGE, preset, path=path, overrides=overrides)
