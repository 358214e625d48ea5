"""The configuration of a training run: network, mixtures, loss, budget. Reading it needs no torch."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from neurdsp.config import Config
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.loss_config import SeparationLossConfig
from neurdsp.drumsep.data.config import RenderConfig
from neurdsp.training.config import TrainingConfig, read_recipe
from neurdsp.training.optimizers import AdamWConfig

__all__ = ["MixtureConfig", "Recipe", "load_recipe"]

PACKAGE = "neurdsp.drumsep"


class MixtureConfig(Config):
    """What is trained and validated on.

    Parameters
    ----------
    seconds
        Duration of a mixture.
    stereo
        Part of the steps whose mixtures are stereo; ``training.batch_size`` counts channels, so a stereo step
        has half as many mixtures.
    validation_clips, validation_seconds
        Number and duration of the mixtures of held-out kits; each second one is stereo.
    unlabelled
        Part of the steps that hear recordings without true stems, if ``drumsep distil`` is given some.
    render
        Levels and chances.
    """

    seconds: float = Field(2.0, ge=0.1, le=60)
    stereo: float = Field(0.6, ge=0, le=1)
    validation_clips: int = Field(40, ge=1, le=1000)
    validation_seconds: float = Field(5.0, ge=0.5, le=60)
    unlabelled: float = Field(0.0, ge=0, le=1)
    render: RenderConfig = RenderConfig()


class Recipe(Config):
    """A training run.

    Parameters
    ----------
    description
        One line, for lists of presets.
    model, data, loss, training
        The network, the mixtures, the loss, and the budget.
    """

    description: str = ""
    model: BandSplitConfig = BandSplitConfig()
    data: MixtureConfig = MixtureConfig()
    loss: SeparationLossConfig = SeparationLossConfig()
    training: TrainingConfig = TrainingConfig(
        minutes=60.0,
        batch_size=4,
        learning_rate=3e-3,
        warmup_steps=40,
        final_learning_rate=0.02,
        ema_decay=0.997,
        validate_seconds=300.0,
        optimizer=AdamWConfig(betas=(0.9, 0.98), weight_decay=0.01),
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = [name for name in self.loss.stem_weights if name not in self.model.stems]
        if unknown:
            raise ValueError(
                f"loss.stem_weights names '{unknown[0]}', but the stems are {', '.join(self.model.stems)}"
            )
        return self


def load_recipe(
    preset: str = "draft", *, path: str | Path | None = None, overrides: Iterable[str] = ()
) -> Recipe:
    """Read a preset or a file, and apply overrides such as ``training.minutes=5``.

    Raises
    ------
    ConfigError
        If the preset is unknown, or a key or value is wrong.
    """
    return read_recipe(Recipe, PACKAGE, preset, path=path, overrides=overrides)
