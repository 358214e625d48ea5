"""What the exports of all families share: weights that are checked and rounded, and files that are proven."""

import os
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neurdsp._output import atomic_output
from neurdsp.errors import ModelFileError, ParameterError
from neurdsp.modelfile.files import DType, TensorArray, VerifyResult, verify, write

__all__ = ["as_stored", "check_weights", "write_proven"]

_Weights = Mapping[str, NDArray[np.float32]]


def check_weights(weights: _Weights, shapes: Mapping[str, tuple[int, ...]], *, whole: str) -> None:
    """Refuse weights that are not those of a network.

    Parameters
    ----------
    weights
        Arrays by name.
    shapes
        The shape that each must have.
    whole
        What they belong to, such as ``the network``, for the message.

    Raises
    ------
    ParameterError
        If a weight is missing, too many, of another shape or not float32.
    """
    for key in sorted(shapes.keys() ^ weights.keys()):
        fault = "is missing" if key in shapes else f"is not part of {whole}"
        raise ParameterError(f"the weight '{key}' {fault}; give those of config.parameter_shapes")
    for key, shape in shapes.items():
        if weights[key].shape != shape or weights[key].dtype != np.float32:
            raise ParameterError(
                f"the weight '{key}' is {weights[key].dtype} of shape {list(weights[key].shape)}, but must "
                f"be float32 of shape {list(shape)}"
            )


def as_stored(weights: _Weights, dtype: DType) -> dict[str, NDArray[np.float32]]:
    """Return float32 weights as a file of this number type will hold them, for a reference that has the same.

    Examples
    --------
    >>> as_stored({"weight": np.float32([1.001])}, "BF16")["weight"].tolist()
    [1.0]
    """
    return {key: _rounded(np.ascontiguousarray(values), dtype) for key, values in weights.items()}


def write_proven(
    target: str | os.PathLike[str],
    metadata: Mapping[str, str],
    tensors: Mapping[str, TensorArray],
    dtypes: Mapping[str, DType] | None = None,
    *,
    reference: str,
) -> VerifyResult:
    """Write a model file that the engine reproduces; otherwise nothing is written.

    Parameters
    ----------
    target
        The file to write.
    metadata, tensors, dtypes
        As for `neurdsp.modelfile.files.write`, test vectors included.
    reference
        What made the test vectors, such as ``torch``, for the message.

    Returns
    -------
    VerifyResult
        The verdict on the file.

    Raises
    ------
    ModelFileError
        If the engine misses the test vectors.
    OSError
        If the folder of the target is absent.
    """
    with atomic_output(target) as temporary:
        write(temporary, metadata, tensors, dtypes)
        result = verify(temporary)
        if not result.passed:
            raise ModelFileError(
                f"'{target}' was not written: the engine is {result.error_db:.1f} dB from {reference}, and "
                f"{result.threshold_db:g} dB are allowed; please report this network"
            )
    return result


def _rounded(values: NDArray[np.float32], dtype: DType) -> NDArray[np.float32]:
    if dtype == "F16":
        return values.astype(np.float16).astype(np.float32)
    if dtype == "BF16":
        bits = values.view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)
    return values
