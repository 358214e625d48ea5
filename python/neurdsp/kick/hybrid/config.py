"""The shape of the generator of the `fast` preset, and the recipe of its training; without torch."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from neurdsp.config import Config, apply_overrides, build, load_preset, load_yaml
from neurdsp.kick.attributes import QUANTITIES, WORDS
from neurdsp.kick.code import PACKED_SIZE
from neurdsp.training.config import TrainingConfig
from neurdsp.training.optimizers import AdamWConfig

__all__ = ["ARCHITECTURE", "SLIDERS", "DataConfig", "FastRecipe", "PartConfig", "ShapeConfig", "load_recipe"]

ARCHITECTURE = "kick.hybrid"
PACKAGE = "neurdsp.kick"
SLIDERS = ("pitch", "length", "centroid", "click", "sweep")
"""The quantities that can be asked for by value, besides the words."""


class PartConfig(Config):
    """A part of the latent, and the part of the packed code that it stands for.

    Parameters
    ----------
    latent
        Numbers of the latent: principal components.
    size
        Numbers of the packed code.
    """

    latent: int = Field(ge=1, le=256)
    size: int = Field(ge=1, le=PACKED_SIZE)


class ShapeConfig(Config):
    """The networks.

    Parameters
    ----------
    decoder
        Parts of the latent: partials and shaper, the layers of noise, and the first 18 ms.
    width, blocks, embedding
        Of the generator: hidden layers, residual blocks, condition.
    probe_width
        Of the network that guesses what a latent measures.
    candidates
        Latents that are made for a kick; the one that the probe finds to fit best is rendered.
    """

    decoder: tuple[PartConfig, ...] = (
        PartConfig(latent=48, size=208),
        PartConfig(latent=28, size=1248),
        PartConfig(latent=20, size=160),
    )
    width: int = Field(192, ge=8, le=2048)
    blocks: int = Field(3, ge=1, le=32)
    embedding: int = Field(96, ge=8, le=1024)
    probe_width: int = Field(192, ge=8, le=1024)
    candidates: int = Field(16, ge=1, le=64)

    @model_validator(mode="after")
    def _covers_the_code(self) -> "ShapeConfig":
        total = sum(part.size for part in self.decoder)
        if total != PACKED_SIZE:
            raise ValueError(
                f"the sizes of decoder add up to {total}, but a packed code has {PACKED_SIZE} numbers"
            )
        return self

    @property
    def latent(self) -> int:
        """Size of the latent."""
        return sum(part.latent for part in self.decoder)

    @property
    def condition(self) -> int:
        """Size of the condition."""
        return len(WORDS) + 2 * len(SLIDERS) + 2


class DataConfig(Config):
    """What is learnt from.

    Parameters
    ----------
    synthesised, recombined
        Kicks of own synthesis, and of recordings that are taken apart and put together otherwise.
    recombined_share, recording_share
        How often a kick of a batch is one of these; the others are synthesised.
    strictness
        By how much clearer than its threshold a word has to hold to be a label.
    seed
        Of all that is drawn.
    """

    synthesised: int = Field(5500, ge=250, le=1_000_000)
    recombined: int = Field(1250, ge=0, le=1_000_000)
    recombined_share: float = Field(0.5, ge=0, le=1)
    recording_share: float = Field(0.08, ge=0, le=1)
    strictness: float = Field(0.6, gt=0, le=1)
    seed: int = Field(0, ge=0, lt=1000)


def _budget(minutes: float, rate: float, batch: int) -> TrainingConfig:
    return TrainingConfig(
        minutes=minutes,
        clock="cpu",
        batch_size=batch,
        learning_rate=rate,
        warmup_steps=100,
        ema_decay=0.998,
        validate_seconds=12.0,
        threads=1,
        optimizer=AdamWConfig(betas=(0.9, 0.99), weight_decay=0.01),
    )


class FastRecipe(Config):
    """A training run: data, networks, and a budget for each stage.

    Parameters
    ----------
    description
        One line, for lists of presets.
    data, shape
        What is learnt from, and the networks.
    drop
        How often the condition is left out, for guidance.
    pairs
        Noise and latent of the teacher that the student learns from.
    teacher_steps
        Steps of Heun's method for each pair.
    guidance
        Range of guidance in the pairs, drawn evenly on a logarithmic scale.
    drift
        Weight of the drift in the second half of the student's training.
    probed
        Kicks of the student that the probe learns from, beside those of the training set.
    teacher, student, probe
        Budget of each stage.
    """

    description: str = ""
    data: DataConfig = DataConfig()
    shape: ShapeConfig = ShapeConfig()
    drop: float = Field(0.15, ge=0, lt=1)
    pairs: int = Field(8000, ge=1000, le=1_000_000)
    teacher_steps: int = Field(8, ge=2, le=100)
    guidance: tuple[float, float] = (1.0, 8.0)
    drift: float = Field(0.5, ge=0, le=10)
    probed: int = Field(12_000, ge=100, le=1_000_000)
    teacher: TrainingConfig = _budget(1.2, 1.5e-3, 128)
    student: TrainingConfig = _budget(1.0, 7e-4, 128)
    probe: TrainingConfig = _budget(0.15, 2e-3, 192)

    @model_validator(mode="after")
    def _guidance_in_order(self) -> "FastRecipe":
        low, high = self.guidance
        if not 0 < low <= high <= 16:
            raise ValueError(f"guidance is {low:g} to {high:g}, but must rise, from above 0 to at most 16")
        return self


def load_recipe(
    preset: str = "fast", *, path: str | Path | None = None, overrides: Iterable[str] = ()
) -> FastRecipe:
    """Read a preset or a file, and apply overrides such as ``teacher.minutes=5``.

    Raises
    ------
    ConfigError
        If the preset is unknown, or a key or value is wrong.

    Examples
    --------
    >>> load_recipe(overrides=["drop=0.2"]).drop
    0.2
    """
    if path is not None:
        return build(FastRecipe, apply_overrides(load_yaml(path), overrides), source=str(path))
    tree: dict[str, Any] = apply_overrides(load_preset(PACKAGE, preset), overrides)
    return build(FastRecipe, tree, source=f"preset {preset}")


QUANTITY_NAMES = tuple(quantity.name for quantity in QUANTITIES)
