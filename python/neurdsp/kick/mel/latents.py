"""The latents of prepared kicks, in the folder of a run. Needs no torch."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurdsp._output import atomic_output
from neurdsp.errors import ConfigError
from neurdsp.kick.data.shards import Prepared

__all__ = [
    "LATENTS",
    "StoredLatents",
    "latent_statistics",
    "load_latents",
    "save_latents",
    "stored_thresholds",
]

LATENTS = "latents.safetensors"
"""The file, in the folder of all stages."""


@dataclass(frozen=True)
class StoredLatents:
    """Latents of all kicks of a prepared folder, in its order.

    Attributes
    ----------
    values
        ``(n, channels, bands, frames)``, as the VAE gives them.
    mean, std
        Of each channel over the training split, ``(channels,)``.
    digest
        Hash of the values.
    vae
        Hash of the weights that encoded them.
    """

    values: NDArray[np.float32]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    digest: str
    vae: str

    @property
    def unit(self) -> NDArray[np.float32]:
        """The latents with zero mean and unit variance."""
        scaled = (self.values - self.mean[:, None, None]) / self.std[:, None, None]
        return scaled.astype(np.float32)

    def rows(self, split: str, data: Prepared) -> Sequence[int]:
        """Return the rows of a split."""
        return [row for row, item in enumerate(data.items) if item.split == split]


def save_latents(folder: Path, values: NDArray[np.float32], data: Prepared, *, vae: str) -> StoredLatents:
    """Write latents, with mean and standard deviation of the training split.

    Parameters
    ----------
    folder
        Of all stages.
    values
        ``(n, channels, bands, frames)``.
    data
        The kicks.
    vae
        Hash of the weights that encoded them.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    from safetensors.numpy import save

    own = values[[row for row, item in enumerate(data.items) if item.split == "train"]].astype(np.float64)
    mean = own.mean(axis=(0, 2, 3)).astype(np.float32)
    # A channel that says nothing stays as it is.
    std = np.maximum(own.std(axis=(0, 2, 3)), 1e-6).astype(np.float32)
    tensors = {"latents": np.ascontiguousarray(values), "mean": mean, "std": std}
    about = {"fingerprint": data.fingerprint, "vae": vae}
    if data.thresholds:
        about["thresholds"] = json.dumps(data.thresholds)
    content = save(tensors, about)
    with atomic_output(folder / LATENTS) as temporary:
        temporary.write_bytes(content)
    return StoredLatents(values, mean, std, _digest(values), vae)


def stored_thresholds(folder: Path) -> str:
    """Return the thresholds of the measured words of the kicks that were encoded, as JSON; empty without."""
    return _read(folder / LATENTS, ())[1].get("thresholds", "")


def load_latents(folder: Path, data: Prepared) -> StoredLatents:
    """Read the latents of prepared kicks.

    Raises
    ------
    ConfigError
        If they are missing, damaged, or of other kicks.
    """
    path = folder / LATENTS
    tensors, about = _read(path, ("latents", "mean", "std"))
    values, mean, std = tensors["latents"], tensors["mean"], tensors["std"]
    if about.get("fingerprint") != data.fingerprint or values.ndim != 4 or len(values) != len(data.items):
        raise ConfigError(f"{path}: latents of other kicks; run 'neurdsp kick encode --overwrite'")
    return StoredLatents(values, mean, std, _digest(values), about.get("vae", ""))


def latent_statistics(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32], str]:
    """Return mean and standard deviation of the channels of latents, and the hash of their VAE.

    Raises
    ------
    ConfigError
        If the file is missing or damaged.
    """
    path = folder / LATENTS
    tensors, about = _read(path, ("mean", "std"))
    return tensors["mean"], tensors["std"], about.get("vae", "")


def _read(path: Path, names: Sequence[str]) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """Return tensors and metadata of a file of latents."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ConfigError(f"{path}: no latents; run 'neurdsp kick encode' first")
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ConfigError(
            f"{path}: damaged latents ({error}); run 'neurdsp kick encode --overwrite'"
        ) from None


def _digest(values: NDArray[np.float32]) -> str:
    return hashlib.blake2b(values.tobytes(), digest_size=8).hexdigest()
