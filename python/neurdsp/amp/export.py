"""From a trained network to a model file: fold the scales, describe the network, prove it, write it.

The file carries a test signal and the network's output for it, computed in float64 from the very weights in
the file, so that every copy of the file can be verified.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurdsp import modelfile
from neurdsp._output import atomic_output
from neurdsp.amp.about import CAPTURE, AboutConfig, capture_facts
from neurdsp.amp.infer import AmpModel
from neurdsp.amp.network import AmpNetwork
from neurdsp.audio import FloatArray
from neurdsp.errors import ModelFileError
from neurdsp.modelfile.loudness import measure_levels

__all__ = ["PARITY_DB", "export", "parity_input", "write_verified"]

PARITY_DB = -100.0
"""Largest energy of the error that any computation of the model may have, relative to its output, in dB."""

_PARITY_TAIL = 2048


def parity_input(receptive_field: int, level: float = 0.1) -> FloatArray:
    """Make the test signal: noise, a sweep and silence at levels from full scale down to -60 dBFS.

    Parameters
    ----------
    receptive_field
        Of the model, in samples; the signal is 2048 samples longer.
    level
        Typical RMS of the input of the model.

    Returns
    -------
    ndarray of float32, shape (receptive_field + 2048,)
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
    """Compute the output of a double precision network, with endless silence before the signal."""
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
    about: AboutConfig | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write a network as a model file, with its loudness.

    Parameters
    ----------
    model
        The trained network.
    path
        The file; an older one is replaced once the new one is complete.
    sample_rate
        Of the recordings, in Hz.
    metrics
        Measured figures, as JSON values.
    level
        RMS of the recorded input; sets the level of the test signal.
    name, description
        For people.
    about
        What is known of the device and its capture.
    extra
        Further metadata, such as the resolved configuration of the run.

    Raises
    ------
    ModelFileError
        If the folded weights differ from the trained network by more than -100 dB, which would be a defect,
        or if the output is not finite.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> export(network, "amp.safetensors", sample_rate=48_000, metrics={})  # doctest: +SKIP
    """
    tensors = model.folded()
    signal = parity_input(model.receptive_field, level)
    wanted = _reference(model.twin(tensors), signal)
    device = next(model.parameters()).device
    with torch.no_grad():
        found = model.render(torch.from_numpy(signal)[None].to(device))[0].float().cpu().numpy()
    error_db = _error_db(found, wanted)
    if not error_db <= PARITY_DB:
        raise ModelFileError(
            f"'{path}' was not written: the folded weights differ from the trained ones by "
            f"{error_db:.1f} dB, at most {PARITY_DB:.0f} dB is allowed"
        )
    metadata = modelfile.build_metadata(
        architecture=model.architecture,
        config=model.header(sample_rate),
        sample_rate=sample_rate,
        metrics=metrics,
        parity_db=PARITY_DB,
        name=name,
        description=description,
    )
    tensors |= modelfile.build_parity(signal, wanted)
    write_verified(path, {**metadata, **(extra or {})}, tensors, about=about)


def write_verified(
    path: str | os.PathLike[str],
    metadata: Mapping[str, str],
    tensors: Mapping[str, FloatArray],
    *,
    about: AboutConfig | None = None,
) -> None:
    """Write a model file that the engine reproduces; a file that it does not never replaces an older one.

    Parameters
    ----------
    path
        The file.
    metadata, tensors
        Its content, ``parity.input`` and ``parity.output`` included.
    about
        What is known of the device. The file says it under ``neurdsp.capture``, with the loudness and the
        gain that the engine measures.

    Raises
    ------
    ModelFileError
        If the engine differs from ``parity.output`` by more than `PARITY_DB`.
    OSError
        If the file cannot be written.
    """
    with atomic_output(path) as temporary:
        modelfile.write(temporary, dict(metadata), dict(tensors))
        result = modelfile.verify(temporary)
        if not result.passed:
            raise ModelFileError(
                f"'{path}' was not written: the engine differs from the trained network by "
                f"{result.error_db:.1f} dB, at most {PARITY_DB:.0f} dB is allowed"
            )
        amp = AmpModel.load(temporary)
        metrics: dict[str, Any] = json.loads(metadata.get("neurdsp.metrics", "{}"))
        facts = capture_facts(
            about or AboutConfig(),
            name=metadata.get("neurdsp.name", Path(path).stem),
            metrics=metrics,
            levels=measure_levels(
                lambda clip: amp.render(clip, amp.sample_rate),
                amp.sample_rate,
                # A model on the way is measured briefly: the best one is exported once more at the end.
                with_gain=metrics.get("measured_by") != "training",
            ),
        )
        modelfile.write(temporary, {**metadata, CAPTURE: facts}, dict(tensors))
