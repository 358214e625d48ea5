"""What all training runs of amp models share: levels, scales of the network, output files and run folders."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neurdsp._output import check_output
from neurdsp.amp.config import AmpConfig, load_config
from neurdsp.amp.data import Pair, Ranges
from neurdsp.audio import FloatArray
from neurdsp.errors import ParameterError
from neurdsp.training.run_folder import check_resumable

__all__ = [
    "Scales",
    "check_model_path",
    "check_resume",
    "export_details",
    "network_scales",
    "rms",
    "run_files",
    "spare_name",
    "within",
]

_INPUT_RMS = 1.0
"""RMS to which the input is scaled before training."""

_OUTPUT_FACTOR = 0.1
"""Output scale before training, relative to the RMS of the target. Networks that start loud, or that must
first learn a large gain, converge several times slower."""

_LEAST_RMS = 1e-6


class Scales(NamedTuple):
    """Factors on the input and the output of a network, folded into its weights at export."""

    input_scale: float
    output_scale: float


def within(signal: FloatArray, ranges: Ranges | None) -> FloatArray:
    """Return the samples of some ranges joined, ``(n,)``; without ranges the whole signal."""
    return signal if ranges is None else np.concatenate([signal[start:stop] for start, stop in ranges])


def rms(signal: FloatArray, ranges: Ranges | None = None) -> float:
    """Return the RMS of a signal, or of some ranges of it; at least 1e-6.

    Examples
    --------
    >>> rms(np.array([0.0, 3.0, 3.0], np.float32), ((1, 3),))
    3.0
    """
    return max(float(np.sqrt(np.mean(np.square(within(signal, ranges), dtype=np.float64)))), _LEAST_RMS)


def network_scales(dry_rms: float, wet_rms: float) -> Scales:
    """Return the scales of a network before training, from the levels of the input and of the target.

    Examples
    --------
    >>> network_scales(0.5, 0.2)
    Scales(input_scale=2.0, output_scale=0.02)
    """
    return Scales(input_scale=_INPUT_RMS / dry_rms, output_scale=_OUTPUT_FACTOR * wet_rms)


def check_model_path(path: str | os.PathLike[str], *, inputs: Sequence[str | os.PathLike[str]] = ()) -> Path:
    """Return the path of a model file that can be written, and is none of the inputs.

    Raises
    ------
    ParameterError
        If it does not end in ``.safetensors``.
    OSError
        If its folder is missing or cannot be written, or if it is an input.
    """
    checked = Path(path)
    if checked.suffix != ".safetensors":
        raise ParameterError(f"the model file '{checked}' must end in .safetensors")
    check_output(checked, inputs=inputs)
    return checked


def check_resume(
    folder: Path, config: AmpConfig, facts: Mapping[str, Any], *, facts_required: bool = True
) -> None:
    """Refuse to resume with other recordings or settings; see `check_resumable`."""
    check_resumable(
        folder,
        config,
        facts,
        load=lambda file: load_config(file=file),
        facts_required=facts_required,
    )


def run_files(path: Path) -> tuple[str, ...]:
    """Return the names of what a run writes into its folder besides log, settings and checkpoint."""
    return (f"{path.stem}.nam", f"{path.stem}.json", spare_name(path), "report.html", "tensorboard")


def spare_name(path: Path) -> str:
    """Return the name in the run folder of a model that is not better than the one at ``path``."""
    return f"{path.stem}-new.safetensors"


def export_details(path: Path, pair: Pair, config: AmpConfig) -> dict[str, Any]:
    """Return what every export of a run says of it: keyword arguments of the export functions."""
    return {
        "sample_rate": pair.sample_rate,
        "level": float(np.sqrt(np.mean(np.square(pair.dry, dtype=np.float64)))),
        "name": config.about.name or path.stem,
        "description": config.description,
        "about": config.about,
        "extra": {"neurdsp.training": json.dumps(config.model_dump(mode="json"))},
    }
