"""A band-split network read from its model file into torch: to prune it, or to train it further."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neurdsp.config import build
from neurdsp.drumsep.bandsplit.config import ARCHITECTURE, BandSplitConfig
from neurdsp.drumsep.bandsplit.network import BandSplitNet
from neurdsp.drumsep.lookup import find_network
from neurdsp.errors import ConfigError, UnsupportedModelError
from neurdsp.modelfile.files import read
from neurdsp.training.run_folder import file_fingerprint

__all__ = ["Start", "read_band_split", "read_start"]


def read_band_split(model: str | os.PathLike[str]) -> BandSplitNet:
    """Return the network of a model file, or of the name of a shipped one, in torch.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is damaged.
    UnsupportedModelError
        If it holds another kind of network.
    """
    path = find_network(model)
    file = read(path)
    if file.architecture != ARCHITECTURE:
        raise UnsupportedModelError(
            f"'{path}' holds {file.architecture}, but only {ARCHITECTURE} can be trained further or pruned; "
            "give a file of neurdsp drumsep export"
        )
    config = build(BandSplitConfig, file.config, source=str(path))
    network = BandSplitNet(config)
    weights = {name: np.array(file.tensors[name], np.float32) for name in config.parameter_shapes}
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network.eval()


@dataclass(frozen=True)
class Start:
    """Weights that training begins with.

    Parameters
    ----------
    path
        Their file.
    state
        Tensors by name.
    fingerprint
        The SHA-256 of the file.
    """

    path: Path
    state: Mapping[str, Tensor]
    fingerprint: str


def read_start(model: str | os.PathLike[str], config: BandSplitConfig) -> Start:
    """Read the weights of a network of a certain shape.

    Parameters
    ----------
    model
        A model file, or the name of a shipped network.
    config
        The shape of the network that is going to be trained.

    Raises
    ------
    ConfigError
        If the file has another shape.
    ModelFileError, UnsupportedModelError
        As for `read_band_split`.
    """
    path = find_network(model)
    network = read_band_split(path)
    theirs = network.config.model_dump()
    for name, value in config.model_dump().items():
        if theirs[name] != value:
            raise ConfigError(
                f"model.{name} is {value}, but '{path}' has {theirs[name]}; set it to that, or start from "
                "another file"
            )
    return Start(path, network.state_dict(), file_fingerprint(path))
