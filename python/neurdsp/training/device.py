"""Where a run is trained."""

import torch

from neurdsp.errors import ConfigError
from neurdsp.training.config import TrainingConfig

__all__ = ["device_of"]


def device_of(training: TrainingConfig) -> torch.device:
    """Return the device that a configuration asks for; ``auto`` is a GPU where torch finds one.

    Raises
    ------
    ConfigError
        If there is no GPU, but it must be one.
    """
    cuda = torch.cuda.is_available()
    name = ("cuda" if cuda else "cpu") if training.device == "auto" else training.device
    if name == "cuda" and not cuda:
        raise ConfigError("training.device is cuda, but torch finds no GPU; set it to cpu or auto")
    return torch.device(name)
