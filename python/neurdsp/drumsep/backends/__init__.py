"""Engines that run an MDX23C network, behind one interface: batches of chunks in, stems out.

The engine of neurdsp needs nothing else. torch, ONNX Runtime and OpenVINO belong to the extras ``train``,
``onnx`` and ``openvino``, and are imported when they are asked for.
"""

import importlib
import os
from typing import Literal, get_args

from neurdsp.drumsep.backends.interface import Network, Precision
from neurdsp.drumsep.stored import StoredNetwork, read_network
from neurdsp.errors import ParameterError

__all__ = ["BACKENDS", "BackendName", "Network", "Precision", "open_network"]

BackendName = Literal["engine", "torch", "onnxruntime", "openvino"]
"""Who runs a network."""

#: Every backend.
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)

_HOMES: dict[str, str] = {
    "engine": "engine:EngineNetwork",
    "torch": "pytorch:TorchNetwork",
    "onnxruntime": "onnx_runtime:OnnxNetwork",
    "openvino": "open_vino:OpenVinoNetwork",
}


def open_network(
    model: str | os.PathLike[str] | StoredNetwork,
    *,
    backend: BackendName = "engine",
    precision: Precision = "float32",
    threads: int = 1,
    device: str = "auto",
) -> Network:
    """Load a network into an engine.

    Parameters
    ----------
    model
        A model file, or what `neurdsp.drumsep.stored.read_network` read.
    backend
        ``engine``, ``torch``, ``onnxruntime`` or ``openvino``.
    precision
        Number type of the products: ``float32``, or what the backend has beside it.
    threads
        Threads of one pass.
    device
        ``cpu``, ``cuda`` or ``auto``: CUDA where the backend can use it and a GPU is present.

    Returns
    -------
    Network
        Ready to run.

    Raises
    ------
    ParameterError
        If a value is none of these, or if the backend has no such precision or device.
    MissingDependencyError
        If the package of the backend is not installed.
    ModelFileError, UnsupportedModelError
        If the file cannot be read or holds another kind of model.

    Examples
    --------
    >>> network = open_network("drumsep.safetensors", backend="torch")  # doctest: +SKIP
    >>> network.forward(chunks).shape  # doctest: +SKIP
    (4, 5, 2, 523776)
    """
    if backend not in BACKENDS:
        raise ParameterError(f"backend is {backend!r}, but must be one of {', '.join(BACKENDS)}")
    if threads < 1:
        raise ParameterError(f"threads is {threads}, but must be at least 1")
    module, _, name = _HOMES[backend].partition(":")
    home = importlib.import_module(f"neurdsp.drumsep.backends.{module}")
    stored = model if isinstance(model, StoredNetwork) else read_network(model)
    network: Network = getattr(home, name)(stored, precision=precision, threads=threads, device=device)
    return network
