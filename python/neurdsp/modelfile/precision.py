"""Storing the weights of a model file in another number type, with the proof that the model survives it."""

import math
from pathlib import Path

import numpy as np

from neurdsp._output import atomic_output
from neurdsp.errors import ModelFileError, ParameterError
from neurdsp.modelfile.files import DType, VerifyResult, read, verify, write

__all__ = ["store_as"]

_FLOATS: tuple[DType, ...] = ("F32", "F16", "BF16")


def store_as(source: Path, target: Path, dtype: DType, parity_db: float | None) -> tuple[int, VerifyResult]:
    """Write a copy of a model file with its floating weights in another number type.

    Parameters
    ----------
    source, target
        Model files; not the same one.
    dtype
        ``F32``, ``F16`` or ``BF16``. I8 tensors and parity vectors stay as they are.
    parity_db
        The error that the copy allows, -200 to -20 dB; without one, that of the source.

    Returns
    -------
    tuple of int and VerifyResult
        How many values were rounded, and how well the copy reproduces its parity vectors.

    Raises
    ------
    ParameterError
        If ``dtype`` is none of these.
    ModelFileError
        If the source cannot be read, a value does not fit the type, or the copy misses the parity vectors by
        more than it allows; nothing is written then.
    """
    if dtype not in _FLOATS:
        raise ParameterError(f"dtype is {dtype!r}, but must be one of {', '.join(_FLOATS)}")
    model = read(source)
    weights = [
        name for name, stored in model.dtypes.items() if stored in _FLOATS and not name.startswith("parity.")
    ]
    metadata = dict(model.metadata)
    if parity_db is not None:
        metadata["neurdsp.parity_db"] = f"{parity_db:g}"
    with atomic_output(target) as temporary:
        try:
            write(temporary, metadata, model.tensors, model.dtypes | dict.fromkeys(weights, dtype))
            copy = read(temporary)
            result = verify(temporary)
        except ModelFileError as error:
            # The user does not know the temporary name.
            raise ModelFileError(str(error).replace(str(temporary), str(target))) from error
        if not result.passed:
            advice = ""
            if math.isfinite(result.error_db) and result.error_db <= -20:
                advice = f"; to accept it, set parity_db (--parity-db) to {math.ceil(result.error_db)}"
            raise ModelFileError(
                f"'{target}' was not written: as {dtype} the parity error is {result.error_db:.1f} dB, "
                f"above the {result.threshold_db:g} dB that the file allows{advice}"
            )
    rounded = sum(int(np.count_nonzero(copy.tensors[name] != model.tensors[name])) for name in weights)
    return rounded, result
