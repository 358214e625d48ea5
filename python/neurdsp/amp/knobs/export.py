"""From a network with knobs to a model file: fold, describe, prove at the default positions, write."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from neurdsp import modelfile
from neurdsp.amp.about import AboutConfig
from neurdsp.amp.export import PARITY_DB, parity_input, write_verified
from neurdsp.amp.knobs.model import HIDDEN, RANK, ParametricWaveNet
from neurdsp.amp.model import NamWaveNet
from neurdsp.amp.nam_config import NAM_VERSION

__all__ = ["export_parametric"]


def export_parametric(
    model: ParametricWaveNet,
    path: str | os.PathLike[str],
    *,
    knobs: Mapping[str, float],
    sample_rate: float,
    metrics: Mapping[str, Any],
    level: float = 0.1,
    name: str = "",
    description: str = "",
    about: AboutConfig | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write a network with knobs as a model file.

    Parameters
    ----------
    model
        The trained network.
    path
        The file; an older one is replaced once the new one is complete.
    knobs
        Default position of each knob by name, in the order of the network.
    sample_rate, metrics, level, name, description, about, extra
        As in `neurdsp.amp.export.export`.

    Raises
    ------
    ModelFileError
        If the engine does not reproduce the network at the default positions.
    OSError
        If the file cannot be written.
    """
    weights, basis = model.folded()
    stored = {"weights": weights.astype(np.float32), "knobs.basis.weights": basis.astype(np.float32)}
    for part in ("hidden", "output"):
        layer = getattr(model, part)
        for tensor in ("weight", "bias"):
            values = getattr(layer, tensor).detach().cpu().numpy()
            stored[f"knobs.{part}.{tensor}"] = np.ascontiguousarray(values, dtype=np.float32)
    signal = parity_input(model.receptive_field, level)
    stored |= modelfile.build_parity(signal, _reference(model, list(knobs.values()), signal))
    document = {
        "version": NAM_VERSION,
        "architecture": "WaveNet",
        "config": model.config.document(head_scale=float(stored["weights"][-1])),
        "weights": [],
        "sample_rate": sample_rate,
    }
    metadata = modelfile.build_metadata(
        architecture="amp.parametric",
        config={
            "knobs": [{"name": knob, "default": default} for knob, default in knobs.items()],
            "hidden": HIDDEN,
            "rank": RANK,
            "model": {"architecture": "nam.wavenet", "config": document},
        },
        sample_rate=sample_rate,
        metrics=metrics,
        parity_db=PARITY_DB,
        name=name,
        description=description,
    )
    write_verified(path, {**metadata, **(extra or {})}, stored, about=about)


def _reference(model: ParametricWaveNet, positions: list[float], signal: np.ndarray) -> np.ndarray:
    """Compute the output at the given positions in float64, independently of the folded weights."""
    twin = NamWaveNet(model.config).double()
    with torch.no_grad():
        double = ParametricWaveNet(
            model.config, model.n_knobs, input_scale=model.input_scale, output_scale=model.output_scale
        )
        double.load_state_dict(model.state_dict())
        values = double.double().flat_weights(positions)
        twin.load_state_dict({"weights": values[:-1]})
        twin.output_scale = float(values[-1])
        scaled = torch.from_numpy(signal).double() * model.input_scale
        output: np.ndarray = twin.render(scaled[None])[0].numpy().astype(np.float32)
    return output
