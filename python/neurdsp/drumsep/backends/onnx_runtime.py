"""ONNX Runtime as a backend, on the CPU. Needs the extra ``onnx``."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.dependencies import require
from neurdsp.drumsep.backends.graph import INPUT, build_graph
from neurdsp.drumsep.backends.interface import Precision, check_device, check_precision
from neurdsp.drumsep.backends.spectrum import Spectra
from neurdsp.drumsep.stored import StoredNetwork

__all__ = ["OnnxNetwork", "open_session"]


def open_session(path: Path, *, threads: int = 1) -> Any:
    """Return an ``onnxruntime.InferenceSession`` of a file on the CPU.

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime is not installed.
    """
    runtime = require("onnxruntime", extra="onnx", purpose="the backend onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait burn no CPU
    options.log_severity_level = 3  # errors only: it warns of every node that it does not fuse
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class OnnxNetwork:
    """A network in ONNX Runtime; the transforms are our engine's.

    Parameters
    ----------
    stored
        The network.
    precision
        ``float32``. There is no INT8: `neurdsp drumsep export-onnx --int8` makes such a file, and prints what
        it loses.
    threads
        Threads of a pass.
    device
        ``auto`` or ``cpu``.

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime or ``onnx`` is not installed.
    """

    def __init__(
        self,
        stored: StoredNetwork,
        *,
        precision: Precision = "float32",
        threads: int = 1,
        device: str = "auto",
    ) -> None:
        check_precision(precision, ("float32",), "onnxruntime")
        check_device(device, "onnxruntime")
        self.config, self._spectra = stored.config, Spectra(stored.config, threads=threads)
        require("onnxruntime", extra="onnx", purpose="the backend onnxruntime")
        onnx = require("onnx", extra="onnx", purpose="the backend onnxruntime")
        with tempfile.TemporaryDirectory(prefix="neurdsp-") as folder:
            path = Path(folder) / "body.onnx"
            onnx.save(build_graph(stored, weights_file=Path(folder) / "weights.bin"), path)
            self._session = open_session(path, threads=threads)

    def forward(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Separate chunks; see `neurdsp.drumsep.backends.Network`."""
        return self._spectra.around(self._body, chunks)

    def release(self) -> None:
        """Keep what there is: this engine manages its memory itself; see `Network`."""

    def _body(self, spectrum: NDArray[np.float32]) -> NDArray[np.float32]:
        spectra: NDArray[np.float32] = self._session.run(None, {INPUT: spectrum})[0]
        return spectra
