"""What every engine of MDX23C networks offers, and what they share in checking."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.errors import ParameterError

__all__ = ["Network", "Precision", "check_chunks", "check_device", "check_precision"]

Precision = Literal["float32", "bfloat16", "float16", "int8"]
"""Number type of the products of a network; sums are always wider."""


class Network(Protocol):
    """A network that is ready to run.

    Attributes
    ----------
    config : TfcTdfConfig
        Its shape.
    """

    config: TfcTdfConfig

    def forward(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Separate chunks, each on its own: no chunk changes the stems of another.

        Parameters
        ----------
        chunks
            ``(batch, audio_channels, n_samples)``; the number of frames, ``n_samples // hop_length + 1``, is
            a multiple of ``config.frame_multiple``.

        Returns
        -------
        ndarray
            ``(batch, n_stems, audio_channels, n_samples)``, float32.

        Raises
        ------
        ParameterError
            If the shape is another.
        """
        ...

    def release(self) -> None:
        """Give back memory that one chunk leaves for the next. Call it when a recording is over."""
        ...


def check_chunks(chunks: NDArray[np.float32], config: TfcTdfConfig) -> None:
    """Check the shape of a batch of chunks.

    Raises
    ------
    ParameterError
        If the network cannot take it.
    """
    if chunks.ndim != 3 or chunks.shape[1] != config.audio_channels or not chunks.shape[0]:
        raise ParameterError(
            f"chunks have the shape {list(chunks.shape)}, but (batch, {config.audio_channels}, n_samples) is "
            "needed"
        )
    n_samples = chunks.shape[2]
    frames = n_samples // config.hop_length + 1
    if frames % config.frame_multiple or n_samples <= config.n_fft // 2:
        raise ParameterError(
            f"a chunk has {n_samples} samples and {frames} frames, but the frames must be a multiple of "
            f"{config.frame_multiple}; take {config.chunk_samples} samples"
        )


def check_precision(precision: str, known: tuple[Precision, ...], backend: str) -> None:
    """Check that a backend has a precision.

    Raises
    ------
    ParameterError
        If it has not.
    """
    if precision not in known:
        raise ParameterError(
            f"precision is {precision!r}, but the backend {backend} has {', '.join(known)}; choose one of "
            "them, or another backend"
        )


def check_device(device: str, backend: str) -> None:
    """Check that a backend that runs on the CPU is asked for no other device.

    Raises
    ------
    ParameterError
        If it is.
    """
    if device not in ("auto", "cpu"):
        raise ParameterError(
            f"device is {device!r}, but the backend {backend} runs on cpu; choose the backend torch for a GPU"
        )
