"""Which loss to train with: a recipe by name, whose weights can be changed. Reading it needs no torch."""

from typing import Literal

from pydantic import Field

from neurdsp.config import Config

__all__ = ["LOSS_RECIPES", "LossConfig", "LossName"]

LossName = Literal["default", "hybrid", "esr", "esr_dc", "spectral", "pre_emphasis", "a_weighted"]

LOSS_RECIPES: dict[str, dict[str, float]] = {
    # From short runs on circuit models. Even the plain ESR is better than after training on ESR alone.
    "default": {"esr": 1.0, "dc": 0.1, "pre_emphasis": 0.3, "spectral": 0.1, "a_weighted": 0.0},
    "hybrid": {"esr": 1.0, "dc": 0.0, "pre_emphasis": 0.1, "spectral": 0.5, "a_weighted": 0.0},
    "esr": {"esr": 1.0, "dc": 0.0, "pre_emphasis": 0.0, "spectral": 0.0, "a_weighted": 0.0},
    # Wright, Damskagg and Valimaki, "Real-time black-box modelling with recurrent neural networks", 2019.
    "esr_dc": {"esr": 1.0, "dc": 1.0, "pre_emphasis": 0.0, "spectral": 0.0, "a_weighted": 0.0},
    "spectral": {"esr": 0.0, "dc": 0.0, "pre_emphasis": 0.0, "spectral": 1.0, "a_weighted": 0.0},
    "pre_emphasis": {"esr": 0.0, "dc": 0.0, "pre_emphasis": 1.0, "spectral": 0.0, "a_weighted": 0.0},
    "a_weighted": {"esr": 0.0, "dc": 0.0, "pre_emphasis": 0.0, "spectral": 0.0, "a_weighted": 1.0},
}
"""Weights of the five terms in each recipe."""


class LossConfig(Config):
    """A weighted sum of loss terms.

    Parameters
    ----------
    type
        The recipe that gives the weights: ``default``, ``hybrid`` (1.0 ESR + 0.5 spectral + 0.1
        pre-emphasised), ``esr_dc``, or a single term.
    esr_weight, dc_weight, preemph_weight, spectral_weight, a_weight
        Weights that replace those of the recipe.
    preemph_coefficient
        Coefficient ``a`` of the pre-emphasis filter ``y[n] = x[n] - a x[n-1]``.
    spectral_n_fft
        FFT sizes of the spectral term, in samples.
    """

    type: LossName = "default"
    esr_weight: float | None = Field(default=None, ge=0)
    dc_weight: float | None = Field(default=None, ge=0)
    preemph_weight: float | None = Field(default=None, ge=0)
    spectral_weight: float | None = Field(default=None, ge=0)
    a_weight: float | None = Field(default=None, ge=0)
    preemph_coefficient: float = Field(default=0.97, ge=0, lt=1)
    spectral_n_fft: tuple[int, ...] = Field(default=(512, 1024, 2048), min_length=1, max_length=8)

    def weights(self) -> dict[str, float]:
        """Return the weight of each term: that of the recipe unless it is replaced."""
        chosen = {
            "esr": self.esr_weight,
            "dc": self.dc_weight,
            "pre_emphasis": self.preemph_weight,
            "spectral": self.spectral_weight,
            "a_weighted": self.a_weight,
        }
        recipe = LOSS_RECIPES[self.type]
        return {term: recipe[term] if weight is None else weight for term, weight in chosen.items()}
