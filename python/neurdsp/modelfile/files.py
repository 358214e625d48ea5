"""Reading, writing and verifying model files; the Rust core does the work and every check.

The format is described in ``docs/model-file.md``.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp._output import check_output
from neurdsp.errors import ParameterError

__all__ = ["FORMAT_VERSION", "ModelFile", "VerifyResult", "build_metadata", "read", "verify", "write"]

FORMAT_VERSION = "1.0"
"""The version of the format that this package writes, and the newest that it reads."""


@dataclass(frozen=True)
class ModelFile:
    """The content of a model file.

    Attributes
    ----------
    metadata
        Text by key. The keys of neurdsp start with ``neurdsp.``; others are kept as they are.
    tensors
        float32 arrays by name: the weights, ``parity.input`` and ``parity.output``.
    """

    metadata: dict[str, str]
    tensors: dict[str, NDArray[np.float32]]

    @property
    def architecture(self) -> str:
        """Family and kind, such as ``amp.wavenet``."""
        return self.metadata["neurdsp.architecture"]

    @property
    def config(self) -> dict[str, Any]:
        """The config of the architecture."""
        return _json_object(self.metadata["neurdsp.config"])

    @property
    def sample_rate(self) -> float:
        """In Hz."""
        return float(_json_object(self.metadata["neurdsp.audio"])["sample_rate"])

    @property
    def producer(self) -> str:
        """The program that wrote the file."""
        return self.metadata["neurdsp.producer"]

    @property
    def metrics(self) -> dict[str, Any]:
        """What was measured at export."""
        return _json_object(self.metadata["neurdsp.metrics"])

    @property
    def parity_db(self) -> float:
        """The error that :func:`verify` allows, in dB relative to the energy of ``parity.output``."""
        return float(self.metadata["neurdsp.parity_db"])


@dataclass(frozen=True)
class VerifyResult:
    """How well the engine reproduces the parity vectors of a file.

    Attributes
    ----------
    error_db
        Energy of the error relative to the energy of the expected output, in dB; ``-inf`` if equal bit
        for bit.
    threshold_db
        What the file asks for.
    n_samples
        The number of samples compared.
    """

    error_db: float
    threshold_db: float
    n_samples: int

    @property
    def passed(self) -> bool:
        """True if the error is at or below the threshold."""
        return self.error_db <= self.threshold_db


def read(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model file, checking every key and tensor.

    Parameters
    ----------
    path
        A ``.safetensors`` file written by neurdsp.

    Returns
    -------
    ModelFile
        Metadata and tensors.

    Raises
    ------
    ModelFileError
        If the file is missing, malformed, truncated or over a bound, or if a key or tensor is wrong; the
        message names it.
    UnsupportedModelError
        If the file is of a later format version or of an unknown architecture.

    Examples
    --------
    >>> read("amp.safetensors").config  # doctest: +SKIP
    {'channels': 16, 'num_layers': 6, 'kernel_size': 3, 'dilation_base': 2}
    """
    return ModelFile(*_core.read_model_file(path))


def write(
    path: str | os.PathLike[str], metadata: Mapping[str, str], tensors: Mapping[str, NDArray[np.float32]]
) -> None:
    """Write a model file, whole or not at all, after the same checks as :func:`read` makes.

    The same content always gives the same bytes.

    Parameters
    ----------
    path
        The file; its folder must exist. A file that is there is replaced in one step.
    metadata
        See :func:`build_metadata`.
    tensors
        float32 arrays: the weights under their names in the ``state_dict``, ``parity.input`` and
        ``parity.output`` of shape (samples,).

    Raises
    ------
    ParameterError
        If a tensor is not float32.
    ModelFileError
        If a key or a tensor is missing or wrong, or if the disk is full; no file is left then.
    OSError
        If the folder is absent or cannot be written.
    """
    check_output(path)
    _core.write_model_file(path, dict(metadata), _contiguous(tensors))


def verify(path: str | os.PathLike[str]) -> VerifyResult:
    """Run the parity vectors of a model file through the engine and measure the error.

    Parameters
    ----------
    path
        A model file.

    Returns
    -------
    VerifyResult
        The error, and whether it meets the threshold of the file.

    Raises
    ------
    ModelFileError
        As :func:`read`, and if the file has no parity vectors (JSON has none: convert it first).

    Examples
    --------
    >>> verify("amp.safetensors").passed  # doctest: +SKIP
    True
    """
    return VerifyResult(*_core.verify_model_file(path))


def build_metadata(
    *,
    architecture: str,
    config: Mapping[str, Any],
    sample_rate: float,
    metrics: Mapping[str, Any] | None = None,
    parity_db: float = -100.0,
    name: str = "",
    description: str = "",
) -> dict[str, str]:
    """Build the metadata of a model file.

    Parameters
    ----------
    architecture
        Family and kind, such as ``amp.wavenet``.
    config
        The config of the architecture, as JSON values.
    sample_rate
        In Hz.
    metrics
        What was measured at export, as finite JSON values.
    parity_db
        The error that :func:`verify` allows, -200 to -20 dB.
    name, description
        For the reader; left out if empty.

    Returns
    -------
    dict of str to str
        The metadata for :func:`write`.

    Raises
    ------
    ParameterError
        If a config or metric is not JSON, NaN for instance.

    Examples
    --------
    >>> config = {"channels": 16, "num_layers": 6, "kernel_size": 3, "dilation_base": 2}
    >>> build_metadata(architecture="amp.wavenet", config=config, sample_rate=48000)["neurdsp.format"]
    '1.0'
    """
    metadata = {
        "neurdsp.format": FORMAT_VERSION,
        "neurdsp.architecture": architecture,
        "neurdsp.config": _to_json("config", dict(config)),
        "neurdsp.audio": _to_json("sample_rate", {"sample_rate": float(sample_rate), "channels": 1}),
        "neurdsp.producer": f"neurdsp {_core.__version__}",
        "neurdsp.metrics": _to_json("metrics", dict(metrics or {})),
        "neurdsp.parity_db": f"{parity_db:g}",
    }
    if name:
        metadata["neurdsp.name"] = name
    if description:
        metadata["neurdsp.description"] = description
    return metadata


def _contiguous(tensors: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    for name, tensor in tensors.items():
        kind = getattr(tensor, "dtype", type(tensor).__name__)
        if kind != np.float32:
            raise ParameterError(
                f"the tensor {name} is {kind}, but must be float32; convert it with astype(np.float32)"
            )
    # ascontiguousarray would turn a scalar into a vector.
    return {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}


def _to_json(name: str, value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} cannot be written as JSON: {error}") from error


def _json_object(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text)
    return value
