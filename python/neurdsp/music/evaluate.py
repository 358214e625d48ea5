"""Judging a model file by the engine, beside what is known without a network."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.music.dataset import Dataset
from neurdsp.music.network import MusicNetwork
from neurdsp.music.recipe import Recipe, load_recipe
from neurdsp.music.tasks import task_of

__all__ = ["Evaluation", "engine_runner", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """Figures of a model file.

    Parameters
    ----------
    network, precision
        Its name, and ``float32`` or ``int8``.
    parameters, size_bytes, weight_bytes
        Trained values, the size of the file, and of the weights in it.
    split
        What it was judged on.
    metrics
        Its figures.
    baselines
        The same figures without a network, by what is known.
    """

    network: str
    precision: str
    parameters: int
    size_bytes: int
    weight_bytes: int
    split: str
    metrics: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return asdict(self)


def engine_runner(network: MusicNetwork) -> "Any":
    """Return a function that runs a network in the engine from its first state, from arrays to arrays."""

    def run(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        network.reset()
        return network.step(inputs)

    return run


def evaluate(
    model: str | os.PathLike[str],
    dataset: Dataset,
    *,
    split: str = "test",
    recipe: Recipe | None = None,
    baselines: bool = True,
) -> Evaluation:
    """Judge a model file on prepared data, in the engine.

    Parameters
    ----------
    model
        The file.
    dataset
        Of the task of its network.
    split
        ``train``, ``validation`` or ``test``.
    recipe
        Settings of the task; by default those of the preset.
    baselines
        Whether to measure what is known without a network, too.

    Raises
    ------
    ModelFileError
        If the file is missing or damaged.
    ConfigError
        If the data are for another network.

    Examples
    --------
    >>> data = open_dataset("groove.safetensors", task="groove")  # doctest: +SKIP
    >>> evaluate("groove.safetensors", data).metrics["timing_ms"]  # doctest: +SKIP
    15.3
    """
    network = MusicNetwork(model)
    task = task_of(network.name).task(dataset, recipe or load_recipe(network.name))
    run = engine_runner(network)
    return Evaluation(
        network=network.name,
        precision=network.precision,
        parameters=network.parameters,
        size_bytes=Path(model).stat().st_size,
        weight_bytes=network.bytes,
        split=split,
        metrics=task.metrics(run, split) | task.applied(run, network.metadata, split),
        baselines=task.baselines(split) if baselines else {},
    )
