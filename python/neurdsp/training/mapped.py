"""Training data in safetensors files that are mapped, not read, and written one tensor after the other."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp._output import atomic_output

__all__ = ["TYPES", "map_tensor", "read_header", "write_tensors"]

TYPES = {"I16": "<i2", "I32": "<i4", "I64": "<i8", "F32": "<f4", "U8": "u1"}
"""Number types by their names in a header."""


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write a file, whole or not at all, with the tensors in the order given."""
    names = {np.dtype(code): name for name, code in TYPES.items()}
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [at, at + tensor.nbytes],
        }
        at += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with atomic_output(path) as temporary, temporary.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            np.ascontiguousarray(tensor).tofile(stream)


def read_header(path: Path, *, max_bytes: int) -> tuple[dict[str, Any], int]:
    """Return the header of a file, and where the data begin.

    Raises
    ------
    ValueError, struct.error
        If there is none, or it is longer than the file or than ``max_bytes``.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > min(size, max_bytes):
            raise ValueError("its header is longer than the file")
        header: dict[str, Any] = json.loads(stream.read(length))
    return header, 8 + length


def map_tensor(path: Path, dtype: str, shape: tuple[int, ...], *, offset: int) -> NDArray[Any]:
    """Map a tensor that lies within the file."""
    if 0 in shape:  # nothing cannot be mapped
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", offset=offset, shape=shape)
