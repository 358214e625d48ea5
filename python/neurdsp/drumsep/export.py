"""From a public checkpoint to a model file that proves itself; torch, where installed, is the reference."""

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.drumsep.checkpoint import read_mdx23c_weights
from neurdsp.drumsep.config import TfcTdfConfig, read_mdx23c_yaml
from neurdsp.modelfile.files import DType, VerifyResult, build_metadata
from neurdsp.modelfile.proof import as_stored, write_proven

__all__ = ["ARCHITECTURE", "convert_checkpoint", "write_network"]

ARCHITECTURE = "drumsep.tfc_tdf"

#: Error that a file allows. Winograd in single precision leaves -85 dB in a network of the public size, and
#: -89 dB in small ones.
PARITY_DB = -75.0


def convert_checkpoint(
    checkpoint: str | os.PathLike[str],
    config: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    dtype: DType = "F32",
) -> VerifyResult:
    """Convert a public MDX23C checkpoint to a model file, and verify it.

    Parameters
    ----------
    checkpoint
        See `neurdsp.drumsep.checkpoint.read_mdx23c_weights`.
    config
        The YAML file that came with it.
    target
        The file to write.
    dtype
        The number type to store the weights in: ``F32``, ``F16`` or ``BF16``.

    Returns
    -------
    VerifyResult
        How well the engine reproduces the test vectors: those of torch if it is installed.

    Raises
    ------
    ConfigError, ModelFileError
        If the files cannot be read or do not fit, or if the engine misses the test vectors; nothing is
        written then.
    OSError
        If the folder of the target is absent.

    Examples
    --------
    >>> convert_checkpoint("drumsep.ckpt", "config.yaml", "drumsep.safetensors").passed  # doctest: +SKIP
    True
    """
    shape = read_mdx23c_yaml(config)
    weights = read_mdx23c_weights(checkpoint, shape, config_name=f"'{config}'")
    return write_network(weights, shape, target, dtype=dtype, name=Path(checkpoint).stem)


def write_network(
    weights: Mapping[str, NDArray[np.float32]],
    config: TfcTdfConfig,
    target: str | os.PathLike[str],
    *,
    dtype: DType = "F32",
    name: str = "",
    metrics: Mapping[str, float] | None = None,
) -> VerifyResult:
    """Write a network to a model file, with test vectors, and verify it.

    Parameters
    ----------
    weights
        Tensors of the shapes of ``config.parameter_shapes``.
    config
        The shape of the network.
    target, dtype
        As `convert_checkpoint`.
    name
        Name of the network.
    metrics
        What was measured.

    Returns
    -------
    VerifyResult
        The verdict on the file.

    Raises
    ------
    ModelFileError
        If the engine misses the test vectors; nothing is written then.
    OSError
        If the folder of the target is absent.
    """
    stored = as_stored(weights, dtype)
    # The shortest chunk with two frames in the narrowest scale, where a norm needs more than one value.
    frames = 2 * config.frame_multiple
    while (frames - 1) * config.hop_length < config.n_fft:
        frames += config.frame_multiple
    audio = _test_signal(config.audio_channels, (frames - 1) * config.hop_length)
    metadata = build_metadata(
        architecture=ARCHITECTURE,
        config=config.model_dump(mode="json"),
        sample_rate=config.sample_rate,
        channels=config.audio_channels,
        name=name,
        metrics=metrics,
        parity_db=PARITY_DB,
    )
    tensors = {**stored, "parity.input": audio}
    for stem, output in zip(config.stems, _reference(stored, config, audio), strict=True):
        tensors[f"parity.output.{stem}"] = output
    return write_proven(target, metadata, tensors, dict.fromkeys(stored, dtype), reference="the reference")


def _test_signal(channels: int, n_samples: int) -> NDArray[np.float32]:
    """Return decaying bursts of noise: loud and quiet passages of every frequency."""
    rng = np.random.default_rng(16)
    time = np.arange(n_samples)
    decay = np.exp(-(time % 4_096) / 1_024.0)
    return (0.3 * decay * rng.standard_normal((channels, n_samples))).astype(np.float32)


def _reference(
    weights: Mapping[str, NDArray[np.float32]], config: TfcTdfConfig, audio: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the stems of the test signal, ``(n_stems, channels, n_samples)``, from torch if it is there."""
    if importlib.util.find_spec("torch") is None:
        metadata = build_metadata(
            architecture=ARCHITECTURE,
            config=config.model_dump(mode="json"),
            sample_rate=config.sample_rate,
            channels=config.audio_channels,
        )
        return _core.TfcTdf(metadata, dict(weights)).forward(audio, 1)
    import torch

    from neurdsp.drumsep.model import TfcTdfNet

    network = TfcTdfNet(config).eval()
    network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
    with torch.inference_mode():
        stems: NDArray[np.float32] = network(torch.from_numpy(audio)[None])[0].numpy()
    return stems
