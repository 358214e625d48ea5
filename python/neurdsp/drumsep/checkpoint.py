"""The weights of public MDX23C checkpoints, in all the wrappings that they come in. Needs no torch."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.errors import ModelFileError
from neurdsp.modelfile.torch_checkpoint import read_torch_checkpoint

__all__ = ["read_mdx23c_weights"]

# Keys under which training programs keep the weights, and prefixes that wrappers put before each name.
_WRAPPERS = ("state_dict", "model_state_dict", "state", "model", "ema_state_dict")
_PREFIXES = ("module.", "model.", "_orig_mod.", "net.")
_ANCHOR = "first_conv.weight"
_ADVICE = "give the YAML file that came with the checkpoint"


def read_mdx23c_weights(
    path: str | os.PathLike[str], config: TfcTdfConfig, *, config_name: str = "the configuration"
) -> dict[str, NDArray[np.float32]]:
    """Read the weights of a network.

    Parameters
    ----------
    path
        A checkpoint of PyTorch (``.ckpt``, ``.pt``, ``.pth``) or a safetensors file. The weights may lie
        under ``state``, ``state_dict`` or ``model_state_dict``, their names may begin with ``module.`` or
        ``model.``, and their numbers may be of half precision.
    config
        The shape of the network, as `neurdsp.drumsep.config.read_mdx23c_yaml` gives it.
    config_name
        What to call the configuration in an error.

    Returns
    -------
    dict
        The tensors by their names, float32, of the shapes of ``config.parameter_shapes``.

    Raises
    ------
    ModelFileError
        If the file cannot be read, holds no such network, or does not fit the configuration.
    """
    path = Path(path)
    found = _unwrapped(_read(path))
    if found is None:
        raise ModelFileError(
            f"'{path}' holds no MDX23C network: it has no tensor '{_ANCHOR}'; give the checkpoint of a "
            "TFC-TDF v3 network"
        )
    shapes = config.parameter_shapes
    _check_stems(path, found, config, config_name)
    missing = [name for name in shapes if name not in found]
    if missing:
        raise ModelFileError(
            f"'{path}' does not fit {config_name}: '{missing[0]}' is missing, one of {len(missing)} of "
            f"{len(shapes)} tensors; {_ADVICE}"
        )
    unknown = [name for name in found if name not in shapes]
    if unknown:
        raise ModelFileError(
            f"'{path}' does not fit {config_name}: it has the tensor '{unknown[0]}' ({len(unknown)} too "
            f"many); {_ADVICE}"
        )
    weights = {}
    for name, shape in shapes.items():
        tensor = found[name]
        if tensor.shape != shape:
            raise ModelFileError(
                f"'{path}' does not fit {config_name}: '{name}' has the shape {list(tensor.shape)}, but "
                f"{list(shape)} is needed; {_ADVICE}"
            )
        weights[name] = np.ascontiguousarray(tensor, np.float32)
        if not np.isfinite(weights[name]).all():
            raise ModelFileError(f"'{path}': '{name}' holds a value that is not finite; the file is damaged")
    return weights


def _read(path: Path) -> Any:
    if _is_safetensors(path):
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return load_file(path)
        except (SafetensorError, OSError, TypeError, KeyError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelFileError(f"cannot read '{path}': {reason}") from None
    return read_torch_checkpoint(path)


def _is_safetensors(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(9)[8:] == b"{"
    except OSError:
        return False  # the reader of checkpoints says why


def _unwrapped(content: Any) -> dict[str, NDArray[Any]] | None:
    """Return the tensors of the network by their own names, or None if there is no network."""
    for _ in range(4):
        if not isinstance(content, Mapping):
            return None
        tensors = {
            _bare(name): value
            for name, value in content.items()
            if isinstance(name, str) and isinstance(value, np.ndarray)
        }
        if _ANCHOR in tensors:
            # Counters and windows are no weights.
            return {
                name: value for name, value in tensors.items() if value.ndim and not name.startswith("stft.")
            }
        content = next((content[name] for name in _WRAPPERS if name in content), None)
    return None


def _bare(name: str) -> str:
    while name.startswith(_PREFIXES):
        name = name.partition(".")[2]
    return name


def _check_stems(
    path: Path, found: Mapping[str, NDArray[Any]], config: TfcTdfConfig, config_name: str
) -> None:
    """Name the likeliest mismatch: a checkpoint and a configuration with other stems."""
    last = found.get("final_conv.2.weight")
    if last is None or last.ndim == 0:
        return
    rows, wanted, each = last.shape[0], len(config.stems) * config.complex_channels, config.complex_channels
    if rows != wanted:
        names = ", ".join(config.stems)
        raise ModelFileError(
            f"'{path}' does not fit {config_name}: its last layer has {rows} rows, for {rows / each:g} "
            f"stems, but {len(config.stems)} stems ({names}) need {wanted}; {_ADVICE}"
        )
