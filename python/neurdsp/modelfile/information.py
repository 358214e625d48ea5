"""What a model file holds: what every file says, and what the family of its model adds."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurdsp import _core
from neurdsp.modelfile.families import family_of, part

__all__ = ["ModelInfo", "info"]

_TOLD_ELSEWHERE = {
    "neurdsp.format",
    "neurdsp.architecture",
    "neurdsp.config",
    "neurdsp.audio",
    "neurdsp.metrics",
}
_PARITY = "parity."


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What every model file holds. A family returns a subclass with its own facts.

    Attributes
    ----------
    path
        The file.
    format
        ``neurdsp 1.0``, or the name and version of another format.
    architecture
        Family and kind, such as ``amp.wavenet``.
    kind
        What the model does: ``stream``, ``separator``, ``generator`` or ``predictor``.
    config
        The config of the architecture.
    sample_rate
        In Hz.
    channels
        Of the audio that the model takes and gives.
    n_parameters
        The number of trained values.
    stored
        The number of stored values besides the parity vectors, by number type: ``{"F16": 8192, "F32": 64}``.
        Empty for other formats than the model file.
    parity
        The shape of each parity vector by name, without the prefix ``parity.``: ``{"input": (2175,), …}``.
    metrics
        What was measured at export.
    metadata
        All other metadata.
    """

    path: Path
    format: str
    architecture: str
    kind: str
    config: dict[str, Any]
    sample_rate: float
    channels: int
    n_parameters: int
    stored: dict[str, int]
    parity: dict[str, tuple[int, ...]]
    metrics: dict[str, Any]
    metadata: dict[str, str]

    def rows(self) -> list[tuple[str, str]]:
        """Return the facts of the family as labels and values, for `neurdsp model info`.

        Returns
        -------
        list of (str, str)
            Empty here; a family's subclass returns its own.
        """
        return []


def info(path: str | os.PathLike[str]) -> ModelInfo:
    """Tell what a model file holds, after checking all of it.

    Parameters
    ----------
    path
        A model file, or a file of another format that a family reads: ``.nam``, the JSON of an amp model.

    Returns
    -------
    ModelInfo
        Architecture, size, rate and metadata; for an amp a `neurdsp.amp.AmpInfo`, with its receptive field,
        knobs and capture levels.

    Raises
    ------
    ModelFileError
        If the file is missing or damaged.
    UnsupportedModelError
        If it is of a later format version or of an unknown architecture.

    Examples
    --------
    >>> info("amp.safetensors").architecture  # doctest: +SKIP
    'amp.wavenet'
    """
    path = Path(path)
    told = _of_model_file(path) if _core.is_model_file(path) else _of_foreign(path)
    family = family_of(told.architecture)
    if family is not None and family.describe:
        told = part(family.describe)(told)
    return told


def _of_model_file(path: Path) -> ModelInfo:
    metadata, tensors = _core.model_file_layout(path)
    stored: dict[str, int] = {}
    parity: dict[str, tuple[int, ...]] = {}
    for name, (dtype, shape) in tensors.items():
        if name.startswith(_PARITY):
            parity[name.removeprefix(_PARITY)] = tuple(shape)
        else:
            stored[dtype] = stored.get(dtype, 0) + math.prod(shape)
    family = family_of(metadata["neurdsp.architecture"])
    if family is not None and family.verify:
        kind, n_parameters = family.kind, sum(stored.values())
    else:
        _, kind, _, _, n_parameters, _ = _core.describe_model(path)
    audio = json.loads(metadata["neurdsp.audio"])
    return ModelInfo(
        path=path,
        format=f"neurdsp {metadata['neurdsp.format']}",
        architecture=metadata["neurdsp.architecture"],
        kind=kind,
        config=json.loads(metadata["neurdsp.config"]),
        sample_rate=float(audio["sample_rate"]),
        channels=audio["channels"],
        n_parameters=n_parameters,
        stored=stored,
        parity=parity,
        metrics=json.loads(metadata["neurdsp.metrics"]),
        metadata={key: text for key, text in metadata.items() if key not in _TOLD_ELSEWHERE},
    )


def _of_foreign(path: Path) -> ModelInfo:
    """Tell what the engine knows of a file of another format; the family adds the rest."""
    architecture, kind, sample_rate, channels, n_parameters, metadata = _core.describe_model(path)
    return ModelInfo(
        path=path,
        format="",
        architecture=architecture,
        kind=kind,
        config={},
        sample_rate=sample_rate,
        channels=channels,
        n_parameters=n_parameters,
        stored={},
        parity={},
        metrics={},
        metadata=metadata,
    )
