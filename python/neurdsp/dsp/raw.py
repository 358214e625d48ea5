"""Features as bare numbers in a file: float32, little-endian, row after row (``bins × frames``)."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp._output import atomic_output
from neurdsp.dsp.checks import integer
from neurdsp.errors import ParameterError

__all__ = ["read_raw", "write_raw"]


def write_raw(path: str | os.PathLike[str], features: npt.NDArray[Any]) -> None:
    """Write features ``(n_bins, n_frames)`` as float32, little-endian, row after row.

    Raises
    ------
    ParameterError
        If ``features`` do not have two dimensions.
    OSError
        If the file cannot be written; no part of it remains.
    """
    if features.ndim != 2:
        raise ParameterError(f"features have shape {features.shape}, but a file holds (n_bins, n_frames)")
    with atomic_output(path) as temporary:
        np.ascontiguousarray(features, "<f4").tofile(temporary)


def read_raw(
    path: str | os.PathLike[str], *, n_bins: int = 704, n_frames: int | None = None
) -> npt.NDArray[np.float32]:
    """Read features from a file of `write_raw`.

    Parameters
    ----------
    path
        The file.
    n_bins
        Number of rows.
    n_frames
        Number of columns; by default taken from the size of the file.

    Returns
    -------
    numpy.ndarray
        float32, ``(n_bins, n_frames)``.

    Raises
    ------
    ParameterError
        If the size of the file does not fit these numbers.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> write_raw("clip_mel.bin", np.zeros((704, 3), np.float32))
    >>> read_raw("clip_mel.bin").shape
    (704, 3)
    """
    n_bins = integer("n_bins", n_bins, 1)
    size = Path(path).stat().st_size
    found = f"'{path}' has {size} bytes"
    if n_frames is not None and size != 4 * n_bins * integer("n_frames", n_frames, 0):
        raise ParameterError(f"{found}, but {n_bins} bins of {n_frames} frames make {4 * n_bins * n_frames}")
    if size == 0 or size % (4 * n_bins):
        raise ParameterError(f"{found}, but a frame of {n_bins} bins has {4 * n_bins}; pass its own n_bins")
    return np.fromfile(path, "<f4").reshape(n_bins, -1)
