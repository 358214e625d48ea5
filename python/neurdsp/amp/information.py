"""What an amp model holds beyond what every model file does: receptive field, knobs, capture levels."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurdsp import _core
from neurdsp.modelfile import ModelInfo

__all__ = ["AmpInfo", "describe"]

_CAPTURE = "neurdsp.capture"
_NAM_VERSION = "nam.version"
_SOURCE_FORMAT = "source.format"
_CAPTURE_UNITS = {
    "loudness": "dB",
    "input_level_dbu": "dBu at 0 dBFS",
    "output_level_dbu": "dBu at 0 dBFS",
}
_NUMBERS = {*_CAPTURE_UNITS, "gain"}


@dataclass(frozen=True, kw_only=True)
class AmpInfo(ModelInfo):
    """What a file of an amp model holds.

    ``format`` is ``neurdsp 1.0``, ``.nam 0.5.4``, ``AIDA-X JSON``, ``Proteus JSON``, or ``JSON`` for the
    form that earlier trainers wrote.

    Attributes
    ----------
    receptive_field
        In samples.
    latency
        In samples.
    capture
        What the file says about the device and the capture, by the keys of ``.nam`` metadata: loudness in dB,
        levels in dBu, make and model.
    submodels
        Each size of a model that has several: the ``size`` from which it plays, ``n_parameters`` and
        ``receptive_field``.
    knobs
        The default position of each knob, 0 to 1, by name.
    """

    receptive_field: int
    latency: int
    capture: dict[str, Any]
    submodels: tuple[dict[str, Any], ...]
    knobs: dict[str, float]

    def rows(self) -> list[tuple[str, str]]:
        """Return receptive field, latency, sizes, knobs and capture levels as labels and values."""
        field_ms = 1000 * self.receptive_field / self.sample_rate
        return [
            ("receptive field", f"{self.receptive_field} samples, {field_ms:.1f} ms"),
            ("latency", f"{self.latency} samples"),
            *((f"size from {size['size']:.3g}", _size(size)) for size in self.submodels),
            *((f"knob {name}", f"0 to 1, default {default:.3g}") for name, default in self.knobs.items()),
            *_levels(self.capture),
        ]


def describe(told: ModelInfo) -> AmpInfo:
    """Add the facts of an amp to what every family's file says.

    Parameters
    ----------
    told
        What every file says; ``format`` is empty for a ``.nam`` file or the JSON of an amp model.

    Returns
    -------
    AmpInfo
        With ``n_parameters`` of the network that plays.

    Raises
    ------
    ModelFileError
        If the model is damaged.
    """
    model = _core.AmpModel.load(told.path, None, False)
    capture: dict[str, Any] = json.loads(model.capture)
    file_format, config, metrics = told.format, told.config, told.metrics
    if not file_format:
        version = told.metadata.get(_NAM_VERSION)
        file_format = told.metadata.get(_SOURCE_FORMAT, "JSON") if version is None else f".nam {version}"
    if model.nam_config is not None:
        config = _outline(json.loads(model.nam_config))
        esr = (capture.get("training") or {}).get("validation_esr")
        metrics = metrics or ({} if esr is None else {"esr": esr})
    elif not told.format:
        names = ("channels", "num_layers", "kernel_size", "dilation_base")
        config = dict(zip(names, _core.read_amp_json(told.path)[2], strict=True))
    changed = {
        "format": file_format,
        "config": config,
        "metrics": metrics,
        "metadata": {
            key: text
            for key, text in told.metadata.items()
            if key not in (_CAPTURE, _NAM_VERSION, _SOURCE_FORMAT)
        },
    }
    return AmpInfo(
        **(vars(told) | changed),
        receptive_field=model.receptive_field,
        latency=model.latency,
        capture=capture,
        submodels=tuple(_submodels(told.path, model.size_steps)),
        knobs={name: default for name, _, default in model.knobs},
    )


def _submodels(path: Path, steps: list[float]) -> Iterator[dict[str, Any]]:
    for size in [0.0, *steps] if steps else []:
        model = _core.AmpModel.load(path, size, False)
        yield {
            "size": size,
            "n_parameters": model.n_parameters,
            "receptive_field": model.receptive_field,
        }


def _outline(document: dict[str, Any]) -> dict[str, Any]:
    """Give the shapes of a ``.nam`` model's parts rather than every key."""
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


def _size(size: dict[str, Any]) -> str:
    return f"{size['n_parameters']:,} parameters, receptive field {size['receptive_field']} samples"


def _levels(capture: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in capture.items():
        # Dates and settings of the training are nested; --json prints them.
        if key == "date" and isinstance(value, dict) and {"year", "month", "day"} <= value.keys():
            yield "date", "-".join(str(value[part]).zfill(2) for part in ("year", "month", "day"))
        if value is not None and key != "name" and not isinstance(value, dict | list):
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            if key in _NUMBERS and not isinstance(value, int | float):
                yield key.replace("_", " "), f"'{value}', which is no number: it is ignored"
                continue
            label = key.removesuffix("_dbu").replace("_", " ")
            yield label, f"{text} {_CAPTURE_UNITS.get(key, '')}".strip()
