"""How long the music networks take: one step of each, and of all after each other, by engine or peer.

Times are those of calls from Python, the crossing included; the same for every backend.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from neurdsp.dependencies import require
from neurdsp.errors import ParameterError
from neurdsp.music.config import NAMES, MelodyConfig, NetworkConfig
from neurdsp.music.lookup import networks_of
from neurdsp.music.network import MusicNetwork

__all__ = ["BACKENDS", "Backend", "NetworkSpeed", "bench_networks"]

Backend: TypeAlias = Literal["stored", "f32", "int8", "ort", "torch"]
"""The engine on files as they are, in float32 or in int8; ONNX Runtime with bound buffers; torch."""

BACKENDS: tuple[Backend, ...] = get_args(Backend)
"""All of them."""

PIPELINE = "pipeline"
"""Name of all networks after each other."""

Step: TypeAlias = Callable[[], object]

_PRECISIONS: dict[str, Literal["float32", "int8"]] = {"f32": "float32", "int8": "int8"}
_MOST_ITERATIONS = 1_000_000
_WARMUP = 20
#: More than the last cache of any usual processor.
_CACHE_BYTES = 64 << 20


@dataclass(frozen=True)
class NetworkSpeed:
    """Speed of a network, or of the pipeline.

    Parameters
    ----------
    name
        Of the network, or ``pipeline``.
    load_ms
        From the file to a network that is ready, in milliseconds.
    mean_us, median_us, p99_us
        Of a step, in microseconds.
    memory_bytes
        Of the weights as they are computed with.
    """

    name: str
    load_ms: float
    mean_us: float
    median_us: float
    p99_us: float
    memory_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return asdict(self)


def bench_networks(
    models: str | os.PathLike[str] = "default",
    *,
    iterations: int = 1000,
    backend: Backend = "stored",
    cold: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> list[NetworkSpeed]:
    """Measure the networks of a folder, one thread, and all of them as a pipeline.

    Parameters
    ----------
    models
        ``default``, or a folder with model files.
    iterations
        Steps of each network, 1 to 1,000,000.
    backend
        Who computes. All but ``stored`` may need torch, to change the precision or the form.
    cold
        Whether the caches are emptied in front of each step, as they are in a plugin that asks now and then.
    progress
        Called with the steps that were made since the last call.

    Returns
    -------
    list of NetworkSpeed
        The last is the pipeline.

    Raises
    ------
    ParameterError
        If a value is out of range.
    ModelFileError
        If there is no network, or one is damaged.
    MissingDependencyError
        If the backend needs what is not installed.

    Examples
    --------
    >>> bench_networks(iterations=1000)[-1].median_us  # doctest: +SKIP
    31.0
    """
    if not 1 <= iterations <= _MOST_ITERATIONS:
        raise ParameterError(f"iterations is {iterations}, but must be 1 to {_MOST_ITERATIONS:,}")
    if backend not in BACKENDS:
        raise ParameterError(f"backend is '{backend}', but must be one of {', '.join(BACKENDS)}")
    paths = networks_of(models)
    if not paths:
        raise ParameterError(
            "no network comes with this neurdsp; give a folder that holds some with --models"
        )
    steps: list[Step] = []
    found: list[tuple[str, float, int]] = []
    with TemporaryDirectory() as folder:
        for name in NAMES:
            if name not in paths:
                continue
            prepared, memory = _prepared(paths[name], backend, Path(folder))
            begin = time.perf_counter()
            steps.append(prepared())
            found.append((name, 1e3 * (time.perf_counter() - begin), memory))
    each = tuple(steps)
    steps.append(lambda: [part() for part in each])
    found.append((PIPELINE, sum(row[1] for row in found), sum(row[2] for row in found)))
    speeds = []
    for (title, load_ms, memory), step in zip(found, steps, strict=True):
        times_us = _measure(step, iterations, cold=cold)
        progress(iterations)
        mean, median, p99 = times_us.mean(), np.median(times_us), np.percentile(times_us, 99)
        speeds.append(NetworkSpeed(title, load_ms, float(mean), float(median), float(p99), memory))
    return speeds


def _measure(step: Step, iterations: int, *, cold: bool) -> NDArray[np.float64]:
    """Return the microseconds of each step."""
    flood = np.zeros(_CACHE_BYTES if cold else 0, np.uint8)
    for _ in range(min(_WARMUP, iterations)):
        step()
    times = np.empty(iterations)
    for number in range(iterations):
        if cold:
            flood += 1
        begin = time.perf_counter_ns()
        step()
        times[number] = 1e-3 * (time.perf_counter_ns() - begin)
    return times


def step_inputs(config: NetworkConfig) -> NDArray[np.float32]:
    """Return inputs of a step, ``(n_inputs,)``."""
    inputs = np.random.default_rng(2).standard_normal(config.n_inputs).astype(np.float32)
    if isinstance(config, MelodyConfig):
        inputs[0] = 60
    return inputs


def _prepared(path: Path, backend: Backend, folder: Path) -> tuple[Callable[[], Step], int]:
    """Return what loads a network, from a file that is as the backend needs it, and its bytes."""
    network = MusicNetwork(path)
    inputs = step_inputs(network.config)
    if backend in ("ort", "torch"):
        require("torch", extra="train", purpose=f"--backend {backend}")
        if backend == "ort":
            require("onnxruntime", extra="onnx", purpose="--backend ort")
        from neurdsp.music.pytorch import onnx_file, onnx_step, torch_step

        memory = 4 * network.parameters
        if backend == "torch":
            return lambda: torch_step(path, inputs), memory
        graph = folder / f"{network.name}.onnx"
        onnx_file(path, graph)
        return lambda: onnx_step(graph, inputs), memory
    if backend != "stored" and network.precision != _PRECISIONS[backend]:
        require("torch", extra="train", purpose=f"--backend {backend} on a file in {network.precision}")
        from neurdsp.music.export import export_network
        from neurdsp.music.prune import read_network

        source, path = path, folder / path.name
        export_network(read_network(source), path, precision=_PRECISIONS[backend])
        network = MusicNetwork(path)

    def load() -> Step:
        loaded = MusicNetwork(path)
        return lambda: loaded.step(inputs)

    return load, network.bytes
