"""From a trained music network to a model file that proves itself, in float32 or int8; torch is the judge."""

import copy
import os
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from neurdsp.errors import ParameterError
from neurdsp.modelfile.files import VerifyResult, build_metadata
from neurdsp.modelfile.parity import build_parity
from neurdsp.modelfile.proof import write_proven
from neurdsp.music.config import EmotionConfig, MelodyConfig, NetworkConfig
from neurdsp.music.model import Network, quantised

__all__ = ["Precision", "export_network", "quantise_rows"]

Precision: TypeAlias = Literal["float32", "int8"]
"""How the matrices of a file are stored and multiplied."""

#: Error that a file allows. In int8 a value at the edge of two steps may round to either, and what follows
#: rounds otherwise too; then the engine is as far from torch as rounding itself is, about -38 dB.
PARITY_DB: dict[Precision, float] = {"float32": -100.0, "int8": -32.0}

#: Steps of the test vectors: once and a half around the ring of the melody, and as many frames.
_STEPS = 96


def export_network(
    module: Network,
    path: str | os.PathLike[str],
    *,
    precision: Precision = "float32",
    metrics: Mapping[str, Any] | None = None,
    name: str = "",
    description: str = "",
    details: Mapping[str, str] | None = None,
) -> VerifyResult:
    """Write a network to a model file, with test vectors of torch, and verify it in the engine.

    Parameters
    ----------
    module
        The network; its config goes into the file.
    path
        The file to write.
    precision
        ``float32``, or ``int8``: matrices as integers with a scale for each row, other weights in half
        precision, and layers that round what they take to 8 bits.
    metrics
        What was measured, as finite JSON values.
    name, description
        For the reader; without a name, that of the network.
    details
        Further metadata, text by key.

    Returns
    -------
    VerifyResult
        The verdict on the file.

    Raises
    ------
    ParameterError
        If the precision is none of these, or a weight is not finite.
    ModelFileError
        If the engine misses the test vectors; nothing is written then.
    OSError
        If the folder of the path is absent.

    Examples
    --------
    >>> from neurdsp.music.model import GroovePredictor
    >>> export_network(GroovePredictor(), "groove.safetensors").passed  # doctest: +SKIP
    True
    """
    if precision not in PARITY_DB:
        raise ParameterError(f"precision is {precision!r}, but must be one of {', '.join(PARITY_DB)}")
    config = module.config
    weights = {
        key: value.detach().to("cpu", torch.float32).contiguous().numpy()
        for key, value in module.state_dict().items()
    }
    for key, value in weights.items():
        if not np.isfinite(value).all():
            raise ParameterError(f"the weight '{key}' is not finite; the network was not trained well")
    tensors = stored(weights, config, precision)
    inputs = parity_inputs(config)
    tensors |= build_parity(inputs, _reference(module, inputs, precision))
    metadata = build_metadata(
        architecture=config.architecture,
        config=config.model_dump(mode="json"),
        sample_rate=config.sample_rate if isinstance(config, EmotionConfig) else 48_000,
        name=name or config.name,
        description=description,
        metrics=metrics,
        parity_db=PARITY_DB[precision],
    )
    return write_proven(path, {**(details or {}), **metadata}, tensors, reference="torch")


def quantise_rows(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round each row of a matrix to 8 bits.

    Parameters
    ----------
    weight
        ``(rows, columns)``.

    Returns
    -------
    integers : ndarray of int8
        ``(rows, columns)``, from -127 to 127.
    scale : ndarray of float32
        ``(rows,)``; a row is about its integers times its scale. It is 0 for a row of zeros.

    Examples
    --------
    >>> integers, scale = quantise_rows(np.array([[127.0, 0.6], [0.0, 0.0]], np.float32))
    >>> integers.tolist(), scale.tolist()
    ([[127, 1], [0, 0]], [1.0, 0.0])
    """
    largest = np.abs(weight).max(-1, keepdims=True).astype(np.float32)
    per_step = np.divide(np.float32(127), largest, out=np.zeros_like(largest), where=largest > 1e-30)
    integers = np.clip(np.rint(weight * per_step), -127, 127).astype(np.int8)
    scale = np.where(largest > 1e-30, largest / np.float32(127), np.float32(0))
    return integers, scale[:, 0].astype(np.float32)


def stored(
    weights: Mapping[str, NDArray[np.float32]], config: NetworkConfig, precision: Precision
) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file: as they are, or with the matrices as integers and scales.

    Parameters
    ----------
    weights
        float32 arrays of the names and shapes of ``config.parameter_shapes``.
    config
        The shape of the network.
    precision
        See `export_network`.

    Returns
    -------
    dict of str to ndarray
        Tensors by name; ``NAME_scale`` is the scale of the rows of ``NAME``.

    Raises
    ------
    ParameterError
        If a weight is missing, too many or of another shape.
    """
    shapes = config.parameter_shapes
    for key in sorted(shapes.keys() ^ weights.keys()):
        fault = "is missing" if key in shapes else "is not part of the network"
        raise ParameterError(f"the weight '{key}' {fault}; give those of config.parameter_shapes")
    tensors: dict[str, NDArray[Any]] = {}
    for key, shape in shapes.items():
        if weights[key].shape != shape:
            raise ParameterError(
                f"the weight '{key}' has shape {list(weights[key].shape)}, but must have {list(shape)}"
            )
        if precision == "int8" and key in config.matrices:
            tensors[key], tensors[f"{key}_scale"] = quantise_rows(weights[key])
        else:
            tensors[key] = weights[key].astype(np.float16 if precision == "int8" else np.float32)
    return tensors


def parity_inputs(config: NetworkConfig) -> NDArray[np.float32]:
    """Return inputs for a test vector, ``(steps, n_inputs)``, some quiet and some loud."""
    rng = np.random.default_rng(18)
    inputs = rng.standard_normal((_STEPS, config.n_inputs))
    inputs *= rng.uniform(0.1, 2.0, (_STEPS, 1))
    if isinstance(config, MelodyConfig):
        inputs[:, 0] = rng.integers(0, config.tokens, _STEPS)
    return inputs.astype(np.float32)


def _reference(module: Network, inputs: NDArray[np.float32], precision: Precision) -> NDArray[np.float32]:
    """Return what torch gives for the inputs, in the precision of the file."""
    twin = copy.deepcopy(module).to("cpu", torch.float32).eval()
    values = torch.from_numpy(inputs)
    with torch.inference_mode():
        if precision == "float32":
            outputs = twin.steps(values)
        else:
            for weight in twin.parameters():
                if weight.ndim == 1:
                    weight.copy_(weight.half().float())
            with quantised(twin):
                outputs = twin.steps(values)
    return np.ascontiguousarray(outputs.numpy())
