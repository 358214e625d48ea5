"""What a model file holds, told without running it."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
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
    "neurdsp.capture",
    "nam.version",
}


@dataclass(frozen=True)
class ModelInfo:
    """What a model file holds.

    Attributes
    ----------
    path
        The file.
    format
        ``neurdsp 1.0``, ``.nam 0.5.4``, or ``JSON`` for the form that earlier trainers wrote.
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
    capture
        What the file says about the device and the capture, by the keys of ``.nam`` metadata: loudness in dB,
        levels in dBu, make and model.
    submodels
        Of a model of several sizes, each: the ``size`` from which it plays, ``n_parameters`` and
        ``receptive_field``.
    knobs
        Of a model with knobs, where each stands at first, 0 to 1, by name.
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
    capture: dict[str, Any] = field(default_factory=dict)
    submodels: tuple[dict[str, Any], ...] = ()
    knobs: dict[str, float] = field(default_factory=dict)


def info(path: str | os.PathLike[str]) -> ModelInfo:
    """Tell what a model file holds, after checking all of it.

    Parameters
    ----------
    path
        A model file, a ``.nam`` file, or the JSON of an amp model.

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
    model = _core.AmpModel.load(path, None, False)
    metadata = model.metadata
    version = metadata.get("neurdsp.format")
    metrics = json.loads(metadata.get("neurdsp.metrics", "{}"))
    capture: dict[str, Any] = json.loads(model.capture)
    if model.nam_config is not None:
        config = _outline(json.loads(model.nam_config))
        esr = (capture.get("training") or {}).get("validation_esr")
        metrics = metrics or ({} if esr is None else {"esr": esr})
    elif version is None:
        names = ("channels", "num_layers", "kernel_size", "dilation_base")
        config = dict(zip(names, _core.read_amp_json(path)[2], strict=True))
    else:
        config = json.loads(metadata["neurdsp.config"])
    if "nam.version" in metadata:
        file_format = f".nam {metadata['nam.version']}"
    else:
        file_format = "JSON" if version is None else f"neurdsp {version}"
    return ModelInfo(
        path=Path(path),
        format=file_format,
        architecture=model.architecture,
        config=config,
        sample_rate=model.sample_rate,
        n_parameters=model.n_parameters,
        receptive_field=model.receptive_field,
        latency=model.latency,
        metrics=metrics,
        metadata={key: text for key, text in metadata.items() if key not in _TOLD_ELSEWHERE},
        capture=capture,
        submodels=tuple(_submodels(path, model.size_steps)),
        knobs={name: default for name, _, default in model.knobs},
    )


def _submodels(path: str | os.PathLike[str], steps: list[float]) -> Iterator[dict[str, Any]]:
    for size in [0.0, *steps] if steps else []:
        model = _core.AmpModel.load(path, size, False)
        yield {
            "size": size,
            "n_parameters": model.n_parameters,
            "receptive_field": model.receptive_field,
        }


def _outline(document: dict[str, Any]) -> dict[str, Any]:
    """Give what distinguishes a ``.nam`` model: the shapes of its parts rather than every key."""
    config = document["config"]
    match document["architecture"]:
        case "WaveNet":
            arrays = config["layers"]
            outline: dict[str, Any] = {
                "channels": [array["channels"] for array in arrays],
                "layers": [len(array["dilations"]) for array in arrays],
            }
            if config.get("condition_dsp"):
                outline["condition"] = config["condition_dsp"]["architecture"]
            return outline
        case "SlimmableContainer":
            return {"models": [entry["model"]["architecture"] for entry in config["submodels"]]}
        case _:
            return {key: value for key, value in config.items() if not isinstance(value, dict | list)}
