"""An MDX23C network as a model file holds it: its shape and its weights. Needs no torch."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurdsp.config import build
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.drumsep.export import ARCHITECTURE
from neurdsp.errors import UnsupportedModelError
from neurdsp.modelfile.files import read

__all__ = ["StoredNetwork", "read_network"]


@dataclass(frozen=True)
class StoredNetwork:
    """A network without an engine to run it.

    Attributes
    ----------
    config
        Its shape.
    metadata
        That of the model file, text by key.
    weights
        float32, by the names of ``config.parameter_shapes``. Weights that a file stores in half precision
        are widened, which is exact.
    proof
        The test vectors of the file: a recording ``(audio_channels, n_samples)``, and its
        stems ``(n_stems, audio_channels, n_samples)`` as the reference computed them.
    parity_db
        The error that the file allows beside its test vectors.
    """

    config: TfcTdfConfig
    metadata: dict[str, str]
    weights: dict[str, NDArray[np.float32]]
    proof: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    parity_db: float = 0.0


def read_network(path: str | os.PathLike[str]) -> StoredNetwork:
    """Read a network.

    Parameters
    ----------
    path
        A model file, as `neurdsp.drumsep.convert_checkpoint` writes it.

    Returns
    -------
    StoredNetwork
        Its shape and weights.

    Raises
    ------
    ModelFileError
        If the file cannot be read or is damaged.
    UnsupportedModelError
        If it holds another kind of model.

    Examples
    --------
    >>> read_network("drumsep.safetensors").config.stems  # doctest: +SKIP
    ('kick', 'snare', 'toms', 'hihat', 'cymbals')
    """
    file = read(Path(path))
    if file.architecture != ARCHITECTURE:
        raise UnsupportedModelError(
            f"'{path}' holds {file.architecture}, but {ARCHITECTURE} is needed; convert the checkpoint of an "
            "MDX23C network"
        )
    config = build(TfcTdfConfig, file.config, source=str(path))
    tensors = {name: np.asarray(tensor, np.float32) for name, tensor in file.tensors.items()}
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith("parity.")}
    stems = [tensors[f"parity.output.{stem}"] for stem in config.stems]
    proof = tensors["parity.input"], np.stack(stems)
    return StoredNetwork(config, file.metadata, weights, proof, file.parity_db)
