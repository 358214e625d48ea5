"""Training losses for audio, as torch modules over ``(batch, time)`` signals.

The modules are imported on first use, so that `LossConfig` can be read without torch.
"""

from typing import TYPE_CHECKING

from neurdsp.dependencies import lazy_names
from neurdsp.losses.config import LOSS_RECIPES, LossConfig

if TYPE_CHECKING:
    from neurdsp.losses.energy import DCLoss, ESRLoss, PreEmphasisLoss
    from neurdsp.losses.features import MelLoss, MultiResolutionSTFTLoss
    from neurdsp.losses.perceptual import AWeightedLoss
    from neurdsp.losses.spectral import SpectralLoss
    from neurdsp.losses.weighted import WeightedLoss, build_loss

__all__ = [
    "LOSS_RECIPES",
    "AWeightedLoss",
    "DCLoss",
    "ESRLoss",
    "LossConfig",
    "MelLoss",
    "MultiResolutionSTFTLoss",
    "PreEmphasisLoss",
    "SpectralLoss",
    "WeightedLoss",
    "build_loss",
]

_HOMES = {
    "AWeightedLoss": "perceptual",
    "DCLoss": "energy",
    "ESRLoss": "energy",
    "MelLoss": "features",
    "MultiResolutionSTFTLoss": "features",
    "PreEmphasisLoss": "energy",
    "SpectralLoss": "spectral",
    "WeightedLoss": "weighted",
    "build_loss": "weighted",
}

__getattr__ = lazy_names(__name__, _HOMES, needs="torch", extra="train", purpose="training")
