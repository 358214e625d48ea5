"""What a model file holds, told without running it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurdsp import _core

__all__ = ["ModelInfo", "info"]

_TOLD_ELSEWHERE = {
    "neurdsp.format",
    "neurdsp.architecture",
    "neurdsp.config",
    "neurdsp.audio",
    "neurdsp.metrics",
}


@dataclass(frozen=True)
class ModelInfo:
    """What a model file holds.

    Attributes
    ----------
    path
        The file.
    format
        ``neurdsp 1.0``, or ``JSON`` for the form that earlier trainers wrote.
    architecture
        Family and kind.
    config
        The config of the architecture.
    sample_rate
        In Hz.
    n_parameters
        The number of trained values.
    receptive_field
        In samples.
    latency
        In samples.
    metrics
        What was measured at export.
    metadata
        All other metadata.
    """

    path: Path
    format: str
    architecture: str
    config: dict[str, Any]
    sample_rate: float
    n_parameters: int
    receptive_field: int
    latency: int
    metrics: dict[str, Any]
    metadata: dict[str, str]


def info(path: str | os.PathLike[str]) -> ModelInfo:
    """Tell what a model file holds, after checking all of it.

    Parameters
    ----------
    path
        A model file, or the JSON of an amp model.

    Returns
    -------
    ModelInfo
        Shape, size, rate and metadata.

    Raises
    ------
    ModelFileError
        If the file is missing or damaged.
    UnsupportedModelError
        If it is of a later format version or of an unknown architecture.
    """
    model = _core.AmpModel.load(path)
    metadata = model.metadata
    version = metadata.get("neurdsp.format")
    if version is None:
        names = ("channels", "num_layers", "kernel_size", "dilation_base")
        config: dict[str, Any] = dict(zip(names, _core.read_amp_json(path)[2], strict=True))
    else:
        config = json.loads(metadata["neurdsp.config"])
    return ModelInfo(
        path=Path(path),
        format="JSON" if version is None else f"neurdsp {version}",
        architecture=model.architecture,
        config=config,
        sample_rate=model.sample_rate,
        n_parameters=model.n_parameters,
        receptive_field=model.receptive_field,
        latency=model.latency,
        metrics=json.loads(metadata.get("neurdsp.metrics", "{}")),
        metadata={key: text for key, text in metadata.items() if key not in _TOLD_ELSEWHERE},
    )
