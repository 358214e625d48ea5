"""The bridge from a trained network to a model file: fold, name, describe, prove, write.

Constants of the run are folded into the first and last convolution. The file carries a test signal
and what the network makes of it, computed in float64 from the very weights in the file, so that
every copy can be verified.
"""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from neurdsp import modelfile
from neurdsp._output import atomic_output
from neurdsp.amp.lstm import LstmNetwork
from neurdsp.amp.model import AmpNetwork, NamWaveNet, build_network
from neurdsp.audio import FloatArray
from neurdsp.errors import ModelFileError

__all__ = ["PARITY_DB", "export", "fold", "parity_input"]

PARITY_DB = -100.0
"""Energy of the error that any computation of the model may have, relative to its output's, in dB."""

_PARITY_TAIL = 2048


NAM_VERSION = "0.6.0"
"""The version of the ``.nam`` format that the networks are written in."""


def fold(model: AmpNetwork) -> dict[str, FloatArray]:
    """Return the weights under their names in the model file, with the scales folded in.

    Returns
    -------
    dict
        Of a residual network ``input_conv.weight (C, 1, 1)``, ``layers.{i}.conv.weight (C, C, k)``,
        ``output_conv.weight (1, C, 1)`` and the biases ``(C,)``, ``(C,)``, ``(1,)``; of one of the ``.nam``
        format ``weights (n_parameters,)``; float32.
    """
    if isinstance(model, NamWaveNet):
        double = model.weights.detach().cpu().double()
        twin = NamWaveNet(
            model.config, input_scale=model.input_scale, output_scale=model.output_scale
        ).double()
        twin.load_state_dict({"weights": double})
        return {"weights": np.ascontiguousarray(twin.folded_weights().detach().numpy(), dtype=np.float32)}
    if isinstance(model, LstmNetwork):
        flat = model.flat_weights().detach().cpu().double().numpy()
        return {"weights": np.ascontiguousarray(flat, dtype=np.float32)}
    factors = {
        "input_conv.weight": model.input_scale,
        "output_conv.weight": model.output_scale,
        "output_conv.bias": model.output_scale,
    }
    return {
        name: np.ascontiguousarray(
            (tensor.detach().cpu().double() * factors.get(name, 1.0)).numpy(), dtype=np.float32
        )
        for name, tensor in model.state_dict().items()
    }


def _unfolded(model: AmpNetwork, tensors: Mapping[str, FloatArray]) -> AmpNetwork:
    """Return a twin in double precision that computes what the folded weights in a file do."""
    state = {name: torch.from_numpy(array).double() for name, array in tensors.items()}
    scale = 1.0
    if isinstance(model, LstmNetwork):
        lstm = LstmNetwork(model.config).double()
        lstm.load_flat(state["weights"])
        return lstm
    if isinstance(model, NamWaveNet):
        values = state["weights"]
        state, scale = {"weights": values[:-1]}, float(values[-1])
    twin = build_network(model.config, output_scale=scale).double()
    twin.load_state_dict(state)
    return twin


def _header(
    model: AmpNetwork, sample_rate: float, tensors: Mapping[str, FloatArray]
) -> tuple[str, dict[str, Any]]:
    """Return the architecture in the file, and its config."""
    document: dict[str, Any] = {"version": NAM_VERSION, "weights": [], "sample_rate": sample_rate}
    if isinstance(model, NamWaveNet):
        config = model.config.document(head_scale=float(tensors["weights"][-1]))
        return "nam.wavenet", {**document, "architecture": "WaveNet", "config": config}
    if isinstance(model, LstmNetwork):
        return "nam.lstm", {**document, "architecture": "LSTM", "config": model.config.document()}
    return "amp.wavenet", model.config.model_dump()


def parity_input(receptive_field: int, level: float = 0.1) -> FloatArray:
    """Make the test signal: noise, a sweep and silence at levels from full scale down to -60 dBFS.

    Parameters
    ----------
    receptive_field
        Of the model; the signal is one receptive field and 2048 samples long.
    level
        Typical RMS of what the model is made for.

    Returns
    -------
    ndarray of float32
        The same samples each time.
    """
    n_samples = receptive_field + _PARITY_TAIL
    rng = np.random.default_rng(20_240_501)
    noise = rng.standard_normal(n_samples)
    phase = 2 * np.pi * np.cumsum(np.geomspace(0.001, 0.45, n_samples))
    # Stretches of 256 samples at changing levels; every eighth is silent.
    stretch = np.arange(n_samples) // 256
    gains = np.array([1.0, 4.0, 0.25, 8.0, 0.05, 2.0, 0.01, 0.0])[stretch % 8]
    signal = level * gains * np.where(stretch % 2 == 0, noise, np.sqrt(2) * np.sin(phase))
    return np.clip(signal, -1.0, 1.0).astype(np.float32)


def _reference(twin: AmpNetwork, signal: FloatArray) -> FloatArray:
    """Compute the output of a network in float64, from the state of endless silence."""
    with torch.no_grad():
        output = twin.render(torch.from_numpy(signal).double()[None])[0]  # (n_samples,)
    result: FloatArray = output.numpy().astype(np.float32)
    return result


def _error_db(found: FloatArray, wanted: FloatArray) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.sum(np.square(found.astype(np.float64) - wanted))
    return float(10 * np.log10((error + 1e-30) / (np.sum(np.square(wanted, dtype=np.float64)) + 1e-30)))


def export(
    model: AmpNetwork,
    path: str | os.PathLike[str],
    *,
    sample_rate: float,
    metrics: Mapping[str, Any],
    level: float = 0.1,
    name: str = "",
    description: str = "",
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write a network as a model file.

    Parameters
    ----------
    model
        The trained network.
    path
        The file; an older one is replaced once the new one is whole.
    sample_rate
        Of the recordings, in Hz.
    metrics
        What was measured, as JSON values.
    level
        RMS of the recorded input, the level of the test signal.
    name, description
        For people.
    extra
        Further metadata, the resolved configuration of the run say.

    Raises
    ------
    ModelFileError
        When the trained network and the folded weights disagree by more than -100 dB, which would
        mean a defect, or when its output is not finite.
    OSError
        When the file cannot be written.
    """
    config = model.config
    tensors = fold(model)
    signal = parity_input(config.receptive_field, level)
    wanted = _reference(_unfolded(model, tensors), signal)
    device = next(model.parameters()).device
    with torch.no_grad():
        found = model.render(torch.from_numpy(signal)[None].to(device))[0].float().cpu().numpy()
    error_db = _error_db(found, wanted)
    if not error_db <= PARITY_DB:
        raise ModelFileError(
            f"'{path}' was not written: the folded weights differ from the trained ones by "
            f"{error_db:.1f} dB, at most {PARITY_DB:.0f} dB is allowed"
        )
    architecture, header = _header(model, sample_rate, tensors)
    metadata = modelfile.build_metadata(
        architecture=architecture,
        config=header,
        sample_rate=sample_rate,
        metrics=metrics,
        parity_db=PARITY_DB,
        name=name,
        description=description,
    )
    tensors |= modelfile.build_parity(signal, wanted)
    with atomic_output(path) as temporary:
        modelfile.write(temporary, {**metadata, **(extra or {})}, tensors)
        # A model that the engine does not reproduce must not replace one that it does.
        result = modelfile.verify(temporary)
        if not result.passed:
            raise ModelFileError(
                f"'{path}' was not written: the engine differs from the trained network by "
                f"{result.error_db:.1f} dB, at most {PARITY_DB:.0f} dB is allowed"
            )
