"""The weighted sum of loss terms that a `neurdsp.losses.LossConfig` describes."""

import torch
from torch import Tensor, nn

from neurdsp.errors import ParameterError
from neurdsp.losses.config import LossConfig
from neurdsp.losses.energy import DCLoss, ESRLoss, PreEmphasisLoss, mean_power, pre_emphasise
from neurdsp.losses.perceptual import AWeightedLoss
from neurdsp.losses.spectral import SpectralLoss
from neurdsp.nn.spectrogram import tensor

__all__ = ["WeightedLoss", "build_loss"]


class WeightedLoss(nn.Module):
    """Weighted sum of loss terms; terms with weight zero are not computed.

    Parameters
    ----------
    terms
        Modules of ``(prediction, target)`` by name.
    weights
        Weights by name.
    """

    def __init__(self, terms: dict[str, nn.Module], weights: dict[str, float]) -> None:
        super().__init__()
        self.weights = {name: weights[name] for name in terms if weights[name] > 0}
        self.terms = nn.ModuleDict({name: terms[name] for name in self.weights})

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the weighted sum, a scalar, for signals of shape ``(batch, time)``."""
        prediction, target = tensor(prediction, "prediction"), tensor(target, "target")
        total = torch.zeros((), dtype=target.dtype, device=target.device)
        for name, term in self.terms.items():
            total = total + self.weights[name] * term(prediction, target)
        return total


def build_loss(
    config: LossConfig, *, reference: Tensor | None = None, sample_rate: float | None = None
) -> WeightedLoss:
    """Build the loss that a configuration describes.

    Parameters
    ----------
    config
        The recipe and its weights.
    reference
        The whole training target, shape ``(time,)``. Its level then scales all terms, which gives quiet
        batches little weight. By default the level of each batch does.
    sample_rate
        Sample rate in Hz; only the A-weighted term needs it.

    Returns
    -------
    WeightedLoss
        A module of signals of shape ``(batch, time)``.

    Raises
    ------
    ParameterError
        If all weights are zero, or the A-weighted term has no sample rate.

    Examples
    --------
    >>> loss = build_loss(LossConfig(type="hybrid"))
    >>> signal = torch.randn(2, 4096)
    >>> float(loss(signal, signal))
    0.0
    """
    weights = config.weights()
    if not any(weights.values()):
        raise ParameterError("all weights of the loss are 0; give at least one term a positive weight")
    power = None if reference is None else mean_power(reference)
    emphasised = (
        None if reference is None else mean_power(pre_emphasise(reference, config.preemph_coefficient))
    )
    terms: dict[str, nn.Module] = {
        "esr": ESRLoss(reference_power=power),
        "dc": DCLoss(reference_power=power),
        "pre_emphasis": PreEmphasisLoss(coefficient=config.preemph_coefficient, reference_power=emphasised),
        "spectral": SpectralLoss(n_fft=config.spectral_n_fft, reference_power=power),
    }
    if weights["a_weighted"] > 0:
        if sample_rate is None:
            raise ParameterError("the A-weighted loss depends on frequencies in Hz; give sample_rate")
        terms["a_weighted"] = AWeightedLoss(sample_rate=sample_rate, reference=reference)
    return WeightedLoss(terms, weights)
