"""The engine of neurdsp as a backend. Needs nothing else."""

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.drumsep.backends.interface import Precision, check_chunks, check_device, check_precision
from neurdsp.drumsep.stored import StoredNetwork

__all__ = ["EngineNetwork"]


class EngineNetwork:
    """A network in the Rust engine. Its stems do not depend on the number of threads, nor on the batch.

    In ``bfloat16`` the 3x3 convolutions multiply eight bits of each factor, where the processor has
    instructions for it (AVX512-BF16); elsewhere the result is that of ``float32``.

    Parameters
    ----------
    stored
        The network.
    precision, threads, device
        See `neurdsp.drumsep.backends.open_network`.
    """

    def __init__(
        self,
        stored: StoredNetwork,
        *,
        precision: Precision = "float32",
        threads: int = 1,
        device: str = "auto",
    ) -> None:
        check_precision(precision, ("float32", "bfloat16"), "engine")
        check_device(device, "engine")
        self.config, self._threads = stored.config, threads
        self._network = _core.TfcTdf(stored.metadata, dict(stored.weights), precision)

    def forward(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Separate chunks; see `Network`. They run one after the other: a larger batch is no faster."""
        check_chunks(chunks, self.config)
        return np.stack(
            [self._network.forward(np.ascontiguousarray(chunk), self._threads) for chunk in chunks]
        )

    def release(self) -> None:
        """Give back the memory that one chunk leaves for the next; see `Network`."""
        self._network.release()
