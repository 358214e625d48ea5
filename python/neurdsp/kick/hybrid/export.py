"""From a run of the `fast` preset to a model file, with a test vector."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.kick.attributes import WORDS
from neurdsp.kick.counted import kick_key
from neurdsp.kick.hybrid.config import ARCHITECTURE, QUANTITY_NAMES, SLIDERS
from neurdsp.kick.hybrid.forward import Forward
from neurdsp.kick.hybrid.train import FastRun
from neurdsp.kick.reference import RATE, render
from neurdsp.modelfile.files import DType, VerifyResult, build_metadata
from neurdsp.modelfile.proof import as_stored, write_proven

__all__ = ["SLIDER_TEXTS", "export", "model_config", "model_tensors"]

PARITY_DB = -50.0
# Pitch is summed over 2 s, so the last bits of a latent become differences of phase.
SLIDER_TEXTS = {
    "pitch": ("pitch", "pitch of the tail, from about 30 to 110 Hz"),
    "length": ("length", "how long it lasts"),
    "centroid": ("brightness", "balance of bass and treble"),
    "click": ("click", "how loud the click at the start is"),
    "sweep": ("punch", "how far the pitch falls at the start"),
}
"""Name and meaning of the sliders, by quantity."""


def export(
    run_dir: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    dtype: DType = "F16",
    name: str = "",
    metrics: Mapping[str, Any] | None = None,
    details: Mapping[str, str] | None = None,
) -> VerifyResult:
    """Write the networks of a run to a model file that proves itself.

    The test vectors come from the networks and the renderer in NumPy.

    Parameters
    ----------
    run_dir
        Folder of a run that has passed all stages.
    target
        The file to write.
    dtype
        Number type of the weights.
    name
        Name of the generator.
    metrics
        What was measured, as finite JSON values.
    details
        Further metadata, text by key.

    Returns
    -------
    VerifyResult
        The verdict on the file.

    Raises
    ------
    ConfigError
        If a stage is missing.
    ModelFileError
        If the engine misses the test vectors; nothing is written then.
    """
    run = FastRun.load(Path(run_dir))
    tensors = as_stored(model_tensors(run), dtype)
    config = model_config(run)
    metadata = build_metadata(
        architecture=ARCHITECTURE,
        config=config,
        sample_rate=RATE,
        channels=1,
        name=name,
        metrics={
            **{f"{stage}_{key}": value for stage, all_ in run.figures.items() for key, value in all_.items()},
            **(metrics or {}),
        },
        parity_db=PARITY_DB,
    )
    return write_proven(
        target,
        {**(details or {}), **metadata},
        {**tensors, **_vectors(config, tensors)},
        dict.fromkeys(tensors, dtype),
        reference="the reference",
    )


def model_config(run: FastRun) -> dict[str, Any]:
    """Return the config of the model file of a run."""
    shape = run.recipe.shape
    quantities = [
        {"name": name, "mean": float(mean), "sd": float(sd)}
        for name, mean, sd in zip(QUANTITY_NAMES, run.mean, run.spread, strict=True)
    ]
    keywords = []
    for word, at in zip(WORDS, run.at, strict=True):
        k = QUANTITY_NAMES.index(word.quantity)
        threshold = float((at - run.mean[k]) / run.spread[k])
        side = "above" if word.side > 0 else "below"
        keywords.append(
            {
                "name": word.name,
                "quantity": word.quantity,
                "side": side,
                "threshold": threshold,
                "meaning": word.meaning,
            }
        )
    attributes = []
    for quantity in SLIDERS:
        k = QUANTITY_NAMES.index(quantity)
        name, meaning = SLIDER_TEXTS[quantity]
        low, high = run.mean[k] - 1.8 * run.spread[k], run.mean[k] + 1.8 * run.spread[k]
        attributes.append(
            {"name": name, "quantity": quantity, "low": float(low), "high": float(high), "meaning": meaning}
        )
    return {
        "latent": shape.latent,
        "width": shape.width,
        "blocks": shape.blocks,
        "embedding": shape.embedding,
        "probe_width": shape.probe_width,
        "candidates": shape.candidates,
        "decoder": [{**part.model_dump(mode="json"), "width": 2 * part.latent + 2} for part in shape.decoder],
        "quantities": quantities,
        "keywords": keywords,
        "attributes": attributes,
        "settle_s": shape.settle_s,
    }


def model_tensors(run: FastRun) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of the model file of a run, by the names of the contract."""
    found = {f"generator.{key}": value for key, value in run.student.state_dict().items()}
    for key, value in run.probe.state_dict().items():
        found[f"probe.{key.removeprefix('layers.')}"] = value
    made = {key: np.ascontiguousarray(value.detach().float().numpy()) for key, value in found.items()}
    return made | run.basis.tensors()


def _vectors(
    config: dict[str, Any], tensors: dict[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """Return test vectors: two words and a seed, and the audio of two seconds by the reference in NumPy."""
    words = np.zeros(len(WORDS), np.float32)
    words[[0, 10]] = 1
    seed = 7
    key = kick_key(seed, 0)
    audio = render(Forward(config, tensors).code(key, words.tolist()), key)
    inputs = {"parity.input.seed": np.array([seed], np.float32), "parity.input.keywords": words}
    return {**inputs, "parity.output": audio[None]}
