"""Reading, writing and verifying model files. The Rust core does the work and makes every check.

``docs/model-file.md`` describes the format.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp._output import check_output
from neurdsp.errors import ParameterError
from neurdsp.modelfile.families import family_of, part

__all__ = [
    "FORMAT_VERSION",
    "DType",
    "ModelFile",
    "TensorArray",
    "VerifyResult",
    "build_metadata",
    "read",
    "verify",
    "write",
]

FORMAT_VERSION = "1.0"
"""The version of the format that this package writes, and the newest that it reads."""

DType: TypeAlias = Literal["F32", "F16", "BF16", "I8"]
"""The number type that a tensor is stored in, by its name in the file."""

TensorArray: TypeAlias = NDArray[np.float32 | np.float16 | np.int8]
"""An array that a model file can hold."""

_ARRAY_DTYPES = ("float32", "float16", "int8")


@dataclass(frozen=True)
class ModelFile:
    """The content of a model file.

    Attributes
    ----------
    metadata
        Text by key. The keys of neurdsp start with ``neurdsp.``; others are kept as they are.
    tensors
        Arrays by name: the weights and the parity vectors. F32, F16 and I8 are float32, float16 and int8.
        NumPy has no type for BF16: it comes widened to float32, which is exact.
    dtypes
        The stored number type of each tensor by name: ``F32``, ``F16``, ``BF16`` or ``I8``. Given to `write`,
        it stores BF16 as BF16 again.
    """

    metadata: dict[str, str]
    tensors: dict[str, TensorArray]
    dtypes: dict[str, DType] = field(default_factory=dict)

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
        """The error that `verify` allows, in dB relative to the energy of the expected output."""
        return float(self.metadata["neurdsp.parity_db"])


@dataclass(frozen=True)
class VerifyResult:
    """How well a model reproduces the parity vectors of its file.

    Attributes
    ----------
    error_db
        Energy of the error relative to the energy of the expected output, in dB; ``-inf`` if equal bit
        for bit.
    threshold_db
        The largest error that the file allows.
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
    """Read a model file, and check every key and tensor.

    Parameters
    ----------
    path
        A ``.safetensors`` file written by neurdsp.

    Returns
    -------
    ModelFile
        Metadata, tensors and their stored types.

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
    metadata, _ = _core.model_file_layout(path)
    return ModelFile(*_core.read_model_file(path, _engine_runs(metadata)))


def write(
    path: str | os.PathLike[str],
    metadata: Mapping[str, str],
    tensors: Mapping[str, TensorArray],
    dtypes: Mapping[str, DType] | None = None,
) -> None:
    """Write a model file, whole or not at all, after the same checks as `read` makes.

    The same content always gives the same bytes.

    Parameters
    ----------
    path
        The file; its folder must exist. An existing file is replaced in one step.
    metadata
        See `build_metadata`.
    tensors
        float32, float16 or int8 arrays: the weights under their names in the ``state_dict``, and the parity
        vectors (see `build_parity`).
    dtypes
        The number type to store a floating tensor in, by name; without one, that of its array. Values are
        rounded to the nearest, ties to even.

    Raises
    ------
    ParameterError
        If an array is of another type, or if ``dtypes`` names an absent tensor or an unknown type.
    ModelFileError
        If a key or a tensor is missing or wrong, if a value does not fit the type to store it in, or if the
        disk is full; no file is left then.
    OSError
        If the folder is absent or cannot be written.
    """
    dtypes = dict(dtypes or {})
    for name in dtypes.keys() - tensors.keys():
        raise ParameterError(f"dtypes names {name!r}, but there is no such tensor")
    check_output(path)
    _core.write_model_file(path, dict(metadata), _contiguous(tensors), dtypes, _engine_runs(metadata))


def verify(path: str | os.PathLike[str]) -> VerifyResult:
    """Run the parity vectors of a model file through its model and measure the error.

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
        As `read`, and if the file has no parity vectors (JSON has none: convert it first).

    Examples
    --------
    >>> verify("amp.safetensors").passed  # doctest: +SKIP
    True
    """
    if _core.is_model_file(path):
        metadata, _ = _core.model_file_layout(path)
        family = family_of(metadata["neurdsp.architecture"])
        if family is not None and family.verify:
            result: VerifyResult = part(family.verify)(path)
            return result
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
    channels: int = 1,
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
        The error that `verify` allows, -200 to -20 dB.
    name, description
        For the reader; left out if empty.
    channels
        Of the audio that the model takes and gives.

    Returns
    -------
    dict of str to str
        The metadata for `write`.

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
    audio = {"sample_rate": float(sample_rate), "channels": channels}
    metadata = {
        "neurdsp.format": FORMAT_VERSION,
        "neurdsp.architecture": architecture,
        "neurdsp.config": _to_json("config", dict(config)),
        "neurdsp.audio": _to_json("sample_rate", audio),
        "neurdsp.producer": f"neurdsp {_core.__version__}",
        "neurdsp.metrics": _to_json("metrics", dict(metrics or {})),
        "neurdsp.parity_db": f"{parity_db:g}",
    }
    if name:
        metadata["neurdsp.name"] = name
    if description:
        metadata["neurdsp.description"] = description
    return metadata


def _engine_runs(metadata: Mapping[str, str]) -> bool:
    """Tell whether the engine is to check the model, or its family verifies by itself."""
    family = family_of(metadata.get("neurdsp.architecture", ""))
    return family is None or not family.verify


def _contiguous(tensors: Mapping[str, TensorArray]) -> dict[str, TensorArray]:
    for name, tensor in tensors.items():
        kind = str(getattr(tensor, "dtype", type(tensor).__name__))
        if kind not in _ARRAY_DTYPES:
            raise ParameterError(
                f"the tensor {name} is {kind}, but must be float32, float16 or int8; "
                "convert it with astype(np.float32)"
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
