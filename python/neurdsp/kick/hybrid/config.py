"""The shape of the generator of the `fast` preset, and the recipe of its training; without torch.

What presets differ in has no default here: sizes and budgets are said by ``presets/*.yaml`` alone.
"""

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, model_validator

from neurdsp.config import Config
from neurdsp.kick.attributes import QUANTITIES, WORDS
from neurdsp.kick.code import PACKED_SIZE
from neurdsp.training.config import TrainingConfig, read_recipe

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
    settle_s
        The time in seconds from which on no level rises again; null for levels as the network gives them.
    """

    decoder: tuple[PartConfig, ...] = (
        PartConfig(latent=48, size=208),
        PartConfig(latent=28, size=1248),
        PartConfig(latent=20, size=160),
    )
    width: int = Field(ge=8, le=2048)
    blocks: int = Field(ge=1, le=32)
    embedding: int = Field(ge=8, le=1024)
    probe_width: int = Field(ge=8, le=1024)
    candidates: int = Field(16, ge=1, le=64)
    settle_s: float | None = Field(0.0625, ge=0, le=2)

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

    synthesised: int = Field(ge=250, le=1_000_000)
    recombined: int = Field(ge=0, le=1_000_000)
    recombined_share: float = Field(0.5, ge=0, le=1)
    recording_share: float = Field(0.08, ge=0, le=1)
    strictness: float = Field(0.6, gt=0, le=1)
    seed: int = Field(0, ge=0, lt=1000)


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
    data: DataConfig
    shape: ShapeConfig
    drop: float = Field(0.15, ge=0, lt=1)
    pairs: int = Field(ge=1000, le=1_000_000)
    teacher_steps: int = Field(8, ge=2, le=100)
    guidance: tuple[float, float] = (1.0, 8.0)
    drift: float = Field(ge=0, le=10)
    probed: int = Field(ge=100, le=1_000_000)
    teacher: TrainingConfig
    student: TrainingConfig
    probe: TrainingConfig

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
    return read_recipe(FastRecipe, PACKAGE, preset, path=path, overrides=overrides)


QUANTITY_NAMES = tuple(quantity.name for quantity in QUANTITIES)
