"""Weights of the loss of band-split networks. Reading it needs no torch."""

from typing import Annotated

from pydantic import Field

from neurdsp.config import Config

__all__ = ["SeparationLossConfig"]


class SeparationLossConfig(Config):
    """Weights and floors of the loss.

    Parameters
    ----------
    ratio
        Weight of the logarithm, to base 10, of each stem's error energy over its energy.
    masks
        Weight of the cross-entropy of the masks against ideal amplitude-ratio masks. The ratio alone stalls
        at silence in the first minutes.
    floor
        Energy, as a part of the mixture's, below which an error does not matter.
    silent_floor, silent_weight
        The same for stems that are silent, and the weight of their ratios.
    residual_weight
        Weight of the residual's ratio, beside that of a stem.
    stem_weights
        Weights of the ratios of stems by name; 1 for those that are not named.
    teacher
        Part of a teacher's stems in the targets, beside the true ones; only for ``drumsep distil``.
    """

    ratio: float = Field(1.0, ge=0, le=100)
    masks: float = Field(1.0, ge=0, le=100)
    floor: float = Field(5e-5, gt=0, le=1)
    silent_floor: float = Field(1e-3, gt=0, le=1)
    silent_weight: float = Field(0.3, ge=0, le=1)
    residual_weight: float = Field(0.3, ge=0, le=1)
    stem_weights: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(default_factory=dict)
    teacher: float = Field(0.0, ge=0, le=1)
