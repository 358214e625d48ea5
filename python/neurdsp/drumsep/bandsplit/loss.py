"""What a band-split network is trained to minimise."""

import torch
from torch import Tensor

from neurdsp.drumsep.bandsplit.loss_config import SeparationLossConfig
from neurdsp.drumsep.bandsplit.network import BandSplitNet

__all__ = ["separation_loss"]

_EPS = 1e-9
EVERY = 2
"""The cross-entropy looks at each frame of so many."""


def separation_loss(
    network: BandSplitNet, stems: Tensor, mixture: Tensor, config: SeparationLossConfig
) -> dict[str, Tensor]:
    """Return the terms of the loss of a batch.

    Parameters
    ----------
    network
        The network.
    stems
        ``(batch, n_outputs, channels, n_samples)``, the residual last.
    mixture
        ``(batch, channels, n_samples)``.
    config
        Weights and floors.

    Returns
    -------
    dict
        ``ratio`` and ``masks``, scalars, times their weights.
    """
    spectrum = network.stft(mixture)
    parts, logits = network.separate(spectrum)
    found = network.stft.inverse(parts.permute(1, 3, 2, 0, 4), mixture.shape[-1])
    terms = {"ratio": config.ratio * _ratio(found, stems, mixture, config, _weights(network, config))}
    if config.masks > 0:
        terms["masks"] = config.masks * _cross_entropy(network, logits, stems, spectrum)
    return terms


def _weights(network: BandSplitNet, config: SeparationLossConfig) -> list[float]:
    """Return the weights of the ratios of stems and residual, in the order of the outputs."""
    return [*(config.stem_weights.get(name, 1.0) for name in network.config.stems), config.residual_weight]


def _ratio(
    found: Tensor, stems: Tensor, mixture: Tensor, config: SeparationLossConfig, weights: list[float]
) -> Tensor:
    error = (found - stems).square().mean((-2, -1))
    energy = stems.square().mean((-2, -1))
    whole = mixture.square().mean((-2, -1))[:, None] + _EPS
    sounds = (energy > 3e-6 * whole).to(energy.dtype)
    floor = whole * (config.floor * sounds + config.silent_floor * (1 - sounds))
    weight = sounds + config.silent_weight * (1 - sounds)
    weight = weight * weight.new_tensor(weights)
    ratio = torch.log10((error + floor) / (energy + floor))
    mean: Tensor = (ratio * weight).sum() / weight.sum()
    return mean


def _cross_entropy(network: BandSplitNet, logits: Tensor, stems: Tensor, spectrum: Tensor) -> Tensor:
    """Compare logits ``(n_frames, batch, channels, n_outputs, n_bins)`` with the ideal masks."""
    with torch.no_grad():
        # (batch, n_outputs, channels, n_frames, n_bins) -> as the logits
        ideal = network.stft(stems, every=EVERY).abs().permute(3, 0, 2, 1, 4) ** 1.5
        ideal = ideal / (ideal.sum(3, keepdim=True) + _EPS)
        weight = spectrum[:, :, ::EVERY].abs().permute(2, 0, 1, 3) ** 0.6
        weight = weight / (weight.mean() + _EPS)
    entropy = -(torch.log_softmax(logits[::EVERY], 3) * ideal).sum(3)
    mean: Tensor = (entropy * weight).mean()
    return mean
