"""OpenVINO as a backend, on the CPU. Needs the extra ``openvino``."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurdsp.dependencies import require
from neurdsp.drumsep.backends.graph import build_graph
from neurdsp.drumsep.backends.interface import Precision, check_device, check_precision
from neurdsp.drumsep.backends.spectrum import Spectra
from neurdsp.drumsep.stored import StoredNetwork

__all__ = ["OpenVinoNetwork"]

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoNetwork:
    """A network in OpenVINO; the transforms are our engine's.

    Parameters
    ----------
    stored
        The network.
    precision
        ``float32`` or ``bfloat16``. Where the CPU has no bfloat16, OpenVINO computes in float32.
    threads
        Threads of a pass.
    device
        ``auto`` or ``cpu``.

    Raises
    ------
    MissingDependencyError
        If OpenVINO or ``onnx`` is not installed.
    """

    def __init__(
        self,
        stored: StoredNetwork,
        *,
        precision: Precision = "float32",
        threads: int = 1,
        device: str = "auto",
    ) -> None:
        check_precision(precision, tuple(_HINTS), "openvino")
        check_device(device, "openvino")
        self.config, self._spectra = stored.config, Spectra(stored.config, threads=threads)
        openvino = require("openvino", extra="openvino", purpose="the backend openvino")
        onnx = require("onnx", extra="openvino", purpose="the backend openvino")
        hints = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
        }
        with tempfile.TemporaryDirectory(prefix="neurdsp-") as folder:
            path = Path(folder) / "body.onnx"
            onnx.save(build_graph(stored, weights_file=Path(folder) / "weights.bin"), path)
            self._network = openvino.compile_model(path, "CPU", hints)

    def forward(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Separate chunks; see `neurdsp.drumsep.backends.Network`."""
        return self._spectra.around(self._body, chunks)

    def release(self) -> None:
        """Keep what there is: this engine manages its memory itself; see `Network`."""

    def _body(self, spectrum: NDArray[np.float32]) -> NDArray[np.float32]:
        spectra: NDArray[np.float32] = self._network(spectrum)[0]
        return spectra
